#include "explore/nsga.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <set>

namespace hysteron::explore {
namespace {

constexpr double kCrossover = 0.9;          // share of children of two parents
constexpr double kCrossoverSpread = 15.0;   // index of simulated binary crossover
constexpr double kMutationSpread = 20.0;    // index of polynomial mutation
constexpr double kResolution = 1.0 / 32.0;  // of a number: nearer genomes are taken for one
constexpr std::size_t kTries = 20;          // children bred in place of one that is known
constexpr std::size_t kRandomTries = 200;   // and then genomes drawn anywhere
constexpr double kMaxCombinations = 1e6;    // of levels that are gone through to find what is left

/// Middle of a level, or the number itself, in [0, 1].
double position(const Gene& gene, double value) {
  return gene.levels == 0 ? value : (value + 0.5) / static_cast<double>(gene.levels);
}

double value_at(const Gene& gene, double position) {
  const double clamped = std::clamp(position, 0.0, 1.0);
  if (gene.levels == 0) return clamped;
  return std::min(std::floor(clamped * static_cast<double>(gene.levels)), static_cast<double>(gene.levels - 1));
}

/// What genomes that are as good as the same share.
Genome rounded(const std::vector<Gene>& genes, Genome genome) {
  for (std::size_t i = 0; i < genes.size(); ++i) {
    if (genes[i].levels == 0) genome[i] = std::round(genome[i] / kResolution);
  }
  return genome;
}

/// Deb and Agrawal 1995: a child as far from its parents as a child of one-point crossover of binary numbers is.
double simulated_binary(double near, double far, Random& random) {
  const double u = random.uniform();
  const double power = 1.0 / (kCrossoverSpread + 1.0);
  const double beta = u <= 0.5 ? std::pow(2.0 * u, power) : std::pow(0.5 / (1.0 - u), power);
  return 0.5 * ((1.0 + beta) * near + (1.0 - beta) * far);
}

double polynomial_step(Random& random) {
  const double u = random.uniform();
  const double power = 1.0 / (kMutationSpread + 1.0);
  return u < 0.5 ? std::pow(2.0 * u, power) - 1.0 : 1.0 - std::pow(2.0 * (1.0 - u), power);
}

/// Another value of the gene: a neighbour, or any level where levels are not ordered.
double mutated(const Gene& gene, double value, Random& random) {
  if (gene.levels == 1) return value;
  if (gene.levels > 0 && !gene.ordered) {
    const auto other = static_cast<double>(random.below(gene.levels - 1));
    return other < value ? other : other + 1.0;
  }
  const double step = polynomial_step(random);
  if (gene.levels == 0) return value_at(gene, value + step);
  const double levels = std::max(1.0, std::round(std::abs(step) * static_cast<double>(gene.levels)));
  const double last = static_cast<double>(gene.levels - 1);
  const double there = value + std::copysign(levels, step);
  return there < 0.0 || there > last ? std::clamp(value - std::copysign(levels, step), 0.0, last) : there;
}

Genome child_of(const std::vector<Gene>& genes, const Genome& first, const Genome& second, Random& random) {
  Genome child = first;
  if (random.uniform() < kCrossover) {
    for (std::size_t i = 0; i < genes.size(); ++i) {
      if (random.uniform() < 0.5) continue;
      if (genes[i].levels > 0 && !genes[i].ordered) {
        child[i] = second[i];
        continue;
      }
      const bool near_first = random.uniform() < 0.5;
      const double a = position(genes[i], first[i]);
      const double b = position(genes[i], second[i]);
      child[i] = value_at(genes[i], simulated_binary(near_first ? a : b, near_first ? b : a, random));
    }
  }
  const double rate = 1.0 / static_cast<double>(genes.size());
  for (std::size_t i = 0; i < genes.size(); ++i) {
    if (random.uniform() < rate) child[i] = mutated(genes[i], child[i], random);
  }
  return child;
}

Genome anywhere(const std::vector<Gene>& genes, Random& random) {
  Genome genome;
  for (const Gene& gene : genes) genome.push_back(value_at(gene, random.uniform()));
  return genome;
}

/// The first combination of levels that is not known; none where all are, or where they are too many to look through.
std::optional<Genome> first_unknown(const std::vector<Gene>& genes, const std::set<Genome>& known) {
  double combinations = 1.0;
  for (const Gene& gene : genes) {
    combinations *= gene.levels == 0 ? 2.0 * kMaxCombinations : static_cast<double>(gene.levels);
  }
  if (combinations > kMaxCombinations) return std::nullopt;
  Genome genome(genes.size(), 0.0);
  while (known.contains(genome)) {
    std::size_t i = 0;
    for (; i < genes.size(); ++i) {
      genome[i] += 1.0;
      if (genome[i] < static_cast<double>(genes[i].levels)) break;
      genome[i] = 0.0;
    }
    if (i == genes.size()) return std::nullopt;
  }
  return genome;
}

/// `count` genomes of which every gene takes each of `count` equal parts of its range once.
std::vector<Genome> latin_hypercube(const std::vector<Gene>& genes, std::size_t count, const Random& random) {
  std::vector<Genome> genomes(count);
  for (std::size_t g = 0; g < genes.size(); ++g) {
    Random stream = random.child("gene", g);
    std::vector<std::size_t> parts(count);
    std::iota(parts.begin(), parts.end(), std::size_t{0});
    stream.shuffle(parts);
    for (std::size_t i = 0; i < count; ++i) {
      const double place = (static_cast<double>(parts[i]) + stream.uniform()) / static_cast<double>(count);
      genomes[i].push_back(value_at(genes[g], place));
    }
  }
  return genomes;
}

}  // namespace

bool dominates(const Individual& a, const Individual& b) {
  if (a.costs.empty() || b.costs.empty()) return !a.costs.empty() && b.costs.empty();
  bool better = false;
  for (std::size_t i = 0; i < a.costs.size(); ++i) {
    if (a.costs[i] > b.costs[i]) return false;
    better = better || a.costs[i] < b.costs[i];
  }
  return better;
}

std::vector<std::vector<std::size_t>> nondominated_fronts(std::span<const Individual> individuals) {
  std::vector<std::size_t> dominators(individuals.size(), 0);
  std::vector<std::vector<std::size_t>> dominated(individuals.size());
  for (std::size_t i = 0; i < individuals.size(); ++i) {
    for (std::size_t j = 0; j < individuals.size(); ++j) {
      if (!dominates(individuals[i], individuals[j])) continue;
      dominated[i].push_back(j);
      ++dominators[j];
    }
  }
  std::vector<std::vector<std::size_t>> fronts;
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < individuals.size(); ++i) {
    if (dominators[i] == 0) front.push_back(i);
  }
  while (!front.empty()) {
    std::vector<std::size_t> next;
    for (const std::size_t i : front) {
      for (const std::size_t j : dominated[i]) {
        if (--dominators[j] == 0) next.push_back(j);
      }
    }
    std::ranges::sort(next);
    fronts.push_back(std::move(front));
    front = std::move(next);
  }
  return fronts;
}

