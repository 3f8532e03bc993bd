#include "data/memory_tasks.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "data/task_source.h"

namespace hysteron::data {
namespace {

constexpr std::size_t kSequences = 1024;  // of validation and of test

SplitSizes sizes_of(const MemoryTaskOptions& options) {
  const std::size_t sequences = options.sequences == 0 ? kSequences : options.sequences;
  return {0, sequences, sequences};
}

/// What every generator shares: sequence `index` of a split comes from a stream of its own.
class Generator : public TaskSource {
 public:
  Generator(const char* name, const MemoryTaskOptions& options, std::size_t inputs, std::size_t labels)
      : TaskSource(inputs, numbered_labels(labels), true, sizes_of(options)), name_(name), seed_(options.seed) {}

 protected:
  virtual Sequence generate(Random& random) const = 0;

  /// `frames` frames of zeros of which none counts.
  Sequence empty(std::size_t frames) const { return blank_sequence(frames, inputs(), frames, 0.0f); }

 private:
  Sequence make(Split split, std::uint64_t index) const override {
    Random random = sequence_stream(seed_, name_, split, index);
    return generate(random);
  }

  const char* name_;
  std::uint64_t seed_;
};

std::size_t chosen(std::size_t value, std::size_t otherwise, std::size_t least, const char* task, const char* what) {
  const std::size_t result = value == 0 ? otherwise : value;
  if (result < least) throw bad_input(fmt::format("{}: {} is {}; expected at least {}", task, what, result, least));
  return result;
}

class CopyFirst : public Generator {
 public:
  CopyFirst(const MemoryTaskOptions& options, std::size_t symbols)
      : Generator("copy_first", options, symbols, symbols),
        length_(chosen(options.length, 256, 2, "copy_first", "the length")) {}

 protected:
  Sequence generate(Random& random) const override {
    Sequence sequence = empty(length_);
    const std::size_t symbol = random.below(inputs());
    sequence.inputs[symbol] = 1.0f;
    sequence.targets.back() = static_cast<std::uint32_t>(symbol);
    sequence.mask.back() = 1.0f;
    return sequence;
  }

 private:
  std::size_t length_;
};

class FlipFlop : public Generator {
 public:
  explicit FlipFlop(const MemoryTaskOptions& options)
      : Generator("flip_flop", options, 3, 2), length_(chosen(options.length, 100, 1, "flip_flop", "the length")) {}

 protected:
  Sequence generate(Random& random) const override {
    constexpr double kShare = 0.1;  // of frames that set, and that reset
    Sequence sequence = empty(length_);
    std::ranges::fill(sequence.mask, 1.0f);
    std::uint32_t state = 0;
    for (std::size_t t = 0; t < length_; ++t) {
      const double draw = random.uniform();
      const std::size_t symbol = draw < kShare ? 0 : (draw < 2.0 * kShare ? 1 : 2);
      if (symbol < 2) state = symbol == 0 ? 1 : 0;
      sequence.inputs[t * inputs() + symbol] = 1.0f;
      sequence.targets[t] = state;
    }
    return sequence;
  }

 private:
  std::size_t length_;
};

class Denoising : public Generator {
 public:
  static constexpr std::size_t kMarked = 5;

  Denoising(const MemoryTaskOptions& options, std::size_t symbols)
      : Generator("denoising", options, symbols + 1, symbols),
        length_(chosen(options.length, 100, 2 * kMarked + 1, "denoising", "the length")) {}

 protected:
  Sequence generate(Random& random) const override {
    constexpr double kNoise = 0.1;
    Sequence sequence = empty(length_);
    const std::size_t noisy = length_ - kMarked - 1;
    for (std::size_t t = 0; t < noisy; ++t) {
      for (std::size_t i = 0; i + 1 < inputs(); ++i) {
        sequence.inputs[t * inputs() + i] = static_cast<float>(kNoise * random.normal());
      }
    }
    std::vector<std::size_t> places(noisy);
    std::iota(places.begin(), places.end(), std::size_t{0});
    random.shuffle(places);
    places.resize(kMarked);
    std::ranges::sort(places);
    for (std::size_t k = 0; k < kMarked; ++k) {
      const std::size_t symbol = random.below(inputs() - 1);
      float* frame = sequence.inputs.data() + places[k] * inputs();
      std::fill_n(frame, inputs(), 0.0f);
      frame[symbol] = 1.0f;
      sequence.targets[noisy + 1 + k] = static_cast<std::uint32_t>(symbol);
      sequence.mask[noisy + 1 + k] = 1.0f;
    }
    sequence.inputs[noisy * inputs() + inputs() - 1] = 1.0f;
    return sequence;
  }

 private:
  std::size_t length_;
};

class Parity : public Generator {
 public:
  explicit Parity(const MemoryTaskOptions& options)
      : Generator("parity", options, 1, 2), length_(chosen(options.length, 500, 4, "parity", "the length")) {}

 protected:
  Sequence generate(Random& random) const override {
    constexpr std::size_t kMax = 4;  // pulses
    Sequence sequence = empty(length_);
    const std::size_t pulses = 1 + random.below(kMax);
    std::size_t set = 0;
    while (set < pulses) {
      float& frame = sequence.inputs[random.below(length_)];
      if (frame == 0.0f) ++set;
      frame = 1.0f;
    }
    sequence.targets.back() = static_cast<std::uint32_t>(pulses % 2);
    sequence.mask.back() = 1.0f;
    return sequence;
  }

 private:
  std::size_t length_;
};

}  // namespace

std::unique_ptr<SequenceSource> make_copy_first(const MemoryTaskOptions& options) {
  return std::make_unique<CopyFirst>(options, chosen(options.symbols, 2, 2, "copy_first", "the number of symbols"));
}

std::unique_ptr<SequenceSource> make_flip_flop(const MemoryTaskOptions& options) {
  return std::make_unique<FlipFlop>(options);
}

std::unique_ptr<SequenceSource> make_denoising(const MemoryTaskOptions& options) {
  return std::make_unique<Denoising>(options, chosen(options.symbols, 4, 2, "denoising", "the number of symbols"));
}

std::unique_ptr<SequenceSource> make_parity(const MemoryTaskOptions& options) {
  return std::make_unique<Parity>(options);
}

}  // namespace hysteron::data
