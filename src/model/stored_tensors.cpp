#include "model/stored_tensors.h"

#include <cstdlib>
#include <utility>

#include "base/error.h"

namespace hysteron::model {
namespace {

constexpr const char* kStamp = "hysteron.store";

}  // namespace

Stored<TensorFile> read_stored_tensors(const Store& store) {
  const std::optional<std::string> bytes = store.read_bytes();
  if (!bytes) return {};
  try {
    TensorFile file = parse_tensors(*bytes, store.path().string());
    const auto stamp = file.metadata.find(kStamp);
    if (stamp != file.metadata.end() && stamp->second == store.stamp()) return {StoreState::kFound, std::move(file)};
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): its bytes were read, and are no whole file: stale
  }
  return {StoreState::kStale, {}};
}

void write_stored_tensors(const Store& store, TensorFile file) {
  file.metadata[kStamp] = store.stamp();
  store.write_bytes(format_tensors(file, store.path().string()));
}

const Tensor* find_tensor(const TensorFile& file, const std::string& name, std::string_view dtype,
                          const std::vector<std::size_t>& shape) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end() || found->second.dtype != dtype || found->second.shape != shape) return nullptr;
  return &found->second;
}

double metadata_number(const TensorFile& file, const std::string& name) {
  const auto found = file.metadata.find(name);
  return found == file.metadata.end() ? 0.0 : std::strtod(found->second.c_str(), nullptr);
}

}  // namespace hysteron::model
