#include <string>
#include <vector>

#include "commands.h"
#include "data/build_features.h"
#include "output.h"
#include "report/features_report.h"

namespace {

struct Options {
  std::vector<std::string> audio;
  std::string output;
  bool raw = false;
  OutputFlags print;
  int jobs = 0;
};

void declare(CLI::App& command, Options& options) {
  command.add_option("audio", options.audio, "WAV or FLAC files of any sample rate, one clip of a second each")
      ->required();
  command.add_option("-o,--output", options.output, "NumPy file to write: float32 [clips, 101, 13]")->required();
  command.add_flag("--raw", options.raw, "Leave the coefficients as they come, not normalised over each clip");
  command.add_option("-j,--jobs", options.jobs, "Threads; 0 takes all")->check(CLI::Range(0, 1024));
  command.add_flag("--json", options.print.json, "Print one JSON object on stdout and nothing else there");
}

int run(const Options& options, Session& session) {
  const hysteron::data::FeaturesRequest request{
      {options.audio.begin(), options.audio.end()}, options.output, options.raw, options.jobs};
  const hysteron::report::FeaturesResult result{
      request, hysteron::data::extract_features(request, session.reporter, session.stop)};
  print_result(options.print, "", hysteron::report::features_table(), result);
  return 0;
}

}  // namespace

void add_features_command(CLI::App& app, Session& session) {
  add_command<Options>(app, session, "features", "Turn audio files into the features a network reads (13 MFCC)",
                       "hysteron features yes.wav no.wav -o clips.npy", declare,
                       [&session](const Options& options) { return run(options, session); });
}
