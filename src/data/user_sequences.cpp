#include "data/user_sequences.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "data/npy.h"
#include "data/task_source.h"
#include "data/text_lines.h"

namespace hysteron::data {
namespace {

namespace fs = std::filesystem;

/// A sequence whose labels are still names.
struct Named {
  std::vector<float> inputs;        // [frames][width]
  std::vector<std::string> labels;  // [frames]
  std::string place;                // file and line, for messages
};

struct NamedSplit {
  std::size_t width = 0;
  std::vector<Named> sequences;
};

[[noreturn]] void refuse(const fs::path& path, std::size_t line, const std::string& problem) {
  throw bad_input(fmt::format("{}, line {}: {}", hysteron::quoted(path.string()), line, problem));
}

float number(const fs::path& path, std::size_t line, std::string_view name, std::string_view text) {
  float value = 0.0f;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    refuse(path, line, fmt::format("{} is {}; expected a finite number", name, hysteron::quoted(std::string(text))));
  }
  return value;
}

NamedSplit read_csv(const fs::path& path) {
  constexpr std::size_t kKeys = 2;  // sequence, label
  const std::string text = read_file(path);
  const std::vector<Line> lines = lines_of(text);
  if (lines.empty()) refuse(path, 1, "the file is empty; expected sequence,label,x1,...");
  const auto names = fields_of(lines.front().text, ',');
  if (names.size() <= kKeys || names[0] != "sequence" || names[1] != "label") {
    refuse(path, lines.front().number, "expected the names sequence,label,x1,...");
  }
  NamedSplit split;
  split.width = names.size() - kKeys;
  std::set<std::string, std::less<>> seen;
  std::string_view current;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto fields = fields_of(lines[i].text, ',');
    if (fields.size() != names.size()) {
      refuse(path, lines[i].number,
             fmt::format("{} fields; expected {} as in the first line", fields.size(), names.size()));
    }
    if (i == 1 || fields[0] != current) {
      current = fields[0];
      if (!seen.emplace(current).second) {
        refuse(path, lines[i].number,
               fmt::format("sequence {} continues after others; its frames must be consecutive",
                           hysteron::quoted(std::string(current))));
      }
      split.sequences.push_back({{}, {}, fmt::format("{}, line {}", hysteron::quoted(path.string()), lines[i].number)});
    }
    if (fields[1].empty()) refuse(path, lines[i].number, "the label is empty");
    Named& sequence = split.sequences.back();
    sequence.labels.emplace_back(fields[1]);
    for (std::size_t k = kKeys; k < fields.size(); ++k) {
      sequence.inputs.push_back(number(path, lines[i].number, names[k], fields[k]));
    }
  }
  if (split.sequences.empty()) refuse(path, lines.front().number, "no frames after the header");
  return split;
}

NamedSplit read_arrays(const fs::path& path, const fs::path& labels_path) {
  const Features features = read_npy(path);
  const std::string text = read_file(labels_path);
  const std::vector<Line> lines = lines_of(text);
  if (lines.size() != features.clips) {
    throw bad_input(fmt::format("{}: {} labels for the {} sequences of {}", hysteron::quoted(labels_path.string()),
                                lines.size(), features.clips, hysteron::quoted(path.string())));
  }
  NamedSplit split;
  split.width = features.width;
  for (std::size_t i = 0; i < features.clips; ++i) {
    const auto values = features.clip(i);
    split.sequences.push_back({{values.begin(), values.end()},
                               std::vector<std::string>(features.frames, std::string(trimmed(lines[i].text))),
                               fmt::format("{}, line {}", hysteron::quoted(labels_path.string()), lines[i].number)});
  }
  return split;
}

/// Whether `text` is made of whole UTF-8 sequences, as the names in a model file must be.
bool is_utf8(std::string_view text) {
  std::size_t following = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (following > 0) {
      if ((byte & 0xC0U) != 0x80U) return false;
      --following;
    } else if (byte >= 0x80U) {
      if (byte < 0xC2U || byte > 0xF4U) return false;
      following = byte < 0xE0U ? 1 : byte < 0xF0U ? 2 : 3;
    }
  }
  return following == 0;
}

/// False also where the folder cannot be looked into; reading it says why.
bool is_there(const fs::path& path) {
  std::error_code unreadable;
  return fs::exists(path, unreadable);
}

