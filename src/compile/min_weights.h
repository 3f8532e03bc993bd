#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "circuit/circuit.h"
#include "compile/cell_leg.h"
#include "compile/gain_curves.h"
#include "model/network.h"
#include "technology/technology.h"

namespace hysteron::compile {

/// Where a leg's drain sits; decides the voltage across it.
enum class NodeKind {
  kRectified,  ///< an N diode
  kSigned,     ///< a class-B node
  kReadout,    ///< held at half the supply by the test bench
  kPDiode,     ///< an N device feeding a P diode
  kCell,       ///< V0 of a cell
  kTail        ///< below the switch of a cell that is on
};
inline constexpr std::size_t kNodeKinds = 6;

/// The smallest gains that legs can be made for, each at the voltage of its own node: what the narrowest leg of the
/// longest channel carries.
class MinWeights {
 public:
  MinWeights(const technology::Technology& technology, const GainCurves& curves, const Conditions& conditions);

  /// Of one leg into a node of this kind, of a bias or of a weight on a value that is never negative.
  double leg(NodeKind kind, circuit::Polarity polarity, bool is_bias) const {
    return legs_[static_cast<std::size_t>(kind)][polarity == circuit::Polarity::kN ? 0 : 1][is_bias ? 1 : 0];
  }

  /// Of a weight on a signed value: a leg of each polarity, and both the same or the value would be bent at zero.
  double pair(NodeKind kind) const;

  double cell_leg(CellLeg leg) const { return cell_legs_[leg]; }

 private:
  std::array<std::array<std::array<double, 2>, 2>, kNodeKinds> legs_{};
  PerCellLeg<double> cell_legs_;
};

/// What is made of a weight or bias where the smallest gain is `least`: itself, or below `least` what is nearer of 0
/// (it is left out) and the smallest of its sign.
double realised_weight(double value, double least);

/// A parameter too small for any leg.
struct BelowMinimum {
  std::string parameter;  ///< the model file's name with indices; "layers.0.delta[1]" for beta_hi - beta_lo
  double target = 0.0;    ///< model units
  double made = 0.0;      ///< 0: left out
};

/// A network as legs can make it, and what had to change for that.
struct RealisedNetwork {
  model::Network network;
  std::vector<BelowMinimum> changed;
};

/// Weights and biases as realised_weight has them; thresholds, widths and gains stay.
RealisedNetwork realise_weights(const model::Network& network, const MinWeights& least);

/// Cells' legs too, which are always made: beta_hi, delta and alpha below the smallest leg are as that.
RealisedNetwork realise(const model::Network& network, const MinWeights& least);

}  // namespace hysteron::compile
