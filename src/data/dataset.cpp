#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/error.h"
#include "data/audio.h"
#include "data/progress.h"
#include "data/split.h"

namespace hysteron::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSilenceName = "silence";
constexpr const char* kSilenceFolder = "_silence_";
constexpr const char* kBackgroundNoise = "_background_noise_";  // long recordings in Speech Commands, no class

bool is_audio_name(const std::string& name) {
  std::string extension = fs::path(name).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return !name.starts_with('.') && (extension == ".wav" || extension == ".flac");
}

/// Sorted names of what lies in `folder` and passes `wanted`. Throws a bad-input Error where it cannot be read.
template <typename Wanted>
std::vector<std::string> list_folder(const fs::path& folder, Wanted target) {
  std::vector<std::string> names;
  std::error_code code;
  fs::directory_iterator entry(folder, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    if (target(*entry)) names.push_back(entry->path().filename().string());
  }
  if (code) throw bad_input(fmt::format("{}: cannot read the folder: {}", quoted(folder.string()), code.message()));
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> list_class_folders(const fs::path& root) {
  return list_folder(root, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    const std::string name = entry.path().filename().string();
    return entry.is_directory(ignored) && !name.starts_with('.') && name != kBackgroundNoise;
  });
}

std::vector<std::string> list_audio(const fs::path& folder) {
  return list_folder(folder, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    return entry.is_regular_file(ignored) && is_audio_name(entry.path().filename().string());
  });
}

std::string other_silence_name(const std::string& folder) {
  if (folder == kSilenceName) return kSilenceFolder;
  if (folder == kSilenceFolder) return kSilenceName;
  return folder;
}

/// The folder on disk that `folder` of the class map means.
std::string find_folder(const fs::path& root, const std::string& label, const std::string& folder) {
  for (const std::string& name : {folder, other_silence_name(folder)}) {
    std::error_code ignored;
    if (name.find('/') == std::string::npos && fs::is_directory(root / name, ignored)) return name;
  }
  throw bad_input(fmt::format("{}: there is no class folder {} (of label {}); the folder has: {}",
                              quoted(root.string()), quoted(folder), quoted(label),
                              fmt::join(list_class_folders(root), ", ")));
}

ClassMap one_label_a_folder(const fs::path& root) {
  ClassMap classes;
  for (const std::string& name : list_class_folders(root)) classes.push_back({name, {name}});
  return classes;
}

void check_folders(const LabelFolders& entry, std::set<std::string>& seen, const std::string& origin) {
  if (entry.folders.empty()) throw bad_input(fmt::format("{}: label {} has no folders", origin, quoted(entry.label)));
  for (const std::string& folder : entry.folders) {
    const bool is_new = seen.insert(std::min(folder, other_silence_name(folder))).second;
    if (!is_new) throw bad_input(fmt::format("{}: folder {} is named twice", origin, quoted(folder)));
  }
}

}  // namespace

Split parse_split(const std::string& text, const std::string& what) {
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest, Split::kAll}) {
    if (text == to_string(split)) return split;
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("{}: {} is unknown; expected train, validation, test or all", what, quoted(text)));
}

std::string to_string(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      return "test";
    case Split::kAll:
      break;
  }
  return "all";
}

ClassMap parse_classes(const std::string& json, const std::vector<std::string>& labels, const std::string& origin) {
  const auto malformed = [&](const std::string& why) {
    return bad_input(fmt::format("{}: {}; expected a JSON object of label -> list of folders", origin, why));
  };
  const auto value = nlohmann::ordered_json::parse(json, nullptr, false);
  if (!value.is_object()) throw malformed("the classes are not a JSON object");
  ClassMap classes;
  std::set<std::string> seen;
  for (const auto& [label, folders] : value.items()) {
    LabelFolders entry{label, {}};
    if (!folders.is_array()) throw malformed(fmt::format("label {} has no list", quoted(label)));
    for (const auto& folder : folders) {
      if (!folder.is_string()) throw malformed(fmt::format("label {} lists {}", quoted(label), folder.dump()));
      entry.folders.push_back(folder.get<std::string>());
    }
    check_folders(entry, seen, origin);
    classes.push_back(std::move(entry));
  }
  if (labels.empty()) return classes;
  ClassMap ordered;
  for (const std::string& label : labels) {
    const auto found = std::find_if(classes.begin(), classes.end(), [&](const auto& c) { return c.label == label; });
    if (found == classes.end()) throw malformed(fmt::format("label {} is missing", quoted(label)));
    ordered.push_back(*found);
  }
  if (ordered.size() != classes.size()) throw malformed("it has labels that the network does not have");
  return ordered;
}

