// The job of Slurm that runs a search.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "explore/explore.h"

namespace hysteron::explore {
namespace {

/// `text` as one word of a shell.
std::string shell_word(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

}  // namespace

std::string slurm_script(const SlurmRequest& request) {
  const auto minutes = static_cast<long>(std::max(1.0, std::ceil(60.0 * request.hours)));
  const std::string pdk_root = request.pdk_root.empty() ? "" : " --pdk-root " + shell_word(request.pdk_root);
  // A rank that dies leaves its points to the others, so srun is not to end them; after a node's failure the job is
  // queued again and goes on from the points that are kept.
  return fmt::format(
      "#!/bin/sh\n"
      "#SBATCH --job-name=hysteron-explore\n"
      "#SBATCH --ntasks={}\n"
      "#SBATCH --cpus-per-task=1\n"
      "#SBATCH --time={}\n"
      "#SBATCH --output=hysteron-explore-%j.log\n"
      "#SBATCH --open-mode=append\n"
      "#SBATCH --requeue\n"
      "cd {} || exit 3\n"
      "exec srun --kill-on-bad-exit=0 --wait=0 {} explore {} --jobs 1 --patience {:g}{}\n",
      request.ranks, minutes, shell_word(std::filesystem::current_path().string()),
      shell_word(request.program.string()), shell_word(request.file.string()), request.patience, pdk_root);
}

}  // namespace hysteron::explore
