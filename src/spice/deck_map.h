#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spice/ngspice.h"

namespace hysteron::spice {

/// Finds the line of a deck, or of the files beside it, that a message of ngspice is about. Names and quoted lines come
/// back from ngspice in lower case, with continuation lines joined, parameters replaced and subcircuits expanded.
class DeckMap {
 public:
  explicit DeckMap(const Deck& deck);

  /// "netlist line 12: xl d n1 0 0 nfet w=5u l=5u" for the line `message` points to, by number, by quoting it, or by
  /// naming a device, node or parameter; empty if it points to none.
  std::string locate(std::string_view message) const;

 private:
  struct Line {
    std::string file;    // empty for the deck itself
    std::size_t number;  // of its first line, from 1
    std::string text;    // as written, continuations joined
    std::string normal;  // lower case, single blanks
    std::string scope;   // name of the subcircuit it is in, lower case; empty at the top
  };

  void add(const std::string& file, const std::string& text);
  std::string describe(const Line& line) const;
  const Line* by_number(std::string_view message) const;
  const Line* by_quote(std::string_view message) const;
  const Line* by_parameter(std::string_view message) const;
  const Line* by_file(std::string_view message) const;
  const Line* by_device(std::string_view message) const;
  const Line* by_node(std::string_view message) const;
  const Line* instance(const std::string& path, const std::string& scope) const;
  const Line* using_word(const std::string& word) const;

  std::vector<Line> lines_;
};

}  // namespace hysteron::spice
