#include "model/model_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace hysteron::model {
namespace {

using Json = nlohmann::json;

const std::string kFormat = "1";
const std::string kCell = "fq_bmru";

/// Takes tensors and metadata out of a file by name; knows which names were asked for.
class Source {
 public:
  Source(const TensorFile& file, const std::string& origin) : file_(file), origin_(origin) {}

  [[noreturn]] void refuse(const std::string& problem) const {
    throw bad_input(fmt::format("{}: {}", hysteron::quoted(origin_), problem));
  }

  Matrix matrix(const std::string& name) {
    const Tensor& tensor = take(name, 2);
    Matrix result(static_cast<Eigen::Index>(tensor.shape[0]), static_cast<Eigen::Index>(tensor.shape[1]));
    std::ranges::copy(float_values(tensor, origin_, name), result.data());
    return result;
  }

  Vector vector(const std::string& name) {
    const Tensor& tensor = take(name, 1);
    Vector result(static_cast<Eigen::Index>(tensor.shape[0]));
    std::ranges::copy(float_values(tensor, origin_, name), result.data());
    return result;
  }

  Affine affine(const std::string& name) { return {matrix(name + ".weight"), vector(name + ".bias")}; }

  const std::string* optional(const std::string& key) const {
    const auto found = file_.metadata.find(key);
    return found == file_.metadata.end() ? nullptr : &found->second;
  }

  const std::string& metadata(const std::string& key, const char* expected) const {
    const std::string* value = optional(key);
    if (value == nullptr) refuse(fmt::format("metadata {} is missing; expected {}", key, expected));
    return *value;
  }

  Json json(const std::string& key, const std::string& text, const char* expected) const {
    Json value = Json::parse(text, nullptr, false);
    if (value.is_discarded())
      refuse(fmt::format("metadata {} is {}; expected {}", key, hysteron::quoted(text), expected));
    return value;
  }

  bool has_layer(std::size_t index) const {
    const std::string prefix = fmt::format("layers.{}.", index);
    const auto found = file_.tensors.lower_bound(prefix);
    return found != file_.tensors.end() && found->first.starts_with(prefix);
  }

  /// A tensor below the network's own names that was not asked for belongs to a network this is not.
  void refuse_leftovers() const {
    for (const auto& entry : file_.tensors) {
      const std::string& name = entry.first;
      const bool ours = name.starts_with("input.") || name.starts_with("layers.") || name.starts_with("readout.");
      if (ours && !taken_.contains(name)) {
        refuse(
            fmt::format("tensor {} is not part of the format; expected layers numbered from 0 without a gap and the "
                        "tensors of docs/model-file.md",
                        hysteron::quoted(name)));
      }
    }
  }

 private:
  const Tensor& take(const std::string& name, std::size_t rank) {
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) refuse(fmt::format("tensor {} is missing", hysteron::quoted(name)));
    const Tensor& tensor = found->second;
    if (tensor.dtype != "F32") {
      refuse(fmt::format("tensor {} has type {}; expected F32", hysteron::quoted(name), tensor.dtype));
    }
    if (tensor.shape.size() != rank) {
      refuse(fmt::format("tensor {} has shape [{}]; expected {} dimensions", hysteron::quoted(name),
                         fmt::join(tensor.shape, ", "), rank));
    }
    taken_.insert(name);
    return tensor;
  }

  const TensorFile& file_;
  const std::string& origin_;
  std::set<std::string> taken_;
};

Layer read_layer(Source& source, std::size_t index) {
  const std::string prefix = fmt::format("layers.{}.", index);
  Layer layer;
  layer.candidate = source.affine(prefix + "candidate");
  layer.beta_lo = source.vector(prefix + "beta_lo");
  layer.beta_hi = source.vector(prefix + "beta_hi");
  layer.alpha = source.vector(prefix + "alpha");
  layer.initial_state = source.vector(prefix + "initial_state");
  layer.output = source.affine(prefix + "output");
  return layer;
}

std::vector<std::string> read_labels(const Source& source) {
  constexpr const char* kKey = "hysteron.labels";
  constexpr const char* kExpected = "a JSON list of strings";
  const std::string& text = source.metadata(kKey, kExpected);
  const Json list = source.json(kKey, text, kExpected);
  std::vector<std::string> labels;
  if (!list.is_array())
    source.refuse(fmt::format("metadata {} is {}; expected {}", kKey, hysteron::quoted(text), kExpected));
  for (const Json& label : list) {
    if (!label.is_string())
      source.refuse(fmt::format("metadata {} is {}; expected {}", kKey, hysteron::quoted(text), kExpected));
    labels.push_back(label.get<std::string>());
  }
  return labels;
}

double read_frame_seconds(const Source& source) {
  constexpr const char* kKey = "hysteron.frame_seconds";
  constexpr const char* kExpected = "a number of seconds above 0";
  const std::string& text = source.metadata(kKey, kExpected);
  double value = 0.0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || !(value > 0.0)) {
    source.refuse(fmt::format("metadata {} is {}; expected {}", kKey, hysteron::quoted(text), kExpected));
  }
  return value;
}

Vector read_numbers(const Source& source, const std::string& key) {
  const std::string* text = source.optional(key);
  if (text == nullptr) return {};
  const Json list = source.json(key, *text, "a JSON list of numbers");
  std::vector<float> values;
  bool good = list.is_array();
  for (std::size_t i = 0; good && i < list.size(); ++i) {
    good = list[i].is_number();
    if (good) values.push_back(list[i].get<float>());
  }
  if (!good)
    source.refuse(fmt::format("metadata {} is {}; expected a JSON list of numbers", key, hysteron::quoted(*text)));
  return Eigen::Map<const Vector>(values.data(), static_cast<Eigen::Index>(values.size()));
}

