#pragma once

#include <cstdint>
#include <vector>

#include "behavioural/device_statistics.h"
#include "circuit/circuit.h"
#include "sim/engine.h"
#include "sim/testbench.h"

namespace hysteron::behavioural {

/// What mismatch made of one transistor.
struct DeviceShift {
  double threshold = 0.0;  ///< volt; positive weakens an NMOS and strengthens a PMOS device
  double mobility = 1.0;   ///< factor
};

/// One fabricated copy of a circuit: the shifts of its transistors, by DeviceId.
using Die = std::vector<DeviceShift>;

/// A die drawn from `statistics`: the same for the same seed, whatever else is drawn.
Die draw_die(const circuit::Circuit& circuit, const DeviceStatistics& statistics, std::uint64_t seed);

/// The die that `varied`, the simulator of a technology with mismatch switched on, makes of the circuit of `bench` when
/// it is run with `seed`: from one operating point.
Die read_die(const sim::Testbench& bench, const sim::Engine& mismatched, unsigned seed);

}  // namespace hysteron::behavioural
