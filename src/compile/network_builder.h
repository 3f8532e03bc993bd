#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compile/compiled_network.h"
#include "compile/min_weights.h"

namespace hysteron::compile {

/// Volt between drain and source of a device of `polarity` whose drain sits at a node of `kind`.
double voltage_across(const OperatingVoltages& operating, double supply, circuit::Polarity polarity, NodeKind kind);

/// Volt between drain and source of M2, M8 or M5 (`which` 0, 1 or 2) of a cell that is on.
double cell_leg_voltage(const GainCurves& curves, double supply, std::size_t which);

/// Size of M2, M8 or M5 (`which` 0, 1 or 2) of a cell for a gain in unit currents. The length is trimmed on the drawing
/// grid, by up to kMaxTrim, which divides a current ten times as finely as the width does.
LegSize cell_leg_size(const GainCurves& curves, const technology::Technology& technology, double supply,
                      std::size_t which, double gain);

/// A current that never changes sign, and the gate lines that carry it; a rail is built when the first leg needs it.
struct Signal {
  static constexpr circuit::NetId kNone = static_cast<circuit::NetId>(-1);

  std::string name;
  std::string block;
  circuit::Role role = circuit::Role::kRail;
  circuit::NetId n_rail = kNone;
  circuit::NetId p_rail = kNone;
  std::size_t value = 0;  ///< index into CompiledNetwork::values
};

/// A signed current as two signals of which at most one is noticeably on.
struct SignedSignal {
  Signal positive;
  Signal negative;
};

/// The vocabulary of the circuit: signals, legs, signed nodes, cells.
class NetworkBuilder {
 public:
  /// Without `signed_nodes` there are no gate voltages for splitters and cascodes, and no signed node may be built.
  NetworkBuilder(const technology::Technology& technology, const GainCurves& curves, const Conditions& conditions,
                 bool signed_nodes = true);

  CompiledNetwork& result() { return result_; }
  Signal& bias() { return bias_; }

  /// A signal whose net carries an N diode: an input, a rectifying node.
  Signal n_diode_signal(const std::string& name, const std::string& block, circuit::Role role,
                        circuit::DeviceId* diode = nullptr);

  /// The class-B splitter behind a signed node called `name`; legs drive the node of that name.
  SignedSignal splitter(const std::string& name, const std::string& block);

  /// `weight` times `source` into `target`: a P leg where the weight is positive, an N leg where it is negative, as
  /// realised_weight has it where it is too small; adds rows to the mapping under `parameter`, none if that is empty.
  void leg(Signal& source, circuit::NetId target, NodeKind kind, double weight, const std::string& name,
           const std::string& block, circuit::Role role, const std::string& parameter);

  /// `weight` times the signed `source`: a leg for each of its parts.
  void signed_leg(SignedSignal& source, circuit::NetId target, NodeKind kind, double weight, const std::string& name,
                  const std::string& block, circuit::Role role, const std::string& parameter);

  /// Parameter names of a cell's rows in the mapping.
  struct CellParameters {
    std::string beta_hi;
    std::string delta;
    std::string alpha;
  };

  /// The nine transistors behind `candidate`, with I_thresh, I_width and I_gain in model units. Gives the cell's
  /// output.
  Signal cell(Signal& candidate, circuit::DeviceId candidate_diode, const std::string& name, const std::string& block,
              double threshold, double width, double gain, bool starts_on, const CellParameters& parameters,
              CompiledCell& compiled);

  /// A decision without memory: the switch M3, the limit M5 and the diode M4 of a cell behind the node `v0`. Legs of
  /// kind kCell drive the node; the output is `gain` while they push more than they pull, else 0.
  Signal decision(const std::string& name, const std::string& block, circuit::NetId v0, double gain);

 private:
  /// The legs of `made`, which stands for the wanted `weight`.
  void add_legs(Signal& source, circuit::NetId target, NodeKind kind, double weight, double made,
                const std::string& name, const std::string& block, circuit::Role role, const std::string& parameter);
  circuit::NetId n_rail(Signal& signal);
  circuit::NetId p_rail(Signal& signal);
  circuit::DeviceId add(const std::string& name, const std::string& block, circuit::Polarity polarity,
                        circuit::Role role, circuit::NetId drain, circuit::NetId gate, circuit::NetId source,
                        technology::Geometry geometry);
  /// The other rail of `signal`: a device of `polarity` on its rail `gate` feeds a diode of the opposite polarity at
  /// `rail`, which stands for the whole value but carries only the share of it that the rail diode's size asks for.
  void add_copied_rail(const Signal& signal, circuit::Polarity polarity, circuit::NetId gate, circuit::NetId rail);
  circuit::DeviceId add_cell_leg(const std::string& name, const std::string& block, circuit::NetId drain,
                                 std::size_t which, double value, const std::string& parameter, std::size_t& row);
  void build_bias();
  void build_splitter_bias();

  /// Where the legs of `polarity` meet that add to the signed node `node`: behind a common-gate device, so that the
  /// node's swing between its signs does not reach their drains.
  circuit::NetId cascode(circuit::NetId node, circuit::Polarity polarity, const std::string& block);
  void build_reset(const std::string& block, circuit::NetId v0, bool starts_on);
  std::size_t add_value(circuit::DeviceId diode);

  const technology::Technology& technology_;
  const GainCurves& curves_;
  MinWeights min_;
  CompiledNetwork result_;
  Signal bias_;
  circuit::NetId preset_rail_ = Signal::kNone;  // low while `reset` is high; built when the first cell needs it
  std::map<std::pair<circuit::NetId, circuit::Polarity>, circuit::NetId> cascodes_;
  circuit::NetId splitter_n_gate_ = 0;
  circuit::NetId splitter_middle_ = 0;
  circuit::NetId splitter_p_gate_ = 0;
};

}  // namespace hysteron::compile
