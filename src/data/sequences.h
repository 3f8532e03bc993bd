#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace hysteron::data {

/// One labelled sequence of a task.
struct Sequence {
  std::size_t frames = 0;
  std::vector<float> inputs;           ///< [frames][inputs of the source]
  std::vector<std::uint32_t> targets;  ///< [1] where the whole sequence has a label, else [frames]
  std::vector<float> mask;             ///< [frames], 1 where the frame counts (in the loss or the mean), else 0
};

/// Where the sequences of a task come from: files or a generator. Const and safe to use from many threads: sequence
/// `index` of a split depends on the source's configuration and the index alone.
class SequenceSource {
 public:
  SequenceSource() = default;
  SequenceSource(const SequenceSource&) = delete;
  SequenceSource& operator=(const SequenceSource&) = delete;
  virtual ~SequenceSource() = default;

  virtual std::size_t inputs() const = 0;  ///< numbers a frame
  virtual const std::vector<std::string>& labels() const = 0;
  virtual bool per_frame() const = 0;  ///< a target for every frame, or one for the sequence
  /// Number of sequences of a split; 0 in the training split: a generator without end, any index is valid.
  virtual std::size_t size(Split split) const = 0;
  virtual Sequence sequence(Split split, std::uint64_t index) const = 0;
};

}  // namespace hysteron::data
