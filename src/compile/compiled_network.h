#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "circuit/circuit.h"
#include "compile/gain_curves.h"
#include "model/network.h"
#include "technology/technology.h"

namespace hysteron::compile {

/// One instance of one learned parameter: a row of mapping.csv.
struct MappedInstance {
  std::string parameter;  ///< the model file's name with indices: "layers.0.candidate.weight[1,2]"
  double value = 0.0;     ///< model units
  bool dropped = false;   ///< zero, or nearer to it than to the smallest leg: there is no instance
  circuit::DeviceId device = 0;
  double nominal_current = 0.0;  ///< ampere: value times unit current, this instance's share of it
  double sizing_error = 0.0;     ///< predicted over wanted gain, minus 1; -1 where left out, 0 where zero
  double voltage = 0.0;          ///< volt between drain and source it is sized at
  bool mirrored = false;         ///< reads the negative part of a signed value: `value` is minus the model's
  int instances = 1;             ///< equal legs that share the value
};

/// A leg of a learned weight or bias or of the skip path: it adds `weight` times a value to the current into `node`.
struct CompiledLeg {
  circuit::DeviceId device = 0;
  circuit::NetId node = 0;
  std::size_t value = 0;    ///< index into CompiledNetwork::values
  double weight = 0.0;      ///< model units, this instance's share, negative where the leg pulls; the smallest leg's
                            ///< where less is wanted
  double voltage = 0.0;     ///< volt between drain and source that it was sized at
  std::size_t row = kNone;  ///< of the mapping; kNone: the skip path

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
};

/// What calibration left of a cell's loop, over what was wanted.
struct CellErrors {
  bool is_measured = false;  ///< false: the cell was not calibrated
  double rise = 0.0;
  double fall = 0.0;
  double high = 0.0;
};

/// The devices of one memory cell that calibration and probes need.
struct CompiledCell {
  circuit::NetId v0 = 0;
  circuit::DeviceId candidate_diode = 0;  ///< its current is the candidate
  std::array<circuit::DeviceId, 9> m{};   ///< M1 to M9; M4's current is the state
  std::array<std::size_t, 3> mapping{};   ///< rows of beta_hi (M2), delta (M8) and alpha (M5)
  double rise = 0.0;                      ///< wanted upper threshold, ampere
  double fall = 0.0;                      ///< wanted lower threshold, ampere
  double high = 0.0;                      ///< wanted output of a cell that is on, ampere
  bool starts_on = false;
  CellErrors errors;
};

/// How well the legs of one summing node add up: root mean square error of the current into it over the root mean
/// square of what the weights and the circuit's own values ask for, over all frames but those
/// in which a rectifying node is off.
struct NodeError {
  std::string node;
  double before = 0.0;  ///< legs as the gain curves size them
  double after = 0.0;   ///< as calibrated
};

/// The two terminals of a signed input: currents pushed into N diodes.
struct CompiledInput {
  circuit::NetId positive = 0;
  circuit::NetId negative = 0;
};

/// Seconds an input takes from one frame's value to the next where nothing else is asked for: steps without a ramp cost
/// the simulator time steps.
inline constexpr double kDefaultInputRamp = 1e-4;

/// A network as a circuit, and where everything of the network is in it.
struct CompiledNetwork {
  model::Network model;  ///< what the circuit computes
  circuit::Circuit circuit;
  Conditions conditions;
  double supply = 0.0;  ///< volt
  double frame_seconds = 0.01;
  double input_ramp = kDefaultInputRamp;         ///< seconds; at most a frame is taken
  double input_pedestal = 0.0;                   ///< unit currents on both terminals of every input
  circuit::NetId reference = 0;                  ///< terminal of the unit current
  circuit::NetId reset = 0;                      ///< terminal that holds every cell in its initial state while high
  std::vector<CompiledInput> inputs;             ///< [n]
  std::vector<std::vector<CompiledCell>> cells;  ///< [layers][m]
  std::vector<circuit::NetId> readouts;          ///< [k], to be held at half the supply
  std::vector<MappedInstance> mapping;
  std::vector<circuit::DeviceId> values;  ///< of every unipolar value, the diode whose current is the value
  std::vector<CompiledLeg> legs;
  std::vector<NodeError> calibration;  ///< empty unless layers were calibrated in place

  std::size_t dropped_parameters() const;
};

/// Width and length of a leg, and how far its predicted gain is off.
struct LegSize {
  technology::Geometry geometry;
  double gain = 0.0;  ///< predicted
  int instances = 1;  ///< identical legs in parallel
};

/// How far temperature may move a leg. Narrow and short devices have other thresholds than the reference device, and
/// in weak inversion a difference of thresholds is a gain that temperature changes.
struct DriftLimit {
  double tolerance = 0.0;  ///< unit currents between the conditions' and the technology's coldest temperature
  double target = 0.0;     ///< relative change that would be right, as where a diode has one of its own

  /// For a leg on a rail that moves with its value: what the technology sets, as every longer channel slows the rail.
  static DriftLimit moving(const technology::Technology& technology) { return {technology.leg_drift, 0.0}; }
  /// For a leg on a rail that stands still, where a longer channel costs area alone: the least there is.
  static DriftLimit still(const technology::Technology& technology, double target = 0.0);
};

/// Chooses the shortest channel whose width is not below the technology's narrowest leg and whose gain keeps `limit`,
/// or the one that comes nearest to it; widths are multiples of the drawing grid. `voltage` is between drain and
/// source. One device, whatever `gain` is.
LegSize size_device(const GainCurves& curves, const technology::Technology& technology, circuit::Polarity polarity,
                    double gain, double voltage, const DriftLimit& limit);

/// The same for a leg, which shares a gain above kLargestLeg among equal devices.
LegSize size_leg(const GainCurves& curves, const technology::Technology& technology, circuit::Polarity polarity,
                 double gain, double voltage, const DriftLimit& limit);

/// Maps every parameter of `network` to transistors, sized from `curves`. Cells are sized, not yet calibrated.
CompiledNetwork build_network(const model::Network& network, const technology::Technology& technology,
                              const GainCurves& curves, const Conditions& conditions);

}  // namespace hysteron::compile
