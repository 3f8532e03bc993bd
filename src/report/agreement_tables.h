#pragma once

#include "analysis/agreement.h"
#include "analysis/divergence.h"
#include "analysis/hazards.h"
#include "report/figures.h"
#include "studies/verification.h"

namespace hysteron::report {

/// How well a circuit agrees with software (docs/verification.md), with its terminal text.
const Table<analysis::Agreement>& agreement_table();

/// Errors of one cell's state over agreeing bits.
const Table<analysis::CellStateError>& state_cell_table();

/// Wrong bits by cause, over any number of clips; on a terminal a table of the cells.
const Table<analysis::Divergence>& divergence_counts_table();

/// `cells`: the cells with wrong bits, worst first.
const Table<analysis::Divergence>& divergent_cells_table();

const Table<analysis::GlitchCount>& glitch_count_table();
const Table<analysis::Glitch>& glitch_table();
const Table<analysis::SettlingSummary>& settling_table();

}  // namespace hysteron::report
