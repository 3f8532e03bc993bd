#pragma once

#include <string>
#include <vector>

#include "report/figures.h"

namespace hysteron::report {

/// A command and the figures of its result.
struct ResultInfo {
  std::string command;  ///< "verify", "study cell"
  std::vector<FigureInfo> figures;
};

/// Every result that a command prints, in the order of docs/json.md.
std::vector<ResultInfo> all_results();

}  // namespace hysteron::report
