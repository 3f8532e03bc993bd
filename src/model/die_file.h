#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "model/network.h"

namespace hysteron::model {

/// What one fabricated chip makes of a layer's parameters. All but `offset` are relative: 0.02 is 2 % more than asked.
struct LayerErrors {
  Affine candidate;  ///< [m, d], [m]
  Vector offset;     ///< [m], added to the candidate before its rectifier, model units
  Vector threshold;  ///< [m], of beta_hi
  Vector width;      ///< [m], of beta_hi - beta_lo
  Vector gain;       ///< [m], of alpha
  Affine output;     ///< [d, m], [d]
};

/// The constants of one chip: what it makes of every parameter of the network it was made for, or is set to.
struct DieErrors {
  Affine input;  ///< [d, n], [d]
  std::vector<LayerErrors> layers;
  Affine readout;         ///< [k, d], [k]
  Vector readout_offset;  ///< [k], added to the logits, model units

  /// A chip without any error, for networks of the shape of `network`.
  static DieErrors none(const Network& network);
};

/// `network` as that chip has it: p (1 + e) for weights, biases, beta_hi, width and alpha, offsets added to the biases,
/// beta_lo = beta_hi - width, not below 0: a circuit sets these two.
Network on_die(const Network& network, const DieErrors& errors);

/// A key of the parameters of a network alone, whatever it is called and however it was made: 16 hexadecimal digits.
std::string network_key(const Network& network);

/// Adds to the JSON text Network::training that the network was tuned for the chip of a die file whose model has this
/// key.
std::string tuned_for(const std::string& training, const std::string& model_key);

/// Reads a die file: docs/silicon.md. Throws a bad-input Error that names file and field unless it is whole and of
/// `network`: of a model with its parameters, or of one whose chip `network` was tuned for.
DieErrors read_die_file(const std::filesystem::path& path, const Network& network);

/// The key of the model that the die file belongs to. Throws as read_die_file.
std::string die_file_key(const std::filesystem::path& path);

/// A die file: the errors, the key of `network` (or of the one it was tuned from), `model` as its name, and `more`,
/// what was measured.
void write_die_file(const std::filesystem::path& path, const DieErrors& errors, const Network& network,
                    const std::string& model, const nlohmann::ordered_json& more);

}  // namespace hysteron::model
