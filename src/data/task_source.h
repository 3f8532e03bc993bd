#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/sequences.h"

namespace hysteron::data {

/// Sequences of the train, the validation and the test split; 0 in front: the training split has no end.
using SplitSizes = std::array<std::size_t, 3>;

/// Most sequences of a generator's validation and test splits.
inline constexpr std::size_t kMaxGenerated = 1'000'000'000;

/// What all tasks share: their dimensions and the bounds of their splits. A task says only how one sequence is made.
class TaskSource : public SequenceSource {
 public:
  std::size_t inputs() const final { return inputs_; }
  const std::vector<std::string>& labels() const final { return labels_; }
  bool per_frame() const final { return per_frame_; }

  /// Split::kAll is train, validation and test, one after the other; a usage Error where train has no end.
  std::size_t size(Split split) const final;
  /// An index beyond a split that ends is a bug of the caller: asserted.
  Sequence sequence(Split split, std::uint64_t index) const final;

 protected:
  TaskSource(std::size_t inputs, std::vector<std::string> labels, bool per_frame, SplitSizes sizes);

 private:
  /// `split` is train, validation or test, and `index` within it.
  virtual Sequence make(Split split, std::uint64_t index) const = 0;

  std::size_t inputs_;
  std::vector<std::string> labels_;
  bool per_frame_;
  SplitSizes sizes_;
};

/// The random stream of sequence `index` of `split` of the task called `task`.
Random sequence_stream(std::uint64_t seed, const char* task, Split split, std::uint64_t index);

/// A sequence of `frames` frames of `inputs` zeros with `targets` targets of 0 and every frame's mask at `mask`.
Sequence blank_sequence(std::size_t frames, std::size_t inputs, std::size_t targets, float mask);

/// "0", "1", ..., one less than `count`.
std::vector<std::string> numbered_labels(std::size_t count);

/// Throws a bad-input Error that names the task and the option unless low <= value <= high.
void check_option(const char* task, const char* option, std::size_t value, std::size_t low, std::size_t high);

}  // namespace hysteron::data