std::string classes_to_json(const ClassMap& classes) {
  auto value = nlohmann::ordered_json::object();
  for (const LabelFolders& entry : classes) value[entry.label] = entry.folders;
  return value.dump();
}

std::string speaker_of(const std::string& folder, const std::string& file) {
  std::string stem = fs::path(file).stem().string();
  if (const std::size_t at = stem.find("_nohash_"); at != std::string::npos && at > 0) return stem.substr(0, at);
  if (stem.starts_with(folder + "_")) stem.erase(0, folder.size() + 1);
  const std::size_t at = stem.find('_');
  return at == std::string::npos || at == 0 ? stem : stem.substr(0, at);
}

Dataset::Dataset(fs::path root, const ClassMap& classes) : root_(std::move(root)) {
  const std::string name = quoted(root_.string());
  std::error_code ignored;
  if (!fs::is_directory(root_, ignored)) {
    throw bad_input(
        fmt::format("{}: no such folder; expected a folder with one folder of WAV or FLAC files per class", name));
  }
  const ClassMap used = classes.empty() ? one_label_a_folder(root_) : classes;
  if (used.size() < 2) {
    throw bad_input(fmt::format("{}: the data set has {} label{}; expected at least two", name, used.size(),
                                used.size() == 1 ? fmt::format(" ({})", quoted(used.front().label)) : "s"));
  }
  std::set<std::string> seen;
  std::vector<Clip> clips;
  for (const LabelFolders& entry : used) {
    check_folders(entry, seen, name);
    for (const std::string& target : entry.folders) {
      const std::string folder = find_folder(root_, entry.label, target);
      const std::vector<std::string> files = list_audio(root_ / folder);
      if (files.empty()) {
        throw bad_input(
            fmt::format("{}: the class is empty; expected WAV or FLAC files", quoted((root_ / folder).string())));
      }
      for (const std::string& file : files) {
        clips.push_back(
            {fmt::format("{}/{}", folder, file), speaker_of(folder, file), folders_.size(), labels_.size()});
      }
      folders_.push_back(folder);
    }
    labels_.push_back(entry.label);
  }
  std::sort(clips.begin(), clips.end(), [](const Clip& a, const Clip& b) { return a.name < b.name; });
  splits_ = has_split_lists(root_) ? split_by_lists(root_, std::move(clips))
                                   : split_by_speaker(std::move(clips), labels_.size());
}

std::vector<Clip> Dataset::clips(Split split) const {
  std::vector<Clip> result;
  for (std::size_t i = 0; i < splits_.size(); ++i) {
    if (split != Split::kAll && static_cast<std::size_t>(split) != i) continue;
    std::vector<Clip> merged;
    std::merge(result.begin(), result.end(), splits_[i].begin(), splits_[i].end(), std::back_inserter(merged),
               [](const Clip& a, const Clip& b) { return a.name < b.name; });
    result = std::move(merged);
  }
  std::vector<bool> present(labels_.size(), false);
  for (const Clip& clip : result) present[clip.label] = true;
  for (std::size_t label = 0; label < labels_.size(); ++label) {
    if (present[label]) continue;
    throw bad_input(fmt::format(
        "{}: the {} split has no clip of label {}; add clips of more speakers or name some in the split's list",
        quoted(root_.string()), to_string(split), quoted(labels_[label])));
  }
  return result;
}

Features audio_features(const std::vector<fs::path>& files, const Mfcc& mfcc, const std::string& task, ThreadPool& pool,
                        Reporter& reporter, const StopFlag& stop) {
  constexpr std::size_t kClipSize = Mfcc::kFrames * Mfcc::kCoefficients;
  Features features{files.size(), Mfcc::kFrames, Mfcc::kCoefficients, std::vector<float>(files.size() * kClipSize)};
  Progress progress(task, files.size(), reporter, stop);
  pool.run(files.size(), [&](std::size_t i) {
    mfcc.compute(read_audio(files[i]), std::span<float>(features.values).subspan(i * kClipSize, kClipSize));
    progress.step();
  });
  return features;
}

LabelledFeatures load_features(const Dataset& dataset, Split split, const Mfcc& mfcc, ThreadPool& pool,
                               Reporter& reporter, const StopFlag& stop) {
  LabelledFeatures result{{}, dataset.clips(split), dataset.labels(), dataset.folders()};
  std::vector<fs::path> files;
  for (const Clip& clip : result.clips) files.push_back(dataset.root() / clip.name);
  const std::string task = fmt::format("reading {} clips", to_string(split));
  result.features = audio_features(files, mfcc, task, pool, reporter, stop);
  return result;
}

}  // namespace hysteron::data
