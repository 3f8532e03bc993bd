// Model files of reference backbones.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "model/safetensors.h"
#include "train/sequence_trainer.h"

namespace hysteron::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSoftware = "software";

[[noreturn]] void refuse(const std::string& origin, const std::string& problem) {
  throw bad_input(fmt::format("{}: {}", hysteron::quoted(origin), problem));
}

Json to_json(const SequenceShape& shape) {
  return {{"inputs", shape.inputs}, {"outputs", shape.outputs},         {"width", shape.width},
          {"cells", shape.cells},   {"layers", shape.layers},           {"position", shape.position},
          {"mlp", shape.mlp},       {"convolution", shape.convolution}, {"per_frame", shape.per_frame}};
}

std::string metadata(const model::TensorFile& file, const std::string& origin, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) refuse(origin, fmt::format("metadata {} is missing", key));
  return found->second;
}

SequenceShape read_shape(const model::TensorFile& file, const std::string& origin) {
  constexpr std::size_t kLargest = 1U << 20U;
  SequenceShape shape;
  try {
    const Json json = Json::parse(metadata(file, origin, "hysteron.shape"));
    shape.inputs = json.at("inputs");
    shape.outputs = json.at("outputs");
    shape.width = json.at("width");
    shape.cells = json.at("cells");
    shape.layers = json.at("layers");
    shape.position = json.at("position");
    shape.mlp = json.at("mlp");
    shape.convolution = json.at("convolution");
    shape.per_frame = json.at("per_frame");
  } catch (const Json::exception& error) {
    refuse(origin, fmt::format("metadata hysteron.shape: {}", error.what()));
  }
  for (const std::size_t size :
       {shape.inputs, shape.outputs, shape.width, shape.cells, shape.layers, shape.position + 1}) {
    if (size == 0 || size > kLargest) refuse(origin, fmt::format("metadata hysteron.shape holds the size {}", size));
  }
  if (shape.mlp != "none" && shape.mlp != "relu" && shape.mlp != "glu") {
    refuse(origin, fmt::format("metadata hysteron.shape: mlp is {}", hysteron::quoted(shape.mlp)));
  }
  shape.cell = cell_kind(metadata(file, origin, "hysteron.cell"));
  return shape;
}

std::vector<std::size_t> tensor_shape(const Segment& segment) {
  if (segment.columns == 1 && !segment.decays) return {segment.rows};
  return {segment.rows, segment.columns};
}

}  // namespace

void save_sequence_network(const std::filesystem::path& path, const SequenceNetwork& network) {
  const SequenceModel model(network.shape);
  model::TensorFile file;
  for (const Segment& segment : model.segments()) {
    file.tensors[segment.name] =
        model::float_tensor(tensor_shape(segment), {network.parameters.data() + segment.offset, segment.size()});
  }
  file.metadata["hysteron.format"] = "1";
  file.metadata["hysteron.backbone"] = kSoftware;
  file.metadata["hysteron.cell"] = cell_names().at(static_cast<std::size_t>(network.shape.cell));
  file.metadata["hysteron.labels"] = Json(network.labels).dump();
  file.metadata["hysteron.shape"] = to_json(network.shape).dump();
  file.metadata["hysteron.config"] = network.config;
  model::write_tensors(path, file);
}

bool is_sequence_network(const std::filesystem::path& path) {
  const model::TensorFile file = model::read_tensors(path);
  const auto found = file.metadata.find("hysteron.backbone");
  return found != file.metadata.end() && found->second == kSoftware;
}

SequenceNetwork load_sequence_network(const std::filesystem::path& path) {
  const std::string origin = path.string();
  const model::TensorFile file = model::read_tensors(path);
  SequenceNetwork network;
  network.shape = read_shape(file, origin);
  network.config = metadata(file, origin, "hysteron.config");
  try {
    network.labels = Json::parse(metadata(file, origin, "hysteron.labels")).get<std::vector<std::string>>();
  } catch (const Json::exception& error) {
    refuse(origin, fmt::format("metadata hysteron.labels: {}", error.what()));
  }
  if (network.labels.size() != network.shape.outputs) {
    refuse(origin, fmt::format("{} labels for {} outputs", network.labels.size(), network.shape.outputs));
  }
  const SequenceModel model(network.shape);
  network.parameters.resize(model.parameters());
  for (const Segment& segment : model.segments()) {
    const auto found = file.tensors.find(segment.name);
    if (found == file.tensors.end()) refuse(origin, fmt::format("the array {} is missing", segment.name));
    if (found->second.shape != tensor_shape(segment)) {
      refuse(origin, fmt::format("the array {} is [{}]; expected [{}]", segment.name,
                                 fmt::join(found->second.shape, ", "), fmt::join(tensor_shape(segment), ", ")));
    }
    const std::vector<float> values = model::float_values(found->second, origin, segment.name);
    for (const float value : values) {
      if (!std::isfinite(value)) refuse(origin, fmt::format("the array {} holds {}", segment.name, value));
    }
    std::ranges::copy(values, network.parameters.begin() + static_cast<std::ptrdiff_t>(segment.offset));
  }
  return network;
}

}  // namespace hysteron::train
