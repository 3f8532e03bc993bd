#include "train/cell_kind.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "train/recurrent_cell.h"

namespace hysteron::train {

const std::vector<std::string>& cell_names() {
  static const std::vector<std::string> names = {"fq_bmru", "bmru", "cmru", "mingru", "lru", "gru"};
  return names;
}

CellKind cell_kind(const std::string& name) {
  const auto found = std::ranges::find(cell_names(), name);
  if (found == cell_names().end()) {
    throw bad_input(
        fmt::format("unknown cell {}; expected one of {}", hysteron::quoted(name), fmt::join(cell_names(), ", ")));
  }
  return static_cast<CellKind>(found - cell_names().begin());
}

std::unique_ptr<RecurrentCell> make_cell(CellKind kind, ModelLayout& layout, const std::string& name, std::size_t width,
                                         std::size_t cells) {
  switch (kind) {
    case CellKind::kFqBmru:
      return make_fq_bmru(layout, name, width, cells);
    case CellKind::kBmru:
      return make_bmru(layout, name, width, cells, 0.0f);
    case CellKind::kCmru:
      return make_bmru(layout, name, width, cells, 1.0f);
    case CellKind::kMinGru:
      return make_min_gru(layout, name, width, cells);
    case CellKind::kLru:
      return make_lru(layout, name, width, cells);
    case CellKind::kGru:
      return make_gru(layout, name, width, cells);
  }
  throw bad_input("unknown cell");
}

}  // namespace hysteron::train
