#include "train/batches.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace hysteron::train {

BatchSampler::BatchSampler(const ClipSet& clips, std::size_t labels, const Augmentation& augmentation,
                           const Random& random)
    : labels_(labels),
      turn_(labels, 0),
      augmentation_(augmentation),
      order_(random.child("order")),
      change_(random.child("change")) {
  std::vector<std::map<std::uint32_t, Group>> groups(labels);
  for (std::size_t i = 0; i < clips.size(); ++i) groups[clips.labels[i]][clips.groups[i]].clips.push_back(i);
  for (std::size_t label = 0; label < labels; ++label) {
    for (auto& [name, group] : groups[label]) {
      group.used = group.clips.size();
      labels_[label].push_back(std::move(group));
    }
  }
}

std::size_t BatchSampler::deal(Group& group) {
  if (group.used == group.clips.size()) {
    order_.shuffle(group.clips);
    group.used = 0;
  }
  return group.clips[group.used++];
}

void augment(Draw& draw, const Augmentation& augmentation, Random& random) {
  const auto change = [&](double most) { return most > 0.0 ? random.uniform(-most, most) : 0.0; };
  draw.shift = std::round(static_cast<float>(change(augmentation.time_shift)));
  draw.speed = static_cast<float>(1.0 + change(augmentation.speed));
  draw.level = static_cast<float>(change(augmentation.level));
}

std::vector<Draw> BatchSampler::next(std::size_t size) {
  std::vector<Draw> draws(size);
  for (Draw& draw : draws) {
    const std::size_t label = drawn_++ % labels_.size();
    std::vector<Group>& groups = labels_[label];
    draw.clip = deal(groups[turn_[label]++ % groups.size()]);
    augment(draw, augmentation_, change_);
  }
  return draws;
}

namespace {

/// Two frames of a clip and the weight of the second.
struct Source {
  const float* first = nullptr;
  const float* second = nullptr;
  float weight = 0.0f;

  float value(std::size_t i) const { return first[i] + weight * (second[i] - first[i]); }
};

/// Where frame t of a changed clip comes from: time runs at `speed` about the middle, then shifts.
Source locate(const data::Features& features, const Draw& draw, std::size_t frame) {
  const float last = static_cast<float>(features.frames - 1);
  const float middle = 0.5f * last;
  const float place = std::clamp((static_cast<float>(frame) - draw.shift - middle) * draw.speed + middle, 0.0f, last);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, features.frames - 1);
  const float* clip = features.values.data() + draw.clip * features.frames * features.width;
  return {clip + below * features.width, clip + above * features.width, place - static_cast<float>(below)};
}

}  // namespace

Augmentation augmentation_of(const TrainConfig& config, const TrainingData& data) {
  Augmentation augmentation{static_cast<double>(config.time_shift), config.speed, 0.0};
  if (config.gain > 0.0 && data.statistics) {
    augmentation.level = config.gain * data::Mfcc::kLevelOfDecibel / data.statistics->deviation.front();
  }
  return augmentation;
}

std::vector<float> changed_clip(const data::Features& features, const Draw& draw) {
  std::vector<float> frames;
  frames.reserve(features.frames * features.width);
  for (std::size_t t = 0; t < features.frames; ++t) {
    const Source source = locate(features, draw, t);
    for (std::size_t i = 0; i < features.width; ++i) frames.push_back(source.value(i) + (i == 0 ? draw.level : 0.0f));
  }
  return frames;
}

void fill_shard(const ClipSet& clips, const std::vector<Draw>& draws, std::size_t begin, std::size_t end,
                Shard& shard) {
  const data::Features& features = clips.features;
  const std::size_t used = end - begin;
  shard.frames = features.frames;
  shard.inputs.resize(features.width * features.frames * kShardClips);
  shard.weights.fill(0.0f);
  shard.labels.fill(0);
  for (std::size_t lane = 0; lane < used; ++lane) {
    shard.weights[lane] = 1.0f;
    shard.labels[lane] = clips.labels[draws[begin + lane].clip];
  }
  std::array<Source, kShardClips> sources;
  for (std::size_t t = 0; t < features.frames; ++t) {
    // Empty lanes repeat the first clip; their weight is 0.
    for (std::size_t lane = 0; lane < kShardClips; ++lane) {
      sources[lane] = locate(features, draws[begin + (lane < used ? lane : 0)], t);
    }
    for (std::size_t i = 0; i < features.width; ++i) {
      float* row = shard.inputs.data() + (i * features.frames + t) * kShardClips;
      for (std::size_t lane = 0; lane < kShardClips; ++lane) row[lane] = sources[lane].value(i);
    }
    float* first = shard.inputs.data() + t * kShardClips;
    for (std::size_t lane = 0; lane < used; ++lane) first[lane] += draws[begin + lane].level;
  }
}

}  // namespace hysteron::train
