#include "hysteron/report/circuit_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "hysteron/base/units.h"
#include "hysteron/compile/calibration.h"
#include "hysteron/report/number_json.h"

namespace hysteron::report {

std::string mapping_csv(const compile::CompiledNetwork& network) {
  std::string text = "parameter,value,instance,polarity,role,width_um,length_um,nominal_current_a,sizing_error\n";
  for (const compile::MappedInstance& row : network.mapping) {
    // A parameter's name holds a comma where it has two indices.
    const std::string parameter = fmt::format("\"{}\",{:.9g}", row.parameter, row.value);
    if (row.dropped) {
      text += fmt::format("{},,,dropped,0,0,0,{:.6g}\n", parameter, row.sizing_error);
      continue;
    }
    const circuit::Transistor& transistor = network.circuit.transistor(row.device);
    text += fmt::format("{},x{},{},{},{:.6g},{:.6g},{:.6g},{:.6g}\n", parameter, network.circuit.full_name(row.device),
                        transistor.polarity == circuit::Polarity::kN ? 'n' : 'p', circuit::role_name(transistor.role),
                        transistor.width / kMicro, transistor.length / kMicro, row.nominal_current, row.sizing_error);
  }
  return text;
}

nlohmann::json summary_json(const compile::CompiledNetwork& network, const technology::Technology& technology,
                            const std::map<std::string, std::size_t>& by_role, double area) {
  std::size_t cells = 0;
  for (const auto& layer : network.cells) cells += layer.size();
  std::size_t legs = 0;
  nlohmann::json nodes = nlohmann::json::object();
  for (const compile::NodeError& node : network.calibration) {
    nodes[node.node] = {{"error_by_curves", node.before}, {"error", node.after}};
  }
  for (const char* role : {"leg", "bias_leg", "skip_leg"}) legs += by_role.count(role) != 0 ? by_role.at(role) : 0;
  nlohmann::json cell_errors = nlohmann::json::array();
  for (std::size_t l = 0; l < network.cells.size(); ++l) {
    for (std::size_t j = 0; j < network.cells[l].size(); ++j) {
      const compile::CompiledCell& cell = network.cells[l][j];
      if (!cell.errors.is_measured) continue;
      cell_errors.push_back({{"layer", l},
                             {"cell", j},
                             {"rise", cell.errors.rise},
                             {"fall", cell.errors.fall},
                             {"high", cell.errors.high},
                             {"wanted_a", {{"rise", cell.rise}, {"fall", cell.fall}, {"high", cell.high}}}});
    }
  }
  double capacitance = 0.0;
  for (const circuit::Capacitor& capacitor : network.circuit.capacitors()) capacitance += capacitor.capacitance;
  return {{"technology", technology.name},
          {"transistors", network.circuit.transistors().size()},
          {"legs", legs},
          {"cells", cells},
          {"area_um2", area / (kMicro * kMicro)},
          {"transistors_by_role", by_role},
          {"capacitors", network.circuit.capacitors().size()},
          {"capacitance_f", capacitance},
          {"dropped_parameters", network.dropped_parameters()},
          {"summing_nodes", nodes},
          {"cell_errors", cell_errors},
          {"cell_error_floor_a", compile::kCellErrorFloor * network.conditions.unit_current},
          {"inputs", network.inputs.size()},
          {"outputs", network.readouts.size()},
          {"supply_v", network.supply},
          {"unit_current_a", network.conditions.unit_current},
          {"temperature_c", network.conditions.temperature},
          {"frame_seconds", network.frame_seconds}};
}

nlohmann::json power_json(const compile::Power& power) {
  return {{"total", power.total / kNano}, {"cells", power.cells / kNano}, {"feedforward", power.feedforward / kNano}};
}

namespace {

nlohmann::json suppression_json(const analysis::NetworkSuppression& suppression) {
  return {{"state_relative_rms", suppression.state_relative_rms},
          {"ratio", number_json(suppression.ratio)},
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
          {"state_worst_relative_rms", number_json(agreement.state_worst_relative_rms)},
          {"switching",
           {{"cells", agreement.switching.cells},
            {"of", agreement.switching.all},
            {"state_mismatch", number_json(agreement.switching.state_mismatch)},
            {"state_relative_rms", number_json(agreement.switching.state_relative_rms)}}},
          {"suppression", suppression},
          {"logit_rms", agreement.logit_rms},
          {"centring_frame_change", agreement.centring_frame_change},
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

}  // namespace hysteron::report
