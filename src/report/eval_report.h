#pragma once

#include "report/figures.h"
#include "studies/eval.h"

namespace hysteron::report {

/// `eval` of a hardware backbone: docs/training.md.
const Table<studies::EvalResult>& eval_table();

/// `eval` of a software backbone.
const Table<studies::SequenceEvalResult>& sequence_eval_table();

}  // namespace hysteron::report
