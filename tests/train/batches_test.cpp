#include "train/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace hysteron::train {
namespace {

/// Label 0 has one group of 5 clips; label 1 has groups of 7, 3 and 20. Feature = 100 clip + frame.
ClipSet sample() {
  ClipSet set;
  const auto add = [&](std::uint32_t label, std::uint32_t group, int count) {
    for (int i = 0; i < count; ++i) {
      set.labels.push_back(label);
      set.groups.push_back(group);
    }
  };
  add(0, 4, 5);
  add(1, 0, 7);
  add(1, 1, 3);
  add(1, 2, 20);
  set.features = {set.size(), 10, 1, {}};
  for (std::size_t i = 0; i < set.size(); ++i) {
    for (std::size_t t = 0; t < 10; ++t) set.features.values.push_back(static_cast<float>(100 * i + t));
  }
  return set;
}

TEST(BatchSampling, DealsEvenlyOverLabelsAndTheirGroups) {
  const ClipSet clips = sample();
  BatchSampler sampler(clips, 2, {}, Random(1));
  std::map<std::uint32_t, int> groups;
  for (int i = 0; i < 3; ++i) {
    for (const Draw& draw : sampler.next(40)) ++groups[clips.groups[draw.clip]];
  }
  EXPECT_EQ(groups, (std::map<std::uint32_t, int>{{4, 60}, {0, 20}, {1, 20}, {2, 20}}));
}

TEST(BatchSampling, TakesEveryClipOfAGroupBeforeAnyTwice) {
  const ClipSet clips = sample();
  BatchSampler sampler(clips, 2, {}, Random(1));
  std::multiset<std::size_t> seen;
  for (const Draw& draw : sampler.next(120)) seen.insert(draw.clip);
  for (std::size_t clip = 15; clip < 35; ++clip) EXPECT_EQ(seen.count(clip), 1u) << clip;
  for (std::size_t clip = 0; clip < 5; ++clip) EXPECT_EQ(seen.count(clip), 12u) << clip;
}

TEST(BatchSampling, IsTheSameForTheSameSeed) {
  const ClipSet clips = sample();
  BatchSampler first(clips, 2, {3.0, 0.1}, Random(1));
  BatchSampler second(clips, 2, {3.0, 0.1}, Random(1));
  const auto a = first.next(50);
  const auto b = second.next(50);
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].clip, b[i].clip);
    EXPECT_EQ(a[i].shift, b[i].shift);
    EXPECT_EQ(a[i].speed, b[i].speed);
  }
}

TEST(FillShard, LaysClipsSideBySideAndLeavesOtherLanesWithoutWeight) {
  Shard shard;
  fill_shard(sample(), {{0}, {2}, {7}}, 1, 3, shard);
  EXPECT_EQ(shard.frames, 10u);
  EXPECT_EQ(shard.inputs[3 * kShardClips + 0], 203.0f);
  EXPECT_EQ(shard.inputs[3 * kShardClips + 1], 703.0f);
  EXPECT_EQ(shard.labels[1], 1u);
  EXPECT_EQ(shard.weights[1], 1.0f);
  EXPECT_EQ(shard.weights[2], 0.0f);
}

TEST(FillShard, ShiftsAndRepeatsTheEdges) {
  Shard shard;
  fill_shard(sample(), {{1, 2.0f}, {1, -3.0f}}, 0, 2, shard);
  for (const auto& [frame, later, earlier] : {std::tuple{0, 100, 103}, {2, 100, 105}, {5, 103, 108}, {9, 107, 109}}) {
    EXPECT_EQ(shard.inputs[static_cast<std::size_t>(frame) * kShardClips], static_cast<float>(later));
    EXPECT_EQ(shard.inputs[static_cast<std::size_t>(frame) * kShardClips + 1], static_cast<float>(earlier));
  }
}

TEST(FillShard, GainMovesTheFirstCoefficientAlone) {
  ClipSet clips{{1, 4, 2, {0, 10, 1, 11, 2, 12, 3, 13}}, {0}, {0}};
  Shard shard;
  fill_shard(clips, {{0, 0.0f, 1.0f, 0.5f}, {0, 0.0f, 1.0f, -2.0f}}, 0, 2, shard);
  for (std::size_t t = 0; t < 4; ++t) {
    EXPECT_EQ(shard.inputs[t * kShardClips], static_cast<float>(t) + 0.5f);
    EXPECT_EQ(shard.inputs[t * kShardClips + 1], static_cast<float>(t) - 2.0f);
    EXPECT_EQ(shard.inputs[(4 + t) * kShardClips], static_cast<float>(10 + t));
  }
}

TEST(FillShard, LaysOutWhatChangedClipGives) {
  const ClipSet clips = sample();
  const std::vector<Draw> draws = {{3, 2.0f, 1.07f, 0.3f}, {9, -4.0f, 0.93f, -0.1f}};
  Shard shard;
  fill_shard(clips, draws, 0, 2, shard);
  for (std::size_t lane = 0; lane < 2; ++lane) {
    const std::vector<float> changed = changed_clip(clips.features, draws[lane]);
    for (std::size_t t = 0; t < 10; ++t) EXPECT_EQ(shard.inputs[t * kShardClips + lane], changed[t]);
  }
}

TEST(Augmentation, AGainInDecibelIsAShareOfTheFirstCoefficient) {
  TrainConfig config;
  config.gain = 6.0;
  TrainingData data;
  EXPECT_EQ(augmentation_of(config, data).level, 0.0) << "clips normalised by themselves have no level";
  data.statistics = data::FeatureStatistics{{0.0f, 0.0f}, {50.0f, 10.0f}};
  const Augmentation augmentation = augmentation_of(config, data);
  EXPECT_NEAR(augmentation.level, 6.0 * 11.3137 / 50.0, 1e-5);
  const ClipSet clips = sample();
  BatchSampler sampler(clips, 2, augmentation, Random(1));
  float largest = 0.0f;
  for (const Draw& draw : sampler.next(200)) largest = std::max(largest, std::abs(draw.level));
  EXPECT_LE(largest, augmentation.level);
  EXPECT_GT(largest, 0.9 * augmentation.level);
}

TEST(FillShard, InterpolatesWhenTheSpeedChanges) {
  Shard shard;
  fill_shard(sample(), {{1, 0.0f, 0.5f}}, 0, 1, shard);
  EXPECT_FLOAT_EQ(shard.inputs[0], 102.25f);  // about the middle, 4.5, at half speed
  EXPECT_FLOAT_EQ(shard.inputs[9 * kShardClips], 106.75f);
}

}  // namespace
}  // namespace hysteron::train
