#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "compile/gain_curves.h"
#include "sim/engine.h"
#include "technology/technology.h"

namespace hysteron::compile {

/// A measurement that is made once per technology, simulator and conditions and then kept in the cache.
class StoredMeasurement {
 public:
  /// `kind` is its folder in the cache; raise `format` when what is measured changes.
  StoredMeasurement(const std::string& kind, int format, const technology::Technology& technology,
                    const sim::Engine& engine, const Conditions& conditions);

  /// What is kept, or null where there is nothing or nothing whole: it can always be measured anew.
  nlohmann::json read() const;
  void write(const nlohmann::json& measurement) const;

 private:
  std::filesystem::path path_;
};

}  // namespace hysteron::compile
