#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compile/clip_bench.h"

namespace hysteron::compile {

/// What current from the supply is for.
enum class PowerPart {
  kInputs,         ///< the inputs' own currents
  kInputRails,     ///< copied rails of the inputs
  kRails,          ///< copied rails of inner values and P diodes of negative parts
  kCandidateLegs,  ///< pushing legs of a layer's candidate weights
  kOutputLegs,     ///< pushing legs of a layer's output weights
  kLegs,           ///< pushing legs of the input map and the readout
  kBiases,         ///< pushing legs of biases
  kSkipLegs,       ///< pushing legs of the skip path
  kReference,      ///< unit current, its rail, the splitters' gate bias and the cells' preset
  kCells,          ///< M1 to M9
  kWells           ///< bulks of all PMOS devices: charge of their gates, leakage of their junctions
};

/// "inputs", "input_rails", "rails", "candidate_legs", ...
std::string_view power_part_name(PowerPart part);

/// Power over a clip of one part of one block of the circuit, watt.
struct BlockPower {
  std::string block;  ///< "bias", "inputs", "input", "layer0", ..., "readout"; "wells" for kWells
  PowerPart part = PowerPart::kWells;
  double mean = 0.0;
  double settled = 0.0;           ///< mean over the last tenths of all frames
  std::vector<double> over_time;  ///< [frames], mean of every frame
};

/// What a circuit drew while it played a clip.
struct PowerProfile {
  CircuitTrace circuit;            ///< its power is the sum of `blocks`
  std::vector<BlockPower> blocks;  ///< in the order of the circuit
};

/// The bench of make_clip_bench with an ammeter for every part of every block: PMOS devices on a supply hang on a net
/// of their block and part instead, which a source of its own holds at the same voltage. So what they draw, charge of
/// their gates and all, is one current that the simulator knows, and the currents sum to the supply's. Bulks stay on
/// `vdd`.
class PowerBench {
 public:
  /// `network` must outlive the object.
  PowerBench(const CompiledNetwork& network, std::span<const float> features);

  const sim::Testbench& bench() const { return bench_; }
  PowerProfile read(const sim::Waveforms& waveforms) const;

 private:
  using Meter = std::pair<std::string, PowerPart>;

  circuit::NetId meter(const std::string& block, PowerPart part);

  const CompiledNetwork* network_;
  std::unique_ptr<circuit::Circuit> circuit_;
  sim::Testbench bench_;
  std::vector<Meter> meters_;
  std::vector<circuit::NetId> nets_;
};

}  // namespace hysteron::compile
