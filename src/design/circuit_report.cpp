#include "design/circuit_report.h"

#include <nlohmann/json.hpp>

#include "base/units.h"

namespace hysteron::design {

nlohmann::json power_json(const compile::Power& power) {
  return {{"total", power.total / kNano}, {"cells", power.cells / kNano}, {"feedforward", power.feedforward / kNano}};
}

}  // namespace hysteron::design
