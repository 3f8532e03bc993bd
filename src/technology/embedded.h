#pragma once

#include <map>
#include <string>
#include <string_view>

namespace hysteron::technology {

/// The files of technologies/ compiled into the program, by file name.
const std::map<std::string, std::string_view>& embedded_files();

}  // namespace hysteron::technology
