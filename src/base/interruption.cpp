#include "base/interruption.h"

#include <fmt/format.h>

#include "base/error.h"

namespace hysteron {

Error interruption(std::string_view kept, const std::filesystem::path& folder) {
  if (folder.empty()) return {ErrorKind::kInterrupted, "interrupted"};
  return {ErrorKind::kInterrupted,
          fmt::format("interrupted; {} are kept in {}, and the same command goes on from there", kept,
                      quoted(folder.string()))};
}

}  // namespace hysteron
