#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "data/listops.h"

namespace hysteron::data {
namespace {

const std::array<std::string, kListOpsTokens>& token_names() {
  static const std::array<std::string, kListOpsTokens> kNames = {"[MIN", "[MAX", "[MED", "[SM", "]", "0", "1", "2",
                                                                 "3",    "4",    "5",    "6",   "7", "8", "9"};
  return kNames;
}

std::uint32_t median(std::vector<std::uint32_t>& values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// An operator whose end has not come yet.
struct OpenList {
  ListOpsToken operation;
  std::vector<std::uint32_t> arguments;

  std::uint32_t value() {
    switch (operation) {
      case ListOpsToken::kMin:
        return *std::min_element(arguments.begin(), arguments.end());
      case ListOpsToken::kMax:
        return *std::max_element(arguments.begin(), arguments.end());
      case ListOpsToken::kMedian:
        return median(arguments);
      default:
        break;
    }
    std::uint32_t sum = 0;
    for (const std::uint32_t argument : arguments) sum = (sum + argument) % 10;
    return sum;
  }
};

}  // namespace

const std::string& to_string(ListOpsToken token) { return token_names()[static_cast<std::size_t>(token)]; }

std::vector<ListOpsToken> parse_listops(std::string_view text, const std::string& place) {
  constexpr std::string_view kSpace = " \t";
  std::vector<ListOpsToken> tokens;
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    std::string_view word = text.substr(at, end - at);
    at = text.find_first_not_of(kSpace, end);
    if (word == "(" || word == ")") continue;
    if (word == "[SUM_MOD") word = "[SM";
    const auto& names = token_names();
    const auto it = std::find(names.begin(), names.end(), word);
    if (it == names.end()) {
      throw bad_input(fmt::format("{}: {} is not a ListOps token; expected one of {}", place, quoted(std::string(word)),
                                  fmt::join(names, " ")));
    }
    tokens.push_back(static_cast<ListOpsToken>(it - names.begin()));
  }
  return tokens;
}

std::uint32_t evaluate_listops(const std::vector<ListOpsToken>& tokens, const std::string& place) {
  std::vector<OpenList> open;
  std::size_t i = 0;
  const auto wrong = [&](const char* why) { return bad_input(fmt::format("{}: token {}: {}", place, i + 1, why)); };
  for (; i < tokens.size(); ++i) {
    std::uint32_t value = 0;
    if (tokens[i] < ListOpsToken::kEnd) {
      open.push_back({tokens[i], {}});
      continue;
    }
    if (tokens[i] == ListOpsToken::kEnd) {
      if (open.empty()) throw wrong("']' closes no operator");
      if (open.back().arguments.empty()) throw wrong("']' closes an operator without arguments; expected at least 1");
      value = open.back().value();
      open.pop_back();
    } else {
      value = static_cast<std::uint32_t>(tokens[i]) - static_cast<std::uint32_t>(ListOpsToken::kDigit0);
    }
    if (!open.empty()) {
      open.back().arguments.push_back(value);
      continue;
    }
    if (i + 1 == tokens.size()) return value;
    ++i;
    throw wrong("unexpected tokens after the expression");
  }
  throw wrong(open.empty() ? "there is no expression" : "the expression ends with unclosed operators; expected ']'");
}

}  // namespace hysteron::data
