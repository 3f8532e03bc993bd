#include "behavioural/trimming.h"

#include <algorithm>
#include <cmath>
#include <mutex>

namespace hysteron::behavioural {
namespace {

constexpr std::size_t kDesignDies = 50;
/// The device of a leg of a cell.
circuit::DeviceId leg_device(const compile::CompiledNetwork& network, const compile::CompiledCell& cell,
                             compile::CellLeg leg) {
  return network.legs[cell.legs[leg]].device;
}

}  // namespace

Trimmer::Trimmer(const DieEngine& engine, const model::Network& software, const data::Features& features,
                 const TrimDac& dac)
    : engine_(engine), software_(software), features_(features), dac_(dac) {
  for (std::size_t clip = 0; clip < features.clips; ++clip) {
    expected_.push_back(model::run_clip(software, features.clip(clip)));
  }
}

void Trimmer::blame(const Die& die, Blame& total) const {
  const DieParameters parameters = engine_.on_die(die);
  DieEngine::Scratch scratch;
  model::Trace trace;
  for (std::size_t clip = 0; clip < features_.clips; ++clip) {
    engine_.run(parameters, features_.clip(clip), scratch, trace);
    const model::Trace& expected = expected_[clip];
    std::vector<char> is_right_below(trace.frames, 1);
    std::size_t index = 0;
    for (std::size_t l = 0; l < software_.layers.size(); ++l) {
      std::vector<char> is_right = is_right_below;
      for (std::size_t j = 0; j < software_.layers[l].cells(); ++j, ++index) {
        const model::Layer& layer = software_.layers[l];
        const auto place = static_cast<Eigen::Index>(j);
        const auto on = [&](const model::Trace& one, std::size_t t) {
          return model::is_on(one.state(l, t, j), layer.alpha[place]);
        };
        bool was_on = layer.initial_state[place] > 0.5F;
        std::size_t* blamed = nullptr;
        for (std::size_t t = 0; t < trace.frames; ++t) {
          const bool target = on(expected, t);
          if (on(trace, t) == target) {
            blamed = nullptr;
            was_on = target;
            continue;
          }
          is_right[t] = 0;
          // A cell that was on lost or kept its state at beta_lo, one that was off at beta_hi.
          const bool begins = t == 0 || on(trace, t - 1) == on(expected, t - 1);
          if (begins && is_right_below[t] != 0) blamed = &total[index][was_on ? 1 : 0];
          if (blamed != nullptr) ++*blamed;
        }
      }
      is_right_below = std::move(is_right);
    }
  }
}

std::vector<TrimLeg> Trimmer::choose_legs(std::size_t count, const DeviceStatistics& statistics, std::uint64_t seed,
                                          ThreadPool& pool) const {
  const compile::CompiledNetwork& network = engine_.network();
  const std::size_t cells = engine_.nominal().cells.size();
  Blame total(cells, {0, 0});
  std::mutex mutex;
  pool.run(kDesignDies, [&](std::size_t i) {
    Blame own(cells, {0, 0});
    blame(draw_die(network.circuit, statistics, seed + i), own);
    const std::lock_guard lock(mutex);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      for (const std::size_t which : {0, 1}) total[cell][which] += own[cell][which];
    }
  });
  const auto all = static_cast<double>(kDesignDies * features_.clips * features_.frames);
  std::vector<TrimLeg> legs;
  std::size_t index = 0;
  for (std::size_t l = 0; l < network.cells.size(); ++l) {
    for (std::size_t j = 0; j < network.cells[l].size(); ++j, ++index) {
      for (const bool is_width : {false, true}) {
        const std::size_t wrong = total[index][is_width ? 1 : 0];
        if (wrong == 0) continue;
        const circuit::DeviceId device = leg_device(network, network.cells[l][j],
                                                    is_width ? compile::CellLeg::kWidth : compile::CellLeg::kThreshold);
        legs.push_back({l, j, is_width, device, static_cast<double>(wrong) / all});
      }
    }
  }
  std::stable_sort(legs.begin(), legs.end(),
                   [](const TrimLeg& a, const TrimLeg& b) { return a.wrong_bits > b.wrong_bits; });
  if (legs.size() > count) legs.resize(count);
  return legs;
}

Trimmer::Bits Trimmer::measure(const DieParameters& parameters, std::size_t layer, std::size_t cell) const {
  Bits bits;
  const auto place = static_cast<Eigen::Index>(cell);
  const float alpha = software_.layers[layer].alpha[place];
  bits.starts_on = software_.layers[layer].initial_state[place] > 0.5F;
  DieEngine::Scratch scratch;
  model::Trace trace;
  for (std::size_t clip = 0; clip < features_.clips; ++clip) {
    engine_.run(parameters, features_.clip(clip), scratch, trace);
    for (std::size_t t = 0; t < trace.frames; ++t) {
      bits.candidates.push_back(trace.candidate(layer, t, cell));
      bits.target.push_back(model::is_on(expected_[clip].state(layer, t, cell), alpha) ? 1 : 0);
    }
  }
  return bits;
}

