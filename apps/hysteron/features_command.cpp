#include <filesystem>
#include <string>
#include <vector>

#include "commands.h"
#include "data/build_features.h"
#include "output.h"
#include "report/features_report.h"

namespace {

struct Options {
  std::vector<std::filesystem::path> audio;
  std::string output;
  bool raw = false;
  OutputFlags print;
  int jobs = 0;
};

void declare(Command& command, Options& options) {
  command.paths("audio", options.audio, "WAV or FLAC files at any sample rate, each one clip of one second").required();
  command.text("-o,--output", options.output, "NumPy file to write: float32 [clips, 101, 13]").required();
  command.flag("--raw", options.raw, "Do not normalise the coefficients over each clip");
  command.shared(hysteron::parameters::kJobs, options.jobs);
  add_json_flag(command, options.print);
}

int run(const Options& options, Session& session) {
  const hysteron::data::FeaturesRequest request{options.audio, options.output, options.raw, options.jobs};
  const hysteron::report::FeaturesResult result{
      request, hysteron::data::extract_features(request, session.reporter, session.stop)};
  print_result(options.print, "", hysteron::report::features_table(), result);
  return 0;
}

}  // namespace

void add_features_command(Command& app, Session& session) {
  add_command<Options>(app, session, "features", "Turn audio files into the features a network reads (13 MFCC)",
                       "hysteron features yes.wav no.wav -o clips.npy", declare,
                       [&session](const Options& options) { return run(options, session); });
}
