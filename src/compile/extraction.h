#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "compile/gain_curves.h"
#include "compile/netlist_notes.h"
#include "model/network.h"
#include "spice/netlist_tree.h"
#include "technology/technology.h"

namespace hysteron::compile {

/// One learned parameter of a netlist that was read back, in model units.
struct ExtractedParameter {
  std::string name;        ///< the model file's with indices; "layers.0.delta[1]" for beta_hi - beta_lo
  double model = 0.0;      ///< what the netlist says the model has
  double extracted = 0.0;  ///< what its transistors make of it
  bool dropped = false;    ///< none of its transistors is there
  bool derived = false;    ///< beta_lo: the difference of two others
};

/// A model read back from a netlist.
struct Extraction {
  model::Network model;     ///< what the netlist says it was made from
  model::Network realised;  ///< what its transistors make of it
  std::vector<ExtractedParameter> parameters;
};

/// Rebuilds the model from `netlist`: the gain of a learned parameter's transistor is that of `curves` at its width and
/// length and at the drain voltage and with the correction its comment has. A weight on a signed value is the mean of
/// its two legs. Throws a bad-input Error that names `origin`, the line and what was expected where the netlist is not
/// that of the network its comments tell of, a transistor that is no parameter has another size than it was drawn with,
/// or `curves` do not cover a size.
Extraction extract_network(const spice::Netlist& netlist, const std::string& origin, const NetlistHeader& header,
                           const technology::Technology& technology, const GainCurves& curves);

/// How far a model read back is from the one it was made from.
struct ExtractionErrors {
  std::size_t parameters = 0;
  std::size_t dropped = 0;  ///< not zero in the model, and without a transistor
  double largest = 0.0;     ///< model units
  double rms = 0.0;
  std::string largest_name;
  double largest_relative = 0.0;  ///< of parameters that are not 0, not dropped and not derived
  double rms_relative = 0.0;
  std::string largest_relative_name;
};
ExtractionErrors extraction_errors(const std::vector<ExtractedParameter>& parameters);

/// Name of the whole circuit's subcircuit in netlists.
inline constexpr const char* kNetworkName = "hysteron_network";

}  // namespace hysteron::compile
