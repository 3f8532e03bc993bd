#pragma once

#include "report/figures.h"
#include "studies/eval.h"

namespace hysteron::report {

/// Accuracies over dies, with their terminal text.
const Table<studies::DieScores>& die_scores_table();

/// That text; empty where no die was scored.
std::string die_scores_text(const std::optional<studies::DieScores>& scores);

}  // namespace hysteron::report
