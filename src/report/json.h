#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <type_traits>
#include <vector>

namespace hysteron::report {

/// A value of a result: a number, a text, a list or an object whose keys keep their order. All of the JSON library is
/// behind it, so that the many tables compile without.
class Json {
 public:
  Json(std::nullptr_t = nullptr);
  Json(bool value);
  Json(double value);  ///< null where it is not finite, as JSON has no other
  Json(const char* value);
  Json(const std::string& value);
  Json(std::int64_t value);
  Json(std::uint64_t value);
  template <std::integral Value>
  Json(Value value)
      : Json(static_cast<std::conditional_t<std::signed_integral<Value>, std::int64_t, std::uint64_t>>(value)) {}
  template <typename Value>
  Json(const std::vector<Value>& values) : Json(array()) {
    for (const auto& value : values) push_back(value);
  }
  template <typename Value, std::size_t kSize>
  Json(const std::array<Value, kSize>& values) : Json(array()) {
    for (const auto& value : values) push_back(value);
  }
  template <typename Value>
  Json(const std::map<std::string, Value>& values) : Json(object()) {
    for (const auto& [key, value] : values) set(key, value);
  }
  explicit Json(const nlohmann::ordered_json& tree);

  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(Json other) noexcept;
  ~Json();

  static Json array();
  static Json object();
  void push_back(const Json& value);
  void set(const std::string& key, const Json& value);

  bool is_null() const;
  const nlohmann::ordered_json& tree() const { return *tree_; }

 private:
  std::unique_ptr<nlohmann::ordered_json> tree_;
};

/// As text; what is not UTF-8 in it (paths) is replaced. `indent` below 0: one line.
std::string json_text(const Json& json, int indent = -1);

/// A number or a text in `format`, as fmt has it; "yes" or "no".
std::string value_text(const Json& value, const std::string& format);

}  // namespace hysteron::report
