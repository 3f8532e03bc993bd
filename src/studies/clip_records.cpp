#include "studies/clip_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/file.h"
#include "base/interruption.h"
#include "base/store.h"
#include "design/record_file.h"
#include "model/stored_tensors.h"
#include "studies/waveform_file.h"

namespace hysteron::studies {
namespace {

namespace fs = std::filesystem;

bool names_a_file(const fs::path& path) { return path.extension() == ".safetensors"; }

/// Everything that decides a record: the run, and where the cells' thresholds lie, which transients are read against.
std::string record_key(const sim::Engine& engine, const compile::CompiledNetwork& network,
                       const sim::Testbench& bench) {
  std::string text = fmt::format("{} {} {}\n", engine.fingerprint(bench), compile::kReadAt, network.frame_seconds);
  for (const auto& layer : network.cells) {
    for (const compile::CompiledCell& cell : layer) text += fmt::format("{} {}\n", cell.rise, cell.fall);
  }
  return text;
}

/// The arrays of a record's file; sizes of the trace must be set.
std::vector<design::NamedArray> arrays(ClipRecord& record) {
  const model::Trace& trace = record.circuit.trace;
  analysis::Transients& between = record.transients;
  const std::vector<std::size_t> bits = {trace.layers, trace.frames, trace.cells};
  const std::vector<std::size_t> logits = {trace.frames, trace.outputs};
  std::vector<design::NamedArray> all = design::trace_arrays(record.circuit.trace);
  const std::vector<design::NamedArray> more = {
      {"candidate_low", &between.candidate_low, bits},     {"candidate_high", &between.candidate_high, bits},
      {"seconds_below", &between.seconds_below, bits},     {"seconds_above", &between.seconds_above, bits},
      {"candidate_drift", &between.candidate_drift, bits}, {"v0_flips", &between.v0_flips, bits},
      {"end_states", &between.end_states, bits},           {"candidate_settling", &between.candidate_settling, bits},
      {"state_settling", &between.state_settling, bits},   {"logit_settling", &between.logit_settling, logits}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::optional<ClipRecord> read_record(const Store& store, const compile::CompiledNetwork& network, std::size_t frames) {
  ClipRecord record;
  design::size_trace(network, frames, record.circuit.trace);
  if (!design::read_record_file(store, record.circuit, arrays(record))) return std::nullopt;
  return record;
}

/// The clips of one call, what is kept of them and what is still to simulate.
class Simulation {
 public:
  Simulation(const design::Design& design, const ClipFiles& files, Reporter& reporter)
      : context_(design.context),
        engine_(design.conditions.die == 0 ? context_.engine() : context_.mismatch_engine()),
        network_(design.compiled),
        clips_(design.clips),
        files_(files),
        reporter_(reporter) {
    if (!files.records.empty()) make_directories(files.records);
    check_clip_files(files, clips_.size());
    if (!files.waveforms.empty() && !names_a_file(files.waveforms)) make_directories(files.waveforms);
  }

  std::vector<ClipOutcome> run(const std::vector<sim::Testbench>& benches) {
    outcomes_.resize(clips_.size());
    for (std::size_t i = 0; i < clips_.size(); ++i) find_stored(i, benches[i]);
    std::vector<sim::Testbench> missing;
    for (const std::size_t i : missing_) missing.push_back(benches[i]);
    if (missing.size() < clips_.size()) {
      reporter_.info(fmt::format("{} of {} clips are already in {}", clips_.size() - missing.size(), clips_.size(),
                                 quoted(files_.records.string())));
    }
    if (missing.empty()) return std::move(outcomes_);
    report_progress();
    try {
      engine_.run_each(missing, context_.options().jobs, [&](std::size_t index, const sim::Outcome& outcome) {
        take(missing_[index], missing[index], outcome);
      });
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInterrupted) throw;
      const std::size_t kept = clips_.size() - missing_.size() + done_ - failed_;
      throw interruption(fmt::format("{} of {} clips", kept, clips_.size()), files_.records);
    }
    return std::move(outcomes_);
  }

 private:
  bool keeps_waveforms() const { return !files_.waveforms.empty(); }

  Store record_store(std::size_t i) const {
    return {design::clip_file(files_.records, clips_[i]), "clip-record", keys_[i]};
  }

  Store waveform_store(std::size_t i) const {
    return {names_a_file(files_.waveforms) ? files_.waveforms : design::clip_file(files_.waveforms, clips_[i]),
            "clip-waveforms", fmt::format("{} {}", keys_[i], files_.tolerance)};
  }

  bool has_waveforms(std::size_t i) const {
    return model::read_stored_tensors(waveform_store(i)).state == StoreState::kFound;
  }

  void find_stored(std::size_t i, const sim::Testbench& bench) {
    keys_.push_back(record_key(engine_, network_, bench));
    if (!files_.records.empty() && (!keeps_waveforms() || has_waveforms(i))) {
      const auto frames = static_cast<std::size_t>(std::lround(bench.stop_time / network_.frame_seconds));
      outcomes_[i].record = read_record(record_store(i), network_, frames);
      outcomes_[i].was_stored = outcomes_[i].record.has_value();
    }
    if (!outcomes_[i].record) missing_.push_back(i);
  }

  void take(std::size_t i, const sim::Testbench& bench, const sim::Outcome& outcome) {
    ++done_;
    if (outcome.error) {
      ++failed_;
      outcomes_[i].error = outcome.error;
      reporter_.warning(fmt::format("clip {}: {}", clips_[i], outcome.error->what()));
    } else {
      const sim::Waveforms& waveforms = outcome.value();
      ClipRecord record{compile::read_clip(network_, bench, waveforms),
                        analysis::read_transients(network_, bench, waveforms)};
      if (keeps_waveforms()) {
        model::write_stored_tensors(waveform_store(i),
                                    studies::waveform_tensors(network_, bench, waveforms, files_.tolerance));
      }
      if (!files_.records.empty()) {
        design::write_record_file(record_store(i), record.circuit, arrays(record));
      }
      outcomes_[i].record = std::move(record);
    }
    report_progress();
  }

  void report_progress() {
    reporter_.progress("simulating clips in ngspice", done_, missing_.size(),
                       failed_ == 0 ? "" : fmt::format("{} failed", failed_));
  }

  const design::DesignContext& context_;
  const sim::Engine& engine_;
  const compile::CompiledNetwork& network_;
  const std::vector<std::size_t>& clips_;
  const ClipFiles& files_;
  Reporter& reporter_;
  std::vector<std::string> keys_;      // one a clip
  std::vector<std::size_t> missing_;   // places in clips_
  std::vector<ClipOutcome> outcomes_;  // one a clip
  std::size_t done_ = 0;               // of the missing ones
  std::size_t failed_ = 0;
};

}  // namespace

void check_clip_files(const ClipFiles& files, std::size_t clips) {
  if (!names_a_file(files.waveforms) || clips == 1) return;
  throw Error(ErrorKind::kUsage, fmt::format("{}: a file holds the waveforms of only one clip; give a folder for {}",
                                             quoted(files.waveforms.string()), clips));
}

sim::Testbench clip_bench(const design::Design& design, std::size_t clip) {
  const design::SimulationConditions& conditions = design.conditions;
  sim::Testbench bench = compile::make_clip_bench(design.compiled, design.features.clip(clip));
  bench.corner = conditions.corner;
  if (conditions.supply) bench.supply = *conditions.supply;
  if (conditions.temperature) bench.temperature = *conditions.temperature;
  bench.seed = conditions.die;
  return bench;
}

std::vector<ClipOutcome> simulate_records(const design::Design& design, const ClipFiles& files, Reporter& reporter) {
  std::vector<sim::Testbench> benches;
  benches.reserve(design.clips.size());
  for (const std::size_t clip : design.clips) benches.push_back(clip_bench(design, clip));
  std::vector<ClipOutcome> outcomes = Simulation(design, files, reporter).run(benches);
  const auto has_record = [](const ClipOutcome& outcome) { return outcome.record.has_value(); };
  if (!design.clips.empty() && std::none_of(outcomes.begin(), outcomes.end(), has_record))
    throw *outcomes.front().error;
  return outcomes;
}

}  // namespace hysteron::studies
