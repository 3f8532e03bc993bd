#include "data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"

namespace hysteron::data {
namespace {

namespace fs = std::filesystem;

constexpr double kHeldOutShare = 0.1;  // of every label's clips, for test and for validation each

/// Names in the list, every one of an existing file below `root`.
std::set<std::string> read_list(const fs::path& root, const char* list) {
  const std::string path = (root / list).string();
  const std::string text = read_file(path);
  std::set<std::string> names;
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    const fs::path name = fs::path(line).lexically_normal();
    const bool inside = name.is_relative() && *name.begin() != "..";
    std::error_code ignored;
    if (!inside || !fs::is_regular_file(root / name, ignored)) {
      throw bad_input(fmt::format("{}: line {} names {}, which is not in the data set; expected CLASS/FILE",
                                  quoted(path), number, hysteron::quoted(line)));
    }
    names.insert(name.generic_string());
  }
  return names;
}

std::string hash_order_key(const std::string& speaker) {
  // FNV's high bits hardly depend on the last letters, so the hash is mixed before it orders anything.
  return fmt::format("{:016x} {}", Random(fnv1a(speaker)).bits(), speaker);
}

}  // namespace

bool has_split_lists(const fs::path& root) {
  std::error_code ignored;
  const bool validation = fs::exists(root / kValidationList, ignored);
  const bool testing = fs::exists(root / kTestingList, ignored);
  if (validation != testing) {
    throw bad_input(fmt::format("{}: there is {} and no {}; expected both or neither", quoted(root.string()),
                                validation ? kValidationList : kTestingList,
                                validation ? kTestingList : kValidationList));
  }
  return validation;
}

SplitClips split_by_lists(const fs::path& root, std::vector<Clip> clips) {
  const std::set<std::string> validation = read_list(root, kValidationList);
  const std::set<std::string> testing = read_list(root, kTestingList);
  for (const std::string& name : validation) {
    if (testing.contains(name)) {
      throw bad_input(fmt::format("{}: {} is in both {} and {}", quoted(root.string()), quoted(name), kValidationList,
                                  kTestingList));
    }
  }
  SplitClips splits;
  for (Clip& clip : clips) {
    Split split = Split::kTrain;
    if (validation.contains(clip.name)) split = Split::kValidation;
    if (testing.contains(clip.name)) split = Split::kTest;
    splits[static_cast<std::size_t>(split)].push_back(std::move(clip));
  }
  return splits;
}

SplitClips split_by_speaker(std::vector<Clip> clips, std::size_t labels) {
  using Counts = std::vector<double>;  // clips per label
  std::map<std::string, Counts> speakers;
  Counts total(labels, 0.0);
  for (const Clip& clip : clips) {
    Counts& counts = speakers.try_emplace(hash_order_key(clip.speaker), labels, 0.0).first->second;
    counts[clip.label] += 1.0;
    total[clip.label] += 1.0;
  }
  Counts test_wanted(labels);
  for (std::size_t l = 0; l < labels; ++l) test_wanted[l] = std::max(1.0, std::round(kHeldOutShare * total[l]));
  Counts validation_wanted = test_wanted;
  const auto take = [labels](Counts& target, const Counts& offered) {
    bool useful = false;
    for (std::size_t l = 0; l < labels; ++l) useful = useful || (target[l] > 0.0 && offered[l] > 0.0);
    for (std::size_t l = 0; useful && l < labels; ++l) target[l] -= offered[l];
    return useful;
  };
  std::map<std::string, Split> split_of;
  for (const auto& [key, counts] : speakers) {
    Split split = Split::kTrain;
    if (take(test_wanted, counts)) {
      split = Split::kTest;
    } else if (take(validation_wanted, counts)) {
      split = Split::kValidation;
    }
    split_of[key] = split;
  }
  SplitClips splits;
  for (Clip& clip : clips) {
    const Split split = split_of.at(hash_order_key(clip.speaker));
    splits[static_cast<std::size_t>(split)].push_back(std::move(clip));
  }
  return splits;
}

}  // namespace hysteron::data
