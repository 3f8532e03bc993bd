#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "report/figures.h"

namespace hysteron::report {

/// Compares `text` with `file`, relative to the source tree, or writes it there if HYSTERON_UPDATE_GOLDEN is set.
inline void check_file(const std::string& file, const std::string& text) {
  const std::filesystem::path path = std::filesystem::path(HYSTERON_SOURCE_DIR) / file;
  if (std::getenv("HYSTERON_UPDATE_GOLDEN") != nullptr) {
    make_directories(path.parent_path());
    write_file(path, text);
    return;
  }
  EXPECT_EQ(read_file(path), text) << file << ": if the difference is meant, run with HYSTERON_UPDATE_GOLDEN=1";
}

/// Compares the JSON and the terminal text of `result` with tests/report/golden/NAME.json and NAME.txt.
template <typename Result>
void check_golden(const std::string& name, const Table<Result>& table, const Result& result) {
  check_file("tests/report/golden/" + name + ".json", json_text(table.json(result), 1) + "\n");
  check_file("tests/report/golden/" + name + ".txt", table.text(result));
}

}  // namespace hysteron::report
