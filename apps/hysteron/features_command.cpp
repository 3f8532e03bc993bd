#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "commands.h"
#include "data/build_features.h"

namespace {

struct Options {
  std::vector<std::filesystem::path> audio;
  std::string output;
  bool raw = false;
  bool json = false;
  int jobs = 0;
};

void declare(Command& command, Options& options) {
  command.paths("audio", options.audio, "WAV or FLAC files of any sample rate, one clip of a second each").required();
  command.text("-o,--output", options.output, "NumPy file to write: float32 [clips, 101, 13]").required();
  command.flag("--raw", options.raw, "Leave the coefficients as they come, not normalised over each clip");
  command.shared(hysteron::parameters::kJobs, options.jobs);
  command.shared(hysteron::parameters::kJson, options.json);
}

int run(const Options& options, Session& session) {
  const hysteron::data::FeaturesRequest request{options.audio, options.output, options.raw, options.jobs};
  const auto summary = hysteron::data::extract_features(request, session.reporter, session.stop);
  if (options.json) {
    const nlohmann::ordered_json result = {{"clips", summary.clips},
                                           {"frames", summary.frames},
                                           {"features", summary.features},
                                           {"normalisation", options.raw ? "none" : "clip"}};
    fmt::print("{}\n", result.dump());
  } else {
    fmt::print("{} clip{} of {} frames x {} features written to {}\n", summary.clips, summary.clips == 1 ? "" : "s",
               summary.frames, summary.features, options.output);
  }
  return 0;
}

}  // namespace

void add_features_command(Command& app, Session& session) {
  add_command<Options>(app, session, "features", "Turn audio files into the features a network reads (13 MFCC)",
                       "hysteron features yes.wav no.wav -o clips.npy", declare,
                       [&session](const Options& options) { return run(options, session); });
}
