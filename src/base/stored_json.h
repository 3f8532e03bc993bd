#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>

#include "base/store.h"

namespace hysteron {

/// `decode` takes JSON and gives an optional; what it throws of JSON's exceptions, and no value, mean that the text
/// holds something else than a record.
template <typename Json, typename Decode>
auto decode_stored(const std::string& text, Decode&& decode)
    -> Stored<typename std::invoke_result_t<Decode, const Json&>::value_type> {
  try {
    if (auto value = decode(Json::parse(text))) return {StoreState::kFound, std::move(value)};
  } catch (const typename Json::exception&) {  // NOLINT(bugprone-empty-catch): stale, as below
  }
  return {StoreState::kStale, {}};
}

/// JSON as text; what is not UTF-8 in it (paths, messages of other programs) is replaced. `indent` as dump() has it.
template <typename Json>
std::string json_bytes(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

/// The record, JSON that was stored by store.write(json.dump()), as `decode` gives it. Throws as Store::read.
template <typename Decode>
auto read_json(const Store& store, Decode&& decode) {
  using Result = decltype(decode_stored<nlohmann::json>(std::string(), decode));
  const Stored<std::string> record = store.read();
  return record.value ? decode_stored<nlohmann::json>(*record.value, decode) : Result{record.state, {}};
}

/// Where the stamp stands in JSON files that others read too.
inline constexpr const char* kStampKey = "store";

/// Such a file, a JSON object, as `decode` gives it. Throws as Store::read.
template <typename Decode>
auto read_stamped_json(const Store& store, Decode&& decode) {
  using Json = nlohmann::ordered_json;
  using Value = std::invoke_result_t<Decode, const Json&>;
  const auto checked = [&](const Json& json) -> Value {
    return json.at(kStampKey) == store.stamp() ? decode(json) : Value();
  };
  const std::optional<std::string> bytes = store.read_bytes();
  return bytes ? decode_stored<Json>(*bytes, checked) : Stored<typename Value::value_type>();
}

/// Writes an object and the stamp behind its other keys; `indent` as nlohmann::json::dump has it.
inline void write_stamped_json(const Store& store, nlohmann::ordered_json json, int indent = -1) {
  json[kStampKey] = store.stamp();
  store.write_bytes(json_bytes(json, indent) + "\n");
}

}  // namespace hysteron
