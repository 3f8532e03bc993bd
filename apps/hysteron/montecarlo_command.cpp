#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "circuit_options.h"
#include "commands.h"
#include "data/npy.h"
#include "design/prepared_model.h"
#include "figure_limits.h"
#include "model/model_file.h"
#include "studies/montecarlo.h"

namespace {

using hysteron::studies::DieSimulator;

constexpr std::size_t kCellsShown = 8;

const std::map<std::string, DieSimulator> kEngines = {
    {"behavioural", DieSimulator::kBehavioural}, {"spice", DieSimulator::kSpice}, {"both", DieSimulator::kBoth}};

struct Options {
  DesignFlags design;
  hysteron::studies::MonteCarloRequest request;
  std::filesystem::path trim_on;
  std::size_t trim_clips = 40;
  std::vector<std::string> limits;
  std::filesystem::path output;
  bool json = false;
};

/// What --fail-under may name.
nlohmann::json limited_figures() {
  return {{"decision_yield", 0.0}, {"decision_yield_clear", 0.0}, {"frame_agreement", 0.0}, {"state_mismatch", 0.0}};
}

std::string with_interval(const nlohmann::json& value, const nlohmann::json& interval) {
  if (value.is_null()) return "-";
  return fmt::format("{:.4f} ({:.4f} to {:.4f})", value.get<double>(), interval[0].get<double>(),
                     interval[1].get<double>());
}

void print_margin_fit(const nlohmann::json& fit, std::size_t clips) {
  if (fit["slope"].is_null()) return;
  const auto number = [&](const char* name) { return fit[name].get<double>(); };
  const auto interval = [&](const char* name) {
    if (fit[name][0].is_null()) return std::string("no interval");
    return fmt::format("95 % {:.2f} to {:.2f}", fit[name][0].get<double>(), fit[name][1].get<double>());
  };
  fmt::print("flips over margin   Q({:.2f} + {:.2f} m), m = votes ahead over frames ({}; {})\n", number("offset"),
             number("slope"), interval("offset_ci95"), interval("slope_ci95"));
  fmt::print("                    1 % at m = {:.2f}; {} clips are {:.1f} % RMS off it\n", number("margin_of_1_percent"),
             clips, 100.0 * number("rms_error"));
}

void print_trim(const nlohmann::json& trim) {
  const auto& before = trim["before"];
  fmt::print("before trimming     {}\n", with_interval(before["decision_yield"], before["ci95"]));
  fmt::print("  margin >= 5 votes {}\n", with_interval(before["decision_yield_clear"], before["ci95_clear"]));
  fmt::print("trimmed             {} legs of {} bits, steps of {:g} %:", trim["legs"].size(),
             trim["bits"].get<std::size_t>(), 100.0 * trim["step"].get<double>());
  for (const auto& leg : trim["legs"]) fmt::print(" {}", leg["parameter"].get<std::string>());
  fmt::print(
      "\n                    {} transistors and {} bits of storage more, {:.0f} s of clips played to every die\n",
      trim["extra_transistors"].get<std::size_t>(), trim["storage_bits"].get<std::size_t>(),
      trim["seconds_played"].get<double>());
}

void print_resampled(const nlohmann::json& interval) {
  if (interval.is_null()) return;
  const double low = interval[0].get<double>();
  const double high = interval[1].get<double>();
  fmt::print("    over other dies and clips {:.4f} to {:.4f}{}\n", low, high,
             low == high ? " (all alike: no measure of what others would do)" : "");
}

void print_text(const nlohmann::json& json) {
  fmt::print("{:>6}  {:<12}{:>8}  {}\n", "clip", "software", "votes", "yield over dies (95 % interval)");
  for (const auto& clip : json["per_clip"]) {
    fmt::print("{:>6}  {:<12}{:>8}  {}\n", clip["clip"].get<std::size_t>(), clip["software"].get<std::string>(),
               clip["margin_votes"].get<std::size_t>(), with_interval(clip["decision_yield"], clip["ci95"]));
  }
  fmt::print("\ndecision yield      {} of {} dies x {} clips\n", with_interval(json["decision_yield"], json["ci95"]),
             json["dies"].get<std::size_t>(), json["clips"].get<std::size_t>());
  print_resampled(json["ci95_resampled"]);
  fmt::print("  margin >= 5 votes {} without {} clips\n",
             with_interval(json["decision_yield_clear"], json["ci95_clear"]), json["close_clips"].get<std::size_t>());
  print_resampled(json["ci95_clear_resampled"]);
  fmt::print("frame agreement     {:.4f}\n", json["frame_agreement"].get<double>());
  fmt::print("state mismatch      {:.4f}\n", json["state_mismatch"].get<double>());
  fmt::print("cells, worst first ");
  for (std::size_t i = 0; i < std::min(kCellsShown, json["cells"].size()); ++i) {
    const auto& cell = json["cells"][i];
    fmt::print(" {}/{} {:.2f} %", cell["layer"].get<std::size_t>(), cell["cell"].get<std::size_t>(),
               100.0 * cell["state_mismatch"].get<double>());
  }
  fmt::print("\n");
  print_margin_fit(json["margin_fit"], json["per_clip"].size());
  if (json.contains("trim")) print_trim(json["trim"]);
  fmt::print("time                {:.1f} s for the dies, after what is measured and calibrated once\n",
             json["seconds"].get<double>());
  if (!json.contains("conformance")) return;
  const auto& c = json["conformance"];
  fmt::print(
      "\nbehavioural engine on the dies that ngspice drew: {:.4f} of decisions, {:.4f} of frames, {:.5f} of bits the "
      "same; candidates {:.2f} %, logits {:.2f} % RMS apart\n",
      c["same_decisions"].get<double>(), c["same_frames"].get<double>(), c["same_bits"].get<double>(),
      100.0 * c["candidate_relative_rms"].get<double>(), 100.0 * c["logit_relative_rms"].get<double>());
  fmt::print("pairs that decide otherwise than software: {} in ngspice, {} in the behavioural engine, {} in both\n",
             c["lost_in_spice"].get<std::size_t>(), c["lost_in_behavioural"].get<std::size_t>(),
             c["lost_in_both"].get<std::size_t>());
}

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace studies = hysteron::studies;
  const auto limits = parse_limits(options.limits, limited_figures());
  studies::check_dies(options.request);
  design::DesignRequest of = read_design_flags(options.design);
  studies::MonteCarloRequest request = options.request;
  if (!options.output.empty()) {
    hysteron::make_directories(options.output);
    request.folder = options.output / "dies";
    of.sizes = options.output / "sizes.json";
  }
  if (request.trim.legs > 0) {
    const auto& origin = options.trim_on.empty() ? options.design.files.training : options.trim_on;
    const auto trim_features =
        options.trim_on.empty() ? of.training : design::read_training_features(options.trim_on, of.given);
    if (!trim_features) {
      throw hysteron::Error(hysteron::ErrorKind::kUsage, "--trim: expected --trim-on or --center with training clips");
    }
    request.trim.features =
        studies::pick_trim_clips(*trim_features, options.trim_clips, of.features, hysteron::quoted(origin.string()));
  }
  const design::DesignContext context(read_circuit_flags(options.design.circuit, of.given), session.reporter,
                                      session.stop);
  const design::Design dut = design::build_design(context, std::move(of), session.reporter);
  const studies::MonteCarlo result = studies::run_montecarlo(dut, request, session.reporter);
  nlohmann::json json = studies::montecarlo_json(result, dut.compiled.model);
  json.update(design::prepared_json(dut.prepared));
  add_conditions(context, json);
  json["seed"] = request.seed;
  json["engine"] =
      std::ranges::find_if(kEngines, [&](const auto& engine) { return engine.second == request.simulator; })->first;
  if (!options.output.empty()) hysteron::write_file(options.output / "montecarlo.json", json.dump(1) + "\n");
  if (options.json) {
    fmt::print("{}\n", json.dump());
  } else if (!json["decision_yield"].is_null()) {
    print_text(json);
  }
  if (!json["failed"].empty()) {
    throw hysteron::simulator_error(fmt::format("{} of {} runs could not be simulated", json["failed"].size(),
                                                result.dies.size() * result.references.size()));
  }
  check_limits(limits, json);
  return 0;
}

