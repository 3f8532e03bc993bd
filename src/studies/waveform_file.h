#pragma once

#include <string>

#include "compile/clip_bench.h"
#include "model/safetensors.h"

namespace hysteron::studies {

/// The probes of make_clip_bench as curves compressed in time: a tensor F64 [2, points] a signal, times in seconds and
/// values in ampere or volt, named "layers.0.candidate[1]", "layers.0.state[1]", "layers.0.v0[1]", "logit[0]",
/// "supply" and "cell_supply". Straight lines between the points are within `tolerance` unit currents (volt, for
/// voltages) of what was simulated. Metadata says so for every signal.
model::TensorFile waveform_tensors(const compile::CompiledNetwork& network, const sim::Testbench& bench,
                                   const sim::Waveforms& waveforms, double tolerance);

}  // namespace hysteron::studies
