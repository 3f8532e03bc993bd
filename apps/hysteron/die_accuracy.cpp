#include "die_accuracy.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace {

nlohmann::ordered_json spread_json(const std::vector<double>& values) {
  const auto figures = hysteron::train::spread(values);
  return {{"mean", figures.mean}, {"deviation", figures.deviation}, {"worst", figures.worst}};
}

void print_spread(const char* what, const std::vector<double>& values) {
  if (values.empty()) return;
  const auto figures = hysteron::train::spread(values);
  fmt::print("{:<22}{:.2f} % mean, {:.2f} % deviation, {:.2f} % worst of {} dies\n", what, 100.0 * figures.mean,
             100.0 * figures.deviation, 100.0 * figures.worst, values.size());
}

}  // namespace

nlohmann::ordered_json dies_json(const hysteron::train::PerturbedScore& dies) {
  nlohmann::ordered_json json = {{"draws", dies.accuracy.size()}, {"accuracy", spread_json(dies.accuracy)}};
  if (!dies.balanced.empty()) json["balanced_accuracy"] = spread_json(dies.balanced);
  return json;
}

void print_dies(const hysteron::train::PerturbedScore& dies) {
  print_spread("accuracy of dies", dies.accuracy);
  print_spread("balanced of dies", dies.balanced);
}
