#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "circuit/circuit.h"

namespace hysteron::sim {

struct Breakpoint {
  double time = 0.0;   ///< second
  double value = 0.0;  ///< ampere or volt
};

/// A value over time, linear between breakpoints and constant outside them. Times ascend strictly.
using PiecewiseLinear = std::vector<Breakpoint>;

/// The value of `wave`, which has a breakpoint at least, at `time`.
double value_at(const PiecewiseLinear& wave, double time);

/// A current that leaves `from` and enters `to`.
struct CurrentSource {
  circuit::NetId from = circuit::Circuit::kSupply;
  circuit::NetId to = circuit::Circuit::kGround;
  PiecewiseLinear current;  ///< ampere
};

/// Holds `net` at a voltage against ground.
struct VoltageSource {
  circuit::NetId net = 0;
  PiecewiseLinear voltage;  ///< volt
};

/// What to record.
struct Probe {
  enum class Kind {
    kDrainCurrent,      ///< of transistor `index`, its magnitude's sign as the simulator has it: positive into an NMOS
                        ///< drain
    kTransconductance,  ///< of transistor `index`, siemens
    kThresholdShift,    ///< of transistor `index`, volt, as drawn by a technology with mismatch switched on; positive
                        ///< weakens an NMOS and strengthens a PMOS device
    kMobilityFactor,    ///< of transistor `index`, likewise
    kVoltage,           ///< of net `index` against ground
    kSourceCurrent,     ///< that voltage source `index` delivers
    kSupplyCurrent      ///< that the supply net `index` (Circuit::kSupply or kCellSupply) delivers
  };
  Kind kind = Kind::kVoltage;
  std::size_t index = 0;
};

/// Small-signal noise of all transistors around the operating point, in place of a transient.
struct NoiseAnalysis {
  std::vector<Probe> outputs;  ///< of kVoltage or kSourceCurrent; the noise of their sum is asked for
  std::size_t input = 0;       ///< the current source the output is referred to
  double low = 0.1;            ///< hertz
  double high = 1e6;           ///< hertz
  std::size_t points_per_decade = 30;
};

/// A circuit, what drives it, under which conditions, and what to record.
struct Testbench {
  const circuit::Circuit* circuit = nullptr;
  double supply = 0.0;        ///< volt
  double temperature = 27.0;  ///< degree Celsius
  std::string corner;         ///< empty: the technology's typical one
  std::vector<CurrentSource> current_sources;
  std::vector<VoltageSource> voltage_sources;
  std::map<circuit::NetId, double> initial_voltages;  ///< held while the first operating point is found; with
                                                      ///< `noise`, where the search for it begins
  /// The transient starts from `initial_voltages` (0 V where a net has none) in place of an operating point: power-up.
  bool starts_from_initial_voltages = false;
  std::vector<Probe> probes;
  double stop_time = 0.0;     ///< second; 0 asks for the operating point alone
  double maximum_step = 0.0;  ///< second; 0 leaves it to the simulator
  double tolerance = 1.0;     ///< factor on the simulator's tolerances; below 1 where small differences matter
  unsigned seed = 0;          ///< of the draws of a technology with mismatch switched on; 0: new draws in every run
  /// When a transient's waveforms are read, ascending, by straight lines between the points that the simulator
  /// computed; empty: at all of these. Of a long run under noise they are many times as many as anyone reads.
  std::vector<double> read_times;
  std::optional<NoiseAnalysis> noise;  ///< asks for the operating point and its noise; `stop_time` is 0
};

}  // namespace hysteron::sim