bool has_split(const fs::path& folder, const std::string& name) {
  return is_there(folder / (name + ".csv")) || is_there(folder / (name + ".npy"));
}

NamedSplit read_split(const fs::path& folder, const std::string& name) {
  const fs::path csv = folder / (name + ".csv");
  if (is_there(csv)) return read_csv(csv);
  const fs::path npy = folder / (name + ".npy");
  if (is_there(npy)) return read_arrays(npy, folder / (name + ".labels"));
  throw bad_input(fmt::format("{}: no {}.csv and no {}.npy", hysteron::quoted(folder.string()), name, name));
}

class UserSequences : public TaskSource {
 public:
  UserSequences(std::vector<std::string> labels, bool per_frame, std::size_t width, SplitSizes sizes,
                std::array<std::vector<Sequence>, 3> sequences)
      : TaskSource(width, std::move(labels), per_frame, sizes), sequences_(std::move(sequences)) {}

 private:
  Sequence make(Split split, std::uint64_t index) const override {
    return sequences_[static_cast<std::size_t>(split)][index];
  }

  std::array<std::vector<Sequence>, 3> sequences_;
};

bool changes(const Named& sequence) {
  return std::ranges::any_of(sequence.labels, [&](const std::string& label) { return label != sequence.labels[0]; });
}

Sequence to_sequence(const Named& named, std::size_t width, const std::vector<std::string>& labels, bool per_frame) {
  const std::size_t frames = named.inputs.size() / width;
  Sequence sequence{frames, named.inputs, {}, std::vector<float>(frames, 1.0f)};
  for (std::size_t t = 0; t < (per_frame ? frames : 1); ++t) {
    const auto found = std::ranges::lower_bound(labels, named.labels[t]);
    if (found == labels.end() || *found != named.labels[t]) {
      throw bad_input(
          fmt::format("{}: label {} is not among the training labels", named.place, hysteron::quoted(named.labels[t])));
    }
    sequence.targets.push_back(static_cast<std::uint32_t>(found - labels.begin()));
  }
  return sequence;
}

}  // namespace

std::unique_ptr<SequenceSource> make_user_sequences(const fs::path& folder) {
  std::array<NamedSplit, 3> splits{read_split(folder, "train"), {}, read_split(folder, "test")};
  if (has_split(folder, "validation")) {
    splits[1] = read_split(folder, "validation");
  } else {
    std::vector<Named>& all = splits[0].sequences;
    const std::size_t kept = all.size() - all.size() / 10;
    splits[1].width = splits[0].width;
    splits[1].sequences.assign(all.begin() + static_cast<std::ptrdiff_t>(kept), all.end());
    all.resize(kept);
  }
  std::set<std::string> names;
  bool per_frame = false;
  for (const Named& sequence : splits[0].sequences) {
    if (!std::ranges::all_of(sequence.labels, is_utf8)) {
      throw bad_input(fmt::format("{}: a label is not valid UTF-8, which model files require", sequence.place));
    }
    names.insert(sequence.labels.begin(), sequence.labels.end());
  }
  for (const NamedSplit& split : splits) {
    if (split.sequences.empty()) {
      throw bad_input(
          fmt::format("{}: too few sequences to split off a tenth for validation", hysteron::quoted(folder.string())));
    }
    if (split.width != splits[0].width) {
      throw bad_input(fmt::format("{}: {} values a frame; the training sequences have {}", split.sequences[0].place,
                                  split.width, splits[0].width));
    }
    per_frame = per_frame || std::ranges::any_of(split.sequences, changes);
  }
  if (names.size() < 2) {
    throw bad_input(fmt::format("{}: the training sequences have one label; expected two or more",
                                hysteron::quoted(folder.string())));
  }
  const std::vector<std::string> labels(names.begin(), names.end());
  std::array<std::vector<Sequence>, 3> sequences;
  SplitSizes sizes{};
  for (std::size_t i = 0; i < splits.size(); ++i) {
    for (const Named& named : splits[i].sequences) {
      sequences[i].push_back(to_sequence(named, splits[0].width, labels, per_frame));
    }
    sizes[i] = sequences[i].size();
  }
  return std::make_unique<UserSequences>(labels, per_frame, splits[0].width, sizes, std::move(sequences));
}

}  // namespace hysteron::data
