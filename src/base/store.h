#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace hysteron {

/// Of everything that this program stores to read it again. Raise it when any record changes: how it is laid out, or
/// how what it holds is measured, calibrated, simulated or trained. All records of other versions are stale from then
/// on.
inline constexpr int kStoreVersion = 7;

/// The bytes of a file, or nothing where there is none. Throws a bad-input Error that names the file and the system's
/// reason where there is one that cannot be read: to go on as if there were none would hide it, and overwrite it.
std::optional<std::string> read_if_present(const std::filesystem::path& path);

/// 128 bits of `key` in hexadecimal digits.
std::string key_hash(std::string_view key);

enum class StoreState {
  kAbsent,  ///< there is no file
  kStale,   ///< the file is of another kind, version or key, or not whole: what it is of has to be done anew
  kFound
};

/// What a store holds, as whoever knows its layout reads it.
template <typename T>
struct Stored {
  StoreState state = StoreState::kAbsent;
  std::optional<T> value;  ///< if kFound
};

/// One record in a file, so that what took long is not done again. It is read whole or not at all, and written whole or
/// not at all. Nothing but this decides whether a record is taken: its stamp must be that of its reader.
class Store {
 public:
  /// `kind`: what is stored, a plain word; `key`: all that decides the record beside the version of the program. Reads
  /// and writes nothing yet.
  Store(std::filesystem::path path, std::string_view kind, std::string_view key);

  const std::filesystem::path& path() const { return path_; }

  /// Of kind, version and key: one line of plain characters.
  const std::string& stamp() const { return stamp_; }

  /// The record that `write` wrote. Throws as read_if_present.
  Stored<std::string> read() const;

  /// Stores `record` between a head, which has the stamp and a hash of it, and a foot: where the record is JSON, so is
  /// the file. Makes the folder. Throws a bad-input Error as write_file.
  void write(std::string_view record) const;

  /// For files whose layout others read too, which have a place for the stamp: all their bytes. stored_json.h and
  /// model/stored_tensors.h stand on these.
  std::optional<std::string> read_bytes() const { return read_if_present(path_); }
  void write_bytes(std::string_view bytes) const;

 private:
  std::filesystem::path path_;
  std::string stamp_;

  std::string head(std::string_view record) const;
};

}  // namespace hysteron
