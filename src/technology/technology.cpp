#include "technology/technology.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "technology/description.h"
#include "technology/embedded.h"
#include "technology/model_index.h"

namespace hysteron::technology {
namespace {

namespace fs = std::filesystem;

fs::path default_pdk_root() {
  const char* root = std::getenv("PDK_ROOT");
  return root != nullptr ? root : "";
}

bool is_embedded(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (embedded_files().count(file) == 0) return false;
  }
  return true;
}

bool has_all(const fs::path& folder, const std::vector<std::string>& files) {
  std::error_code code;
  for (const std::string& file : files) {
    if (!fs::is_regular_file(folder / file, code)) return false;
  }
  return true;
}

fs::path find_model_folder(const Description& description, const fs::path& root) {
  if (root.empty()) {
    throw bad_input(
        fmt::format("technology {}: no PDK folder given; expected pdk_root or $PDK_ROOT", description.technology.name));
  }
  for (const std::string& folder : description.folders) {
    if (has_all(root / folder, description.files)) return root / folder;
  }
  std::string looked;
  for (const std::string& folder : description.folders) looked += "\n  " + quoted((root / folder).string());
  throw bad_input(fmt::format("technology {}: no folder below {} holds {}; looked in{}", description.technology.name,
                              quoted(root.string()), fmt::join(description.files, ", "), looked));
}

/// Reads the model files from `beside`, the folder of the description, if they are all there, else from below `root`.
void read_models(const Description& description, const fs::path& beside, const fs::path& root, Technology& technology) {
  if (is_embedded(description.files)) {
    for (const std::string& file : description.files) technology.models.files[file] = embedded_files().at(file);
    return;
  }
  const bool are_beside = !beside.empty() && has_all(beside, description.files);
  const fs::path folder = are_beside ? beside : find_model_folder(description, root);
  for (const std::string& file : description.files) {
    std::string bytes = read_file(folder / file);
    if (bytes.empty()) throw bad_input(quoted((folder / file).string()) + " is empty; expected device models");
    technology.models.files[file] = std::move(bytes);
  }
}

std::string make_fingerprint(const std::string& description, const Models& models) {
  std::uint64_t hash = fnv1a(description);
  for (const auto& [name, bytes] : models.files) hash = fnv1a(bytes, fnv1a(name, hash));
  return fmt::format("{:016x}", hash);
}

/// A technology's name and the gate area asked for behind an '@', over that of its description.
struct Request {
  std::string name;
  double area = 1.0;
};

constexpr double kMinArea = 0.25;
constexpr double kLargestArea = 16.0;

/// "generic180@2" is generic180 with twice the gate area; a name whose '@' is followed by no number is a name.
Request parse_request(const std::string& text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string::npos || at + 1 == text.size()) return {text, 1.0};
  char* end = nullptr;
  const double area = std::strtod(text.c_str() + at + 1, &end);
  if (*end != '\0') return {text, 1.0};
  if (!(area >= kMinArea && area <= kLargestArea)) {
    throw bad_input(fmt::format("technology {}: gate area {:g}; expected {:g} to {:g} times that of the description",
                                quoted(text), area, kMinArea, kLargestArea));
  }
  return {text.substr(0, at), area};
}

double snapped(const Technology& technology, double size) {
  return std::round(size / technology.size_grid) * technology.size_grid;
}

/// Scales width and length of everything that has to match: the reference, the diode of copied rails and the lengths of
/// legs, whose widths follow from the curves.
void scale_matching(Technology& technology, double width_factor, double length_factor) {
  const double longest = std::min(technology.n.maximum_length, technology.p.maximum_length);
  for (Geometry* geometry : {&technology.reference, &technology.rail_diode}) {
    *geometry = {snapped(technology, geometry->width * width_factor),
                 std::min(snapped(technology, geometry->length * length_factor), longest)};
  }
  std::vector<double> lengths;
  for (const double length : technology.leg_lengths) {
    const double made = std::min(snapped(technology, length * length_factor), longest);
    if (lengths.empty() || made > lengths.back()) lengths.push_back(made);
  }
  technology.leg_lengths = lengths;
}

struct Source {
  std::string text;
  std::string origin;
  fs::path folder;  // of a description file: its models may lie beside it
};

Source find_description(const std::string& name) {
  if (name.ends_with(".toml")) return {read_file(name), quoted(name), fs::absolute(name).parent_path()};
  const auto found = embedded_files().find(name + ".toml");
  if (found == embedded_files().end()) {
    throw bad_input(fmt::format("unknown technology {}; expected {} or a .toml description file", quoted(name),
                                fmt::join(built_in_technologies(), ", ")));
  }
  return {std::string(found->second), "technology " + name, {}};
}

}  // namespace

double Technology::area(const Geometry& geometry) const {
  return (geometry.width + area_overhead_width) * (geometry.length + area_overhead_length);
}

Technology load_technology(const std::string& name, const fs::path& pdk_root) {
  const Request request = parse_request(name);
  const Source source = find_description(request.name);
  const Description description = parse_description(source.text, source.origin);
  Technology technology = description.technology;
  read_models(description, source.folder, pdk_root.empty() ? default_pdk_root() : pdk_root, technology);
  check_models(technology, source.origin);
  technology.fingerprint = make_fingerprint(source.text, technology.models);
  if (request.area != 1.0) {
    scale_matching(technology, std::sqrt(request.area), std::sqrt(request.area));
    technology.name += fmt::format("@{:g}", request.area);
    technology.fingerprint += technology.name.substr(technology.name.rfind('@'));
  }
  return technology;
}

void scale_shape(Technology& technology, double shape) {
  assert(shape > 0.0 && shape <= 1.0);
  scale_matching(technology, std::sqrt(shape), 1.0 / std::sqrt(shape));
  technology.cell_switch.length = snapped(technology, technology.cell_switch.length / shape);
  technology.fingerprint += fmt::format("/{:g}", shape);
}

std::vector<std::string> built_in_technologies() {
  std::vector<std::string> names;
  for (const auto& [file, bytes] : embedded_files()) {
    if (file.ends_with(".toml")) names.push_back(file.substr(0, file.size() - 5));
  }
  return names;
}

void check_corner(const Technology& technology, const std::string& corner) {
  if (corner.empty() || technology.models.sections.contains(corner)) return;
  std::string known;
  for (const auto& [name, section] : technology.models.sections) known += (known.empty() ? "" : ", ") + name;
  throw bad_input(
      fmt::format("technology {} has no corner {}; expected one of: {}", technology.name, quoted(corner), known));
}

}  // namespace hysteron::technology
