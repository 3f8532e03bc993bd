// A chip of known constants on a bench: what compare finds of it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "analysis/chip_bench.h"
#include "analysis/frozen_network.h"
#include "analysis/measured_agreement.h"
#include "analysis/parameter_fit.h"
#include "analysis/stimulus.h"
#include "base/error.h"
#include "model/model_testing.h"

namespace hysteron::analysis {
namespace {

constexpr double kSigma = 0.1 / 3.0;

/// Every constant off by kSigma.
model::DieErrors mismatch(const model::Network& network, std::uint64_t seed) {
  Random random(seed);
  model::DieErrors errors = model::DieErrors::none(network);
  const auto draw = [&](auto& values) {
    for (Eigen::Index i = 0; i < values.size(); ++i) values.data()[i] = static_cast<float>(kSigma * random.normal());
  };
  const auto draw_affine = [&](model::Affine& affine) {
    draw(affine.weight);
    draw(affine.bias);
  };
  draw_affine(errors.input);
  for (model::LayerErrors& layer : errors.layers) {
    draw_affine(layer.candidate);
    draw_affine(layer.output);
    for (model::Vector* values : {&layer.threshold, &layer.width, &layer.gain}) draw(*values);
  }
  draw_affine(errors.readout);
  return errors;
}

const Stimulus& played() {
  static const Stimulus stimulus = make_stimulus(trained_like(), {});
  return stimulus;
}

/// The stimulus played to a chip with mismatch, and what was found of it.
struct Silicon {
  model::Network network = trained_like();
  model::DieErrors errors = mismatch(network, 3);
  model::Network chip = model::on_die(network, errors);
  const Stimulus& stimulus = played();
  ChipBench bench{chip, stimulus.features};
  std::vector<MeasuredClip> clips{align(bench.record(), network, stimulus.features.clip(0), {})};
  ThresholdFit thresholds = fit_thresholds(clips, network);
};

const Silicon& silicon() {
  static const Silicon instance;
  return instance;
}

TEST(ThresholdFit, FindsThresholdsAndGainsOfAChipWithinATenthOfTheirDeviation) {
  const Silicon& it = silicon();
  double threshold_squares = 0.0;
  double gain_squares = 0.0;
  std::size_t thresholds = 0;
  for (const CellConstants& cell : it.thresholds.cells) {
    const model::Layer& layer = it.chip.layers[cell.layer];
    const model::Layer& nominal = it.network.layers[cell.layer];
    const auto j = static_cast<Eigen::Index>(cell.cell);
    if (cell.rises > 0) {
      threshold_squares += std::pow((cell.rise.value - layer.beta_hi[j]) / nominal.beta_hi[j], 2);
      ++thresholds;
    }
    if (cell.falls > 0) {
      threshold_squares += std::pow((cell.fall.value - layer.beta_lo[j]) / nominal.beta_hi[j], 2);
      ++thresholds;
    }
    ASSERT_TRUE(cell.high.known());
    gain_squares += std::pow((cell.high.value - layer.alpha[j]) / nominal.alpha[j], 2);
  }
  EXPECT_GE(thresholds, 12u);
  EXPECT_LT(std::sqrt(threshold_squares / static_cast<double>(thresholds)), 0.1 * kSigma);
  EXPECT_LT(std::sqrt(gain_squares / 8.0), 0.1 * kSigma);
  EXPECT_NEAR(it.thresholds.sets.exponent, 0.5, 0.101);
  EXPECT_GT(it.thresholds.sets.coefficient, 0.0);
}

TEST(ThresholdFit, ACellThatNothingResetsHasALowerThresholdOfNothing) {
  model::Network network = trained_like();
  network.layers[0].beta_lo[0] = 0.03F;
  model::Network chip = network;
  chip.layers[0].beta_lo[0] = 0.0F;
  const Stimulus stimulus = make_stimulus(network, {});
  ChipBench bench(chip, stimulus.features);
  const std::vector<MeasuredClip> clips = {align(bench.record(), network, stimulus.features.clip(0), {})};
  const CellConstants cell = fit_thresholds(clips, network).cells.front();
  EXPECT_EQ(cell.falls, 0u);
  EXPECT_EQ(cell.fall.value, 0.0);
  EXPECT_LT(cell.fall.interval.high, 0.01);
}

TEST(ThresholdFit, NeedsRampsThatAreStraight) {
  Silicon it;
  for (data::MeasuredSignal& signal : it.bench.record().signals) {
    if (signal.name != "layers.0.candidate[0]") continue;
    for (std::size_t i = 0; i < signal.values.size(); ++i) signal.values[i] += (i / 40 % 2 == 0 ? 0.1 : -0.1) * kUnit;
  }
  for (const Switching& seen : find_switchings(it.clips.front(), it.network)) {
    EXPECT_FALSE(seen.layer == 0 && seen.cell == 0);
  }
  const CellConstants cell = fit_thresholds(it.clips, it.network).cells.front();
  EXPECT_EQ(cell.rises, 0u);
  EXPECT_EQ(cell.falls, 0u);
}

TEST(ThresholdFit, NoiseOfTheProbeIsNoBend) {
  Silicon it;
  const std::size_t quiet = find_switchings(it.clips.front(), it.network).size();
  Random random(5);
  for (data::MeasuredSignal& signal : it.bench.record().signals) {
    for (double& value : signal.values) value += 0.01 * 0.8 * kUnit * random.normal();
  }
  const std::vector<Switching> seen = find_switchings(it.clips.front(), it.network);
  EXPECT_GE(seen.size(), quiet - quiet / 20) << "a twentieth may be lost";
  const ThresholdFit noisy = fit_thresholds(it.clips, it.network);
  for (std::size_t i = 0; i < noisy.cells.size(); ++i) {
    const CellConstants& cell = noisy.cells[i];
    const double upper = it.network.layers[cell.layer].beta_hi[static_cast<Eigen::Index>(cell.cell)];
    if (it.thresholds.cells[i].rises > 0) {
      EXPECT_NEAR(cell.rise.value, it.thresholds.cells[i].rise.value, 0.01 * upper);
    }
    if (it.thresholds.cells[i].falls > 0) {
      EXPECT_NEAR(cell.fall.value, it.thresholds.cells[i].fall.value, 0.01 * upper);
    }
  }
}

TEST(ParameterFit, TheModelWithTheConstantsDoesWhatTheChipDoes) {
  const Silicon& it = silicon();
  const ParameterFit fit = fit_parameters(it.clips, it.thresholds, it.network, it.stimulus.features, {0});
  EXPECT_GT(fit.before, 0.01);
  EXPECT_LT(fit.after, 0.1 * fit.before);
  // On features that the bench never played.
  Random random(8);
  std::vector<float> features(200 * 6);
  for (float& value : features) value = static_cast<float>(random.normal());
  const model::Trace chip = model::run_clip(it.chip, features);
  const model::Trace fitted = model::run_clip(model::on_die(it.network, fit.errors), features);
  const model::Trace software = model::run_clip(it.network, features);
  const auto wrong = [&](const model::Trace& trace) {
    std::size_t bits = 0;
    for (std::size_t i = 0; i < chip.states.size(); ++i)
      bits += (chip.states[i] > 0.0F) != (trace.states[i] > 0.0F) ? 1 : 0;
    return bits;
  };
  EXPECT_GT(wrong(software), 20u);
  EXPECT_LT(wrong(fitted), wrong(software) / 4);
}

/// A candidate that is off shows the noise of the probe around zero, not what software has below it.
TEST(ParameterFit, NoiseOfTheProbeIsNoErrorOfTheChip) {
  Silicon it;
  Random random(5);
  for (data::MeasuredSignal& signal : it.bench.record().signals) {
    for (double& value : signal.values) value += 0.03 * kUnit * random.normal();
  }
  const std::vector<MeasuredClip> noisy{align(it.bench.record(), it.network, it.stimulus.features.clip(0), {})};
  const ParameterFit quiet = fit_parameters(it.clips, it.thresholds, it.network, it.stimulus.features, {0});
  const ParameterFit fit = fit_parameters(noisy, it.thresholds, it.network, it.stimulus.features, {0});
  EXPECT_LT(fit.before, std::hypot(quiet.before, 0.03) * 1.1);
  EXPECT_LT(fit.after, std::hypot(quiet.after, 0.03) * 1.25);
  const model::Affine& calm = quiet.errors.layers[0].candidate;
  EXPECT_LT((fit.errors.layers[0].candidate.weight - calm.weight).norm(), 0.5F * calm.weight.norm());
}

TEST(Rails, GainAndOffsetAreThoseOfTheBench) {
  const model::Network network = trained_like();
  const Stimulus& stimulus = played();
  ChipBench bench(network, stimulus.features);
  for (data::MeasuredSignal& signal : bench.record().signals) {
    if (signal.name != "layers.0.candidate[2]" && signal.name != "logit[1]") continue;
    for (double& value : signal.values) value = 1.03 * value + 0.02 * kUnit;
  }
  const std::vector<MeasuredClip> clips = {align(bench.record(), network, stimulus.features.clip(0), {})};
  for (const RailConstants& rail : fit_rails(clips, network, stimulus.features, {0}, 1)) {
    const bool is_off = rail.is_logit ? rail.index == 1 : (rail.layer == 0 && rail.index == 2);
    EXPECT_NEAR(rail.gain.value, is_off ? 1.03 : 1.0, 1e-3) << rail.layer << " " << rail.index;
    EXPECT_NEAR(rail.offset.value, is_off ? 0.02 : 0.0, 1e-3) << rail.layer << " " << rail.index;
    EXPECT_LE(rail.gain.interval.low, rail.gain.value + 1e-9);
    EXPECT_GE(rail.gain.interval.high, rail.gain.value - 1e-9);
  }
}

TEST(FrozenNetwork, DerivativesAreThoseOfItsValues) {
  const model::Network network = trained_like();
  Random random(2);
  const auto matrix = [&](Eigen::Index rows, Eigen::Index columns) {
    Eigen::MatrixXd result(rows, columns);
    for (Eigen::Index i = 0; i < result.size(); ++i) result.data()[i] = random.normal();
    return result;
  };
  FrozenNetwork frozen(network, matrix(6, 7), {matrix(4, 7).cwiseAbs(), matrix(4, 7).cwiseAbs()});
  const Eigen::VectorXd direction = matrix(frozen.nominal().size(), 1);
  constexpr double kSmall = 1e-6;
  const auto above = frozen.run(frozen.nominal() + kSmall * direction);
  const auto below = frozen.run(frozen.nominal() - kSmall * direction);
  frozen.run(frozen.nominal());
  const auto change = frozen.forward(direction);
  FrozenNetwork::Values weights;
  double product = 0.0;
  for (std::size_t p = 0; p < change.size(); ++p) {
    EXPECT_LT(((above[p] - below[p]) / (2.0 * kSmall) - change[p]).cwiseAbs().maxCoeff(), 1e-5) << p;
    weights.push_back(matrix(change[p].rows(), change[p].cols()));
    product += change[p].cwiseProduct(weights.back()).sum();
  }
  EXPECT_NEAR(frozen.backward(weights).dot(direction), product, 1e-9 * std::abs(product) + 1e-9);
}

class Aligned : public testing::Test {
 protected:
  Aligned() {
    Random random(9);
    features_ = {1, 60, 6, std::vector<float>(360)};
    for (float& value : features_.values) value = static_cast<float>(random.normal());
    bench_ = std::make_unique<ChipBench>(network_, features_);
  }

