#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "compile/compiled_network.h"
#include "compile/gain_curves.h"
#include "spice/netlist_tree.h"
#include "technology/technology.h"

// What a netlist says of the network it is: comments that map every transistor back (docs/netlist.md). One half writes
// them, the other reads them again.

namespace hysteron::compile {

/// Of one transistor that is a learned parameter, or of a parameter that no transistor is.
struct ParameterNote {
  std::string parameter;    ///< the model file's name with indices
  double value = 0.0;       ///< the model's
  double voltage = 0.0;     ///< volt between drain and source it was sized at
  double correction = 1.0;  ///< gain that simulation found in the circuit over the gain of the curves at this size
  int instances = 1;        ///< equal legs that share the value
  bool mirrored = false;    ///< reads the negative part of a signed value
  bool dropped = false;     ///< no transistor: too small
  std::size_t line = 0;     ///< of the netlist it was read from, from 1
};

/// "layers.0.candidate.weight[1,2] = 0.734; vds=0.417".
std::string format_parameter_note(const ParameterNote& note);

/// Nothing if `text` is no note of a parameter. Throws a bad-input Error that begins with `place` if it is one out of
/// shape.
std::optional<ParameterNote> parse_parameter_note(const std::string& text, const std::string& place);

/// The size a transistor that is no parameter was drawn with: "rail xv0_0p_d: w=5e-06 l=5e-06".
struct SizeNote {
  std::string instance;  ///< with its leading x
  double width = 0.0;    ///< metre
  double length = 0.0;   ///< metre
};
std::optional<SizeNote> parse_size_note(const std::string& text, const std::string& place);

/// What the head of a netlist says: technology, conditions and the shape and labels of the model.
struct NetlistHeader {
  std::string technology;
  Conditions conditions;
  double cell_capacitance = 0.0;       ///< farad on V0 of every cell
  std::size_t instances = 0;           ///< notes of learned parameters, dropped ones within
  std::vector<std::size_t> cells;      ///< [layers]
  std::vector<ParameterNote> dropped;  ///< parameters without a transistor
  model::Network model;                ///< shapes, labels, frame and statistics; every value 0
};

/// Every comment a netlist of `network` has.
spice::Annotations make_notes(const CompiledNetwork& network, const technology::Technology& technology,
                              const GainCurves& curves);

/// Throws a bad-input Error that names `origin`, the line and what was expected.
NetlistHeader parse_header(const std::vector<spice::Comment>& header, const std::string& origin);

}  // namespace hysteron::compile