std::size_t Trimmer::count_wrong(const Bits& bits, const DieParameters::Cell& cell) const {
  std::size_t wrong = 0;
  for (std::size_t begin = 0; begin < bits.target.size(); begin += features_.frames) {
    CellWalk walk(bits.starts_on, compile::kResetShare);
    for (std::size_t t = begin; t < begin + features_.frames; ++t) {
      wrong += walk.step(bits.candidates[t], cell) == (bits.target[t] != 0) ? 0 : 1;
    }
  }
  return wrong;
}

std::array<int, 2> Trimmer::trim_cell(std::size_t index, std::size_t layer, std::size_t cell, bool has_threshold,
                                      bool has_width, Die& die) const {
  const compile::CompiledNetwork& network = engine_.network();
  const circuit::DeviceId m2 = leg_device(network, network.cells[layer][cell], compile::CellLeg::kThreshold);
  const circuit::DeviceId m8 = leg_device(network, network.cells[layer][cell], compile::CellLeg::kWidth);
  // Both thresholds are linear in both currents, so three measured loops say what every code gives.
  const DieParameters drawn = engine_.on_die(die);
  const auto loop_with = [&](circuit::DeviceId device) {
    Die tuned = die;
    tuned[device].mobility *= 1.0 + dac_.step;
    return engine_.on_die(tuned).cells[index];
  };
  const DieParameters::Cell base = drawn.cells[index];
  const DieParameters::Cell by_threshold = loop_with(m2);
  const DieParameters::Cell by_width = loop_with(m8);
  const Bits bits = measure(drawn, layer, cell);

  struct Setting {
    int threshold = 0;
    int width = 0;
  };
  std::vector<Setting> best;
  std::size_t least = bits.target.size() + 1;
  const int first_threshold = has_threshold ? dac_.lowest() : 0;
  const int last_threshold = has_threshold ? dac_.highest() : 0;
  const int first_width = has_width ? dac_.lowest() : 0;
  const int last_width = has_width ? dac_.highest() : 0;
  for (int a = first_threshold; a <= last_threshold; ++a) {
    for (int b = first_width; b <= last_width; ++b) {
      const auto with = [&](float DieParameters::Cell::*of) {
        return base.*of + static_cast<float>(a) * (by_threshold.*of - base.*of) +
               static_cast<float>(b) * (by_width.*of - base.*of);
      };
      DieParameters::Cell tuned = base;
      tuned.rise = with(&DieParameters::Cell::rise);
      tuned.fall = with(&DieParameters::Cell::fall);
      const std::size_t wrong = count_wrong(bits, tuned);
      if (wrong > least) continue;
      if (wrong < least) best.clear();
      least = wrong;
      best.push_back({a, b});
    }
  }
  double middle[2] = {0.0, 0.0};
  for (const Setting& setting : best) {
    middle[0] += static_cast<double>(setting.threshold) / static_cast<double>(best.size());
    middle[1] += static_cast<double>(setting.width) / static_cast<double>(best.size());
  }
  const auto distance = [&](const Setting& setting) {
    return std::hypot(setting.threshold - middle[0], setting.width - middle[1]);
  };
  const Setting chosen = *std::min_element(
      best.begin(), best.end(), [&](const Setting& a, const Setting& b) { return distance(a) < distance(b); });
  die[m2].mobility *= dac_.factor(chosen.threshold);
  die[m8].mobility *= dac_.factor(chosen.width);
  return {chosen.threshold, chosen.width};
}

std::vector<int> Trimmer::trim(const std::vector<TrimLeg>& legs, Die& die) const {
  std::vector<int> codes(legs.size(), 0);
  std::size_t index = 0;
  for (std::size_t l = 0; l < software_.layers.size(); ++l) {
    for (std::size_t j = 0; j < software_.layers[l].cells(); ++j, ++index) {
      const auto find = [&](bool is_width) {
        return std::find_if(legs.begin(), legs.end(), [&](const TrimLeg& leg) {
          return leg.layer == l && leg.cell == j && leg.is_width == is_width;
        });
      };
      const auto threshold = find(false);
      const auto width = find(true);
      if (threshold == legs.end() && width == legs.end()) continue;
      const auto [threshold_code, width_code] =
          trim_cell(index, l, j, threshold != legs.end(), width != legs.end(), die);
      if (threshold != legs.end()) codes[static_cast<std::size_t>(threshold - legs.begin())] = threshold_code;
      if (width != legs.end()) codes[static_cast<std::size_t>(width - legs.begin())] = width_code;
    }
  }
  return codes;
}

}  // namespace hysteron::behavioural
