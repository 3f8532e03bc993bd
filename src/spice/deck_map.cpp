#include "spice/deck_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <regex>
#include <sstream>

namespace hysteron::spice {
namespace {

constexpr std::size_t kShownLength = 160;  // of a netlist line in a message

// Lower case, runs of blanks as one, none at the ends.
std::string normalised(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isspace(byte) == 0) {
      result += static_cast<char>(std::tolower(byte));
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  if (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool is_name_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; }

// `word` stands in `text` with no letter, digit, '_' or '.' next to it.
bool contains_word(const std::string& text, const std::string& word) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !is_name_character(text[at - 1]);
    if (begins && (end == text.size() || !is_name_character(text[end]))) return true;
  }
  return false;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The subcircuit an instance line calls: the last word before the parameters.
std::string subcircuit_of(const std::string& normal) {
  std::string name;
  for (const std::string& word : words_of(normal)) {
    if (word.find('=') != std::string::npos || word == "params:") break;
    name = word;
  }
  return name;
}

}  // namespace

DeckMap::DeckMap(const Deck& deck) {
  add("", deck.text);
  for (const auto& [name, text] : deck.files) add(name, text);
}

void DeckMap::add(const std::string& file, const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> scopes;
  std::size_t number = 0;
  const std::size_t first = lines_.size();
  for (std::string line; std::getline(stream, line);) {
    ++number;
    const std::string normal = normalised(line);
    const bool is_title = file.empty() && number == 1;
    if (normal.empty() || normal[0] == '*' || is_title) continue;
    if (normal[0] == '+' && lines_.size() > first) {
      lines_.back().text += ' ' + line.substr(line.find('+') + 1);
      lines_.back().normal = normalised(lines_.back().text);
      continue;
    }
    if (normal.starts_with(".ends") && !scopes.empty()) scopes.pop_back();
    lines_.push_back({file, number, line, normal, scopes.empty() ? "" : scopes.back()});
    if (const auto words = words_of(normal); words[0] == ".subckt" && words.size() > 1) scopes.push_back(words[1]);
  }
}

std::string DeckMap::describe(const Line& line) const {
  std::string shown = line.text.substr(0, kShownLength);
  if (line.text.size() > kShownLength) shown += "...";
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return fmt::format("{} line {}: {}", line.file.empty() ? "netlist" : line.file, line.number, shown);
}

std::string DeckMap::locate(std::string_view message) const {
  for (const auto find : {&DeckMap::by_quote, &DeckMap::by_number, &DeckMap::by_parameter, &DeckMap::by_file,
                          &DeckMap::by_device, &DeckMap::by_node}) {
    if (const Line* line = (this->*find)(message)) return describe(*line);
  }
  return "";
}

// A line of the message that is a line of the deck.
const DeckMap::Line* DeckMap::by_quote(std::string_view message) const {
  static const std::regex kUnknownSubcircuit("unknown subckt:\\s*(.*)");
  std::istringstream stream{std::string(message)};
  for (std::string text; std::getline(stream, text);) {
    std::smatch match;
    const std::string quote = normalised(std::regex_search(text, match, kUnknownSubcircuit) ? match[1].str() : text);
    if (words_of(quote).size() < 2) continue;
    for (const Line& line : lines_) {
      if (line.normal == quote) return &line;
    }
  }
  return nullptr;
}

// The number counts lines of the deck only where no included file has shifted it, so what the message quotes decides.
const DeckMap::Line* DeckMap::by_number(std::string_view message) const {
  static const std::regex kNumber("line (?:no\\. )?(\\d+)");
  static const std::regex kParameter("\\[([^\\]]+)\\]");
  const std::string text(message);
  std::smatch match;
  if (!std::regex_search(text, match, kNumber)) return nullptr;
  std::size_t number = 0;
  const std::string digits = match[1];
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  std::smatch parameter;
  const bool names_parameter = std::regex_search(text, parameter, kParameter);
  const Line* found = nullptr;
  for (const Line& line : lines_) {
    if (line.file.empty() && line.number <= number) found = &line;
  }
  if (found == nullptr || number == 0) return nullptr;
  if (names_parameter && !contains_word(found->normal, normalised(parameter[1].str()))) return nullptr;
  const bool names_device = text.find("Error on line") != std::string::npos;
  if (names_device && !contains_word(normalised(text), words_of(found->normal)[0])) return nullptr;
  return found;
}

// "Undefined parameter [x]": the first expression that uses x.
const DeckMap::Line* DeckMap::by_parameter(std::string_view message) const {
  static const std::regex kParameter("[Uu]ndefined parameter \\[([^\\]]+)\\]");
  const std::string text(message);
  std::smatch match;
  if (!std::regex_search(text, match, kParameter)) return nullptr;
  const std::string name = normalised(match[1].str());
  for (const Line& line : lines_) {
    const bool is_expression =
        line.normal.find_first_of("{'") != std::string::npos || line.normal.starts_with(".param");
    if (is_expression && contains_word(line.normal, name)) return &line;
  }
  return nullptr;
}

// "Could not find include file x", "library file x, section definition y not found".
const DeckMap::Line* DeckMap::by_file(std::string_view message) const {
  static const std::regex kFile("(?:include|library) file (.*?)(?:, section definition (\\S+).*)?$");
  std::istringstream stream{std::string(message)};
  for (std::string text; std::getline(stream, text);) {
    const std::string normal = normalised(text);
    std::smatch match;
    if (!std::regex_search(normal, match, kFile)) continue;
    const std::string name = std::filesystem::path(match[1].str()).filename().string();
    const std::string section = match[2];
    for (const Line& line : lines_) {
      const bool reads = line.normal.starts_with(".inc") || line.normal.starts_with(".lib");
      if (reads && contains(line.normal, name) && (section.empty() || contains_word(line.normal, section)))
        return &line;
    }
  }
  return nullptr;
}

// "m.xcell.x2.m0": device m0 of instance x2 of instance xcell.
const DeckMap::Line* DeckMap::by_device(std::string_view message) const {
  static const std::regex kDevice("(?:^|[\\s\"':(])([a-z]\\.)?([a-z][a-z0-9_.\\[\\]$/-]*)(#[a-z]+)?(?=$|[\\s\"',:)])");
  const std::string text = normalised(message);
  for (std::sregex_iterator match(text.begin(), text.end(), kDevice), end; match != end; ++match) {
    const bool is_device = (*match)[1].matched || (*match)[3].matched;
    if (!is_device && !match->prefix().str().ends_with("instance")) continue;
    if (const Line* line = instance((*match)[2], "")) return line;
  }
  return nullptr;
}

// `node "x"`, or `variable - @x[i]` of a `.save` that finds nothing.
const DeckMap::Line* DeckMap::by_node(std::string_view message) const {
  static const std::regex kNode("node \"?([^\\s\"]+)");
  static const std::regex kSignal("variable - (\\S+)");
  const std::string text = normalised(message);
  std::smatch match;
  if (std::regex_search(text, match, kSignal)) {
    const std::string signal = match[1];
    const auto found =
        std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) { return contains(line.normal, signal); });
    return found == lines_.end() ? nullptr : &*found;
  }
  if (!std::regex_search(text, match, kNode)) return nullptr;
  const std::string node = match[1];
  if (const Line* line = using_word(node)) return line;
  const std::size_t dot = node.rfind('.');  // an inner node: "xcell.mid"
  return dot == std::string::npos ? nullptr : instance(node.substr(0, dot), "");
}

// The line that defines the longest known part of `path`, read in subcircuit `scope`. An instance says more than a
// device inside a subcircuit or than anything in a model file, so the search goes down only from instance to instance.
const DeckMap::Line* DeckMap::instance(const std::string& path, const std::string& scope) const {
  for (std::size_t end = path.size(); end != std::string::npos && end > 0; end = path.rfind('.', end - 1)) {
    const std::string head = path.substr(0, end);
    const auto found = std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) {
      return line.scope == scope && line.normal.starts_with(head + " ");
    });
    if (found == lines_.end()) continue;
    if (end == path.size() || found->normal[0] != 'x') return &*found;
    const Line* inner = instance(path.substr(end + 1), subcircuit_of(found->normal));
    const bool is_better = inner != nullptr && inner->normal[0] == 'x' && inner->file.empty();
    return is_better ? inner : &*found;
  }
  return nullptr;
}

const DeckMap::Line* DeckMap::using_word(const std::string& word) const {
  const auto found = std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) {
    return line.scope.empty() && line.normal[0] != '.' && contains_word(line.normal, word);
  });
  return found == lines_.end() ? nullptr : &*found;
}

}  // namespace hysteron::spice
