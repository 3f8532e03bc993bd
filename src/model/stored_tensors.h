#pragma once

#include <string>
#include <type_traits>

#include "base/store.h"
#include "model/safetensors.h"

namespace hysteron::model {

/// A safetensors file whose metadata `hysteron.store` is the stamp of `store`. Throws as Store::read.
Stored<TensorFile> read_stored_tensors(const Store& store);

/// The same as `decode` takes it from a TensorFile; it gives an optional without value where arrays are missing or of
/// another shape.
template <typename Decode>
auto read_stored_tensors(const Store& store, Decode&& decode)
    -> Stored<typename std::invoke_result_t<Decode, const TensorFile&>::value_type> {
  const Stored<TensorFile> file = read_stored_tensors(store);
  if (!file.value) return {file.state, {}};
  auto value = decode(*file.value);
  const StoreState state = value ? StoreState::kFound : StoreState::kStale;
  return {state, std::move(value)};
}

/// Adds the stamp to the metadata and writes the file.
void write_stored_tensors(const Store& store, TensorFile file);

/// The tensor `name` of that type and shape; null where there is none.
const Tensor* find_tensor(const TensorFile& file, const std::string& name, std::string_view dtype,
                          const std::vector<std::size_t>& shape);

/// The metadata `name` as a number; 0 where there is none.
double metadata_number(const TensorFile& file, const std::string& name);

}  // namespace hysteron::model
