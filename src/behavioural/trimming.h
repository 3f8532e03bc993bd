#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "behavioural/die_engine.h"
#include "data/features.h"

namespace hysteron::behavioural {

/// What turns the current of a bias leg after fabrication: steps of a share of it, binary, on both sides of none.
struct TrimDac {
  std::size_t bits = 5;
  double step = 0.01;  ///< of the leg's current as drawn

  int lowest() const { return -(1 << (bits - 1)); }
  int highest() const { return (1 << (bits - 1)) - 1; }
  double factor(int code) const { return 1.0 + step * code; }
};

/// A bias leg that has one: M2, which sets beta_hi and moves beta_lo with it, or M8, which sets delta.
struct TrimLeg {
  std::size_t layer = 0;
  std::size_t cell = 0;   ///< within the layer
  bool is_width = false;  ///< M8
  circuit::DeviceId device = 0;
  double wrong_bits = 0.0;  ///< share of the cell's bits that its threshold is expected to get wrong
};

/// What a bench does with every die of a circuit once: it plays some clips, reads the candidates of the cells that have
/// trims, and sets these so that the fewest of the cells' bits are not the software's.
class Trimmer {
 public:
  /// `software` computes what the circuit is to compute; `features` are clips that the bench plays. All must outlive
  /// it.
  Trimmer(const DieEngine& engine, const model::Network& software, const data::Features& features, const TrimDac& dac);

  /// The legs that are worth most, at most `count`, the same on all dies: those that set the threshold (beta_hi: M2,
  /// beta_lo: M8) at which cells of drawn dies first leave the software's state, by the wrong bits that follow, as long
  /// as everything below is right. Legs that no wrong bit comes from are left out. Dies are drawn with `seed` and the
  /// next ones.
  std::vector<TrimLeg> choose_legs(std::size_t count, const DeviceStatistics& statistics, std::uint64_t seed,
                                   ThreadPool& pool) const;

  /// Codes of `legs` on `die`, layer by layer; `die` is left trimmed. Among settings that get as many bits right, the
  /// one in the middle of them: its thresholds are farthest from where bits go wrong.
  std::vector<int> trim(const std::vector<TrimLeg>& legs, Die& die) const;

 private:
  /// What the bench knows of one cell of a die: candidates as measured and bits as wanted, clip after clip.
  struct Bits {
    std::vector<float> candidates;
    std::vector<char> target;
    bool starts_on = false;
  };
  /// Wrong bits that begin at each leg of each cell: [cells][beta_hi, beta_lo].
  using Blame = std::vector<std::array<std::size_t, 2>>;

  void blame(const Die& die, Blame& total) const;
  Bits measure(const DieParameters& parameters, std::size_t layer, std::size_t cell) const;
  std::size_t count_wrong(const Bits& bits, const DieParameters::Cell& cell) const;
  /// Codes of M2 and M8 of the cell with this index over all layers, 0 where there is no trim.
  std::array<int, 2> trim_cell(std::size_t index, std::size_t layer, std::size_t cell, bool has_threshold,
                               bool has_width, Die& die) const;

  const DieEngine& engine_;
  const model::Network& software_;
  const data::Features& features_;
  TrimDac dac_;
  std::vector<model::Trace> expected_;
};

}  // namespace hysteron::behavioural