/// JSON: label -> list of folders; every key must be a label.
std::string read_classes(const Source& source, const std::vector<std::string>& labels) {
  constexpr const char* kKey = "hysteron.classes";
  const std::string* text = source.optional(kKey);
  if (text == nullptr) return {};
  const Json table = source.json(kKey, *text, "a JSON object, label to list of folders");
  bool good = table.is_object();
  for (auto item = table.begin(); good && item != table.end(); ++item) {
    good = item->is_array() && std::ranges::all_of(*item, [](const Json& folder) { return folder.is_string(); });
    if (good && std::ranges::find(labels, item.key()) == labels.end()) {
      source.refuse(
          fmt::format("metadata {} names {}, which is not in hysteron.labels", kKey, hysteron::quoted(item.key())));
    }
  }
  if (!good) {
    source.refuse(fmt::format("metadata {} is {}; expected a JSON object, label to list of folders", kKey,
                              hysteron::quoted(*text)));
  }
  return *text;
}

std::string read_training(const Source& source) {
  const std::string* text = source.optional("hysteron.training");
  if (text == nullptr) return {};
  source.json("hysteron.training", *text, "JSON");
  return *text;
}

void check_constant(const Source& source, const std::string& key, const std::string& expected) {
  const std::string& value = source.metadata(key, hysteron::quoted(expected).c_str());
  if (value != expected) {
    source.refuse(
        fmt::format("metadata {} is {}; expected {}", key, hysteron::quoted(value), hysteron::quoted(expected)));
  }
}

void put(TensorFile& file, const std::string& name, const Vector& values) {
  const auto size = static_cast<std::size_t>(values.size());
  file.tensors[name] = float_tensor({size}, {values.data(), size});
}

void put(TensorFile& file, const std::string& name, const Affine& affine) {
  const Matrix& weight = affine.weight;
  file.tensors[name + ".weight"] =
      float_tensor({static_cast<std::size_t>(weight.rows()), static_cast<std::size_t>(weight.cols())},
                   {weight.data(), static_cast<std::size_t>(weight.size())});
  put(file, name + ".bias", affine.bias);
}

std::string json_numbers(const Vector& values) {
  return Json(std::vector<float>(values.data(), values.data() + values.size())).dump();
}

std::string json_labels(const std::vector<std::string>& labels, const std::string& origin) {
  try {
    return Json(labels).dump();
  } catch (const Json::exception&) {
    throw bad_input(fmt::format("{}: a label is not valid UTF-8, which model files require", hysteron::quoted(origin)));
  }
}

}  // namespace

Network network_from_tensors(const TensorFile& file, const std::string& origin) {
  Source source(file, origin);
  check_constant(source, "hysteron.format", kFormat);
  if (const std::string* backbone = source.optional("hysteron.backbone"); backbone != nullptr) {
    source.refuse(fmt::format("a model with the {} backbone; only the circuit backbone can become a circuit",
                              hysteron::quoted(*backbone)));
  }
  check_constant(source, "hysteron.cell", kCell);
  Network network;
  network.labels = read_labels(source);
  network.frame_seconds = read_frame_seconds(source);
  network.training = read_training(source);
  network.classes = read_classes(source, network.labels);
  network.feature_mean = read_numbers(source, "hysteron.feature_mean");
  network.feature_deviation = read_numbers(source, "hysteron.feature_deviation");
  network.input = source.affine("input");
  for (std::size_t i = 0; source.has_layer(i); ++i) network.layers.push_back(read_layer(source, i));
  network.readout = source.affine("readout");
  source.refuse_leftovers();
  check_network(network, origin);
  return network;
}

TensorFile tensors_from_network(const Network& network) {
  TensorFile file;
  put(file, "input", network.input);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const std::string prefix = fmt::format("layers.{}.", i);
    const Layer& layer = network.layers[i];
    put(file, prefix + "candidate", layer.candidate);
    put(file, prefix + "beta_lo", layer.beta_lo);
    put(file, prefix + "beta_hi", layer.beta_hi);
    put(file, prefix + "alpha", layer.alpha);
    put(file, prefix + "initial_state", layer.initial_state);
    put(file, prefix + "output", layer.output);
  }
  put(file, "readout", network.readout);
  file.metadata["hysteron.format"] = kFormat;
  file.metadata["hysteron.cell"] = kCell;
  file.metadata["hysteron.labels"] = json_labels(network.labels, "model");
  file.metadata["hysteron.frame_seconds"] = fmt::format("{}", network.frame_seconds);
  if (!network.training.empty()) file.metadata["hysteron.training"] = network.training;
  if (!network.classes.empty()) file.metadata["hysteron.classes"] = network.classes;
  if (network.feature_mean.size() > 0) {
    file.metadata["hysteron.feature_mean"] = json_numbers(network.feature_mean);
    file.metadata["hysteron.feature_deviation"] = json_numbers(network.feature_deviation);
  }
  return file;
}

Network load_model(const std::filesystem::path& path) {
  return network_from_tensors(read_tensors(path), path.string());
}

void save_model(const std::filesystem::path& path, const Network& network) {
  check_network(network, path.string());
  write_tensors(path, tensors_from_network(network));
}

}  // namespace hysteron::model
