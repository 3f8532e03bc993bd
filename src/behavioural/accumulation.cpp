#include "behavioural/accumulation.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <string>

#include "base/error.h"
#include "base/random.h"
#include "model/inference.h"

namespace hysteron::behavioural {
namespace {

constexpr float kRise = 1.0F;
constexpr float kWidth = 0.5F;
constexpr float kHigh = 1.0F;
constexpr float kOver = 1.5F;
constexpr float kMiddle = 0.75F;
constexpr std::size_t kFramesAtOnce = 1024;  // without a look at the stop flag
constexpr float kBias = 0.7F;                // of layers above the first, while they hold
constexpr float kCoupling = 0.1F;

/// A current after one more mirror.
class Mirrors {
 public:
  Mirrors(double noise, const Random& random) : noise_(noise), random_(random) {}

  double operator()(double current) { return noise_ > 0.0 ? current * (1.0 + noise_ * random_.normal()) : current; }

 private:
  double noise_;
  Random random_;
};

/// One chain: `step` gives the states of all layers after a frame.
class Chain {
 public:
  Chain(Memory memory, const AccumulationRequest& request, double noise, std::size_t index)
      : memory_(memory),
        decay_(request.decay),
        mirror_(noise, Random(request.seed).child(std::string("accumulation/") + name_of(memory), index)),
        bits_(request.layers, 0),
        states_(request.layers) {
    Random random = Random(request.seed).child("accumulation/value", index);
    bit_ = index % 2 == 0;
    value_ = random.uniform(0.5, 1.0);
    angle_ = random.uniform(0.1, std::numbers::pi - 0.1);
  }

  void step(std::size_t frame, std::vector<double>& outputs) {
    for (std::size_t layer = 0; layer < states_.size(); ++layer) {
      const double below = layer == 0 ? 0.0 : outputs[layer - 1];
      switch (memory_) {
        case Memory::kFqBmru:
          outputs[layer] = step_cell(layer, candidate(layer, frame, below));
          break;
        case Memory::kLeaky:
          outputs[layer] = step_leaky(layer, layer > 0 ? below : frame == 0 ? value_ : 0.0);
          break;
        case Memory::kLru:
          outputs[layer] = step_lru(layer, layer > 0 ? below : frame == 0 ? value_ : 0.0);
          break;
      }
    }
  }

  bool bit(std::size_t layer) const { return bits_[layer] != 0; }

 private:
  /// A pulse in the first frame, and from then on a candidate in the band, whatever the layer below holds.
  double candidate(std::size_t layer, std::size_t frame, double below) {
    if (layer == 0) return mirror_(frame > 0 ? kMiddle : bit_ ? kOver : 0.0F);
    return frame > 0 ? mirror_(kBias) + mirror_(kCoupling * below) : mirror_(kOver * below);
  }

  double step_cell(std::size_t layer, double candidate) {
    const double rise = mirror_(kRise);
    const double fall = rise - mirror_(kWidth);
    const bool on = model::next_state(static_cast<float>(candidate), static_cast<float>(fall), static_cast<float>(rise),
                                      bits_[layer] != 0);
    bits_[layer] = on ? 1 : 0;
    return on ? mirror_(kHigh) : 0.0;
  }

  double step_leaky(std::size_t layer, double input) {
    states_[layer] = mirror_(decay_ * states_[layer].real()) + mirror_((1.0 - decay_) * input);
    return mirror_(states_[layer].real());
  }

  double step_lru(std::size_t layer, double input) {
    const double re = decay_ * std::cos(angle_);
    const double im = decay_ * std::sin(angle_);
    const std::complex<double> x = states_[layer];
    const double gamma = std::sqrt(1.0 - decay_ * decay_);
    states_[layer] = {mirror_(re * x.real()) - mirror_(im * x.imag()) + mirror_(gamma * input),
                      mirror_(im * x.real()) + mirror_(re * x.imag())};
    return mirror_(states_[layer].real());
  }

  Memory memory_;
  double decay_;
  Mirrors mirror_;
  bool bit_ = false;
  double value_ = 0.0;
  double angle_ = 0.0;  // of lambda, radian a frame
  std::vector<char> bits_;
  std::vector<std::complex<double>> states_;
};

/// Sums over chains of one thread's share, [layers][frames read].
struct Sums {
  std::vector<double> squares;
  std::vector<double> clean;
  std::vector<double> lost;  // squares of the bits that differ, and what they were
  std::vector<double> lost_clean;
  std::vector<double> wrong;

