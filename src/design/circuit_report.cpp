#include "design/circuit_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/units.h"
#include "compile/calibration.h"
#include "design/finite_or_null.h"

namespace hysteron::design {

nlohmann::json power_json(const compile::Power& power) {
  return {{"total", power.total / kNano}, {"cells", power.cells / kNano}, {"feedforward", power.feedforward / kNano}};
}

namespace {

nlohmann::json suppression_json(const analysis::NetworkSuppression& suppression) {
  return {{"state_relative_rms", suppression.state_relative_rms},
          {"ratio", finite_or_null(suppression.ratio)},
          {"n", suppression.bits}};
}

}  // namespace

nlohmann::json agreement_json(const analysis::Agreement& agreement) {
  nlohmann::json suppression = suppression_json(agreement.suppression);
  suppression["candidate_relative_rms"] = agreement.candidate_relative_rms;
  suppression["on"] = suppression_json(agreement.on_suppression);
  return {{"clips", agreement.clips},
          {"decision_agreement", agreement.decision_agreement},
          {"frame_agreement", agreement.frame_agreement},
          {"state_mismatch", agreement.state_mismatch},
          {"candidate_rms", agreement.candidate_rms},
          {"candidate_max", agreement.candidate_max},
          {"candidate_relative_rms", agreement.candidate_relative_rms},
          {"state_rms", agreement.state_rms},
          {"state_max", agreement.state_max},
          {"state_worst_relative_rms", finite_or_null(agreement.state_worst_relative_rms)},
          {"switching",
           {{"cells", agreement.switching.cells},
            {"of", agreement.switching.all},
            {"state_mismatch", finite_or_null(agreement.switching.state_mismatch)},
            {"state_relative_rms", finite_or_null(agreement.switching.state_relative_rms)}}},
          {"suppression", suppression},
          {"logit_rms", agreement.logit_rms},
          {"centring_frame_change", agreement.centering_frame_change},
          {"power_nw", power_json(agreement.power)}};
}

nlohmann::json state_cells_json(const analysis::Agreement& agreement) {
  nlohmann::json json = nlohmann::json::array();
  for (const analysis::CellStateError& cell : agreement.state_cells) {
    json.push_back({{"layer", cell.layer},
                    {"cell", cell.cell},
                    {"alpha", cell.alpha},
                    {"bits", cell.bits},
                    {"on_bits", cell.on_bits},
                    {"relative_rms", cell.relative_rms},
                    {"on_relative_rms", cell.on_bits > 0 ? nlohmann::json(cell.on_relative_rms) : nlohmann::json()}});
  }
  return json;
}

}  // namespace hysteron::design
