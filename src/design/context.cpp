#include "design/context.h"

#include <chrono>

#include "base/error.h"
#include "compile/leg_mismatch.h"

namespace hysteron::design {
namespace {

spice::RunOptions run_options(const CircuitOptions& options, const StopFlag& stop) {
  spice::RunOptions result;
  result.time_limit = std::chrono::duration<double>(options.time_limit);
  result.stop = &stop;
  return result;
}

technology::Technology technology_of(const CircuitOptions& options) {
  technology::Technology technology = technology::load_technology(options.technology, options.pdk_root);
  const double shape = options.conditions.unit_current / kDensityCurrent;
  if (options.keeps_density && shape < 1.0) technology::scale_shape(technology, shape);
  return technology;
}

}  // namespace

DesignContext::DesignContext(const CircuitOptions& options, Reporter& reporter, const StopFlag& stop)
    : options_(options),
      stop_(stop),
      technology_(technology_of(options)),
      ngspice_({}, std::chrono::duration<double>(options.time_limit)),
      engine_(ngspice_, technology_, run_options(options, stop)),
      mismatch_technology_(compile::with_mismatch(technology_)),
      mismatch_engine_(ngspice_, mismatch_technology_, run_options(options, stop)),
      curves_(compile::load_gain_curves(technology_, engine_, options.conditions, reporter)) {
  if (options.stored_runs.empty()) return;
  stored_.emplace(engine_, options.stored_runs);
  mismatch_stored_.emplace(mismatch_engine_, options.stored_runs);
}

OperatingPoint DesignContext::operating_point() const {
  return {technology_.name, supply(), options_.conditions.unit_current};
}

double DesignContext::supply() const { return compile::supply_of(technology_, options_.conditions); }

compile::CellFloor DesignContext::cell_floor() const {
  return compile::load_cell_floor(technology_, curves_, options_.conditions, engine_);
}

double DesignContext::leg_mismatch(Reporter& reporter) const {
  return compile::load_leg_mismatch(technology_, mismatch_engine_, options_.conditions, reporter);
}

behavioural::DeviceStatistics DesignContext::device_statistics(Reporter& reporter) const {
  return behavioural::load_device_statistics(technology_, curves_, engine_, mismatch_engine_, options_.conditions,
                                             reporter);
}

}  // namespace hysteron::design