void declare(Command& command, Options& options) {
  add_design_flags(command, options.design);
  command.count("--dies", options.request.dies, std::string(hysteron::parameters::kDies.help)).required();
  command.seed("--seed", options.request.seed, "the first die; every further die takes the next one");
  command
      .choice<DieSimulator>("--engine", options.request.simulator, kEngines,
                            "behavioural (dies drawn from measured statistics), spice (the technology's own mismatch "
                            "in ngspice) or both (ngspice's dies in both, compared)")
      .shown();
  command.flag("--device-noise", options.request.device_noise,
               "Behavioural: add the thermal and flicker noise of every device, drawn anew in every frame");
  auto& trim = options.request.trim;
  command.count("--trim", trim.legs,
                "Trim at most this many bias legs, the same on all dies, after fabrication; the text shows the yield "
                "before, too (docs/robustness.md)");
  command.path("--trim-on", options.trim_on,
               "Features, .npy, that trims are found with (default: those of --center); never those tested");
  command.count("--trim-clips", options.trim_clips, "How many of them, evenly spread, are played to every die")
      .range(1, 100000)
      .shown();
  command.count("--trim-bits", trim.dac.bits, "Bits of every trim").range(1, 10).shown();
  command.number("--trim-step", trim.dac.step, "Step of every trim, as a share of the leg's current")
      .range(1e-4, 0.5)
      .shown();
  command.path("-o,--output", options.output,
               "Folder for montecarlo.json, the calibrated sizes and what every die did; the same command again runs "
               "only what is missing there");
  command.repeated("--fail-under", options.limits,
                   "METRIC=VALUE; exit with 5 if a yield or agreement is below it or a mismatch above it");
  command.shared(hysteron::parameters::kJson, options.json);
}

}  // namespace

void add_montecarlo_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "montecarlo", "Fabricate many dies with mismatch and count those that decide as software does",
      "hysteron montecarlo model.safetensors --input test.npy --pdk generic180 --dies 1000\n"
      "  hysteron montecarlo model.safetensors --input test.npy --dies 50 --engine both --clips 0,1,2 --output dies\n"
      "  hysteron montecarlo model.safetensors --input test.npy --center training.npy --dies 1000 --trim 2",
      declare, [&session](const Options& options) { return run(options, session); });
}
