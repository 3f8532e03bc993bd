#include "compile/stored_measurement.h"

#include <fmt/format.h>

#include "base/file.h"

namespace hysteron::compile {

Store measurement_store(std::string_view kind, const technology::Technology& technology, const sim::Engine& engine,
                        const Conditions& conditions) {
  const std::string key =
      fmt::format("{} {} {:.9g} {:.9g} {:.9g}", technology.fingerprint, engine.version(), conditions.unit_current,
                  supply_of(technology, conditions), conditions.temperature);
  return {cache_directory() / kind / fmt::format("{}-{}.json", technology.name, key_hash(key)), kind, key};
}

}  // namespace hysteron::compile
