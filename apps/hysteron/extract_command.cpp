#include <filesystem>
#include <string>

#include "commands.h"
#include "design/netlist.h"
#include "model/model_file.h"
#include "output.h"
#include "report/extract_report.h"

namespace {

struct Options {
  std::filesystem::path netlist;
  std::filesystem::path output;
  std::string technology;
  std::filesystem::path pdk_root;
  OutputFlags print;
};

int run(const Options& options, Session& session) {
  namespace report = hysteron::report;
  const auto& table = report::extract_table();
  const auto requirements = read_requirements(options.print, table.infos(), session.reporter);
  const report::ExtractResult result{
      hysteron::design::extract(options.netlist, options.technology, options.pdk_root, session.reporter, session.stop),
      options.output};
  if (!options.output.empty()) hysteron::model::save_model(options.output, result.extracted.extraction.realised);
  report::check_requirements(requirements, print_result(options.print, "", table, result));
  return 0;
}

}  // namespace

void add_extract_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "extract", "Read a netlist back and rebuild the model that its transistors realise",
      "hysteron extract circuit -o extracted.safetensors\n"
      "  hysteron run extracted.safetensors --input test.npy",
      [](Command& command, Options& options) {
        command.path("netlist", options.netlist, "Folder of `hysteron compile`, or a network.spice").required();
        command.path("-o,--output", options.output, "Write the rebuilt model");
        command.text("--pdk", options.technology,
                     "Technology description file (.toml), if the name in the netlist is not enough");
        command.shared(hysteron::parameters::kPdkRoot, options.pdk_root);
        add_require_flag(command, options.print, hysteron::report::extract_table().infos());
        add_json_flag(command, options.print);
      },
      [&session](const Options& options) { return run(options, session); });
}
