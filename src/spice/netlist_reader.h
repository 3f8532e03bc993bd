#pragma once

#include <string>
#include <vector>

#include "spice/netlist_tree.h"
#include "technology/technology.h"

namespace hysteron::spice {

/// Reads a netlist in ngspice's dialect as format_netlist writes it: comments, `.subckt` with parameters, `x` lines of
/// `technology`'s transistors and of subcircuits defined before, `.ends`, continuation lines; case does not matter and
/// numbers may have SPICE's scale factors. Throws a bad-input Error that names `origin`, the line, what was found and
/// what was expected for anything else.
Netlist parse_netlist(const std::string& text, const std::string& origin, const technology::Technology& technology);

/// The comments before the first line that is none.
std::vector<Comment> netlist_header(const std::string& text, const std::string& origin);

/// Throws a bad-input Error that names `origin`, the line and what was expected unless `found` is `expected` but for
/// the numbers and the comments: the same subcircuits with the same ports, parameters and lines in any order.
void check_same_structure(const Netlist& found, const Netlist& expected, const std::string& origin);

/// What a netlist says of one transistor.
struct PlacedDevice {
  double width = 0.0;
  double length = 0.0;
  std::size_t line = 0;                  ///< where the sizes stand
  std::vector<const Comment*> comments;  ///< of its line and of the line the sizes stand in
};

/// Follows `path` (Hierarchy::device) down from the whole circuit; the netlist must have passed check_same_structure.
PlacedDevice find_device(const Netlist& netlist, const Path& path);

/// A number with SPICE's scale factors: "5u", "1.2e-6", "3meg". Throws a bad-input Error that begins with `place`.
double parse_spice_number(const std::string& text, const std::string& place);

/// "'network.spice': line 12".
std::string line_place(const std::string& origin, std::size_t line);

}  // namespace hysteron::spice
