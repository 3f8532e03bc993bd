#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "train/config.h"

namespace hysteron::explore {

/// A value of a variable, as the file of a search space writes it.
using SpaceValue = std::variant<std::int64_t, double, std::string>;

/// "4", "0.05" or "500p".
std::string value_text(const SpaceValue& value);

/// What a search may turn.
struct SpaceVariable {
  enum class Kind {
    kWhole,   ///< every whole number from low to high
    kLinear,  ///< every number from low to high, evenly
    kLog,     ///< likewise, evenly over the logarithm
    kChoice   ///< one of a list
  };

  std::string name;  ///< as in the file
  std::string key;   ///< of a training configuration ("model.width"); empty: of Hardware
  Kind kind = Kind::kLinear;
  double low = 0.0;
  double high = 0.0;
  std::vector<SpaceValue> choices;

  /// Number of values, numbered from 0; 0: a number from 0 to 1 stands for each.
  std::size_t levels() const;

  /// Whether neighbours are alike: all but lists of texts that are no currents.
  bool is_ordered() const;

  SpaceValue value(double coordinate) const;
};

/// What a network is made in.
struct Hardware {
  std::string technology = "generic180";
  double unit_current = 1e-9;  ///< ampere
  double supply = 0.0;         ///< volt; 0: the technology's
  double device_area = 1.0;    ///< gate area of all that has to match, over the technology's
  double sparsity = 0.0;       ///< share of the weights and biases, the smallest ones, that are left out

  /// The technology's name with its gate area.
  std::string technology_name() const;
};

/// One point of a space.
struct PointDesign {
  std::vector<std::pair<std::string, SpaceValue>> values;  ///< of the variables, in the order of the file
  train::TrainConfig config;
  Hardware hardware;
};

/// A search over designs.
struct SearchSpace {
  std::filesystem::path folder;  ///< where results go
  std::size_t points = 200;
  std::size_t population = 20;
  std::uint64_t seed = 1;
  std::vector<std::string> objectives;
  std::size_t dies = 20;       ///< of the yield
  std::size_t die_clips = 40;  ///< validation clips that every die plays, and that power is taken over
  train::TrainConfig base;
  Hardware hardware;
  std::vector<SpaceVariable> variables;

  /// The design at one coordinate a variable: a level, or a number from 0 to 1. Its configuration may still be one
  /// that train::check_config refuses.
  PointDesign design(const std::vector<double>& coordinates) const;

  /// The design with these values of the variables, in their order.
  PointDesign design_with(const std::vector<SpaceValue>& values) const;

  /// JSON with all that results depend on: everything but the folder and the number of points.
  std::string identity() const;
};

/// Reads the file of a search space: `folder`, [search], [hardware], [variables] and the tables of a training
/// configuration (docs/explore.md). `objectives` are the names that search.objectives may hold. Throws a bad-input
/// Error with file, line and key for an unknown key, a wrong type, an empty range, a value out of range or a key that
/// a search cannot use.
SearchSpace read_search_space(const std::filesystem::path& path, const std::vector<std::string>& objectives);

}  // namespace hysteron::explore
