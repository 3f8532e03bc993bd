#include "sim/engine.h"

#include <utility>

namespace hysteron::sim {

std::vector<Outcome> Engine::run_all(std::span<const Testbench> benches, int jobs, const OnDone& on_done) const {
  std::vector<Outcome> outcomes(benches.size());
  std::size_t done = 0;
  run_each(benches, jobs, [&](std::size_t index, Outcome outcome) {
    outcomes[index] = std::move(outcome);
    if (on_done) on_done(++done, benches.size());
  });
  return outcomes;
}

}  // namespace hysteron::sim
