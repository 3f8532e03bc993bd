#include "report/json.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace hysteron::report {

using Tree = nlohmann::ordered_json;

Json::Json(std::nullptr_t) : tree_(std::make_unique<Tree>()) {}
Json::Json(bool value) : tree_(std::make_unique<Tree>(value)) {}
Json::Json(double value) : tree_(std::isfinite(value) ? std::make_unique<Tree>(value) : std::make_unique<Tree>()) {}
Json::Json(const char* value) : tree_(std::make_unique<Tree>(value)) {}
Json::Json(const std::string& value) : tree_(std::make_unique<Tree>(value)) {}
Json::Json(std::int64_t value) : tree_(std::make_unique<Tree>(value)) {}
Json::Json(std::uint64_t value) : tree_(std::make_unique<Tree>(value)) {}
Json::Json(const Tree& tree) : tree_(std::make_unique<Tree>(tree)) {}

Json::Json(const Json& other) : tree_(std::make_unique<Tree>(*other.tree_)) {}
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(Json other) noexcept {
  std::swap(tree_, other.tree_);
  return *this;
}
Json::~Json() = default;

Json Json::array() { return Json(Tree::array()); }
Json Json::object() { return Json(Tree::object()); }
void Json::push_back(const Json& value) { tree_->push_back(*value.tree_); }
void Json::set(const std::string& key, const Json& value) { (*tree_)[key] = *value.tree_; }
bool Json::is_null() const { return tree_->is_null(); }

std::string json_text(const Json& json, int indent) {
  return json.tree().dump(indent, ' ', false, Tree::error_handler_t::replace);
}

std::string value_text(const Json& value, const std::string& format) {
  const Tree& tree = value.tree();
  if (tree.is_string()) return fmt::format(fmt::runtime(format), tree.get<std::string>());
  if (tree.is_number_float()) return fmt::format(fmt::runtime(format), tree.get<double>());
  if (tree.is_boolean()) return fmt::format(fmt::runtime(format), tree.get<bool>() ? "yes" : "no");
  return fmt::format(fmt::runtime(format), tree.get<std::int64_t>());
}

}  // namespace hysteron::report
