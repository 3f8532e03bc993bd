#include "compile/stored_measurement.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/random.h"

namespace hysteron::compile {

StoredMeasurement::StoredMeasurement(const std::string& kind, int format, const technology::Technology& technology,
                                     const sim::Engine& engine, const Conditions& conditions) {
  const std::string key =
      fmt::format("{} {} {} {:.9g} {:.9g} {:.9g}", technology.fingerprint, engine.version(), format,
                  conditions.unit_current, supply_of(technology, conditions), conditions.temperature);
  path_ = cache_directory() / kind / fmt::format("{}-{:016x}.json", technology.name, fnv1a(key));
}

nlohmann::json StoredMeasurement::read() const {
  std::error_code code;
  if (!std::filesystem::exists(path_, code)) return nullptr;
  nlohmann::json stored = nlohmann::json::parse(read_file(path_), nullptr, false);
  return stored.is_discarded() ? nlohmann::json() : stored;
}

void StoredMeasurement::write(const nlohmann::json& measurement) const {
  make_directories(path_.parent_path());
  write_file(path_, measurement.dump());
}

}  // namespace hysteron::compile
