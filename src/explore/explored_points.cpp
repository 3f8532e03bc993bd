#include "explore/explored_points.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/stored_json.h"
#include "base/units.h"

namespace hysteron::explore {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// One figure: its name in JSON, what it is called as an objective, and how tables show it.
struct Figure {
  const char* name;
  double DesignFigures::*member;
  const char* objective = nullptr;  // null: no search is about it
  double sign = 1.0;                // of its cost
  const char* unit = "";            // "%": shares
};

constexpr Figure kFigures[] = {
    {"accuracy", &DesignFigures::accuracy, "accuracy", -1.0, "%"},
    {"balanced_accuracy", &DesignFigures::balanced_accuracy, "balanced_accuracy", -1.0, "%"},
    {"test_accuracy", &DesignFigures::test_accuracy, nullptr, 0.0, "%"},
    {"test_balanced_accuracy", &DesignFigures::test_balanced_accuracy, nullptr, 0.0, "%"},
    {"software_test_accuracy", &DesignFigures::software_accuracy, nullptr, 0.0, "%"},
    {"yield", &DesignFigures::yield, "yield", -1.0, "%"},
    {"power_w", &DesignFigures::power, "power", 1.0, "W"},
    {"area_m2", &DesignFigures::area, "area", 1.0, "um2"},
    {"settling_s", &DesignFigures::settling, "settling", 1.0, "s"},
    {"drop_below", &DesignFigures::drop_below, nullptr, 0.0, nullptr},
};

std::string shown(const Figure& figure, double value) {
  const std::string unit = figure.unit;
  if (unit == "%") return fmt::format("{:.2f} %", 100.0 * value);
  if (unit == "um2") return fmt::format("{:.0f} um2", value / (kMicro * kMicro));
  return format_si(value, unit);
}

std::string value_shown(const explore::SpaceValue& value) {
  const auto* number = std::get_if<double>(&value);
  return number != nullptr ? fmt::format("{:.4g}", *number) : explore::value_text(value);
}

Json values_json(const std::vector<std::pair<std::string, explore::SpaceValue>>& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) {
    std::visit([&, &key = name](const auto& held) { json[key] = held; }, value);
  }
  return json;
}

std::optional<explore::SpaceValue> value_of(const Json& json) {
  if (json.is_number_integer()) return explore::SpaceValue(json.get<std::int64_t>());
  if (json.is_number()) return explore::SpaceValue(json.get<double>());
  if (json.is_string()) return explore::SpaceValue(json.get<std::string>());
  return std::nullopt;
}

Store point_store(const explore::SearchSpace& space, std::size_t index) {
  return {point_file(space, index, ".json"), "explored-point", space.identity()};
}

DesignFigures figures_of(const Json& json) {
  DesignFigures figures;
  for (const Figure& figure : kFigures) figures.*figure.member = json.at(figure.name).get<double>();
  json.at("transistors").get_to(figures.transistors);
  json.at("left_out").get_to(figures.left_out);
  return figures;
}

std::optional<ExploredPoint> point_of(const Json& json) {
  ExploredPoint point;
  json.at("index").get_to(point.index);
  json.at("generation").get_to(point.generation);
  for (const auto& [name, entry] : json.at("values").items()) {
    const auto value = value_of(entry);
    if (!value) return std::nullopt;
    point.values.emplace_back(name, *value);
  }
  if (json.contains("problem")) {
    json["problem"].get_to(point.problem);
  } else {
    point.figures = figures_of(json);
  }
  return point;
}

}  // namespace

std::vector<std::string> objective_names() {
  std::vector<std::string> names;
  for (const Figure& figure : kFigures) {
    if (figure.objective != nullptr) names.emplace_back(figure.objective);
  }
  return names;
}

