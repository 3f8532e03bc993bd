#include "studies/rail_times.h"

#include <gtest/gtest.h>

#include <map>

#include "compile/ideal_curves.h"
#include "compile/renamed_circuit.h"
#include "compile/small_network.h"

namespace hysteron::studies {
namespace {

/// Rails of every kind, and the devices that hold them, of a clip in which nothing was watched yet.
std::map<std::string, std::size_t> kinds_of(const compile::CompiledNetwork& network) {
  std::map<std::string, std::size_t> result;
  for (const RailSettling& kind : RailTimes(network).kinds()) result[kind.kind] = kind.rails;
  return result;
}

TEST(RailTimes, KnowRailsByWhatTheyCarryNotByTheirNames) {
  compile::CompiledNetwork network =
      compile::build_network(small_network(), technology::load_technology("generic180"), compile::ideal_curves(), {});
  const auto before = kinds_of(network);
  EXPECT_EQ(before.at("input, N rail"), 4U) << "two terminals of each input";
  EXPECT_EQ(before.at("candidate, N rail"), 2U);
  EXPECT_EQ(before.at("candidate, P rail"), 2U) << "of M1";
  EXPECT_EQ(before.at("state, P rail"), 2U) << "M4";
  EXPECT_EQ(before.at("state, N rail"), 1U) << "of the cell that a negative weight reads";
  EXPECT_EQ(before.at("layer output, N rail"), 2U);
  EXPECT_EQ(before.at("signed value, N rail"), 8U)
      << "positive parts of four values, and copied rails of their negative parts";
  EXPECT_EQ(before.count("other, N rail") + before.count("other, P rail"), 0U);
  network.circuit = renamed(network.circuit);
  EXPECT_EQ(kinds_of(network), before);
}

}  // namespace
}  // namespace hysteron::studies
