#include "studies/power_measurement.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "model/inference.h"

namespace hysteron::studies {
namespace {

using behavioural::PowerSplit;
using compile::PowerPart;

double& part_of(PowerSplit& split, PowerPart part) {
  switch (part) {
    case PowerPart::kInputs:
      return split.inputs;
    case PowerPart::kInputRails:
      return split.input_rails;
    case PowerPart::kRails:
      return split.rails;
    case PowerPart::kCandidateLegs:
    case PowerPart::kOutputLegs:
      return split.square_legs;
    case PowerPart::kReference:
      return split.reference;
    case PowerPart::kCells:
      return split.cells;
    case PowerPart::kWells:
      return split.wells;
    default:
      return split.other_legs;
  }
}

/// The same parts as the model has, of a figure of the blocks.
PowerSplit fold(const compile::PowerProfile& profile, double compile::BlockPower::*figure) {
  PowerSplit split;
  for (const compile::BlockPower& block : profile.blocks) part_of(split, block.part) += block.*figure;
  return split;
}

/// Whether cells are on, [layers, frames, cells of the widest layer].
std::vector<char> bits_of(const model::Network& network, const model::Trace& trace) {
  std::vector<char> on(trace.states.size(), 0);
  for (std::size_t l = 0; l < trace.layers; ++l) {
    const model::Layer& layer = network.layers[l];
    for (std::size_t t = 0; t < trace.frames; ++t) {
      for (std::size_t j = 0; j < layer.cells(); ++j) {
        const bool is_on = model::is_on(trace.state(l, t, j), layer.alpha[static_cast<Eigen::Index>(j)]);
        on[(l * trace.frames + t) * trace.cells + j] = is_on ? 1 : 0;
      }
    }
  }
  return on;
}

/// Share of the cells' bits in which two traces differ.
double mismatch(const model::Network& network, const std::vector<char>& a, const std::vector<char>& b,
                std::size_t frames) {
  std::size_t cells = 0;
  for (const model::Layer& layer : network.layers) cells += layer.cells();
  std::size_t differing = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differing += a[i] != b[i] ? 1 : 0;
  return static_cast<double>(differing) / static_cast<double>(cells * frames);
}

PowerSplit model_split(const design::DesignContext& context, const model::Network& network,
                       std::span<const float> features, std::span<const char> on = {}) {
  return behavioural::model_power(network, features, context.technology(), context.supply(),
                                  context.options().conditions.unit_current, on);
}

/// What the model makes of the bits that a circuit held, and the share of them that software has otherwise.
std::pair<PowerSplit, double> of_bits(const design::DesignContext& context, const model::Network& network,
                                      std::span<const float> features, const model::Trace& trace) {
  const std::vector<char> on = bits_of(network, trace);
  const std::vector<char> target = bits_of(network, model::run_clip(network, features));
  return {model_split(context, network, features, on), mismatch(network, on, target, trace.frames)};
}

PowerOverTime over_time(const compile::PowerProfile& profile) {
  PowerOverTime result;
  result.total.assign(profile.circuit.trace.frames, 0.0);
  for (const compile::BlockPower& block : profile.blocks) {
    result.blocks.push_back(block.over_time);
    for (std::size_t t = 0; t < result.total.size(); ++t) result.total[t] += block.over_time[t];
  }
  return result;
}

/// Every profile has the same blocks.
std::vector<BlockMean> block_means(const std::vector<compile::PowerProfile>& clips,
                                   const compile::PowerProfile& still) {
  std::vector<BlockMean> means;
  for (std::size_t b = 0; b < still.blocks.size(); ++b) {
    double listening = 0.0;
    for (const compile::PowerProfile& clip : clips) {
      listening += clip.blocks[b].mean / static_cast<double>(clips.size());
    }
    means.push_back({still.blocks[b].block, std::string(compile::power_part_name(still.blocks[b].part)), listening,
                     still.blocks[b].mean});
  }
  return means;
}

std::vector<PowerSample> samples_of(std::span<const NetworkPower> networks, bool is_measured) {
  std::vector<PowerSample> samples;
  for (const NetworkPower& network : networks) {
    if (is_measured && !network.measured) continue;
    PowerSample sample{network.dim, {}, {}, {}};
    if (is_measured) {
      for (const compile::Power& power : network.measured->clips) {
        sample.add(power.total, power.cells, power.feedforward);
      }
    } else {
      for (const PowerSplit& split : network.model_clips) sample.add(split.total(), split.cells, split.feedforward());
    }
    samples.push_back(std::move(sample));
  }
  std::ranges::stable_sort(samples, {}, &PowerSample::dim);
  return samples;
}

/// None where all have one width.
std::optional<PowerScaling> scaling_of(const std::vector<PowerSample>& samples) {
  if (samples.size() < 2 || samples.front().dim == samples.back().dim) return std::nullopt;
  return fit_scaling(samples);
}

}  // namespace

NetworksPower scale_networks(std::vector<NetworkPower> networks) {
  NetworksPower result;
  result.model_scaling = scaling_of(samples_of(networks, false));
  result.spice_scaling = scaling_of(samples_of(networks, true));
  result.networks = std::move(networks);
  return result;
}

void add_share(PowerSplit& sum, const PowerSplit& part, double share) {
  for (double PowerSplit::*member :
       {&PowerSplit::inputs, &PowerSplit::input_rails, &PowerSplit::rails, &PowerSplit::square_legs,
        &PowerSplit::other_legs, &PowerSplit::reference, &PowerSplit::cells, &PowerSplit::wells}) {
    sum.*member += share * part.*member;
  }
}

MeasuredPower measure_power(const design::Design& design, std::span<const std::span<const float>> clips,
                            std::size_t rest_frames, Reporter& reporter) {
  const design::DesignContext& context = design.context;
  const compile::CompiledNetwork& compiled = design.compiled;
  const model::Network& network = compiled.model;
  const std::vector<float> silence(rest_frames * network.inputs(), 0.0F);
  std::vector<compile::PowerBench> benches;
  for (const auto& clip : clips) benches.emplace_back(compiled, clip);
  benches.emplace_back(compiled, silence);
  std::vector<sim::Testbench> runs;
  for (const compile::PowerBench& bench : benches) {
    runs.push_back(bench.bench());
    runs.back().corner = design.conditions.corner;
  }
  const auto outcomes = context.engine().run_all(
      runs, context.options().jobs,
      [&](std::size_t done, std::size_t total) { reporter.progress("measuring power", done, total, ""); });
  MeasuredPower result;
  std::vector<compile::PowerProfile> profiles;
  const double share = 1.0 / static_cast<double>(clips.size());
  for (std::size_t i = 0; i < clips.size(); ++i) {
    compile::PowerProfile profile = benches[i].read(outcomes[i].value());
    const auto [model, differing] = of_bits(context, network, clips[i], profile.circuit.trace);
    result.state_mismatch += share * differing;
    add_share(result.listening, fold(profile, &compile::BlockPower::mean), share);
    add_share(result.settled, fold(profile, &compile::BlockPower::settled), share);
    add_share(result.model_of_bits, model, share);
    result.clips.push_back(profile.circuit.power);
    result.listening_over_time.push_back(over_time(profile));
    result.spice_seconds += profile.circuit.seconds;
    profiles.push_back(std::move(profile));
  }
  const compile::PowerProfile still = benches.back().read(outcomes.back().value());
  result.rest = fold(still, &compile::BlockPower::mean);
  result.blocks = block_means(profiles, still);
  result.rest_over_time = over_time(still);
  result.spice_seconds += still.circuit.seconds;
  std::tie(result.rest_model_of_bits, result.rest_state_mismatch) =
      of_bits(context, network, silence, still.circuit.trace);
  return result;
}

NetworkPower study_network_power(const design::DesignContext& context, design::DesignRequest of,
                                 const NetworkPowerRequest& request, Reporter& reporter) {
  NetworkPower result;
  result.model = request.name;
  result.dim = of.given.width();
  result.frames = of.features.frames;
  result.frame_seconds = of.given.frame_seconds;
  result.clips = of.clips;
  std::optional<design::Design> design;
  try {
    if (request.is_simulated) {
      design.emplace(design::build_design(context, of, reporter));
      std::vector<std::span<const float>> played;
      for (const std::size_t clip : of.clips) played.push_back(of.features.clip(clip));
      result.measured = measure_power(*design, played, request.rest_frames, reporter);
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kSimulator) throw;
    result.error = error.what();
    reporter.warning(fmt::format("{}: {}", request.name, error.what()));
  }
  const model::Network network =
      design ? design->prepared.network
             : design::prepare_model(context, of.given, of.training, &of.features, reporter).network;
  for (const std::size_t clip : of.clips) {
    result.model_clips.push_back(model_split(context, network, of.features.clip(clip)));
    add_share(result.listening, result.model_clips.back(), 1.0 / static_cast<double>(of.clips.size()));
  }
  result.rest = model_split(context, network, std::vector<float>(request.rest_frames * network.inputs(), 0.0F));
  const double power = result.measured ? result.measured->listening.total() : result.listening.total();
  result.energy_per_frame = power * result.frame_seconds;
  result.energy_per_decision = result.energy_per_frame * static_cast<double>(result.frames);
  return result;
}

}  // namespace hysteron::studies
