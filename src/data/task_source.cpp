#include "data/task_source.h"

#include <fmt/format.h>

#include <cassert>
#include <utility>

#include "base/error.h"

namespace hysteron::data {

TaskSource::TaskSource(std::size_t inputs, std::vector<std::string> labels, bool per_frame, SplitSizes sizes)
    : inputs_(inputs), labels_(std::move(labels)), per_frame_(per_frame), sizes_(sizes) {}

std::size_t TaskSource::size(Split split) const {
  if (split != Split::kAll) return sizes_[static_cast<std::size_t>(split)];
  if (sizes_[0] == 0) {
    throw Error(ErrorKind::kUsage,
                "the task generates training sequences endlessly, so there is no split 'all'; expected 'train', "
                "'validation' or 'test'");
  }
  return sizes_[0] + sizes_[1] + sizes_[2];
}

Sequence TaskSource::sequence(Split split, std::uint64_t index) const {
  const bool endless = split == Split::kTrain && sizes_[0] == 0;
  assert(endless || index < size(split));
  static_cast<void>(endless);
  if (split != Split::kAll) return make(split, index);
  for (const Split part : {Split::kTrain, Split::kValidation}) {
    const std::size_t count = sizes_[static_cast<std::size_t>(part)];
    if (index < count) return make(part, index);
    index -= count;
  }
  return make(Split::kTest, index);
}

Random sequence_stream(std::uint64_t seed, const char* task, Split split, std::uint64_t index) {
  return Random(seed).child(task).child(to_string(split), index);
}

Sequence blank_sequence(std::size_t frames, std::size_t inputs, std::size_t targets, float mask) {
  Sequence sequence;
  sequence.frames = frames;
  sequence.inputs.assign(frames * inputs, 0.0F);
  sequence.targets.assign(targets, 0);
  sequence.mask.assign(frames, mask);
  return sequence;
}

std::vector<std::string> numbered_labels(std::size_t count) {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < count; ++i) labels.push_back(std::to_string(i));
  return labels;
}

void check_option(const char* task, const char* option, std::size_t value, std::size_t low, std::size_t high) {
  if (low <= value && value <= high) return;
  throw bad_input(fmt::format("task {}: {} is {}; expected {} to {}", task, option, value, low, high));
}

}  // namespace hysteron::data
