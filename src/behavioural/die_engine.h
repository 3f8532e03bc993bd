#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "base/random.h"
#include "behavioural/device_statistics.h"
#include "behavioural/die.h"
#include "compile/clip_bench.h"
#include "compile/compiled_network.h"
#include "data/features.h"
#include "model/inference.h"

namespace hysteron::behavioural {

/// Values of a rail where its frames are read, in place of those it would settle to, [frames], unit currents. A diode
/// in weak inversion that takes i of u has
///   di/dt = i (u - i) / tau,   tau: the time constant at one unit current,
/// so that what it has after the share r of a frame is u / (1 + (u / i0 - 1) exp(-r u k)), and i0 / (1 + r i0 k), r
/// counting on, where u is 0: a rail that was switched off takes its time. k = frame_constants is the frame over tau.
/// The first frame is settled: simulations begin at its operating point. Nothing gets below `leakage`, what a device
/// carries whose gate is at its source.
void settle_rail(float* values, std::size_t frames, float frame_constants, float leakage);

/// What an engine takes the levels of its paths from, so that a die is the same whichever clips are run: the frames of
/// the first hundred clips of `features`.
std::span<const float> level_frames(const data::Features& features);

/// A compiled network on one die, in model units: what every leg and cell is worth there.
struct DieParameters {
  /// Of one cell: the equations of design.md section 3 with every copy's own gain.
  struct Cell {
    float rise = 0.0F;  ///< candidate that turns it on
    float fall = 0.0F;  ///< candidate below which it turns off
    float high = 0.0F;  ///< output when on
    /// What V0 takes until the cell is in the other state: candidate beyond the threshold times frames.
    float set_charge = 0.0F;
    float reset_charge = 0.0F;
  };

  std::vector<float> gains;  ///< of CompiledNetwork::legs, signed
  std::vector<Cell> cells;   ///< of all layers, in order
};

/// One cell over the frames of a clip. A candidate beyond a threshold, cand - rise or fall - cand, charges or
/// discharges V0, one short of it brings V0 back; the cell is in the other state when the charge is there. Candidates
/// are taken as they are at 95 % of a frame from its beginning on.
class CellWalk {
 public:
  /// `released`: share of the first frame after which `reset` lets go of the cell.
  CellWalk(bool starts_on, double released) : is_on_(starts_on), begins_(static_cast<float>(released)) {}

  bool is_on() const { return is_on_; }

  /// Plays one frame; whether the cell is on where the frame is read.
  bool step(float candidate, const DieParameters::Cell& cell) {
    const float beyond = is_on_ ? cell.fall - candidate : candidate - cell.rise;
    const float needed = (is_on_ ? cell.reset_charge : cell.set_charge) - charge_;
    const float gained = beyond * (1.0F - begins_);
    // At the edges: a candidate at beta_hi sets, one at beta_lo holds.
    const bool switches = is_on_ ? beyond > 0.0F && gained >= needed : beyond >= 0.0F && gained >= needed;
    const bool in_time = switches && beyond * (kReadAt - begins_) >= needed;
    begins_ = 0.0F;
    const bool read_on = is_on_ != in_time;
    charge_ = switches ? 0.0F : std::max(charge_ + gained, 0.0F);
    is_on_ = is_on_ != switches;
    return read_on;
  }

 private:
  static constexpr auto kReadAt = static_cast<float>(compile::kReadAt);

  bool is_on_;
  float begins_;
  float charge_ = 0.0F;
};

/// The model with the imperfections of its circuit: leg by leg what the calibrated circuit has, times what the mismatch
/// of the devices along the current's path makes of it. A shift dVt of a device scales its current by exp(-dVt gm/id)
/// at the current density that it works at; signed values travel as two unipolar ones over legs of their own, as in the
/// circuit. Rails follow their values as settle_rail has it, and a cell takes the charge that CellWalk counts; beyond
/// that nothing happens between frames: no glitches. Thread-safe.
class DieEngine {
 public:
  /// `network` must outlive the engine. Densities are those of the values over `features` [frames, inputs] of one clip
  /// after the other, which are played without a reset between them.
  DieEngine(const compile::CompiledNetwork& network, const DeviceStatistics& statistics,
            std::span<const float> features);

  const compile::CompiledNetwork& network() const { return network_; }

  /// The circuit as drawn.
  const DieParameters& nominal() const { return nominal_; }

  /// The circuit on `die`, which has a shift for each of its transistors.
  DieParameters on_die(const Die& die) const;

  /// Currents of every unipolar value and of every copied rail, [values + copies, frames]; kept between calls so that
  /// nothing is allocated.
  struct Scratch {
    std::vector<float> values;
    std::vector<float> sum;
    std::vector<float> variance;
  };

