#pragma once

#include <filesystem>
#include <string>

#include "base/file.h"

namespace hysteron::spice {

/// A shell script that stands in for ngspice. It answers `--version` with `version` and else runs `body` in the run's
/// folder, where deck.cir lies.
class FakeProgram {
 public:
  explicit FakeProgram(const std::string& body, const std::string& version = "** ngspice-39 : fake") : folder_("fake") {
    write_file(path(),
               "#!/bin/sh\nif [ \"$1\" = --version ]; then\n" + answer(version) + "\nexit 0\nfi\n" + body + "\n");
    std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
  }

  std::filesystem::path folder() const { return folder_.path(); }
  std::filesystem::path path() const { return folder_.path() / "ngspice"; }

 private:
  // A version that begins with '!' is a command of its own.
  static std::string answer(const std::string& version) {
    return version.starts_with('!') ? version.substr(1) : "echo '" + version + "'";
  }

  TemporaryDirectory folder_;
};

}  // namespace hysteron::spice