std::vector<double> costs_of(const ExploredPoint& point, const std::vector<std::string>& objectives) {
  std::vector<double> costs;
  if (!point.figures) return costs;
  for (const std::string& objective : objectives) {
    const auto* figure = std::ranges::find_if(
        kFigures, [&](const Figure& one) { return one.objective != nullptr && objective == one.objective; });
    costs.push_back(figure->sign * (*point.figures).*figure->member);
  }
  return costs;
}

void check_space_folder(const explore::SearchSpace& space, const fs::path& file) {
  const fs::path stored = space.folder / "space.json";
  const std::optional<std::string> text = read_if_present(stored);
  if (!text) return;
  const Json before = Json::parse(*text, nullptr, false);
  const Json now = Json::parse(space.identity());
  if (!before.is_object()) {
    throw bad_input(
        fmt::format("{}: no JSON object; expected the space that the folder's search is of", quoted(stored.string())));
  }
  if (before == now) return;
  const auto value_text = [](const Json& json, const std::string& key) {
    return json.contains(key) ? json[key].dump() : std::string("nothing");
  };
  for (const Json* object : {&before, &now}) {
    for (const auto& [key, value] : object->items()) {
      if (value_text(before, key) == value_text(now, key)) continue;
      throw bad_input(fmt::format(
          "{}: the folder {} holds a search of another space, in which {} is {} instead of {}; expected "
          "another folder",
          quoted(file.string()), quoted(space.folder.string()), key, value_text(before, key), value_text(now, key)));
    }
  }
  throw bad_input(
      fmt::format("{}: the folder {} holds a search whose variables are in another order; expected another "
                  "folder",
                  quoted(file.string()), quoted(space.folder.string())));
}

void check_space_file(const fs::path& file) {
  check_space_folder(explore::read_search_space(file, objective_names()), file);
}

fs::path point_file(const explore::SearchSpace& space, std::size_t index, const char* ending) {
  return space.folder / "points" / fmt::format("{:05}{}", index, ending);
}

Json point_json(const ExploredPoint& point) {
  Json json = {{"index", point.index}, {"generation", point.generation}, {"values", values_json(point.values)}};
  if (!point.figures) {
    json["problem"] = point.problem;
    return json;
  }
  for (const Figure& figure : kFigures) json[figure.name] = (*point.figures).*figure.member;
  json["transistors"] = point.figures->transistors;
  json["left_out"] = point.figures->left_out;
  return json;
}

void write_point(const explore::SearchSpace& space, const ExploredPoint& point) {
  write_stamped_json(point_store(space, point.index), point_json(point));
}

Stored<ExploredPoint> read_point(const explore::SearchSpace& space, std::size_t index) {
  return read_stamped_json(point_store(space, index), point_of);
}

std::string pareto_table(const Exploration& exploration) {
  std::string head = "| point |";
  for (const explore::SpaceVariable& variable : exploration.space.variables)
    head += fmt::format(" {} |", variable.name);
  std::vector<const Figure*> columns;
  for (const Figure& figure : kFigures) {
    if (figure.unit != nullptr) columns.push_back(&figure);
  }
  for (const Figure* figure : columns) {
    const std::string name = figure->name;
    head += fmt::format(" {} |", name.ends_with("_w") || name.ends_with("_m2") || name.ends_with("_s")
                                     ? name.substr(0, name.rfind('_'))
                                     : name);
  }
  std::string table = head + " transistors |\n|";
  for (std::size_t i = 0; i < exploration.space.variables.size() + columns.size() + 2; ++i) table += "---|";
  for (const std::size_t index : exploration.pareto) {
    const ExploredPoint& point = exploration.points[index];
    table += fmt::format("\n| {} |", index);
    for (const auto& [name, value] : point.values) table += fmt::format(" {} |", value_shown(value));
    for (const Figure* figure : columns) {
      table += fmt::format(" {} |", shown(*figure, (*point.figures).*figure->member));
    }
    table += fmt::format(" {} |", point.figures->transistors);
  }
  return table + "\n";
}

}  // namespace hysteron::explore
