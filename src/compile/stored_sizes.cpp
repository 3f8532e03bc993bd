#include "compile/stored_sizes.h"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/stored_json.h"
#include "compile/clip_bench.h"

namespace hysteron::compile {
namespace {

using nlohmann::json;

/// All parameters as far as they decide sizes: two values that are drawn alike still have errors of their own.
std::string parameters_text(const CompiledNetwork& network) {
  std::string text;
  for (const CompiledLeg& leg : network.legs) {
    if (leg.parameter) text += fmt::format("{} {:.9g}\n", model::parameter_name(*leg.parameter), leg.value);
  }
  for (const auto& layer : network.cells) {
    for (const CompiledCell& cell : layer)
      text += fmt::format("{:.9g} {:.9g} {:.9g}\n", cell.rise, cell.fall, cell.high);
  }
  return text;
}

/// What is stored of calibration.
struct Sizes {
  std::vector<double> sizes;          // [transistors][2], width and length, metre
  std::vector<double> sizing_errors;  // [instances]
  std::vector<double> cell_errors;    // [cells][3], of rise, fall and high
  std::vector<NodeError> nodes;
};

/// JSON has no NaN (a threshold that a cell never crossed): null stands for it.
double number(const json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

std::vector<double> numbers(const json& list) {
  std::vector<double> result;
  for (const json& value : list) result.push_back(number(value));
  return result;
}

Sizes decode(const json& stored) {
  Sizes sizes{numbers(stored.at("sizes")), numbers(stored.at("sizing_errors")), numbers(stored.at("cell_errors")), {}};
  for (const json& node : stored.at("nodes")) {
    sizes.nodes.push_back({node.at(0).get<std::string>(), number(node.at(1)), number(node.at(2))});
  }
  return sizes;
}

/// Legs that are parameters: the others keep no error.
std::vector<CompiledLeg*> parameters_of(CompiledNetwork& network) {
  std::vector<CompiledLeg*> legs;
  for (CompiledLeg& leg : network.legs) {
    if (leg.parameter) legs.push_back(&leg);
  }
  return legs;
}

std::vector<CompiledCell*> cells_of(CompiledNetwork& network) {
  std::vector<CompiledCell*> cells;
  for (auto& layer : network.cells) {
    for (CompiledCell& cell : layer) cells.push_back(&cell);
  }
  return cells;
}

}  // namespace

StoredSizes::StoredSizes(std::filesystem::path path, const CompiledNetwork& built, std::span<const float> frames,
                         std::string_view level, const sim::Engine& engine)
    : store_(
          std::move(path), "sizes",
          fmt::format("{} {}\n{}", engine.fingerprint(make_clip_bench(built, frames)), level, parameters_text(built))) {
}

bool StoredSizes::read(CompiledNetwork& network) const {
  const std::vector<CompiledCell*> cells = cells_of(network);
  const std::vector<CompiledLeg*> legs = parameters_of(network);
  const auto decode_whole = [&](const json& stored) -> std::optional<Sizes> {
    Sizes sizes = decode(stored);
    const bool is_whole = sizes.sizes.size() == 2 * network.circuit.transistors().size() &&
                          sizes.sizing_errors.size() == legs.size() && sizes.cell_errors.size() == 3 * cells.size();
    return is_whole ? std::optional(std::move(sizes)) : std::nullopt;
  };
  auto found = read_json(store_, decode_whole).value;
  if (!found) return false;
  for (std::size_t i = 0; i < found->sizes.size() / 2; ++i) {
    network.circuit.resize(static_cast<circuit::DeviceId>(i), found->sizes[2 * i], found->sizes[2 * i + 1]);
  }
  for (std::size_t i = 0; i < legs.size(); ++i) legs[i]->sizing_error = found->sizing_errors[i];
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const double* errors = &found->cell_errors[3 * i];
    cells[i]->errors = {true, errors[0], errors[1], errors[2]};
  }
  network.calibration = std::move(found->nodes);
  return true;
}

void StoredSizes::write(const CompiledNetwork& network) const {
  json sizes = json::array();
  for (const circuit::Transistor& transistor : network.circuit.transistors()) {
    sizes.push_back(transistor.width);
    sizes.push_back(transistor.length);
  }
  json sizing_errors = json::array();
  for (const CompiledLeg& leg : network.legs) {
    if (leg.parameter) sizing_errors.push_back(leg.sizing_error);
  }
  json cell_errors = json::array();
  for (const auto& layer : network.cells) {
    for (const CompiledCell& cell : layer) {
      for (const double error : {cell.errors.rise, cell.errors.fall, cell.errors.high}) cell_errors.push_back(error);
    }
  }
  json nodes = json::array();
  for (const NodeError& node : network.calibration) nodes.push_back(json::array({node.node, node.before, node.after}));
  const json all = {{"sizes", sizes}, {"sizing_errors", sizing_errors}, {"cell_errors", cell_errors}, {"nodes", nodes}};
  store_.write(all.dump());
}

}  // namespace hysteron::compile
