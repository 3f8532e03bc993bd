#include "model/die_file.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "model/model_file.h"

namespace hysteron::model {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormatKey = "hysteron.die";
constexpr const char* kFormat = "1";
constexpr const char* kTunedKey = "die_model";  // in Network::training
constexpr double kLargestError = 10.0;

bool is_error(double value) { return std::abs(value) <= kLargestError; }

[[noreturn]] void refuse(const std::string& origin, const std::string& problem) {
  throw bad_input(fmt::format("{}: {}", quoted(origin), problem));
}

Affine like(const Affine& affine) {
  return {Matrix::Zero(affine.weight.rows(), affine.weight.cols()), Vector::Zero(affine.bias.size())};
}

Affine perturbed(const Affine& affine, const Affine& errors) {
  return {affine.weight.cwiseProduct((errors.weight.array() + 1.0F).matrix()),
          affine.bias.cwiseProduct((errors.bias.array() + 1.0F).matrix())};
}

Vector perturbed(const Vector& values, const Vector& errors) {
  return values.cwiseProduct((errors.array() + 1.0F).matrix());
}

/// Every array of `errors` with its name in the file, in order; a matrix as its rows one behind the other.
template <typename Errors, typename Visit>
void visit(Errors& errors, const Visit& take) {
  const auto affine = [&](const std::string& name, auto& part) {
    take(name + ".weight", part.weight);
    take(name + ".bias", part.bias);
  };
  affine("input", errors.input);
  for (std::size_t i = 0; i < errors.layers.size(); ++i) {
    const std::string name = fmt::format("layers.{}.", i);
    auto& layer = errors.layers[i];
    affine(name + "candidate", layer.candidate);
    take(name + "candidate.offset", layer.offset);
    take(name + "threshold", layer.threshold);
    take(name + "width", layer.width);
    take(name + "gain", layer.gain);
    affine(name + "output", layer.output);
  }
  affine("readout", errors.readout);
  take(std::string("readout.offset"), errors.readout_offset);
}

std::string tuned_key(const Network& network) {
  const Json training = Json::parse(network.training, nullptr, false);
  if (!training.is_object() || !training.contains(kTunedKey) || !training[kTunedKey].is_string()) return {};
  return training[kTunedKey].get<std::string>();
}

Json read_json(const std::filesystem::path& path) {
  Json json;
  try {
    json = Json::parse(read_file(path));
  } catch (const Json::exception& error) {
    refuse(path.string(), fmt::format("not a die file: {}", error.what()));
  }
  if (!json.is_object() || !json.contains(kFormatKey)) {
    refuse(path.string(), fmt::format("field {} is missing; this is not a die file", kFormatKey));
  }
  if (json[kFormatKey] != kFormat) {
    refuse(path.string(),
           fmt::format("{} is {}; this program reads \"{}\"", kFormatKey, json[kFormatKey].dump(), kFormat));
  }
  const auto model = json.find("model");
  if (model == json.end() || !model->is_object() || !model->contains("key") || !(*model)["key"].is_string()) {
    refuse(path.string(), "field model.key is missing; expected the key of the model that the chip was made for");
  }
  return json;
}

}  // namespace

DieErrors DieErrors::none(const Network& network) {
  DieErrors errors;
  errors.input = like(network.input);
  for (const Layer& layer : network.layers) {
    const Vector zero = Vector::Zero(layer.beta_hi.size());
    errors.layers.push_back({like(layer.candidate), zero, zero, zero, zero, like(layer.output)});
  }
  errors.readout = like(network.readout);
  errors.readout_offset = Vector::Zero(network.readout.bias.size());
  return errors;
}

Network on_die(const Network& network, const DieErrors& errors) {
  Network die = network;
  die.input = perturbed(network.input, errors.input);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const LayerErrors& error = errors.layers[i];
    Layer& layer = die.layers[i];
    const Vector width = perturbed(Vector(layer.beta_hi - layer.beta_lo), error.width);
    layer.candidate = perturbed(layer.candidate, error.candidate);
    layer.candidate.bias += error.offset;
    layer.beta_hi = perturbed(layer.beta_hi, error.threshold);
    layer.beta_lo = (layer.beta_hi - width).cwiseMax(0.0F);
    layer.beta_hi = layer.beta_hi.cwiseMax(layer.beta_lo);
    layer.alpha = perturbed(layer.alpha, error.gain);
    layer.output = perturbed(layer.output, error.output);
  }
  die.readout = perturbed(network.readout, errors.readout);
  die.readout.bias += errors.readout_offset;
  return die;
}

std::string network_key(const Network& network) {
  TensorFile file = tensors_from_network(network);
  file.metadata.clear();
  return fmt::format("{:016x}", fnv1a(format_tensors(file, "model")));
}

std::string tuned_for(const std::string& training, const std::string& model_key) {
  Json json = Json::parse(training, nullptr, false);
  if (!json.is_object()) json = Json::object();
  json[kTunedKey] = model_key;
  return json.dump();
}

std::string die_file_key(const std::filesystem::path& path) {
  return read_json(path)["model"]["key"].get<std::string>();
}

DieErrors read_die_file(const std::filesystem::path& path, const Network& network) {
  const Json json = read_json(path);
  const std::string key = json["model"]["key"].get<std::string>();
  if (key != network_key(network) && key != tuned_key(network)) {
    const auto name = json["model"].find("name");
    refuse(path.string(),
           fmt::format(
               "the die file belongs to another model{}: its key is {}, this model's is {}",
               name != json["model"].end() && name->is_string() ? " (" + quoted(name->get<std::string>()) + ")" : "",
               key, network_key(network)));
  }
  const auto stored = json.find("errors");
  if (stored == json.end() || !stored->is_object()) refuse(path.string(), "field errors is missing");
  DieErrors errors = DieErrors::none(network);
  visit(errors, [&](const std::string& name, auto& values) {
    const auto found = stored->find(name);
    if (found == stored->end() || !found->is_array()) refuse(path.string(), fmt::format("errors.{} is missing", name));
    if (found->size() != static_cast<std::size_t>(values.size())) {
      refuse(path.string(), fmt::format("errors.{} has {} values; expected {}", name, found->size(), values.size()));
    }
    for (std::size_t i = 0; i < found->size(); ++i) {
      const Json& value = (*found)[i];
      if (!value.is_number() || !is_error(value.get<double>())) {
        refuse(path.string(), fmt::format("errors.{}[{}] is {}; expected a number from {} to {}", name, i, value.dump(),
                                          -kLargestError, kLargestError));
      }
      values.data()[i] = value.get<float>();
    }
  });
  return errors;
}

void write_die_file(const std::filesystem::path& path, const DieErrors& errors, const Network& network,
                    const std::string& model, const Json& more) {
  const std::string tuned = tuned_key(network);
  Json json = {{kFormatKey, kFormat},
               {"model", {{"name", model}, {"key", tuned.empty() ? network_key(network) : tuned}}}};
  for (const auto& [key, value] : more.items()) json[key] = value;
  visit(errors, [&](const std::string& name, const auto& values) {
    Json array = Json::array();
    for (Eigen::Index i = 0; i < values.size(); ++i) {
      if (!is_error(values.data()[i])) {
        throw bad_input(
            fmt::format("{} was not written: {}[{}] would be {:g}; expected a number from {} to {}, so what "
                        "was measured is of another unit or another model",
                        quoted(path.string()), name, i, values.data()[i], -kLargestError, kLargestError));
      }
      array.push_back(values.data()[i]);
    }
    json["errors"][name] = array;
  });
  write_file(path, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace hysteron::model
