#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "circuit_options.h"
#include "commands.h"
#include "data/npy.h"
#include "design/netlist.h"
#include "output.h"
#include "report/compile_report.h"
#include "spice/dialect.h"

namespace {

struct Options {
  DesignFlags design;
  OutputFlags output;
  std::string dialect = "ngspice";
  std::filesystem::path bench;
};

hysteron::design::NetlistOptions read_netlist_options(const Options& options, const hysteron::model::Network& network) {
  hysteron::design::NetlistOptions result;
  result.dialect = hysteron::spice::dialect_named(options.dialect);
  std::vector<std::size_t> clips = options.design.files.clips;
  if (options.bench.empty()) {
    if (clips.empty()) return result;
    throw hysteron::Error(hysteron::ErrorKind::kUsage,
                          "--clips requires --bench with the features to write test benches for");
  }
  if (clips.empty()) clips = {0};
  result.bench_features = hysteron::data::read_npy(options.bench);
  result.bench_origin = options.bench.string();
  result.bench_clips =
      hysteron::design::check_clips(network, result.bench_features, clips, hysteron::quoted(options.bench.string()));
  return result;
}

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace report = hysteron::report;
  DesignFlags flags = options.design;
  flags.files.clips.clear();  // those of the benches
  design::DesignRequest request = read_design_flags(flags);
  const design::NetlistOptions netlist = read_netlist_options(options, request.given);
  const design::DesignContext context(read_circuit_flags(flags.circuit, request.given), session.reporter, session.stop);
  const design::Design dut = design::build_design(context, std::move(request), session.reporter);
  report::CompileResult result{design::summarise(dut), options.output.folder,
                               design::write_circuit(dut, options.output.folder, netlist)};
  result.files.emplace_back("summary.json");
  hysteron::write_file(options.output.folder / "summary.json",
                       report::json_text(report::summary_table().json(result.summary), 2) + "\n");
  print_result(options.output, "", report::compile_table(), result);
  return 0;
}

}  // namespace

void add_compile_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "compile", "Compile a trained network to a transistor netlist",
      "hysteron compile model.safetensors --pdk generic180 -o circuit\n"
      "  hysteron compile model.safetensors --center training.npy -o circuit\n"
      "  hysteron compile model.safetensors -o circuit --bench test.npy --clips 3 && cd circuit && ngspice -b "
      "bench.spice\n"
      "  hysteron compile model.safetensors -o circuit --dialect spectre",
      [](Command& command, Options& options) {
        add_design_flags(command, options.design, Played::kOptional);
        add_output_flag(command, options.output, "Folder for the netlist, the mapping and the summary");
        command.option("--output").required();
        command.choice("--dialect", options.dialect, hysteron::spice::dialect_names(),
                       "Language of the netlist and the test benches");
        command.path("--bench", options.bench, "Features (.npy) to write test benches for, with PWL sources");
        add_json_flag(command, options.output);
      },
      [&session](const Options& options) { return run(options, session); });
}
