#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "data/measured.h"
#include "model/inference.h"
#include "model/network.h"

namespace hysteron::analysis {

/// How the numbers of a bench become those of the model.
struct BenchScale {
  double unit_current = 1e-9;             ///< ampere that stand for 1.0
  std::optional<double> transresistance;  ///< ohm: what makes the measured voltages of currents
  std::optional<double> begin;            ///< second of the record at which frame 0 begins; none: it is looked for
};

/// One signal of a record in model units.
class Curve {
 public:
  Curve() = default;
  Curve(const data::MeasuredSignal& signal, double scale) : signal_(&signal), scale_(scale) {}

  explicit operator bool() const { return signal_ != nullptr; }
  double at(double time) const;  ///< linear between points, held at the ends
  const std::vector<double>& time() const { return *signal_->time; }
  double value(std::size_t point) const { return signal_->values[point] * scale_; }
  std::size_t size() const { return signal_->values.size(); }

 private:
  const data::MeasuredSignal* signal_ = nullptr;
  double scale_ = 1.0;
};

/// A record of one clip, aligned to its frames and read where verify reads a simulation: at 95 % of every frame.
/// Signals that were not measured are empty curves; their places in `read` hold the software's values. Refers to the
/// record.
struct MeasuredClip {
  double begin = 0.0;  ///< second of the record at which frame 0 begins
  double frame_seconds = 0.0;
  std::vector<std::vector<Curve>> candidates;  ///< [layers][m]
  std::vector<std::vector<Curve>> states;      ///< [layers][m]
  std::vector<Curve> logits;                   ///< [k]
  Curve supply;                                ///< unit currents
  Curve cell_supply;
  model::Trace software;   ///< of the same features
  model::Trace read;       ///< as measured
  std::vector<char> bits;  ///< [layers, frames, widest], 1 where the measured state is above half of alpha

  double time_of(std::size_t frame, double place) const {
    return begin + (static_cast<double>(frame) + place) * frame_seconds;
  }
  bool bit(std::size_t layer, std::size_t frame, std::size_t cell) const {
    return bits[(layer * read.frames + frame) * read.cells + cell] != 0;
  }
  bool has_logits() const;  ///< all of them
};

/// Aligns `record` to the frames of `features` [frames, inputs]. Where the record is longer than the frames and
/// `scale.begin` says nothing, the beginning is where the software's candidates and logits, on their way from one
/// frame's values to the next with whatever ramp of the inputs fits best, and its states where frames are read, explain
/// most of the variance of the record's, whatever their gains and offsets. Throws a bad-input Error that names the file
/// and column: a signal that the model lacks, a voltage without a transresistance or a current where a voltage belongs,
/// a record that is too short for the frames.
MeasuredClip align(const data::MeasuredRecord& record, const model::Network& network, std::span<const float> features,
                   const BenchScale& scale);

}  // namespace hysteron::analysis
