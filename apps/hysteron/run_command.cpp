#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "circuit_options.h"
#include "commands.h"
#include "data/npy.h"
#include "output.h"
#include "report/run_report.h"
#include "studies/montecarlo.h"
#include "studies/run.h"

namespace {

struct Options {
  DesignFlags design;
  std::filesystem::path output;
  std::string engine = "software";
  std::optional<std::uint64_t> die;
  std::filesystem::path die_file;
  hysteron::studies::ClipFiles files;
  OutputFlags result;
};

hysteron::studies::RunResult run_engine(const Options& options, hysteron::design::DesignRequest request,
                                        Session& session) {
  namespace design = hysteron::design;
  namespace studies = hysteron::studies;
  const design::CircuitOptions circuit = read_circuit_flags(options.design.circuit, request.given);
  studies::DieChoice die{options.die, {}};
  if (!options.die_file.empty()) die.errors = hysteron::model::read_die_file(options.die_file, request.given);
  if (options.engine == "software") {
    const auto network = die.errors ? hysteron::model::on_die(request.given, *die.errors) : request.given;
    return studies::run_software(network, request.features, request.clips, circuit.jobs);
  }
  const design::DesignContext context(circuit, session.reporter, session.stop);
  design::Design dut = design::build_design(context, std::move(request), session.reporter);
  if (options.engine == "spice") {
    return studies::run_spice(std::move(dut), die, options.files, session.reporter);
  }
  return studies::run_behavioural(dut, die, session.reporter);
}

void check_flags(const Options& options) {
  namespace studies = hysteron::studies;
  const auto usage = [](const char* message) { return hysteron::Error(hysteron::ErrorKind::kUsage, message); };
  if (options.die) {
    if (options.engine == "software") throw usage("--die needs --engine behavioural or spice");
    studies::check_die_seeds("--die", *options.die, 1);
  }
  if (!options.die_file.empty() && options.engine == "spice") {
    throw usage("--die-file requires --engine software or behavioural: ngspice samples its own dies");
  }
  if (!options.die_file.empty() && options.die) throw usage("--die and --die-file exclude each other");
  if (!options.files.waveforms.empty() && options.engine != "spice") throw usage("--waveforms needs --engine spice");
}

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace studies = hysteron::studies;
  check_flags(options);
  design::DesignRequest request = read_design_flags(options.design);
  if (options.engine == "software" && request.training) {
    throw hysteron::Error(hysteron::ErrorKind::kUsage, "--center requires --engine behavioural or spice");
  }
  studies::check_clip_files(options.files, request.clips.size());
  studies::RunResult result = run_engine(options, std::move(request), session);
  result.die_file = options.die_file.string();
  if (!options.output.empty()) studies::write_run(result, options.output);
  print_result(options.result, "", hysteron::report::run_table(), result);
  return 0;
}

}  // namespace

void add_run_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "run", "Run a model on features, in software or as a circuit",
      "hysteron run model.safetensors --input test.npy --output trace.safetensors\n"
      "  hysteron run model.safetensors --input test.npy --engine behavioural --die-file die.json\n"
      "  hysteron run model.safetensors --input stimulus.npy --engine spice --die 7 --waveforms bench.safetensors",
      [](Command& command, Options& options) {
        add_design_flags(command, options.design);
        command
            .choice("--engine", options.engine, {"software", "behavioural", "spice"},
                    "software, behavioural for the model with what its legs and cells are worth in the circuit, or "
                    "spice for the circuit in ngspice")
            .shown();
        command.seed("--die", options.die,
                     "a die with mismatch, behavioural and spice: the one that montecarlo draws by it with the same "
                     "engine (default: the circuit as drawn)");
        command.path("--die-file", options.die_file,
                     "Software and behavioural: the chip described by this die file, written by compare");
        add_waveform_flags(command, options.files);
        command.path("-o,--output", options.output, "Write logits, states and candidates as safetensors");
        add_json_flag(command, options.result);
      },
      [&session](const Options& options) { return run(options, session); });
}
