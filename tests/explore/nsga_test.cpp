#include "explore/nsga.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace hysteron::explore {
namespace {

using Indices = std::vector<std::size_t>;

std::vector<Individual> of_costs(const std::vector<std::vector<double>>& costs) {
  std::vector<Individual> individuals;
  for (const auto& one : costs) individuals.push_back({{}, one});
  return individuals;
}

TEST(Nsga, FrontsAreThoseThatNothingBetterIsLeftOf) {
  const auto individuals = of_costs({{1, 5}, {2, 6}, {3, 3}, {}, {5, 1}, {1, 5}, {4, 4}});
  const auto fronts = nondominated_fronts(individuals);
  ASSERT_EQ(fronts.size(), 3u);
  EXPECT_EQ(fronts[0], (Indices{0, 2, 4, 5})) << "equals do not dominate each other";
  EXPECT_EQ(fronts[1], (Indices{1, 6}));
  EXPECT_EQ(fronts[2], (Indices{3})) << "what is not feasible comes last";
}

TEST(Nsga, CrowdingIsTheNeighboursDistanceOverTheRange) {
  const auto individuals = of_costs({{0, 4}, {1, 3}, {2, 1}, {4, 0}});
  const auto distances = crowding_distances(individuals, Indices{0, 1, 2, 3});
  EXPECT_EQ(distances[0], std::numeric_limits<double>::infinity());
  EXPECT_EQ(distances[3], std::numeric_limits<double>::infinity());
  EXPECT_DOUBLE_EQ(distances[1], 2.0 / 4.0 + 3.0 / 4.0);
  EXPECT_DOUBLE_EQ(distances[2], 3.0 / 4.0 + 3.0 / 4.0);
  EXPECT_EQ(best_of(individuals, 3), (Indices{0, 3, 2}));
}

const std::vector<Gene> kMixed = {{0, true}, {8, true}, {4, false}};

/// Two objectives at odds over the first gene; the others have one best value, 5 and 2.
std::vector<double> costs(const Genome& genome) {
  const double off = std::abs(genome[1] - 5.0) / 8.0 + (genome[2] == 2.0 ? 0.0 : 0.3);
  return {genome[0] + off, (1.0 - genome[0]) * (1.0 - genome[0]) + off};
}

std::vector<Individual> search(std::size_t generations, std::uint64_t seed) {
  std::vector<Individual> individuals;
  for (std::size_t g = 0; g < generations; ++g) {
    for (const Genome& genome : propose(kMixed, individuals, {12, 12}, Random(seed).child("generation", g))) {
      individuals.push_back({genome, costs(genome)});
    }
  }
  return individuals;
}

TEST(Nsga, FindsTheFrontOfAMixedSpace) {
  const auto individuals = search(15, 1);
  ASSERT_EQ(individuals.size(), 180u);
  double low = 1.0;
  double high = 0.0;
  std::size_t right = 0;
  const auto front = nondominated_fronts(individuals).front();
  for (const std::size_t i : front) {
    right += individuals[i].genome[1] == 5.0 && individuals[i].genome[2] == 2.0 ? 1 : 0;
    low = std::min(low, individuals[i].genome[0]);
    high = std::max(high, individuals[i].genome[0]);
  }
  EXPECT_GE(front.size(), 20u);
  EXPECT_EQ(right, front.size());
  EXPECT_LT(low, 0.1);
  EXPECT_GT(high, 0.9);
}

TEST(Nsga, ProposalsFollowFromTheSeedAndTheIndividualsAlone) {
  const auto first = search(4, 7);
  const auto second = search(4, 7);
  const auto other = search(4, 8);
  ASSERT_EQ(first.size(), second.size());
  std::size_t differing = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].genome, second[i].genome);
    differing += first[i].genome == other[i].genome ? 0 : 1;
  }
  EXPECT_GT(differing, 40u);
}

TEST(Nsga, FirstGenerationTakesEveryPartOfEveryGene) {
  const auto genomes = propose(kMixed, {}, {8, 8}, Random(3));
  std::set<int> parts;
  std::set<double> levels;
  for (const Genome& genome : genomes) {
    parts.insert(static_cast<int>(8.0 * genome[0]));
    levels.insert(genome[1]);
  }
  EXPECT_EQ(parts.size(), 8u);
  EXPECT_EQ(levels.size(), 8u);
}

TEST(Nsga, ProposesNothingThatIsNearlyTheSame) {
  const auto individuals = search(15, 1);
  for (std::size_t i = 0; i < individuals.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Genome& a = individuals[i].genome;
      const Genome& b = individuals[j].genome;
      EXPECT_FALSE(a[1] == b[1] && a[2] == b[2] && std::round(32.0 * a[0]) == std::round(32.0 * b[0])) << i << " " << j;
    }
  }
}

TEST(Nsga, ProposesNoGenomeTwiceAndEndsWithTheSpace) {
  const std::vector<Gene> genes = {{3, true}, {4, false}};
  std::set<Genome> seen;
  std::vector<Individual> individuals;
  for (std::size_t g = 0; g < 4; ++g) {
    for (const Genome& genome : propose(genes, individuals, {5, 5}, Random(2).child("generation", g))) {
      EXPECT_TRUE(seen.insert(genome).second);
      individuals.push_back({genome, {genome[0], -genome[1]}});
    }
  }
  EXPECT_EQ(individuals.size(), 12u);
}

}  // namespace
}  // namespace hysteron::explore
