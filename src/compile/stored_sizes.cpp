#include "compile/stored_sizes.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "compile/clip_bench.h"

namespace hysteron::compile {
namespace {

using nlohmann::json;

constexpr int kFormat = 6;  // changes with how calibration turns sizes and with what is kept of it

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

/// JSON has no NaN (a threshold that a cell never crossed): null stands for it.
std::optional<std::vector<double>> numbers(const json& value, std::size_t count) {
  if (!value.is_array() || value.size() != count) return std::nullopt;
  std::vector<double> result;
  for (const json& number : value) {
    if (!number.is_null() && !number.is_number()) return std::nullopt;
    result.push_back(number.is_null() ? std::numeric_limits<double>::quiet_NaN() : number.get<double>());
  }
  return result;
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

bool read_nodes(const json& stored, std::vector<NodeError>& nodes) {
  if (!stored.is_array()) return false;
  for (const json& node : stored) {
    if (!node.is_array() || node.size() != 3 || !node[0].is_string()) return false;
    const auto errors = numbers({node[1], node[2]}, 2);
    if (!errors) return false;
    nodes.push_back({node[0].get<std::string>(), (*errors)[0], (*errors)[1]});
  }
  return true;
}

}  // namespace

StoredSizes::StoredSizes(std::filesystem::path path, const CompiledNetwork& built, std::span<const float> frames,
                         std::string_view level, const sim::Engine& engine)
    : path_(std::move(path)) {
  const std::string text = fmt::format("{} {}\n{}", kFormat, level, parameters_text(built));
  key_ = fmt::format("{}-{:016x}", engine.fingerprint(make_clip_bench(built, frames)), fnv1a(text));
}

bool StoredSizes::read(CompiledNetwork& network) const {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path_, ignored)) return false;
  const json stored = json::parse(read_file(path_), nullptr, false);
  if (!stored.is_object() || stored.value("key", json()) != key_) return false;
  const std::vector<CompiledCell*> cells = cells_of(network);
  const auto sizes = numbers(stored.value("sizes", json()), 2 * network.circuit.transistors().size());
  const std::vector<CompiledLeg*> legs = parameters_of(network);
  const auto sizing_errors = numbers(stored.value("sizing_errors", json()), legs.size());
  const auto cell_errors = numbers(stored.value("cell_errors", json()), 3 * cells.size());
  std::vector<NodeError> nodes;
  if (!sizes || !sizing_errors || !cell_errors || !read_nodes(stored.value("nodes", json()), nodes)) return false;
  for (std::size_t i = 0; i < sizes->size() / 2; ++i) {
    network.circuit.resize(static_cast<circuit::DeviceId>(i), (*sizes)[2 * i], (*sizes)[2 * i + 1]);
  }
  for (std::size_t i = 0; i < legs.size(); ++i) legs[i]->sizing_error = (*sizing_errors)[i];
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i]->errors = {true, (*cell_errors)[3 * i], (*cell_errors)[3 * i + 1], (*cell_errors)[3 * i + 2]};
  }
  network.calibration = std::move(nodes);
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
  const json all = {{"key", key_},
                    {"sizes", sizes},
                    {"sizing_errors", sizing_errors},
                    {"cell_errors", cell_errors},
                    {"nodes", nodes}};
  make_directories(path_.parent_path());
  write_file(path_, all.dump() + "\n");
}

}  // namespace hysteron::compile
