#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "base/store.h"
#include "compile/compiled_network.h"
#include "sim/engine.h"

namespace hysteron::compile {

/// What calibration made of one network, stored in a file so that the same network is not calibrated again.
class StoredSizes {
 public:
  /// `built` is the network before calibration, `frames` what layers are calibrated on, `level` how far calibration
  /// goes. Sizes made from anything else are not taken: the key has the netlist, its conditions, the technology, the
  /// engine's version, every parameter and the frames.
  StoredSizes(std::filesystem::path path, const CompiledNetwork& built, std::span<const float> frames,
              std::string_view level, const sim::Engine& engine);

  /// Puts the sizes and errors that are stored for it into `network`, which must be as built; false, and `network` as
  /// it was, where nothing whole of this key is stored. Throws a bad-input Error where the file cannot be read.
  bool read(CompiledNetwork& network) const;

  /// Throws as write_file.
  void write(const CompiledNetwork& network) const;

 private:
  Store store_;
};

}  // namespace hysteron::compile