  MeasuredClip align_here(const BenchScale& scale = {}) const {
    return align(bench_->record(), network_, features_.clip(0), scale);
  }

  model::Network network_ = trained_like();
  data::Features features_;
  std::unique_ptr<ChipBench> bench_;
};

TEST_F(Aligned, ARecordOfTheFramesBeginsWithThem) {
  const MeasuredClip clip = align_here();
  EXPECT_EQ(clip.begin, 0.0);
  const MeasuredAgreement agreement = measure_agreement({clip}, network_, 1);
  EXPECT_LT(agreement.candidate_rms.value, 0.2);
  EXPECT_LE(agreement.candidate_rms.interval.low, agreement.candidate_rms.value);
  EXPECT_GE(agreement.candidate_rms.interval.high, agreement.candidate_rms.value);
  EXPECT_GE(agreement.frame_agreement.interval.high, agreement.frame_agreement.value);
  EXPECT_EQ(agreement.decision_agreement.value, 1.0);
  EXPECT_LT(agreement.decision_agreement.interval.low, 0.5) << "one clip says little";
}

/// 450 clips of three blocks each are enough for both limits, ten are not, and a signal that is missing leaves it open.
TEST_F(Aligned, WhetherItDoesWhatSoftwareDoesHangsOnBothIntervals) {
  MeasuredClip same = align_here();
  same.read = same.software;
  for (std::size_t i = 0; i < same.bits.size(); ++i) same.bits[i] = same.software.states[i] > 0.0F ? 1 : 0;
  const auto verdict = [&](const MeasuredClip& clip, std::size_t copies) {
    return measure_agreement(std::vector<MeasuredClip>(copies, clip), network_, 1).as_software;
  };
  EXPECT_EQ(verdict(same, 450), Verdict::kConfirmed);
  EXPECT_EQ(verdict(same, 10), Verdict::kUndecided);
  MeasuredClip wrong = same;
  for (std::size_t t = 0; t < 30; ++t) {
    char& bit = wrong.bits[t * wrong.read.cells];
    bit = bit == 0 ? 1 : 0;
  }
  EXPECT_EQ(verdict(wrong, 450), Verdict::kRefuted) << "half of the bits of one of eight cells";
  MeasuredClip mute = same;
  for (auto& layer : mute.states) std::fill(layer.begin(), layer.end(), Curve());
  EXPECT_EQ(verdict(mute, 450), Verdict::kUndecided);
}

class Padded : public Aligned {
 protected:
  /// Puts `before` samples in front of the record and `after` behind it, all with a little noise; frames that the
  /// beginning which is then found is late by.
  double late(const model::Network& chip, double ramp, std::size_t before, std::size_t after, const char* part = "") {
    bench_ = std::make_unique<ChipBench>(chip, features_, ramp);
    data::MeasuredRecord& record = bench_->record();
    std::erase_if(record.signals,
                  [&](const data::MeasuredSignal& signal) { return signal.name.find(part) == std::string::npos; });
    auto time = std::make_shared<std::vector<double>>();
    for (std::size_t i = 0; i < record.signals.front().values.size() + before + after; ++i)
      time->push_back(5.0 + static_cast<double>(i) * kStep);
    Random random(4);
    for (data::MeasuredSignal& signal : record.signals) {
      signal.values.insert(signal.values.begin(), before, signal.values.front());
      signal.values.insert(signal.values.end(), after, signal.values.back());
      for (double& value : signal.values) value += 0.005 * kUnit * random.normal();
      signal.time = time;
    }
    return (align_here().begin - 5.0 - static_cast<double>(before) * kStep) / network_.frame_seconds;
  }
};

/// Steps and lines as long as a frame, of the chip and of one that is off: a little early, hardly late, which would
/// read the next frame. A record may stand still for longer than it has frames.
TEST_F(Padded, ALongerRecordIsLookedThrough) {
  const model::Network off = model::on_die(network_, mismatch(network_, 3));
  for (const model::Network* chip : {&std::as_const(network_), &off}) {
    for (const double ramp : {0.0, 0.5, 1.0}) {
      for (const auto& [before, after] : {std::pair(274, 50), std::pair(3000, 20), std::pair(20, 3000)}) {
        const double frames = late(*chip, ramp, static_cast<std::size_t>(before), static_cast<std::size_t>(after));
        EXPECT_GE(frames, -0.35) << ramp << " " << before;
        EXPECT_LE(frames, 0.05) << ramp << " " << before;
      }
    }
  }
  BenchScale scale;
  scale.begin = 5.137;
  EXPECT_EQ(align_here(scale).begin, 5.137);
}

TEST_F(Padded, ALongerRecordOfSomeSignalsIsLookedThroughToo) {
  const double candidates = late(network_, 1.0, 274, 50, "candidate");
  EXPECT_GE(candidates, -0.35);
  EXPECT_LE(candidates, 0.05);
  const double states = late(network_, 0.0, 274, 50, "state");
  EXPECT_GE(states, -1.0);
  EXPECT_LE(states, 1.0);
}

TEST_F(Padded, AClipOfOneFrameHasNothingToBeFoundBy) {
  features_ = {1, 1, 6, {features_.values.begin(), features_.values.begin() + 6}};
  EXPECT_TRUE(std::isfinite(late(network_, 0.0, 100, 100)));
}

TEST_F(Aligned, WaveformsOfAnotherUnitCurrentAreRefused) {
  bench_->record().unit_current = kUnit;
  EXPECT_NO_THROW(align_here());
  bench_->record().unit_current = 2.0 * kUnit;
  try {
    align_here();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_NE(std::string(error.what()).find("unit_current"), std::string::npos) << error.what();
  }
}

TEST_F(Aligned, WhatIsMissingHasNoFigure) {
  std::erase_if(bench_->record().signals,
                [](const data::MeasuredSignal& signal) { return signal.name.find("candidate") == std::string::npos; });
  const MeasuredClip clip = align_here();
  const MeasuredAgreement agreement = measure_agreement({clip}, network_, 1);
  EXPECT_TRUE(agreement.candidate_rms.known());
  for (const Estimate* none : {&agreement.decision_agreement, &agreement.frame_agreement, &agreement.state_mismatch,
                               &agreement.state_rms, &agreement.logit_rms}) {
    EXPECT_FALSE(none->known());
  }
  EXPECT_EQ(measure_growth({clip}, network_, 1).bounded, Verdict::kUndecided);
  EXPECT_EQ(measure_chip_suppression({clip}, network_, 1).claim, Verdict::kUndecided);
  EXPECT_FALSE(fit_thresholds({clip}, network_).cells.front().high.known());
}

TEST_F(Aligned, VoltagesAreCurrentsOverATransresistance) {
  const MeasuredClip before = align_here();
  data::MeasuredSignal& signal = bench_->record().signals.front();
  signal.is_voltage = true;
  for (double& value : signal.values) value *= 1e8;
  BenchScale scale;
  scale.transresistance = 1e8;
  EXPECT_NEAR(align_here(scale).read.candidate(0, 30, 0), before.read.candidate(0, 30, 0), 1e-5);
  try {
    align_here();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("transresistance"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("layers.0.candidate[0]"), std::string::npos);
  }
}

TEST_F(Aligned, AForeignSignalAndAShortRecordAreRefused) {
  const auto refused = [&](const std::vector<std::string>& parts) {
    try {
      align_here();
      ADD_FAILURE() << parts.front();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      for (const std::string& part : parts)
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  bench_->record().signals.front().name = "layers.2.state[0]";
  refused({"'bench'", "column", "'layers.2.state[0]'", "not a signal of the model"});
  bench_->record().signals.front().name = "layers.0.candidate[0]";
  auto time = std::make_shared<std::vector<double>>(bench_->record().signals.front().time->begin(),
                                                    bench_->record().signals.front().time->begin() + 1000);
  for (data::MeasuredSignal& signal : bench_->record().signals) {
    signal.time = time;
    signal.values.resize(1000);
  }
  refused({"'bench'", "60 frames", "0.4995 s"});
}

/// Clips in which every cell holds a state that is on, its candidate and output moved by `disturb(frame, cell state)`.
template <typename Disturb>
std::vector<MeasuredClip> held_clips(const model::Network& network, double input_noise, const Disturb& disturb) {
  std::vector<MeasuredClip> clips(12);
  Random random(21);
  for (MeasuredClip& clip : clips) {
    clip.frame_seconds = network.frame_seconds;
    model::Trace& read = clip.read;
    read.frames = 80;
    read.layers = 2;
    read.cells = 4;
    read.outputs = 2;
    read.states.assign(2 * 80 * 4, 0.0F);
    read.candidates = read.states;
    read.logits.assign(160, 0.0F);
    clip.software = read;
    clip.bits.assign(read.states.size(), 1);
    static const data::MeasuredSignal kSignal;
    clip.candidates.assign(2, std::vector<Curve>(4, Curve(kSignal, 1.0)));
    clip.states = clip.candidates;
    for (std::size_t l = 0; l < 2; ++l) {
      for (std::size_t j = 0; j < 4; ++j) {
        double walk = 0.0;
        const double alpha = network.layers[l].alpha[static_cast<Eigen::Index>(j)];
        const double upper = network.layers[l].beta_hi[static_cast<Eigen::Index>(j)];
        for (std::size_t t = 0; t < 80; ++t) {
          const std::size_t place = (l * 80 + t) * 4 + j;
          read.candidates[place] = static_cast<float>(upper * (0.8 + input_noise * random.normal()));
          read.states[place] = static_cast<float>(alpha * (1.0 + disturb(random, walk)));
        }
      }
    }
  }
  return clips;
}

TEST(ErrorGrowth, TellsErrorsThatAddUpFromThoseThatDoNot) {
  const model::Network network = trained_like();
  const auto walking =
      held_clips(network, 0.1, [](Random& random, double& walk) { return walk += 0.003 * random.normal(); });
  const ErrorGrowth grows = measure_growth(walking, network, 1);
  EXPECT_NEAR(grows.growth.value, 1.0, 0.3);
  EXPECT_EQ(grows.bounded, Verdict::kRefuted);
  EXPECT_EQ(grows.holds, 96u);
  const auto still = held_clips(network, 0.1, [](Random& random, double&) { return 0.003 * random.normal(); });
  const ErrorGrowth stays = measure_growth(still, network, 1);
  EXPECT_NEAR(stays.growth.value, 0.0, 0.2);
  EXPECT_EQ(stays.bounded, Verdict::kConfirmed);
  EXPECT_NEAR(stays.rms.value, 0.003, 3e-4);
}

/// One of eight cells just below 20, as chance has it: its interval of 95 % says so, that of 99.4 % does not.
TEST(MeasuredSuppression, OneOfManyCellsBelowRefutesByMoreThanChance) {
  const model::Network network = trained_like();
  std::size_t below = 0;
  for (const double output : {0.0050, 0.0051, 0.0052, 0.0053, 0.0054}) {
    const auto clips = held_clips(network, 0.1, [&](Random& random, double&) { return output * random.normal(); });
    const MeasuredSuppression found = measure_chip_suppression(clips, network, 1);
    const bool one_below = std::any_of(found.cells.begin(), found.cells.end(), [](const CellSuppression& cell) {
      return cell.on && cell.ratio.high < kClaimedSuppression;
    });
    below += one_below && found.claim == Verdict::kUndecided ? 1 : 0;
  }
  EXPECT_GE(below, 1U);
}

/// One cell at a tenth of what the others have: twelve holds of it refute, six do not.
TEST(MeasuredSuppression, ACellFarBelowRefutesWithHoldsEnough) {
  const model::Network network = trained_like();
  const float alpha = network.layers[0].alpha[0];
  auto clips = held_clips(network, 0.1, [&](Random& random, double&) { return 0.001 * random.normal(); });
  for (MeasuredClip& clip : clips) {
    for (std::size_t t = 0; t < clip.read.frames; ++t) {
      float& state = clip.read.states[t * clip.read.cells];
      if (state > 0.5F * alpha) state = alpha + 10.0F * (state - alpha);
    }
  }
  ASSERT_EQ(measure_chip_suppression(clips, network, 1).cells.front().holds, 12U);
  EXPECT_EQ(measure_chip_suppression(clips, network, 1).claim, Verdict::kRefuted);
  clips.resize(clips.size() / 2);
  EXPECT_EQ(measure_chip_suppression(clips, network, 1).claim, Verdict::kUndecided);
}

TEST(MeasuredSuppression, IsTheRatioOfDeviationsAndItsClaimHangsOnTheInterval) {
  const model::Network network = trained_like();
  for (const auto& [output, verdict] :
       {std::pair{0.001, Verdict::kConfirmed}, {0.02, Verdict::kRefuted}, {0.0048, Verdict::kUndecided}}) {
    const auto clips =
        held_clips(network, 0.1, [&, noise = output](Random& random, double&) { return noise * random.normal(); });
    const MeasuredSuppression found = measure_chip_suppression(clips, network, 1);
    EXPECT_EQ(found.claim, verdict) << output;
    const Ratio& ratio = found.cells.front().ratio;
    EXPECT_NEAR(ratio.value * output / 0.1, 1.0, 0.15);
    EXPECT_LT(ratio.low, ratio.value);
    EXPECT_GT(ratio.high, ratio.value);
    EXPECT_EQ(found.cells.front().holds, 12u);
  }
}

}  // namespace
}  // namespace hysteron::analysis