std::vector<double> crowding_distances(std::span<const Individual> individuals, std::span<const std::size_t> front) {
  std::vector<double> distances(front.size(), 0.0);
  const std::size_t objectives = front.empty() ? 0 : individuals[front.front()].costs.size();
  std::vector<std::size_t> order(front.size());
  for (std::size_t k = 0; k < objectives; ++k) {
    const auto cost = [&](std::size_t place) { return individuals[front[place]].costs[k]; };
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return cost(a) < cost(b); });
    const double range = cost(order.back()) - cost(order.front());
    distances[order.front()] = distances[order.back()] = std::numeric_limits<double>::infinity();
    if (!(range > 0.0)) continue;
    for (std::size_t i = 1; i + 1 < order.size(); ++i) {
      distances[order[i]] += (cost(order[i + 1]) - cost(order[i - 1])) / range;
    }
  }
  return distances;
}

std::vector<std::size_t> best_of(std::span<const Individual> individuals, std::size_t count) {
  std::vector<std::size_t> best;
  for (const std::vector<std::size_t>& front : nondominated_fronts(individuals)) {
    const std::vector<double> distances = crowding_distances(individuals, front);
    std::vector<std::size_t> order(front.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return distances[a] > distances[b]; });
    for (const std::size_t place : order) {
      if (best.size() == count) return best;
      best.push_back(front[place]);
    }
  }
  return best;
}

std::vector<Genome> propose(const std::vector<Gene>& genes, std::span<const Individual> individuals,
                            const Generation& generation, const Random& random) {
  std::set<Genome> known;
  for (const Individual& individual : individuals) known.insert(rounded(genes, individual.genome));
  const std::vector<std::size_t> parents = best_of(individuals, generation.parents);
  const std::vector<Genome> spread =
      individuals.empty() ? latin_hypercube(genes, generation.size, random) : std::vector<Genome>();
  // Of two drawn by lot the better one breeds: parents are in order.
  const auto tournament = [&](Random& stream) -> const Genome& {
    const std::size_t winner = std::min(stream.below(parents.size()), stream.below(parents.size()));
    return individuals[parents[winner]].genome;
  };
  std::vector<Genome> proposed;
  for (std::size_t i = 0; i < generation.size; ++i) {
    Random stream = random.child("child", i);
    std::optional<Genome> genome;
    for (std::size_t attempt = 0; attempt < kTries + kRandomTries && !genome; ++attempt) {
      const bool breeds = attempt < kTries;
      Genome candidate;
      if (breeds && !spread.empty()) {
        candidate = attempt == 0 ? spread[i] : anywhere(genes, stream);
      } else if (breeds) {
        const Genome& first = tournament(stream);
        const Genome& second = tournament(stream);
        candidate = child_of(genes, first, second, stream);
      } else {
        candidate = anywhere(genes, stream);
      }
      if (!known.contains(rounded(genes, candidate))) genome = std::move(candidate);
    }
    if (!genome) genome = first_unknown(genes, known);
    if (!genome) break;
    known.insert(rounded(genes, *genome));
    proposed.push_back(std::move(*genome));
  }
  return proposed;
}

}  // namespace hysteron::explore
