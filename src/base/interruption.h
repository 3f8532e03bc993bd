#pragma once

#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace hysteron {

/// The error of an interrupted command: of what it has done, `kept` ("3 of 8 runs") is in `folder`; nothing is where
/// that is empty.
Error interruption(std::string_view kept, const std::filesystem::path& folder);

}  // namespace hysteron
