#include "technology/model_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <vector>

#include "base/error.h"

namespace hysteron::technology {
namespace {

constexpr std::size_t kWords = 3;      // of a statement that say what it defines or reads
constexpr std::size_t kMaxNamed = 12;  // names that a message lists

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// The first words of a statement, without quotes.
std::vector<std::string> first_words(const std::string& statement) {
  std::istringstream stream(statement);
  std::vector<std::string> words;
  for (std::string word; words.size() < kWords && stream >> word;) {
    if (word[0] == '$' || word[0] == ';') break;  // a comment
    std::erase_if(word, [](char c) { return c == '\'' || c == '"'; });
    words.push_back(word);
  }
  return words;
}

/// Calls `take` with the first words of every statement, lines that continue one taken with it.
template <typename Take>
void each_statement(const std::string& text, Take take) {
  std::istringstream lines(text);
  std::string statement;
  const auto finish = [&] {
    const std::vector<std::string> words = first_words(statement);
    if (!words.empty()) take(words);
  };
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos || line[begin] == '*') continue;
    if (line[begin] == '+') {
      // A card of a model has hundreds of these; what a statement defines stands at its beginning.
      if (statement.size() < 1000) statement += " " + line.substr(begin + 1);
      continue;
    }
    finish();
    statement = line.substr(begin);
  }
  finish();
}

std::string listed(const std::vector<std::string>& names) {
  const std::size_t count = std::min(names.size(), kMaxNamed);
  const std::vector<std::string> first(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count));
  return fmt::format("{}{}", fmt::join(first, ", "), names.size() > count ? ", ..." : "");
}

Error wrong(const std::string& origin, const std::string& key, const std::string& value, const std::string& expected) {
  return bad_input(fmt::format("{}: key {} is {}: expected {}", origin, key, quoted(value), expected));
}

void check_section(const ModelIndex& index, const Technology& technology, const std::string& key,
                   const std::string& section, const std::string& origin) {
  const std::set<std::string>& known = index.sections(technology.models.library);
  if (known.contains(lower(section))) return;
  throw wrong(
      origin, key, section,
      fmt::format("a section of {}, which has: {}", technology.models.library, listed({known.begin(), known.end()})));
}

void check_device(const ModelIndex& index, const Device& device, const std::string& table, const std::string& origin) {
  const auto found = index.subcircuits().find(lower(device.subcircuit));
  if (found == index.subcircuits().end()) {
    std::vector<std::string> names;
    for (const auto& [name, instances] : index.subcircuits()) names.push_back(name);
    throw wrong(origin, table + ".subcircuit", device.subcircuit,
                "a subcircuit that the model files define: " + listed(names));
  }
  // A device deeper inside is named with its path; its first step is an instance here.
  const std::string instance = lower(device.inner.substr(0, device.inner.find('.')));
  if (found->second.contains(instance)) return;
  throw wrong(origin, table + ".inner", device.inner,
              fmt::format("the MOS instance inside {}, which has: {}", device.subcircuit,
                          listed({found->second.begin(), found->second.end()})));
}

}  // namespace

ModelIndex::ModelIndex(const std::map<std::string, std::string>& files) {
  for (const auto& [name, text] : files) read(name, text, files);
}

void ModelIndex::read(const std::string& file, const std::string& text,
                      const std::map<std::string, std::string>& files) {
  std::vector<std::string> open;  // subcircuits
  each_statement(text, [&](const std::vector<std::string>& words) {
    const std::string keyword = lower(words[0]);
    const bool reads_section = keyword == ".lib" && words.size() > 2;
    if ((keyword == ".include" || keyword == ".inc" || reads_section) && words.size() > 1) {
      is_whole_ = is_whole_ && files.contains(words[1]);
    } else if (keyword == ".lib" && words.size() > 1) {
      sections_[file].insert(lower(words[1]));
    } else if (keyword == ".subckt" && words.size() > 1) {
      open.push_back(lower(words[1]));
      subcircuits_[open.back()];
    } else if (keyword == ".ends") {
      if (!open.empty()) open.pop_back();
    } else if (!open.empty() && keyword[0] != '.') {
      subcircuits_[open.back()].insert(keyword);
    }
  });
}

const std::set<std::string>& ModelIndex::sections(const std::string& file) const {
  static const std::set<std::string> none;
  const auto found = sections_.find(file);
  return found == sections_.end() ? none : found->second;
}

void check_models(const Technology& technology, const std::string& origin) {
  const ModelIndex index(technology.models.files);
  if (!index.is_whole()) return;
  for (const auto& [corner, section] : technology.models.sections) {
    check_section(index, technology, "models.corners." + corner, section, origin);
  }
  if (const std::string& section = technology.models.mismatch_section; !section.empty()) {
    check_section(index, technology, "mismatch.section", section, origin);
  }
  check_device(index, technology.n, "nfet", origin);
  check_device(index, technology.p, "pfet", origin);
}

}  // namespace hysteron::technology
