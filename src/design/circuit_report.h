#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "analysis/agreement.h"
#include "compile/compiled_network.h"
#include "technology/technology.h"

namespace hysteron::design {

/// mapping.csv: one row an instance of a learned parameter (docs/compiler.md).
std::string mapping_csv(const compile::CompiledNetwork& network);

/// summary.json: what the circuit is made of.
nlohmann::json summary_json(const compile::CompiledNetwork& network, const technology::Technology& technology,
                            const std::map<std::string, std::size_t>& by_role, double area);

/// {total, cells, feedforward} in nanowatts.
nlohmann::json power_json(const compile::Power& power);

/// The figures of `verify` under their names in the contract.
nlohmann::json agreement_json(const analysis::Agreement& agreement);

/// State errors cell by cell, worst first.
nlohmann::json state_cells_json(const analysis::Agreement& agreement);

}  // namespace hysteron::design
