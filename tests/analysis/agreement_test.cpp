#include "analysis/agreement.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compile/small_network.h"

namespace hysteron::analysis {
namespace {

compile::CircuitTrace perfect(const model::Trace& software) {
  compile::CircuitTrace circuit;
  circuit.trace = software;
  circuit.power = {3e-9, 1e-9, 2e-9};
  return circuit;
}

class AgreementTest : public testing::Test {
 protected:
  model::Network network_ = small_network();
  model::Trace software_ = model::run_clip(network_, small_features());
  AgreementCounter counter_{network_};
};

TEST_F(AgreementTest, PerfectCircuitAgreesFully) {
  counter_.add(software_, perfect(software_));
  const Agreement total = counter_.total();
  EXPECT_EQ(total.clips, 1u);
  EXPECT_EQ(total.decision_agreement, 1.0);
  EXPECT_EQ(total.frame_agreement, 1.0);
  EXPECT_EQ(total.state_mismatch, 0.0);
  EXPECT_EQ(total.candidate_max, 0.0);
  EXPECT_DOUBLE_EQ(total.power.total, 3e-9);
}

TEST_F(AgreementTest, CountsWrongBitsAndLeavesThemOutOfTheStateError) {
  compile::CircuitTrace circuit = perfect(software_);
  const std::size_t bits = circuit.trace.states.size();
  circuit.trace.states[0] = network_.layers[0].alpha[0] - circuit.trace.states[0];  // flipped
  circuit.trace.states[1] += 0.01F;                                                 // only a little off
  counter_.add(software_, circuit);
  const Agreement total = counter_.total();
  EXPECT_DOUBLE_EQ(total.state_mismatch, 1.0 / static_cast<double>(bits));
  EXPECT_NEAR(total.state_max, 0.01, 1e-6);
  EXPECT_NEAR(total.state_rms, 0.01 / std::sqrt(static_cast<double>(bits - 1)), 1e-6);
}

TEST_F(AgreementTest, StateErrorsOfEveryCellAreOfItsOwnAlphaAndOffBitsDoNotHideThem) {
  compile::CircuitTrace circuit = perfect(software_);
  std::size_t on = 0;
  for (std::size_t t = 0; t < software_.frames; ++t) {
    if (software_.state(0, t, 1) == 0.0F) continue;
    circuit.trace.states[t * software_.cells + 1] *= 1.02F;
    ++on;
  }
  ASSERT_GT(on, 0u);
  ASSERT_LT(on, software_.frames) << "the cell has to be off, too";
  counter_.add(software_, circuit);
  const Agreement total = counter_.total();
  ASSERT_EQ(total.state_cells.size(), 2u);
  const CellStateError& worst = total.state_cells.front();
  EXPECT_EQ(worst.cell, 1u);
  EXPECT_NEAR(worst.alpha, network_.layers[0].alpha[1], 1e-7);
  EXPECT_EQ(worst.bits, software_.frames);
  EXPECT_EQ(worst.on_bits, on);
  EXPECT_NEAR(worst.on_relative_rms, 0.02, 1e-5);
  EXPECT_NEAR(worst.relative_rms, 0.02 * std::sqrt(double(on) / double(software_.frames)), 1e-5);
  EXPECT_EQ(total.state_worst_relative_rms, worst.on_relative_rms);
  EXPECT_EQ(total.state_cells.back().on_relative_rms, 0.0);
}

TEST_F(AgreementTest, AStateErrorOnIsUnknownOnlyWhereNoCellWasOn) {
  counter_.add(software_, perfect(software_));
  EXPECT_EQ(counter_.total().state_worst_relative_rms, 0.0);
  model::Network silent = small_network();
  silent.layers[0].beta_hi.setConstant(100.0F);
  silent.layers[0].beta_lo.setConstant(99.0F);
  silent.layers[0].initial_state.setZero();
  const model::Trace software = model::run_clip(silent, small_features());
  AgreementCounter counter(silent);
  counter.add(software, perfect(software));
  EXPECT_TRUE(std::isnan(counter.total().state_worst_relative_rms));
  EXPECT_TRUE(std::isnan(AgreementCounter(silent).total().state_worst_relative_rms)) << "nothing was played";
}

TEST_F(AgreementTest, CellsThatNeverSwitchAgreeForNothing) {
  model::Network network = small_network();
  network.layers[0].beta_hi[0] = 100.0F;  // out of reach: off for good
  network.layers[0].beta_lo[0] = 99.0F;
  const model::Trace software = model::run_clip(network, small_features());
  compile::CircuitTrace circuit = perfect(software);
  AgreementCounter counter(network);
  const float alpha = network.layers[0].alpha[1];
  circuit.trace.states[1] = alpha - circuit.trace.states[1];  // a wrong bit of the cell that switches
  circuit.trace.states[software.cells + 1] += 0.1F * alpha;   // and a current that is off
  counter.add(software, circuit);
  const SwitchingCells switching = counter.total().switching;
  EXPECT_EQ(switching.cells, 1U);
  EXPECT_EQ(switching.all, 2U);
  EXPECT_DOUBLE_EQ(switching.state_mismatch, 1.0 / static_cast<double>(software.frames));
  EXPECT_NEAR(switching.state_relative_rms, 0.1 / std::sqrt(static_cast<double>(software.frames - 1)), 1e-5);
}

TEST_F(AgreementTest, NoFigureOfCellsThatSwitchWhereNoneDoes) {
  model::Network network = small_network();
  network.layers[0].beta_hi.setConstant(100.0F);
  network.layers[0].beta_lo.setConstant(99.0F);
  const model::Trace software = model::run_clip(network, small_features());
  AgreementCounter counter(network);
  counter.add(software, perfect(software));
  const SwitchingCells switching = counter.total().switching;
  EXPECT_EQ(switching.cells, 0U);
  EXPECT_TRUE(std::isnan(switching.state_mismatch));
  EXPECT_TRUE(std::isnan(switching.state_relative_rms));
}

TEST_F(AgreementTest, BitsThatDifferAreNoStateErrorOfTheirCell) {
  compile::CircuitTrace circuit = perfect(software_);
  circuit.trace.states[0] = network_.layers[0].alpha[0] - circuit.trace.states[0];
  counter_.add(software_, circuit);
  for (const CellStateError& cell : counter_.total().state_cells) {
    EXPECT_EQ(cell.bits, software_.frames - (cell.cell == 0 ? 1 : 0));
    EXPECT_EQ(cell.on_relative_rms, 0.0);
  }
}

TEST_F(AgreementTest, RelativeErrorLooksAtCandidatesAboveTheFloor) {
  compile::CircuitTrace circuit = perfect(software_);
  for (float& candidate : circuit.trace.candidates) candidate *= candidate > kRelativeFloor ? 1.02F : 3.0F;
  counter_.add(software_, circuit);
  EXPECT_NEAR(counter_.total().candidate_relative_rms, 0.02, 1e-5);
}

TEST_F(AgreementTest, SuppressionIsTheCandidatesErrorOverThatOfTheStatesThatAgree) {
  EXPECT_TRUE(std::isnan(counter_.total().suppression.ratio)) << "no clip";
  compile::CircuitTrace circuit = perfect(software_);
  for (float& candidate : circuit.trace.candidates) candidate *= candidate > kRelativeFloor ? 1.02F : 1.0F;
  std::size_t on = 0;
  std::size_t bits = 0;
  for (std::size_t l = 0; l < software_.layers; ++l) {
    for (std::size_t t = 0; t < software_.frames; ++t) {
      for (std::size_t j = 0; j < network_.layers[l].cells(); ++j, ++bits) {
        float& state = circuit.trace.states[(l * software_.frames + t) * software_.cells + j];
        if (state == 0.0F) continue;
        state *= 1.001F;
        ++on;
      }
    }
  }
  ASSERT_GT(on, 2u);
  float& flipped = circuit.trace.states[software_.cells * (software_.frames - 1)];
  const bool was_on = flipped > 0.0F;
  flipped = was_on ? 0.0F : network_.layers[0].alpha[0];
  counter_.add(software_, circuit);
  const Agreement total = counter_.total();
  on -= was_on ? 1 : 0;
  EXPECT_EQ(total.suppression.bits, bits - 1) << "the bit that differs has no part in it";
  EXPECT_EQ(total.on_suppression.bits, on);
  EXPECT_NEAR(total.on_suppression.state_relative_rms, 0.001, 1e-6);
  EXPECT_NEAR(total.on_suppression.ratio, 20.0, 0.05);
  const double share = static_cast<double>(on) / static_cast<double>(bits - 1);
  EXPECT_NEAR(total.suppression.ratio, 20.0 / std::sqrt(share), 0.1);
}

TEST_F(AgreementTest, FramesAndDecisionsAreCountedOverClips) {
  compile::CircuitTrace inverted = perfect(software_);
  for (float& logit : inverted.trace.logits) logit = -logit;
  counter_.add(software_, perfect(software_));
  const ClipAgreement clip = counter_.add(software_, inverted);
  EXPECT_LT(clip.frame_agreement, 0.5);
  const Agreement total = counter_.total();
  EXPECT_EQ(total.clips, 2u);
  EXPECT_LT(total.frame_agreement, 0.75);
  EXPECT_GE(total.frame_agreement, 0.5);
}

}  // namespace
}  // namespace hysteron::analysis
