#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compile/compiled_network.h"
#include "compile/min_weights.h"

namespace hysteron::compile {

/// Volt between drain and source of a device of `polarity` whose drain sits at a node of `kind`.
double voltage_across(const OperatingVoltages& operating, double supply, circuit::Polarity polarity, NodeKind kind);

/// Volt between drain and source of a leg of a cell that is on.
double cell_leg_voltage(const GainCurves& curves, double supply, CellLeg leg);

/// Size of a leg of a cell for a gain in unit currents. The length is trimmed on the drawing grid, by up to kMaxTrim,
/// which divides a current ten times as finely as the width does.
LegSize cell_leg_size(const GainCurves& curves, const technology::Technology& technology, double supply, CellLeg leg,
                      double gain);

/// Where devices go: the subcircuit that netlists show them in, and the part of a network that this is.
struct Block {
  std::string path;  ///< "layer0/cell1"; empty: the top
  circuit::Place place = {};
};

/// What devices are, for netlists and as data.
struct Label {
  std::string name;
  Block block;
  circuit::Role role = circuit::Role::kRail;
  circuit::Quantity quantity = circuit::Quantity::kNone;
};

/// A current that never changes sign, and the gate lines that carry it; a rail is built when the first leg needs it.
struct Signal {
  static constexpr circuit::NetId kNone = static_cast<circuit::NetId>(-1);

  Label label;
  circuit::NetId n_rail = kNone;
  circuit::NetId p_rail = kNone;
  std::size_t value = 0;  ///< index into CompiledNetwork::values
};

/// A signed current as two signals of which at most one is noticeably on.
struct SignedSignal {
  Signal positive;
  Signal negative;
};

/// A leg to be built: `weight` times its source into `node`.
struct LegPlan {
  Label label;
  circuit::NetId node = 0;
  NodeKind kind = NodeKind::kRectified;
  double weight = 0.0;                        ///< model units
  std::optional<model::Parameter> parameter;  ///< that the weight is; none: the skip path, gates
};

/// A cell to be built.
struct CellPlan {
  std::string name;  ///< of its nets
  Block block;
  CellGains gains;  ///< I_thresh, I_width and I_gain in model units
  bool starts_on = false;
  std::optional<PerCellLeg<model::Parameter>> parameters = {};  ///< that its legs are; none: a bench's cell
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
  Signal n_diode_signal(const Label& label, circuit::DeviceId* diode = nullptr);

  /// The class-B splitter behind a signed node called `name`; legs drive the node of that name.
  SignedSignal splitter(const std::string& name, const Block& block);

  /// `plan.weight` times `source`: a P leg where the weight is positive, an N leg where it is negative, as
  /// realised_weight has it where it is too small.
  void leg(Signal& source, const LegPlan& plan);

  /// `plan.weight` times the signed `source`: a leg for each of its parts.
  void signed_leg(SignedSignal& source, const LegPlan& plan);

  /// The nine transistors behind `candidate`. Gives the cell's output.
  Signal cell(Signal& candidate, circuit::DeviceId candidate_diode, const CellPlan& plan, CompiledCell& compiled);

  /// A decision without memory: the switch M3, the limit M5 and the diode M4 of a cell behind the node `v0`. Legs of
  /// kind kCell drive the node; the output is `gain` while they push more than they pull, else 0.
  Signal decision(const std::string& name, const Block& block, circuit::NetId v0, double gain);

 private:
  struct Terminals {
    circuit::NetId drain = 0;
    circuit::NetId gate = 0;
    circuit::NetId source = 0;
  };

  /// The legs of `made`, which stands for the wanted weight of `plan`.
  void add_legs(Signal& source, const LegPlan& plan, double made, bool mirrored);
  circuit::NetId n_rail(Signal& signal);
  circuit::NetId p_rail(Signal& signal);
  circuit::DeviceId add(const Label& label, circuit::Polarity polarity, const Terminals& terminals,
                        technology::Geometry geometry);
  /// The other rail of `signal`: a device of `polarity` on its rail `gate` feeds a diode of the opposite polarity at
  /// `rail`, which stands for the whole value but carries only the share of it that the rail diode's size asks for.
  void add_copied_rail(const Signal& signal, circuit::Polarity polarity, circuit::NetId gate, circuit::NetId rail);
  /// One of the legs of the cell of `plan`; notes it in `compiled`.
  circuit::DeviceId add_cell_leg(CellLeg leg, const std::string& name, circuit::NetId drain, const CellPlan& plan,
                                 CompiledCell& compiled);
  void build_bias();
  void build_splitter_bias();

  /// Where the legs of `polarity` meet that add to the signed node `node`: behind a common-gate device, so that the
  /// node's swing between its signs does not reach their drains.
  circuit::NetId cascode(circuit::NetId node, circuit::Polarity polarity, const Label& leg);
  void build_reset(const Block& block, circuit::NetId v0, bool starts_on);
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
