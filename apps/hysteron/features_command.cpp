#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "commands.h"
#include "data/build_features.h"

namespace {

struct Options {
  std::vector<std::string> audio;
  std::string output;
  bool raw = false;
  bool json = false;
  int jobs = 0;
};

void declare(CLI::App& command, Options& options) {
  command.add_option("audio", options.audio, "WAV or FLAC files of any sample rate, one clip of a second each")
      ->required();
  command.add_option("-o,--output", options.output, "NumPy file to write: float32 [clips, 101, 13]")->required();
  command.add_flag("--raw", options.raw, "Leave the coefficients as they come, not normalised over each clip");
  command.add_option("-j,--jobs", options.jobs, "Threads; 0 takes all")->check(CLI::Range(0, 1024));
  command.add_flag("--json", options.json, "Print one JSON object on stdout and nothing else there");
}

int run(const Options& options, Session& session) {
  const hysteron::data::FeaturesRequest request{
      {options.audio.begin(), options.audio.end()}, options.output, options.raw, options.jobs};
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

void add_features_command(CLI::App& app, Session& session) {
  add_command<Options>(app, session, "features", "Turn audio files into the features a network reads (13 MFCC)",
                       "hysteron features yes.wav no.wav -o clips.npy", declare,
                       [&session](const Options& options) { return run(options, session); });
}
