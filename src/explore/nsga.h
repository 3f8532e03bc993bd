#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/random.h"

namespace hysteron::explore {

/// One variable of a search: a number from 0 to 1, or one of `levels` numbered from 0.
struct Gene {
  std::size_t levels = 0;  ///< 0: any number from 0 to 1
  bool ordered = true;     ///< whether neighbouring levels are alike
};

using Genome = std::vector<double>;  ///< one value a gene

/// A point of a search that was evaluated.
struct Individual {
  Genome genome;
  std::vector<double> costs;  ///< of every objective, the smaller the better; empty: the point is not feasible
};

/// Whether `a` is no worse in any objective and better in one; what is feasible dominates what is not.
bool dominates(const Individual& a, const Individual& b);

/// Indices of the individuals front by front: those that none dominates, those that none but the first front
/// dominates, and so on. Ascending within a front.
std::vector<std::vector<std::size_t>> nondominated_fronts(std::span<const Individual> individuals);

/// How far apart the neighbours of each member of `front` are, summed over the objectives, each over its range in the
/// front; infinite at the ends.
std::vector<double> crowding_distances(std::span<const Individual> individuals, std::span<const std::size_t> front);

/// The best `count` individuals, or all: by front, then by crowding, the less the better, then by index.
std::vector<std::size_t> best_of(std::span<const Individual> individuals, std::size_t count);

/// What the next generation is made from.
struct Generation {
  std::size_t parents = 0;  ///< best individuals that breed
  std::size_t size = 0;     ///< of the new generation
};

/// The genomes of the next generation: spread evenly over each gene (a Latin hypercube) where there are no individuals
/// yet, else children of the best ones. NSGA-II (Deb et al., IEEE Trans. Evol. Comput. 6(2), 2002) with these
/// differences: parents are the best of all individuals so far, as none is cheap enough to forget; genes may have
/// levels; no genome is proposed twice, nor one that differs from another in numbers alone and rounds to the same
/// 32nds. The first k genomes do not depend on `generation.size` but in the first generation. Fewer than asked for
/// where the levels have no more combinations.
std::vector<Genome> propose(const std::vector<Gene>& genes, std::span<const Individual> individuals,
                            const Generation& generation, const Random& random);

}  // namespace hysteron::explore
