#include "studies/divergence_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hysteron::studies {
namespace {

nlohmann::json causes_json(const std::array<analysis::CauseCount, analysis::kCauses>& causes) {
  nlohmann::json json = nlohmann::json::object();
  for (std::size_t c = 0; c < analysis::kCauses; ++c) {
    json[std::string(analysis::cause_name(static_cast<analysis::Cause>(c)))] = {{"events", causes[c].events},
                                                                                {"bits", causes[c].bits}};
  }
  return json;
}

}  // namespace

nlohmann::json event_json(const analysis::CellEvent& event, double frame_seconds) {
  return {{"frame", event.frame},
          {"time_s", static_cast<double>(event.frame) * frame_seconds},
          {"layer", event.layer},
          {"cell", event.cell},
          {"cause", analysis::cause_name(event.cause)},
          {"circuit_on", event.is_on},
          {"software_candidate", event.candidate},
          {"circuit_candidate", event.measured},
          {"lowest", event.lowest},
          {"highest", event.highest},
          {"threshold", event.threshold}};
}

nlohmann::json counts_json(const analysis::Divergence& divergence) {
  return {{"wrong_bits", divergence.bits},
          {"consequence_bits", divergence.consequences},
          {"causes", causes_json(divergence.causes)},
          {"wrong_frames", divergence.wrong_frames},
          {"wrong_frames_right_bits", divergence.wrong_frames_right_bits}};
}

nlohmann::json divergence_json(const analysis::Divergence& divergence, double frame_seconds) {
  nlohmann::json json = counts_json(divergence);
  json["first"] = divergence.first ? event_json(*divergence.first, frame_seconds) : nlohmann::json();
  json["first_frame"] = divergence.frames.empty() ? nlohmann::json() : nlohmann::json(divergence.frames.front());
  json["frames"] = divergence.frames;
  json["events"] = nlohmann::json::array();
  for (const analysis::CellEvent& event : divergence.events) {
    json["events"].push_back(event_json(event, frame_seconds));
  }
  json["cells"] = cells_json(divergence);
  return json;
}

nlohmann::json cells_json(const analysis::Divergence& divergence) {
  std::vector<nlohmann::json> cells;
  for (std::size_t l = 0; l < divergence.cells.size(); ++l) {
    for (std::size_t j = 0; j < divergence.cells[l].size(); ++j) {
      const analysis::CellDivergence& cell = divergence.cells[l][j];
      if (cell.bits == 0) continue;
      cells.push_back({{"layer", l},
                       {"cell", j},
                       {"wrong_bits", cell.bits},
                       {"consequence_bits", cell.consequences},
                       {"causes", causes_json(cell.causes)}});
    }
  }
  std::stable_sort(cells.begin(), cells.end(), [](const nlohmann::json& a, const nlohmann::json& b) {
    return a["wrong_bits"].get<std::size_t>() > b["wrong_bits"].get<std::size_t>();
  });
  return cells;
}

nlohmann::json glitches_json(const std::vector<analysis::Glitch>& glitches, double frame_seconds) {
  nlohmann::json json = nlohmann::json::array();
  for (const analysis::Glitch& glitch : glitches) {
    if (!glitch.is_armed) continue;
    json.push_back({{"frame", glitch.frame},
                    {"time_s", static_cast<double>(glitch.frame) * frame_seconds},
                    {"layer", glitch.layer},
                    {"cell", glitch.cell},
                    {"threshold", glitch.is_upper ? "beta_hi" : "beta_lo"},
                    {"size", glitch.size},
                    {"seconds", glitch.seconds},
                    {"flipped", glitch.flipped}});
  }
  return json;
}

nlohmann::json glitch_counts_json(const analysis::GlitchCount& count) {
  return {{"all", count.all},
          {"armed", count.armed},
          {"flips", count.flips},
          {"largest", count.largest},
          {"longest_harmless_s", count.longest_harmless}};
}

nlohmann::json settling_json(const analysis::SettlingSummary& summary) {
  return {{"median", summary.median}, {"p99", summary.p99}, {"worst", summary.worst}, {"unsettled", summary.unsettled}};
}

}  // namespace hysteron::studies
