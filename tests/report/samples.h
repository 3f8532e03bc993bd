#pragma once

#include "design/netlist.h"
#include "studies/verification.h"

namespace hysteron::report {

/// A model that was centered and has something to say of every kind.
inline design::PreparedModel sample_prepared_model() {
  design::PreparedModel prepared;
  prepared.pruning = compile::Pruning{{}, 0.05, 3, {20, 0.01, 0.0}};
  compile::Centering centering;
  centering.clips = 2;
  centering.frames = 202;
  centering.frame_change = 0.005;
  centering.thresholds_moved = 1;
  centering.mismatch = 0.03;
  centering.before = {0.02, 0.05};
  centering.after = {0.001, 0.01};
  compile::CenteredCell cell;
  cell.layer = 1;
  cell.cell = 2;
  cell.lower_before = {0.4, 0.001, 0.2, {0.02, 0.05}};
  cell.lower_after = {0.37, std::numeric_limits<double>::infinity(), 2.5, {0.0, 0.01}};
  cell.upper_before = cell.upper_after = {0.9, 0.1, 3.0, {0.0, 0.001}};
  centering.cells = {cell};
  prepared.centering = centering;
  prepared.resting = {{0, 2, false, 0.412, 0.4108, 0.0}};
  prepared.small = {{{"readout.bias[1]", 0.001, 0.0}, {"layers.0.candidate.bias[0]", 0.04, 0.07}}, {20, 0.02, 0.05}};
  prepared.effects_on = "training";
  return prepared;
}

inline analysis::Agreement sample_agreement() {
  analysis::Agreement agreement;
  agreement.clips = 1;
  agreement.decision_agreement = 1.0;
  agreement.frame_agreement = 0.98;
  agreement.state_mismatch = 0.0125;
  agreement.candidate_rms = 0.01;
  agreement.candidate_max = 0.09;
  agreement.candidate_relative_rms = 0.012;
  agreement.state_rms = 0.0004;
  agreement.state_max = 0.002;
  agreement.state_worst_relative_rms = 0.0011;
  agreement.state_cells = {{1, 0, 0.8, 101, 40, 0.0005, 0.0011}, {0, 3, 0.5, 101, 0, 0.0, 0.0}};
  agreement.switching = {3, 8, 0.03, 0.001};
  agreement.suppression = {0.0005, 24.0, 780};
  agreement.on_suppression = {0.001, 12.0, 210};
  agreement.logit_rms = 0.02;
  agreement.centering_frame_change = 0.005;
  agreement.power = {22.4e-9, 4.2e-9, 18.2e-9};
  return agreement;
}

/// One clip with a wrong bit and a glitch, and one that failed.
inline studies::Verification sample_verification() {
  studies::Verification result;
  result.prepared = sample_prepared_model();
  result.agreement = sample_agreement();
  analysis::CellEvent event{1, 40, 0.4, 0, analysis::Cause::kHazard, true, 0.41, 0.43, 0.2, 0.6, 0.5};
  analysis::Divergence divergence;
  divergence.first = event;
  divergence.frames = {40, 41};
  divergence.events = {event};
  divergence.cells = {{{}}, {{3, 1, {}}}};
  divergence.cells[1][0].causes[2] = {1, 2};
  divergence.causes[2] = {1, 2};
  divergence.bits = 3;
  divergence.consequences = 1;
  divergence.wrong_frames = 2;
  divergence.wrong_frames_right_bits = 1;
  studies::VerifiedClip clip;
  clip.clip = 3;
  clip.software = "yes";
  clip.circuit = "yes";
  clip.agreement = {0, 0, 0.98, 0.0125};
  clip.divergence = divergence;
  clip.glitches = {{1, 40, 0.4, 0, true, 0.1, 0.002, true, true}, {0, 50, 0.5, 1, false, 0.05, 0.001, false, false}};
  clip.spice_seconds = 6.5;
  studies::VerifiedClip failed;
  failed.clip = 7;
  failed.failed = true;
  failed.error = "ngspice ran out of time";
  result.clips = {clip, failed};
  result.divergence = divergence;
  result.settling = {{1e-4, 2e-3, 4e-3, 0.001}, {1e-4, 1e-3, 2e-3, 0.0}, {2e-4, 3e-3, 5e-3, 0.002}};
  result.glitches = {2, 1, 1, 0.1, 0.0};
  result.failed = 1;
  result.reused = 1;
  result.spice_seconds = 6.5;
  result.software_seconds = 0.0002;
  return result;
}

inline design::CircuitSummary sample_summary() {
  design::CircuitSummary summary;
  summary.operating_point = {"generic180", 1.8, 1e-9};
  summary.temperature = 27.0;
  summary.frame_seconds = 0.01;
  summary.transistors = 571;
  summary.legs = 180;
  summary.cells = 8;
  summary.inputs = 13;
  summary.outputs = 2;
  summary.area = 21000e-12;
  summary.by_role = {{"leg", 150}, {"bias_leg", 30}};
  summary.capacitors = 8;
  summary.capacitance = 640e-15;
  summary.dropped_parameters = 2;
  summary.summing_nodes = {{"layers.0.candidate[0]", 0.02, 0.003}};
  design::CellErrors errors;
  errors.layer = 0;
  errors.cell = 1;
  errors.compiled.errors.rise = 0.001;
  errors.compiled.errors.fall = -0.002;
  errors.compiled.errors.high = 0.0005;
  errors.compiled.errors.is_measured = true;
  errors.compiled.rise = 0.9e-9;
  errors.compiled.fall = 0.4e-9;
  errors.compiled.high = 0.8e-9;
  summary.cell_errors = {errors};
  summary.cell_error_floor = 1e-12;
  return summary;
}

}  // namespace hysteron::report
