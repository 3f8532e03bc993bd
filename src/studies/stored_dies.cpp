#include "studies/stored_dies.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/stored_json.h"

namespace hysteron::studies {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// Three numbers a clip: decision, wrong frames, wrong bits.
Json die_json(const DieResult& die) {
  Json clips = Json::array();
  for (const DieClip& clip : die.clips) clips.push_back({clip.decision, clip.wrong_frames, clip.wrong_bits});
  return {{"seed", die.seed}, {"clips", clips}, {"wrong_bits", die.wrong_bits}, {"codes", die.codes}};
}

Json dies_json(std::span<const DieResult> dies) {
  Json list = Json::array();
  for (const DieResult& die : dies) list.push_back(die_json(die));
  return list;
}

std::vector<DieResult> dies_of(const Json& list) {
  std::vector<DieResult> dies;
  for (const Json& json : list) {
    DieResult& die = dies.emplace_back();
    json.at("seed").get_to(die.seed);
    for (const Json& numbers : json.at("clips")) {
      DieClip& clip = die.clips.emplace_back();
      numbers.at(0).get_to(clip.decision);
      numbers.at(1).get_to(clip.wrong_frames);
      numbers.at(2).get_to(clip.wrong_bits);
    }
    json.at("wrong_bits").get_to(die.wrong_bits);
    json.at("codes").get_to(die.codes);
  }
  return dies;
}

bool are_those(std::span<const DieResult> found, std::span<const DieResult> target) {
  return std::equal(found.begin(), found.end(), target.begin(), target.end(), [](const auto& a, const auto& b) {
    return a.seed == b.seed && a.clips.size() == b.clips.size() && a.wrong_bits.size() == b.wrong_bits.size();
  });
}

}  // namespace

StoredDies::StoredDies(fs::path folder, std::string key) : folder_(std::move(folder)), key_(std::move(key)) {
  if (!folder_.empty()) make_directories(folder_);
}

Store StoredDies::store_of(std::span<const DieResult> dies) const {
  return {folder_ / fmt::format("behavioural_{:010}_{}.json", dies.front().seed, dies.size()), "dies", key_};
}

bool StoredDies::read(std::span<DieResult> dies, std::span<DieResult> before) const {
  if (folder_.empty()) return false;
  using Both = std::pair<std::vector<DieResult>, std::vector<DieResult>>;
  const auto decode = [&](const Json& json) -> std::optional<Both> {
    Both both = {dies_of(json.at("dies")), dies_of(json.at("before"))};
    const bool are_whole = are_those(both.first, dies) && are_those(both.second, before);
    return are_whole ? std::optional(std::move(both)) : std::nullopt;
  };
  auto found = read_json(store_of(dies), decode).value;
  if (!found) return false;
  std::ranges::move(found->first, dies.begin());
  std::ranges::move(found->second, before.begin());
  return true;
}

void StoredDies::write(std::span<const DieResult> dies, std::span<const DieResult> before) const {
  if (folder_.empty()) return;
  const Json json = {{"dies", dies_json(dies)}, {"before", dies_json(before)}};
  store_of(dies).write(json.dump());
}

}  // namespace hysteron::studies
