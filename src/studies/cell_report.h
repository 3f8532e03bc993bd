#pragma once

#include <nlohmann/json.hpp>

#include "analysis/cell_study.h"

namespace hysteron::studies {

/// rise, fall, high and low in ampere; null where there is none.
nlohmann::ordered_json loop_json(const compile::CellLoop& loop);

/// The whole study in SI units (docs/cell.md explains every field); null where there is no figure.
nlohmann::ordered_json cell_study_json(const analysis::CellStudyResult& study, const analysis::CellTestSetup& lab);

}  // namespace hysteron::studies
