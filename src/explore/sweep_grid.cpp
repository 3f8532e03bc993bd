#include "explore/sweep_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "train/config_values.h"

namespace hysteron::explore {
namespace {

constexpr std::size_t kMaxPoints = 100'000;

/// One key of the grid with its values.
struct Axis {
  std::string key;
  const toml::array* values;
};

class SweepReader {
 public:
  explicit SweepReader(const std::filesystem::path& path) : path_(path), origin_(path.string()) {}

  SweepGrid read() {
    root_ = train::parse_toml(read_file(path_), origin_);
    for (const auto& [name, node] : root_) {
      if (name != "base" && name != "folder" && name != "grid") {
        train::throw_at(
            origin_, node,
            fmt::format("unknown key {}; expected base, folder or [grid]", hysteron::quoted(std::string(name.str()))));
      }
    }
    SweepGrid grid;
    grid.folder = text("folder").value_or("sweep");
    if (const auto base = text("base")) base_ = train::read_config(path_.parent_path() / *base);
    const toml::node* table = root_.get("grid");
    if (table == nullptr || !table->is_table()) {
      throw bad_input(fmt::format("{}: the table [grid] is missing", hysteron::quoted(origin_)));
    }
    find_axes("", *table->as_table());
    // As in the file, which toml++ does not keep.
    std::ranges::sort(axes_,
                      [](const Axis& a, const Axis& b) { return a.values->source().begin < b.values->source().begin; });
    std::size_t count = 1;
    for (const Axis& axis : axes_) {
      grid.keys.push_back(axis.key);
      count *= axis.values->size();
      if (count > kMaxPoints) train::throw_at(origin_, *axis.values, "the grid has more than 100,000 points");
    }
    for (std::size_t i = 0; i < count; ++i) grid.points.push_back(point(i, count));
    return grid;
  }

 private:
  std::optional<std::string> text(const char* name) const {
    const toml::node* node = root_.get(name);
    if (node == nullptr) return std::nullopt;
    if (!node->is_string() || (*node->as_string())->empty()) {
      train::throw_at(origin_, *node, fmt::format("{} is not text", name));
    }
    return **node->as_string();
  }

  void find_axes(const std::string& prefix, const toml::table& table) {
    for (const auto& [name, node] : table) {
      const std::string key = prefix + std::string(name.str());
      if (const toml::table* inner = node.as_table()) {
        find_axes(key + ".", *inner);
        continue;
      }
      const toml::array* values = node.as_array();
      if (values == nullptr || values->empty()) {
        train::throw_at(origin_, node, fmt::format("grid.{} is not a list of values", key));
      }
      if (key == "model.output" || key == "training.metrics") {
        train::throw_at(origin_, node, fmt::format("{} is set by the sweep", key));
      }
      axes_.push_back({key, values});
    }
  }

  /// The last axis runs fastest.
  SweepPoint point(std::size_t index, std::size_t count) const {
    SweepPoint result{{}, base_};
    std::size_t block = count;
    for (const Axis& axis : axes_) {
      block /= axis.values->size();
      const toml::node& value = *axis.values->get(index / block % axis.values->size());
      assign_value(result.config, origin_, axis.key, value);
      std::ostringstream shown;
      value.visit([&](const auto& node) { shown << node; });
      result.values.emplace_back(axis.key, shown.str());
    }
    apply_noise_defaults(result.config);
    // A grid over backbones or tasks has keys in its base that are not for all of them; a key of the grid is.
    for (const Axis& axis : axes_) {
      if (!is_ignored(result.config, axis.key)) continue;
      train::throw_at(origin_, *axis.values,
                      fmt::format("{} has no effect with model.backbone \"{}\" and data.task \"{}\"", axis.key,
                                  result.config.backbone, result.config.task));
    }
    drop_ignored(result.config);
    try {
      train::check_config(result.config);
    } catch (const Error& error) {
      throw bad_input(fmt::format("{}, point {}: {}", hysteron::quoted(origin_), index + 1, error.what()));
    }
    return result;
  }

  std::filesystem::path path_;
  std::string origin_;
  toml::table root_;
  train::TrainConfig base_;
  std::vector<Axis> axes_;
};

}  // namespace

SweepGrid read_sweep(const std::filesystem::path& path) { return SweepReader(path).read(); }

}  // namespace hysteron::explore
