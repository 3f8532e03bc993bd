#include "report/accumulation_report.h"

#include <algorithm>

#include "report/circuit_tables.h"

namespace hysteron::report {
namespace {

using behavioural::Accumulation;
using studies::AccumulationLevel;
using studies::AccumulationResult;
using studies::AccumulationStudy;
using studies::Growth;
using studies::MirrorNoise;

/// `at`: "frames" or "layers".
Table<Growth> growth_table(const char* at) {
  return Table<Growth>()
      .figure(at, "", Better::kNeither, "after which the rest is read", &Growth::at)
      .figure("error", Better::kLower, "RMS over that without noise, lost bits left out; null: none is left",
              &Growth::error)
      .figure("error_with_lost_bits", Better::kLower, "with them", &Growth::all_error)
      .figure("wrong_bits", Better::kLower, "share of bits lost", &Growth::wrong_bits)
      .figure("exponent", Better::kLower, "of the error's growth",
              [](const Growth& growth) { return growth.exponent.value; })
      .figure("exponent_half_interval", "95 %", [](const Growth& growth) { return growth.exponent.half_interval; });
}

/// Every layer's errors, [layers][frames read].
std::vector<std::vector<double>> errors_by_layer(const AccumulationResult& result) {
  const Accumulation& run = result.run;
  std::vector<std::vector<double>> layers;
  for (std::size_t i = 0; i < run.errors.size(); ++i) {
    if (i % run.frames.size() == 0) layers.emplace_back();
    layers.back().push_back(run.errors[i]);
  }
  return layers;
}

const Table<AccumulationResult>& memory_table() {
  static const auto table =
      Table<AccumulationResult>()
          .object("over_frames", "of the first layer", growth_table("frames"), &AccumulationResult::over_frames)
          .object("over_layers", "after the last frame", growth_table("layers"), &AccumulationResult::over_layers)
          .figure("error", Better::kLower, "[layers][frames]", errors_by_layer);
  return table;
}

const AccumulationResult* result_of(const AccumulationLevel& level, behavioural::Memory memory) {
  const auto found = std::ranges::find_if(
      level.memories, [memory](const AccumulationResult& result) { return result.run.memory == memory; });
  return found == level.memories.end() ? nullptr : &*found;
}

const Table<AccumulationLevel>& level_table() {
  static const auto memories = [] {
    Table<AccumulationLevel> table;
    for (const behavioural::Memory memory : behavioural::kMemories) {
      table.object(behavioural::name_of(memory), "", memory_table(),
                   [memory](const AccumulationLevel& level) { return result_of(level, memory); });
    }
    return table;
  }();
  static const auto table =
      Table<AccumulationLevel>()
          .figure("noise", "relative deviation of a mirror's current", &AccumulationLevel::noise)
          .object(
              "memories", "", memories, [](const AccumulationLevel& level) -> const auto& { return level; });
  return table;
}

const Table<MirrorNoise>& mirror_table() {
  static const auto table =
      Table<MirrorNoise>()
          .merge(operating_point_table(), &MirrorNoise::operating_point)
          .figure("frame_seconds", "s", "over which a mirror is read", &MirrorNoise::frame_seconds)
          .figure("mirror_noise", Better::kLower, "relative deviation by the noise of the devices",
                  &MirrorNoise::deviation)
          .text([](const MirrorNoise& mirrors) {
            return fmt::format("a mirror of {} by the noise of its devices: {:.4f} % of its current\n",
                               mirrors.operating_point.technology, 100.0 * mirrors.deviation);
          });
  return table;
}

std::string shares_text(const char* what, const std::vector<double>& shares) {
  std::string text = fmt::format("  {:<10}", what);
  for (const double share : shares) {
    text += fmt::format(" {:>9}", std::isnan(share) ? "none left" : fmt::format("{:.3g} %", 100.0 * share));
  }
  return text;
}

std::string growth_text(const Growth& growth, const char* what) {
  std::string text = fmt::format("  {:<10}", what);
  for (const std::size_t at : growth.at) text += fmt::format(" {:>9}", at);
  text += "   exponent\n" + shares_text("error", growth.error);
  const bool has_exponent = !std::isnan(growth.exponent.value);
  text += fmt::format(
      "   {}\n",
      has_exponent ? fmt::format("{:.3f} +- {:.3f}", growth.exponent.value, growth.exponent.half_interval) : "-");
  if (std::ranges::all_of(growth.wrong_bits, [](double share) { return share == 0.0; })) return text;
  return text + shares_text("bits lost", growth.wrong_bits) + "   (the error is of the others)\n";
}

std::string levels_text(const AccumulationStudy& study) {
  std::string text;
  for (const AccumulationLevel& level : study.levels) {
    for (const AccumulationResult& result : level.memories) {
      text +=
          fmt::format("{}, mirrors off by {:.4g} %\n", behavioural::name_of(result.run.memory), 100.0 * level.noise);
      text += growth_text(result.over_frames, "frames") + growth_text(result.over_layers, "layers");
    }
  }
  return text;
}

}  // namespace

const Table<AccumulationStudy>& accumulation_table() {
  using behavioural::AccumulationRequest;
  static const auto chains =
      Table<AccumulationRequest>()
          .figure("frames", "for which the value is held", &AccumulationRequest::frames)
          .figure("layers", "it goes through", &AccumulationRequest::layers)
          .figure("chains", "independent ones", &AccumulationRequest::chains)
          .figure("decay", "what linear memories keep from frame to frame", &AccumulationRequest::decay)
          .figure("seed", "of values and noise", &AccumulationRequest::seed);
  static const auto table =
      Table<AccumulationStudy>()
          .figure("noise", "relative deviations of every mirror's current in a frame", &AccumulationStudy::noises)
          .merge(chains, &AccumulationStudy::chains)
          .list("levels", "one a deviation", level_table(), &AccumulationStudy::levels)
          .merge(mirror_table(), &AccumulationStudy::mirrors)
          .text(levels_text);
  return table;
}

}  // namespace hysteron::report