  /// One clip of features [frames, inputs] on the circuit of `parameters`; with the noise of its devices where there is
  /// something to draw it from. Every current is off by what its devices' thermal and flicker noise (the latter from
  /// kNoiseLow up) amount to on the mean over a frame, drawn anew in every frame, each leg and cell by itself.
  void run(const DieParameters& parameters, std::span<const float> features, Scratch& scratch, model::Trace& trace,
           Random* noise = nullptr) const;

  /// Root mean square of every value of CompiledNetwork::values over the frames of `features` [frames, inputs] in which
  /// it is on, unit currents; 1 where it never is.
  std::vector<double> typical_levels(std::span<const float> features) const;

  /// Estimate of the seconds from a frame's begin until the logits are settled within 1 %: the longest path from an
  /// input to a logit, over rails and cells one after the other. A rail takes
  ///   ln(100) C / (slope I)
  /// with C the gates on it, from their area, and its capacitors, I the typical level of its value over
  /// `features` and slope the transconductance over the current of its diode, which `statistics` have. A cell that
  /// switches there takes the charge it needs over the candidate beyond its threshold, on the mean over its switches,
  /// at most a frame. Rails that start from far below their level, and splitters, are not in it.
  double settling_time(const DeviceStatistics& statistics, std::span<const float> features) const;

 private:
  /// A device on a current's path; its current counts for (+1) or against (-1) the result.
  struct Link {
    circuit::DeviceId device = 0;
    float sign = 1.0F;
    float slope = 0.0F;    ///< change of ln(current) a volt of `DeviceShift::threshold`, polarity and `sign` within
    float white = 0.0F;    ///< variance of its current over the square, at one unit current on the path: thermal noise
    float flicker = 0.0F;  ///< the same at any current: flicker noise
  };
  using Path = std::vector<Link>;

  /// Where the current of a summing node goes.
  struct Node {
    std::vector<std::size_t> legs;
    std::size_t positive = kNone;  ///< value that takes it where it is positive
    std::size_t negative = kNone;  ///< and where it is negative
    std::size_t readout = kNone;
  };
  /// Of a leg: variance over the square of its gain is white v + flicker v^2 while its value is at v.
  struct LegNoise {
    float white = 0.0F;
    float flicker = 0.0F;
  };
  struct Cell {
    std::size_t candidate = 0;  ///< value
    std::size_t state = 0;      ///< value
    bool starts_on = false;
    float rise = 0.0F;  ///< nominal, calibrated
    float fall = 0.0F;
    float high = 0.0F;
    float width = 0.0F;
    float set_charge = 0.0F;  ///< as DieParameters::Cell has them
    float reset_charge = 0.0F;
    Path threshold, copy_at_rise, copy_at_fall, feedback, output;
    float rise_noise = 0.0F;  ///< deviation of the threshold over a frame
    float fall_noise = 0.0F;
    float high_noise = 0.0F;  ///< of the output, over the output
  };
  /// What settle_rail takes of a rail, a value's own or one that is copied from it.
  struct Rail {
    std::size_t index = 0;  ///< in Scratch::values
    float frame_constants = 0.0F;
    float leakage = 0.0F;
  };
  /// One step of a frame-parallel pass: a node or, where `is_cell`, a cell.
  struct Step {
    bool is_cell = false;
    std::size_t index = 0;
  };

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  static constexpr std::size_t kBias = 0;  // CompiledNetwork::values begins with the unit current

  class Builder;

  const compile::CompiledNetwork& network_;
  std::vector<std::array<std::size_t, 2>> inputs_;  ///< values of the terminals
  std::vector<Node> nodes_;
  std::vector<Cell> cells_;
  std::vector<std::size_t> first_cell_;  ///< [layers + 1]
  std::vector<Step> steps_;
  std::vector<Path> leg_paths_;
  std::vector<LegNoise> leg_noise_;
  std::vector<std::size_t> leg_rails_;     ///< of CompiledNetwork::summing: values, then copied rails
  std::vector<Rail> own_rails_;            ///< of every value
  std::vector<std::vector<Rail>> copies_;  ///< of every value
  std::size_t rails_ = 0;                  ///< values and copied rails
  DieParameters nominal_;

  static double switching_frames(const Cell& cell, const Scratch& scratch, std::size_t frames);
  static double factor(const Path& path, const Die& die);
  static double variance(const Path& path, double level);
  void settle(std::size_t value, std::size_t frames, Scratch& scratch) const;
  void run_node(const Node& node, const DieParameters& parameters, std::size_t frames, Scratch& scratch,
                model::Trace& trace, Random* noise) const;
  void add_noise(const Node& node, const DieParameters& parameters, std::size_t frames, Scratch& scratch,
                 Random& noise) const;
  void run_cell(std::size_t index, const DieParameters& parameters, std::size_t frames, Scratch& scratch,
                Random* noise) const;
};

}  // namespace hysteron::behavioural
