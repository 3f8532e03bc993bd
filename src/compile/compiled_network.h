#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "circuit/circuit.h"
#include "compile/cell_leg.h"
#include "compile/gain_curves.h"
#include "model/network.h"
#include "model/parameter.h"
#include "technology/technology.h"

namespace hysteron::compile {

/// A transistor that makes a learned parameter, a unit weight of the skip path or a weight of a gate; or a parameter
/// that no transistor makes. A value that takes several equal legs, and a weight on a signed value, which has a leg for
/// each of its parts, are several of these.
struct CompiledLeg {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  std::optional<model::Parameter> parameter;  ///< none: the skip path, gates
  double value = 0.0;            ///< model units, of all instances together; minus the model's where `mirrored`
  bool mirrored = false;         ///< reads the negative part of a signed value
  bool dropped = false;          ///< zero, or nearer to it than to the smallest leg: there is no transistor
  int instances = 1;             ///< equal legs that share the value
  circuit::DeviceId device = 0;  ///< unless dropped
  double voltage = 0.0;          ///< volt between drain and source it is sized at
  double nominal_current = 0.0;  ///< ampere: value times unit current, this instance's share of it
  double sizing_error = 0.0;     ///< predicted or measured over wanted gain, minus 1; -1 where left out, 0 where zero
  circuit::NetId node = 0;       ///< that it pushes into or pulls from
  std::size_t source = kNone;    ///< what it reads, an index into CompiledNetwork::values; kNone: a leg of a cell
  double weight = 0.0;           ///< what sizing asks of this instance: its share of the value, negative where the leg
                                 ///< pulls; the smallest leg's where less is wanted

  /// The parameter as the model has it.
  double model_value() const { return mirrored ? -value : value; }

  /// This instance's share of what all of them make.
  double share_of(double all) const { return all / instances; }

  /// What this instance makes of its share, model units.
  double made() const { return parameter ? share_of(value) * (1.0 + sizing_error) : weight; }

  /// Takes in that the circuit has `ratio` times the gain that sizing asked for.
  void note_gain(double ratio) { sizing_error = ratio * weight * instances / value - 1.0; }
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
  PerCellLeg<std::size_t> legs;           ///< indices into CompiledNetwork::legs
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
  std::vector<circuit::DeviceId> values;         ///< of every unipolar value, the diode whose current is the value
  std::vector<CompiledLeg> legs;                 ///< in the order of building
  std::vector<std::size_t> summing;    ///< of `legs`, those that add to a node's current: there, and of no cell
  std::vector<NodeError> calibration;  ///< empty unless layers were calibrated in place

  const CompiledLeg& summing_leg(std::size_t index) const { return legs[summing[index]]; }

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