  explicit Sums(std::size_t size)
      : squares(size, 0.0), clean(size, 0.0), lost(size, 0.0), lost_clean(size, 0.0), wrong(size, 0.0) {}
  void add(const Sums& other) {
    for (std::size_t i = 0; i < squares.size(); ++i) {
      squares[i] += other.squares[i];
      clean[i] += other.clean[i];
      lost[i] += other.lost[i];
      lost_clean[i] += other.lost_clean[i];
      wrong[i] += other.wrong[i];
    }
  }
};

void run_chain(Memory memory, const AccumulationRequest& request, const std::vector<std::size_t>& frames,
               std::size_t index, Sums& sums, const StopFlag& stop) {
  Chain noisy(memory, request, request.noise, index);
  Chain clean(memory, request, 0.0, index);
  std::vector<double> noisy_outputs(request.layers);
  std::vector<double> clean_outputs(request.layers);
  std::size_t next = 0;  // of the frames read
  for (std::size_t frame = 0; frame <= request.frames; ++frame) {
    if (frame % kFramesAtOnce == 0 && stop.requested()) throw Error(ErrorKind::kInterrupted, "interrupted");
    noisy.step(frame, noisy_outputs);
    clean.step(frame, clean_outputs);
    if (frame != frames[next]) continue;
    for (std::size_t layer = 0; layer < request.layers; ++layer) {
      const std::size_t place = layer * frames.size() + next;
      const double target = clean_outputs[layer];
      const double error = noisy_outputs[layer] - target;
      const bool differs = noisy.bit(layer) != clean.bit(layer);
      (differs ? sums.lost : sums.squares)[place] += error * error;
      (differs ? sums.lost_clean : sums.clean)[place] += target * target;
      sums.wrong[place] += differs ? 1.0 : 0.0;
    }
    ++next;
  }
}

}  // namespace

const char* name_of(Memory memory) {
  switch (memory) {
    case Memory::kFqBmru:
      return "fq_bmru";
    case Memory::kLeaky:
      return "leaky";
    case Memory::kLru:
      return "lru";
  }
  return "";
}

std::vector<std::size_t> round_numbers(std::size_t last) {
  std::vector<std::size_t> result;
  for (std::size_t decade = 1; decade <= last; decade *= 10) {
    for (const std::size_t digit : {1, 2, 5}) {
      if (digit * decade < last) result.push_back(digit * decade);
    }
  }
  result.push_back(last);
  return result;
}

Accumulation accumulate_noise(Memory memory, const AccumulationRequest& request, ThreadPool& pool,
                              const StopFlag& stop) {
  constexpr std::size_t kChainsOfAPart = 25;  // sums are added in this order at any number of threads
  constexpr std::size_t kPartsAtOnce = 64;    // sums that are held
  Accumulation result;
  result.memory = memory;
  result.frames = round_numbers(request.frames);
  const std::size_t size = request.layers * result.frames.size();
  const std::size_t parts = (request.chains + kChainsOfAPart - 1) / kChainsOfAPart;
  Sums total(size);
  for (std::size_t first = 0; first < parts; first += kPartsAtOnce) {
    std::vector<Sums> sums(std::min(kPartsAtOnce, parts - first), Sums(size));
    pool.run(sums.size(), [&](std::size_t part) {
      const std::size_t begin = (first + part) * kChainsOfAPart;
      const std::size_t end = std::min(request.chains, begin + kChainsOfAPart);
      for (std::size_t i = begin; i < end; ++i) run_chain(memory, request, result.frames, i, sums[part], stop);
    });
    for (const Sums& part : sums) total.add(part);
  }
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < size; ++i) {
    result.errors.push_back(total.clean[i] > 0.0 ? std::sqrt(total.squares[i] / total.clean[i]) : kNone);
    const double all = total.clean[i] + total.lost_clean[i];
    result.all_errors.push_back(all > 0.0 ? std::sqrt((total.squares[i] + total.lost[i]) / all) : kNone);
    result.wrong_bits.push_back(total.wrong[i] / static_cast<double>(request.chains));
  }
  return result;
}

}  // namespace hysteron::behavioural
