// Scans over time: the carry chain of binary cells against its rivals, and the two forms of the linear recurrence.

#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "base/random.h"
#include "train/carry_chain.h"
#include "train/kernels.h"
#include "train/scan.h"

namespace {

using namespace hysteron;
using namespace hysteron::train;

constexpr std::size_t kRows = kBandLanes;

std::vector<float> random_values(std::size_t size, double low, double high) {
  Random random(1);
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(random.uniform(low, high));
  return values;
}

/// 16 cells of `frames` random candidates, of which two fifths hold.
struct Cells {
  explicit Cells(const benchmark::State& state)
      : frames(static_cast<std::size_t>(state.range(0))),
        candidates(random_values(kRows * frames, 0.0, 1.0)),
        states(kRows * state_words(frames)) {
    bands.fill({0.3f, 0.7f, false});
  }

  void report(benchmark::State& state) const {
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(kRows * frames));
  }

  std::size_t frames;
  std::vector<float> candidates;  // [kRows][frames] or [frames][kRows]: they are random
  std::vector<std::uint64_t> states;
  std::array<CellBand, kRows> bands;
};

void states_carry_chain(benchmark::State& state) {
  Cells cells(state);
  for ([[maybe_unused]] auto _ : state) {
    carry_chain_states(cells.candidates.data(), kRows, cells.frames, cells.bands.data(), cells.states.data());
    benchmark::ClobberMemory();
  }
  cells.report(state);
}

void states_scalar(benchmark::State& state) {
  Cells cells(state);
  for ([[maybe_unused]] auto _ : state) {
    scalar_states(cells.candidates.data(), kRows, cells.frames, cells.bands.data(), cells.states.data());
    benchmark::ClobberMemory();
  }
  cells.report(state);
}

void states_over_cells_packed(benchmark::State& state) {
  Cells cells(state);
  for ([[maybe_unused]] auto _ : state) {
    states_over_cells(cells.candidates.data(), cells.frames, cells.bands.data(), cells.states.data());
    benchmark::ClobberMemory();
  }
  cells.report(state);
}

/// The trainer's cells, whose states are numbers.
void states_over_cells_as_numbers(benchmark::State& state) {
  Cells cells(state);
  const std::vector<float> weights(kLanes, 1.0f);
  CellRow row{};
  row.frames = cells.frames;
  row.beta_lo = cells.bands[0].beta_lo;
  row.beta_hi = cells.bands[0].beta_hi;
  row.lane_weights = weights.data();
  std::vector<float> numbers(cells.candidates.size());
  for ([[maybe_unused]] auto _ : state) {
    cell_forward(row, cells.candidates.data(), numbers.data());
    benchmark::ClobberMemory();
  }
  cells.report(state);
}

BENCHMARK(states_carry_chain)->Arg(101)->Arg(1024)->Arg(16384);
BENCHMARK(states_scalar)->Arg(101)->Arg(1024)->Arg(16384);
BENCHMARK(states_over_cells_packed)->Arg(101)->Arg(1024)->Arg(16384);
BENCHMARK(states_over_cells_as_numbers)->Arg(101)->Arg(1024)->Arg(16384);

struct Recurrence {
  explicit Recurrence(const benchmark::State& state)
      : frames(static_cast<std::size_t>(state.range(0))),
        a(random_values(frames * kScanLanes, 0.5, 1.0)),
        b(random_values(frames * kScanLanes, -1.0, 1.0)),
        re(b.size()),
        im(b.size()) {}

  std::size_t frames;
  std::vector<float> a;
  std::vector<float> b;
  std::vector<float> re;
  std::vector<float> im;
};

void linear_scan_forward(benchmark::State& state) {
  Recurrence data(state);
  for ([[maybe_unused]] auto _ : state) {
    scan_forward(data.a.data(), data.b.data(), nullptr, data.re.data(), data.frames);
    benchmark::ClobberMemory();
  }
}

/// Gradients are taken afresh from `b` each time, as ds is overwritten.
void linear_scan_backward(benchmark::State& state) {
  Recurrence data(state);
  scan_forward(data.a.data(), data.b.data(), nullptr, data.re.data(), data.frames);
  std::vector<float> ds(data.b.size());
  for ([[maybe_unused]] auto _ : state) {
    ds = data.b;
    scan_backward(data.a.data(), data.re.data(), nullptr, ds.data(), data.im.data(), nullptr, data.frames);
    benchmark::ClobberMemory();
  }
}

void linear_scan_complex_forward(benchmark::State& state) {
  Recurrence data(state);
  for ([[maybe_unused]] auto _ : state) {
    complex_scan_forward(0.9f, 0.3f, data.a.data(), data.b.data(), data.re.data(), data.im.data(), data.frames);
    benchmark::ClobberMemory();
  }
}

BENCHMARK(linear_scan_forward)->Arg(101)->Arg(1024);
BENCHMARK(linear_scan_backward)->Arg(101)->Arg(1024);
BENCHMARK(linear_scan_complex_forward)->Arg(101)->Arg(1024);

}  // namespace
