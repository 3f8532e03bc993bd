#include "spice/simulator_log.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "spice/deck_map.h"

namespace hysteron::spice {
namespace {

constexpr std::size_t kMaxErrorLines = 8;
constexpr std::size_t kLongestLine = 400;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string lower(const std::string& text) {
  std::string result = text;
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string cleaned(const std::string& line) {
  std::string result = line.substr(0, kLongestLine);
  std::replace_if(
      result.begin(), result.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  result.erase(result.find_last_not_of(' ') + 1);
  return result;
}

template <std::size_t N>
bool contains_any(const std::string& text, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return contains(text, part); });
}

// Lower case.
constexpr std::array<std::string_view, 8> kConvergence = {
    "timestep too small", "no convergence",     "iteration limit reached", "singular matrix",
    "did not converge",   "dc solution failed", "non-convergence",         "source stepping failed"};
constexpr std::array<std::string_view, 9> kErrors = {
    "error",     "fatal",       "timestep too small", "no convergence",      "simulation(s) aborted",
    "undefined", "doanalyses:", "iteration limit",    "cannot compute subst"};
// Steps on the way to an operating point, and what ngspice adds to every error.
constexpr std::array<std::string_view, 19> kNoise = {"gmin",
                                                     "source stepping",
                                                     "supplies reduced",
                                                     "note:",
                                                     "transient op",
                                                     "simulation interrupted due to error",
                                                     "no resource usage information",
                                                     "or no active circuit available",
                                                     "circuit not parsed",
                                                     "there aren't any circuits loaded",
                                                     "fatal error in ngspice, exit",
                                                     "run simulation(s) aborted",
                                                     "no compatibility mode",
                                                     "dc solution failed",
                                                     "doing analysis at temp",
                                                     "expression err:",
                                                     "formula() error",
                                                     "can't find the initialization file",
                                                     "total analysis time"};

// One message of ngspice: a line that stands out and the indented lines below it, or the line it announces.
struct Message {
  std::string text;
  bool is_error = false;
};

// A line that only announces the place; what is wrong comes on the next one.
bool announces_next(const std::string& line) {
  return (contains(line, "netlist line no.") || contains(line, "error on line") || contains(line, "from line")) &&
         line.size() < kLongestLine;
}

// "name   0.417163", of the tables of an operating point: a node may be called anything.
bool is_table_row(const std::string& line) {
  std::istringstream words(line);
  std::string name;
  double value = 0.0;
  return (words >> name >> value) && (words >> std::ws).eof() && name.back() != ':';
}

std::vector<Message> messages_of(const std::string& log) {
  std::vector<Message> messages;
  std::istringstream stream(log);
  bool is_open = false;    // the last message may go on
  bool continues = false;  // it must
  for (std::string raw; std::getline(stream, raw);) {
    const std::string line = cleaned(raw);
    const std::string folded = lower(line);
    const std::size_t first = line.find_first_not_of(' ');
    if (first == std::string::npos || contains_any(folded, kNoise) || is_table_row(line)) {
      is_open = false;
      continue;
    }
    const bool is_error = contains_any(folded, kErrors);
    const bool is_warning = contains(folded, "warning");
    const bool begins = first == 0 && (is_error || is_warning || announces_next(folded));
    if (!messages.empty() && (continues || (is_open && !begins && messages.back().text.size() < kLongestLine))) {
      messages.back().text += "\n" + line;
      messages.back().is_error = messages.back().is_error || is_error;
    } else if (begins || is_error || is_warning) {
      messages.push_back({line, is_error && !is_warning});
      is_open = true;
    }
    continues = is_open && announces_next(folded);
  }
  return messages;
}

// Adds a warning that is not there yet, with the netlist line it belongs to.
void add_warning(SimulatorLog& log, std::set<std::string>& seen, const std::string& text, const DeckMap& map) {
  if (log.warnings.size() >= kMaxWarnings || !seen.insert(text).second) return;
  const std::string line = map.locate(text);
  log.warnings.push_back(line.empty() ? text : text + "\n  -> " + line);
}

}  // namespace

SimulatorLog read_log(const std::string& output, const std::string& errors, const Deck& deck) {
  SimulatorLog log;
  const std::vector<Message> messages = messages_of(errors + "\n" + output);
  const bool gave_up = contains(lower(errors + output), "simulation(s) aborted");
  if (messages.empty() && !gave_up) return log;
  const DeckMap map(deck);
  std::set<std::string> seen;
  std::optional<std::string> hint;  // the last warning about convergence
  std::string located;
  std::size_t lines = 0;
  for (const Message& message : messages) {
    const bool is_convergence = contains_any(lower(message.text), kConvergence);
    if (!message.is_error) {
      if (is_convergence) hint = message.text;
      add_warning(log, seen, message.text, map);
      continue;
    }
    log.is_convergence = log.is_convergence || is_convergence;
    if (lines >= kMaxErrorLines) continue;
    if (located.empty()) located = map.locate(message.text);
    log.error += (log.error.empty() ? "" : "\n") + message.text;
    lines += 1 + static_cast<std::size_t>(std::count(message.text.begin(), message.text.end(), '\n'));
  }
  if (gave_up) {
    log.is_convergence = true;
    if (log.error.empty()) log.error = "run simulation(s) aborted";
    if (hint) log.error += "\n" + *hint;
    if (located.empty() && hint) located = map.locate(*hint);
  }
  if (!located.empty()) log.error += "\n  -> " + located;
  return log;
}

}  // namespace hysteron::spice
