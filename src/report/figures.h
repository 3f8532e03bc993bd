#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "report/json.h"

namespace hysteron::report {

/// Which way a figure should go; those of kNeither cannot be required.
enum class Better { kNeither, kHigher, kLower };

/// A row of the docs' key tables: what is known of a figure without a result.
struct FigureInfo {
  std::string key;   ///< in the JSON; a quantity ends in the suffix of its unit ("_s", "_nw")
  std::string unit;  ///< "s", "nW"; empty: a count, a fraction from 0 to 1, a name
  Better better = Better::kNeither;
  std::string meaning;
  std::vector<FigureInfo> parts;  ///< of an object, or of every element of a list
  bool is_list = false;
};

/// A value as JSON; an empty optional gives nothing at all.
template <typename Value>
std::optional<Json> to_value(const Value& value) {
  return Json(value);
}
template <typename Value>
std::optional<Json> to_value(const std::optional<Value>& value) {
  return value ? to_value(*value) : std::nullopt;
}

/// How a result reads: one entry a figure, in the order of the JSON and of the terminal text. All that is said of a
/// figure (key, unit, direction, meaning, text) stands here and nowhere else; its value is a member of the result.
template <typename Result>
class Table {
 public:
  using Line = std::function<std::string(const Result&)>;

  /// A figure; `get` is a member or a function of the result. An empty optional leaves the key out. Without a unit: a
  /// count, a fraction or a name; without a direction: neither way is better.
  template <typename Get>
  Table& figure(std::string key, std::string unit, Better better, std::string meaning, Get get) {
    entries_.push_back({{std::move(key), std::move(unit), better, std::move(meaning), {}, false},
                        [get](const Result& result) { return to_value(std::invoke(get, result)); },
                        {}});
    return *this;
  }
  template <typename Get>
  Table& figure(const char* key, const char* unit, const char* meaning, Get get) {
    return figure(key, unit, Better::kNeither, meaning, get);
  }
  template <typename Get>
  Table& figure(const char* key, Better better, const char* meaning, Get get) {
    return figure(key, "", better, meaning, get);
  }
  template <typename Get>
  Table& figure(const char* key, const char* meaning, Get get) {
    return figure(key, "", Better::kNeither, meaning, get);
  }

  /// An object with the figures of `table`; `get` gives a Part, an optional or a pointer
  /// (none: the key is left out).
  template <typename Part, typename Get>
  Table& object(std::string key, std::string meaning, const Table<Part>& table, Get get) {
    entries_.push_back(
        {{std::move(key), "", Better::kNeither, std::move(meaning), table.infos(), false},
         [get, own = std::make_shared<const Table<Part>>(table)](const Result& result) -> std::optional<Json> {
           decltype(auto) part = std::invoke(get, result);
           if constexpr (std::is_convertible_v<decltype(part), const Part&>) {
             return own->json(part);
           } else {
             return part ? std::optional<Json>(own->json(*part)) : std::nullopt;
           }
         },
         {}});
    return *this;
  }

  /// A list of objects with the figures of `table`; `get` gives a range of Part.
  template <typename Part, typename Get>
  Table& list(std::string key, std::string meaning, const Table<Part>& table, Get get) {
    entries_.push_back(
        {{std::move(key), "", Better::kNeither, std::move(meaning), table.infos(), true},
         [get, own = std::make_shared<const Table<Part>>(table)](const Result& result) -> std::optional<Json> {
           Json list = Json::array();
           for (const Part& part : std::invoke(get, result)) list.push_back(own->json(part));
           return list;
         },
         {}});
    return *this;
  }

  /// The figures of `table` among these, and its text; `get` as of object().
  template <typename Part, typename Get>
  Table& merge(const Table<Part>& table, Get get) {
    for (const auto& entry : table.entries()) {
      Entry own{entry.info, {}, {}};
      const auto with_part = [get](const Result& result, const auto& call) {
        decltype(auto) part = std::invoke(get, result);
        if constexpr (std::is_convertible_v<decltype(part), const Part&>) {
          return call(part);
        } else {
          return part ? call(*part) : decltype(call(*part)){};
        }
      };
      if (entry.value) own.value = [with_part, value = entry.value](const Result& r) { return with_part(r, value); };
      if (entry.line) own.line = [with_part, line = entry.line](const Result& r) { return with_part(r, line); };
      entries_.push_back(std::move(own));
    }
    return *this;
  }

  /// The figure before it reads as `label` and its value in `format` ("{:.4f}") on a terminal.
  Table& shown(std::string label, std::string format) {
    Entry& entry = entries_.back();
    entry.line = [label, format, value = entry.value](const Result& result) {
      const std::optional<Json> json = value(result);
      if (!json || json->is_null()) return std::string();
      return fmt::format("{:<19} {}\n", label, value_text(*json, format));
    };
    return *this;
  }

  /// Text of more than one figure, at this place; ends in a line break.
  Table& text(Line line) {
    entries_.push_back({{}, {}, std::move(line)});
    return *this;
  }

  /// The same figures, without any text.
  Table without_text() const {
    Table table;
    for (const Entry& entry : entries_) {
      if (entry.value) table.entries_.push_back({entry.info, entry.value, {}});
    }
    return table;
  }

  struct Entry {
    FigureInfo info;
    std::function<std::optional<Json>(const Result&)> value;  ///< empty: text alone
    Line line;                                                ///< empty: not on a terminal
  };

  const std::vector<Entry>& entries() const { return entries_; }

  Json json(const Result& result) const {
    Json json = Json::object();
    for (const Entry& entry : entries_) {
      if (!entry.value) continue;
      if (const std::optional<Json> value = entry.value(result)) json.set(entry.info.key, *value);
    }
    return json;
  }

  std::string text(const Result& result) const {
    std::string text;
    for (const Entry& entry : entries_) text += entry.line ? entry.line(result) : "";
    return text;
  }

  std::vector<FigureInfo> infos() const {
    std::vector<FigureInfo> infos;
    for (const Entry& entry : entries_) {
      if (entry.value) infos.push_back(entry.info);
    }
    return infos;
  }

 private:
  std::vector<Entry> entries_;
};

/// A list of rows "| `key` | unit | meaning |" for a page of the docs; parts of objects as `key.part`, of lists as
/// `key[].part`.
std::string markdown_table(const std::vector<FigureInfo>& infos);

/// The names of the figures that can be required, between commas.
std::string metric_names(const std::vector<FigureInfo>& infos);

/// One METRIC<=VALUE or METRIC>=VALUE that a result has to meet.
struct Requirement {
  std::string metric;  ///< key; parts of objects as "power_nw.total"
  bool is_upper = false;
  double value = 0.0;
};

/// Reads "METRIC<=VALUE" or "METRIC>=VALUE". Throws a usage Error that lists the metrics of `infos` where there is no
/// such one, and where the comparison goes the way that is better.
Requirement parse_requirement(const std::string& text, const std::vector<FigureInfo>& infos);

/// Reads the older "METRIC=VALUE": a lower bound where higher is better, else an upper one. Errors likewise.
Requirement parse_fail_under(const std::string& text, const std::vector<FigureInfo>& infos);

/// Throws a limit-missed Error that says every requirement that `result` misses or has no figure for.
void check_requirements(const std::vector<Requirement>& requirements, const Json& result);

}  // namespace hysteron::report
