#pragma once

#include <string>
#include <vector>

#include "technology/technology.h"

namespace hysteron::technology {

/// What a description file says: the technology without its model files, and where those may lie.
struct Description {
  Technology technology;
  std::vector<std::string> folders;  ///< below the PDK root, tried in order
  std::vector<std::string> files;    ///< plain names of the model files a run needs
};

/// Parses and validates a description. Throws a bad-input Error that names `origin`, the key and what was expected for
/// anything missing, unknown, of another type or impossible.
Description parse_description(const std::string& text, const std::string& origin);

}  // namespace hysteron::technology
