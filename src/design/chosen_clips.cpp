#include "design/chosen_clips.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

namespace hysteron::design {
namespace {

data::Features pick(const data::Features& features, const std::vector<std::size_t>& clips) {
  data::Features result{clips.size(), features.frames, features.width, {}};
  for (const std::size_t clip : clips) {
    const auto values = features.clip(clip);
    result.values.insert(result.values.end(), values.begin(), values.end());
  }
  return result;
}

}  // namespace

std::vector<std::size_t> choose_clips(const train::ClipSet& set, std::size_t labels, std::size_t count) {
  // queues[label][group]: clips not yet chosen
  std::vector<std::map<std::uint32_t, std::vector<std::size_t>>> queues(labels);
  for (std::size_t i = set.size(); i-- > 0;) queues[set.labels[i]][set.groups[i]].push_back(i);
  std::vector<std::size_t> chosen;
  for (std::size_t round = 0; chosen.size() < std::min(count, set.size()); ++round) {
    auto& groups = queues[round % labels];
    if (groups.empty()) continue;
    auto group = std::next(groups.begin(), static_cast<std::ptrdiff_t>((round / labels) % groups.size()));
    chosen.push_back(group->second.back());
    group->second.pop_back();
    if (group->second.empty()) groups.erase(group);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

data::Features chosen_clips(const train::ClipSet& set, std::size_t labels, std::size_t count) {
  return pick(set.features, choose_clips(set, labels, count));
}

}  // namespace hysteron::design
