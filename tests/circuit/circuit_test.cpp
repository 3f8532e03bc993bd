#include "circuit/circuit.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace hysteron::circuit {
namespace {

TEST(Circuit, GivesTheSameNetForTheSameName) {
  Circuit circuit;
  const NetId a = circuit.net("a");
  EXPECT_EQ(circuit.net("a"), a);
  EXPECT_NE(circuit.net("b"), a);
  EXPECT_EQ(circuit.net_name(a), "a");
  EXPECT_EQ(circuit.net("0"), Circuit::kGround);
  EXPECT_EQ(circuit.net("vdd"), Circuit::kSupply);
}

TEST(Circuit, RefusesNamesThatCouldSpeakToANetlist) {
  Circuit circuit;
  for (const char* name : {"", "a b", "a\nb", "A", "a'b", "a;b", ".include", "$x"}) {
    EXPECT_THROW(circuit.net(name), std::logic_error) << name;
  }
}

TEST(Circuit, RefusesTwoDevicesOfOneName) {
  Circuit circuit;
  Transistor transistor{"m1", "layer0/cell1", Polarity::kN, Role::kCell, 0, 0, 0, 1e-6, 1e-6};
  circuit.add(transistor);
  EXPECT_THROW(circuit.add(transistor), std::logic_error);
  transistor.block = "layer0_cell1";  // another block whose joined name would be the same
  EXPECT_THROW(circuit.add(transistor), std::logic_error);
}

TEST(Circuit, RefusesTwoCapacitorsOfOneName) {
  Circuit circuit;
  circuit.add(Capacitor{"v0", "layer0/cell1", circuit.net("a"), 1e-14});
  EXPECT_THROW(circuit.add(Capacitor{"v0", "layer0/cell1", circuit.net("b"), 1e-14}), std::logic_error);
  EXPECT_THROW(circuit.add(Capacitor{"V 0", "", circuit.net("b"), 1e-14}), std::logic_error);
  EXPECT_EQ(circuit.capacitors().size(), 1u);
}

TEST(Circuit, JoinsBlockAndName) {
  Circuit circuit;
  const DeviceId id = circuit.add({"m3", "layer0/cell1", Polarity::kN, Role::kCell, 0, 0, 0, 1e-6, 1e-6});
  EXPECT_EQ(circuit.full_name(id), "layer0_cell1_m3");
  EXPECT_EQ(joined_name("", "m3"), "m3");
}

}  // namespace
}  // namespace hysteron::circuit
