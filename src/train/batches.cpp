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

std::vector<Draw> BatchSampler::next(std::size_t size) {
  std::vector<Draw> draws(size);
  for (Draw& draw : draws) {
    const std::size_t label = drawn_++ % labels_.size();
    std::vector<Group>& groups = labels_[label];
    draw.clip = deal(groups[turn_[label]++ % groups.size()]);
    if (augmentation_.time_shift > 0.0) {
      draw.shift = std::round(static_cast<float>(change_.uniform(-augmentation_.time_shift, augmentation_.time_shift)));
    }
    if (augmentation_.speed > 0.0) {
      draw.speed = static_cast<float>(1.0 + change_.uniform(-augmentation_.speed, augmentation_.speed));
    }
  }
  return draws;
}

namespace {

/// Two frames of a clip and the weight of the second, for every lane.
struct Sources {
  std::array<const float*, kShardClips> first{};
  std::array<const float*, kShardClips> second{};
  std::array<float, kShardClips> weight{};
};

/// Where frame t of a changed clip comes from: time runs at `speed` about the middle, then shifts.
void locate(const data::Features& features, const Draw& draw, std::size_t frame, std::size_t lane, Sources& sources) {
  const float last = static_cast<float>(features.frames - 1);
  const float middle = 0.5f * last;
  const float place = std::clamp((static_cast<float>(frame) - draw.shift - middle) * draw.speed + middle, 0.0f, last);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, features.frames - 1);
  const float* clip = features.values.data() + draw.clip * features.frames * features.width;
  sources.first[lane] = clip + below * features.width;
  sources.second[lane] = clip + above * features.width;
  sources.weight[lane] = place - static_cast<float>(below);
}

}  // namespace

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
  Sources sources;
  for (std::size_t t = 0; t < features.frames; ++t) {
    // Empty lanes repeat the first clip; their weight is 0.
    for (std::size_t lane = 0; lane < kShardClips; ++lane) {
      locate(features, draws[begin + (lane < used ? lane : 0)], t, lane, sources);
    }
    for (std::size_t i = 0; i < features.width; ++i) {
      float* row = shard.inputs.data() + (i * features.frames + t) * kShardClips;
      for (std::size_t lane = 0; lane < kShardClips; ++lane) {
        const float a = sources.first[lane][i];
        row[lane] = a + sources.weight[lane] * (sources.second[lane][i] - a);
      }
    }
  }
}

}  // namespace hysteron::train
