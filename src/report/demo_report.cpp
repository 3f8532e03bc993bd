#include "report/demo_report.h"

#include "base/units.h"
#include "report/agreement_tables.h"

namespace hysteron::report {
namespace {

using studies::DemoResult;

std::string summary_text(const DemoResult& result) {
  const analysis::Agreement& agreement = result.verification.agreement;
  std::string text = fmt::format("\nA {}-wide network on {}, compiled to {}\n\n", result.options.width,
                                 result.options.data == "espeak" ? "the spoken corpus" : result.options.data,
                                 result.options.circuit.technology);
  const auto row = [&](const char* name, const std::string& value) {
    text += fmt::format("  {:<22}{}\n", name, value);
  };
  row("test accuracy", fmt::format("{:.1f} % of {} clips of unheard speakers", 100.0 * result.training.test.accuracy,
                                   result.training.test.clips));
  row("circuit", fmt::format("{} transistors, {} cells, {:.0f} um2", result.circuit.transistors, result.circuit.cells,
                             result.circuit.area / (kMicro * kMicro)));
  row("decision agreement",
      fmt::format("{:.0f} of {} clips", agreement.decision_agreement * static_cast<double>(agreement.clips),
                  result.options.clips));
  row("frame agreement", fmt::format("{:.2f} %", 100.0 * agreement.frame_agreement));
  row("state agreement", fmt::format("{:.2f} % of the bits", 100.0 * (1.0 - agreement.state_mismatch)));
  row("candidate error", fmt::format("{:.2f} % of the RMS current", 100.0 * agreement.candidate_relative_rms));
  row("power", fmt::format("{} = {} cells + {} feedforward", format_si(agreement.power.total, "W"),
                           format_si(agreement.power.cells, "W"), format_si(agreement.power.feedforward, "W")));
  row("time",
      fmt::format("{:.1f} s ngspice against {:.2f} ms software; {:.0f} s in all", result.verification.spice_seconds,
                  1e3 * result.verification.software_seconds, result.seconds));
  text += "\nWritten:\n";
  for (const char* file : {"model.safetensors", "test.npy", "circuit/network.spice", "circuit/network_flat.spice",
                           "circuit/mapping.csv", "circuit/summary.json", "demo.json"}) {
    text += fmt::format("  {}\n", (result.options.output / file).string());
  }
  return text;
}

/// The agreement without its own text.
const Table<analysis::Agreement>& agreement_figures() {
  static const auto table = agreement_table().without_text();
  return table;
}

}  // namespace

const Table<DemoResult>& demo_table() {
  static const auto table =
      Table<DemoResult>()
          .merge(
              agreement_figures(), [](const DemoResult& r) -> const auto& { return r.verification.agreement; })
          .figure("test_accuracy", Better::kHigher,
                  "fraction of the test clips, of unheard speakers, decided correctly",
                  [](const DemoResult& r) { return r.training.test.accuracy; })
          .figure("test_balanced_accuracy", Better::kHigher, "mean of the recalls",
                  [](const DemoResult& r) { return r.training.test.balanced_accuracy; })
          .figure("test_clips", "", [](const DemoResult& r) { return r.training.test.clips; })
          .figure("transistors", Better::kLower, "", [](const DemoResult& r) { return r.circuit.transistors; })
          .figure("area_um2", "um2", Better::kLower, "",
                  [](const DemoResult& r) { return r.circuit.area / (kMicro * kMicro); })
          .figure("technology", "", [](const DemoResult& r) { return r.options.circuit.technology; })
          .figure("failed_clips", Better::kLower, "clips that could not be simulated",
                  [](const DemoResult& r) { return r.verification.failed; })
          .figure("training_seconds", "s", Better::kLower, "", [](const DemoResult& r) { return r.training.seconds; })
          .figure("spice_seconds", "s", Better::kLower, "",
                  [](const DemoResult& r) { return r.verification.spice_seconds; })
          .figure("software_seconds", "s", Better::kLower, "",
                  [](const DemoResult& r) { return r.verification.software_seconds; })
          .figure("seconds", "s", Better::kLower, "of everything", &DemoResult::seconds)
          .figure("output", "the folder", [](const DemoResult& r) { return r.options.output.string(); })
          .text(summary_text);
  return table;
}

}  // namespace hysteron::report
