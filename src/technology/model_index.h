#pragma once

#include <map>
#include <set>
#include <string>

#include "technology/technology.h"

namespace hysteron::technology {

/// What model files define, by name in lower case as ngspice takes names: enough to say that something is not there.
class ModelIndex {
 public:
  explicit ModelIndex(const std::map<std::string, std::string>& files);

  /// False where a file reads another one that is not among the files: what that defines is not known.
  bool is_whole() const { return is_whole_; }

  /// Sections that can be read of `file`.
  const std::set<std::string>& sections(const std::string& file) const;

  /// Instances of every subcircuit, those of all its definitions together.
  const std::map<std::string, std::set<std::string>>& subcircuits() const { return subcircuits_; }

 private:
  void read(const std::string& file, const std::string& text, const std::map<std::string, std::string>& files);

  bool is_whole_ = true;
  std::map<std::string, std::set<std::string>> sections_;
  std::map<std::string, std::set<std::string>> subcircuits_;
};

/// Throws a bad-input Error that names `origin`, the key, its value and what was expected unless the model files define
/// the section of every corner, the section with mismatch, the subcircuits and the devices inside them.
void check_models(const Technology& technology, const std::string& origin);

}  // namespace hysteron::technology
