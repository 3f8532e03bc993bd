#pragma once

#include <cstddef>
#include <string>

#include "analysis/cell_loop.h"
#include "base/reporter.h"
#include "design/context.h"

namespace hysteron::design {

/// The context's conditions and engine for measurements of cells.
analysis::CellTestSetup make_lab(const DesignContext& context);

/// Throw a bad-input Error unless `technology` can be simulated there, degree Celsius and volt.
void check_temperature(double temperature, const technology::Technology& technology);
void check_supply(double supply, const technology::Technology& technology);

/// Progress of a study whose number of runs is not known beforehand; it goes forward only. Each batch of a stage takes
/// half of what is left of that stage.
class StageProgress {
 public:
  StageProgress(std::string task, std::size_t stages, Reporter& reporter)
      : task_(std::move(task)), total_(kSteps * stages), reporter_(reporter) {}

  void begin(const std::string& stage) {
    name_ = stage;
    ++stage_;
    base_ = 0.0;
    say(0.0);
  }
  void run_done(std::size_t done, std::size_t total) {
    const double half = 0.5 * (1.0 - base_);
    say(base_ + half * static_cast<double>(done) / static_cast<double>(total));
    if (done == total) base_ += half;
  }
  void finish() { reporter_.progress(task_, total_, total_, ""); }

 private:
  static constexpr std::size_t kSteps = 100;

  void say(double share) {
    const auto steps = static_cast<std::size_t>(share * (kSteps - 1));
    reporter_.progress(task_, kSteps * (stage_ - 1) + steps, total_, name_);
  }

  std::string task_;
  std::string name_;
  std::size_t total_;
  std::size_t stage_ = 0;
  double base_ = 0.0;
  Reporter& reporter_;
};

}  // namespace hysteron::design
