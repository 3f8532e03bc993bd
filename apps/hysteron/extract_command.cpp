#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "commands.h"
#include "design/netlist.h"
#include "model/model_file.h"

namespace {

struct Options {
  std::filesystem::path netlist;
  std::filesystem::path output;
  std::string technology;
  std::filesystem::path pdk_root;
  bool json = false;
};

nlohmann::json to_json(const hysteron::design::ExtractResult& result, const Options& options) {
  const hysteron::compile::ExtractionErrors& errors = result.errors;
  nlohmann::json parameters = nlohmann::json::array();
  for (const auto& parameter : result.extraction.parameters) {
    parameters.push_back({{"name", parameter.name},
                          {"model", parameter.model},
                          {"extracted", parameter.extracted},
                          {"dropped", parameter.dropped},
                          {"derived", parameter.derived}});
  }
  return {{"technology", result.technology},
          {"output", options.output.empty() ? nlohmann::json() : nlohmann::json(options.output.string())},
          {"parameters", errors.parameters},
          {"dropped_parameters", errors.dropped},
          {"largest_difference", errors.largest},
          {"largest_difference_of", errors.largest_name},
          {"rms_difference", errors.rms},
          {"largest_relative_difference", errors.largest_relative},
          {"largest_relative_difference_of", errors.largest_relative_name},
          {"rms_relative_difference", errors.rms_relative},
          {"values", parameters}};
}

void print_summary(const hysteron::compile::ExtractionErrors& errors, const Options& options) {
  fmt::print("{} parameters, {} of them without a transistor\n", errors.parameters, errors.dropped);
  fmt::print("difference           {:.6f} rms, {:.6f} largest ({}), model units\n", errors.rms, errors.largest,
             errors.largest_name);
  fmt::print("relative difference  {:.3f} % rms, {:.3f} % largest ({})\n", 100.0 * errors.rms_relative,
             100.0 * errors.largest_relative, errors.largest_relative_name);
  if (!options.output.empty()) fmt::print("wrote {}\n", options.output.string());
}

int run(const Options& options, Session& session) {
  const hysteron::design::ExtractResult result =
      hysteron::design::extract(options.netlist, options.technology, options.pdk_root, session.reporter, session.stop);
  if (!options.output.empty()) hysteron::model::save_model(options.output, result.extraction.realised);
  if (options.json) {
    const nlohmann::json json = to_json(result, options);
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print_summary(result.errors, options);
  }
  return 0;
}

}  // namespace

void add_extract_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "extract", "Read a netlist back and rebuild the model its transistors make",
      "hysteron extract circuit -o extracted.safetensors\n"
      "  hysteron run extracted.safetensors --input test.npy",
      [](Command& command, Options& options) {
        command.path("netlist", options.netlist, "Folder of `hysteron compile`, or a network.spice").required();
        command.path("-o,--output", options.output, "Write the rebuilt model");
        command.text("--pdk", options.technology,
                     "Technology, where the netlist's own name for it will not do: a description file (.toml)");
        command.shared(hysteron::parameters::kPdkRoot, options.pdk_root);
        command.shared(hysteron::parameters::kJson, options.json);
      },
      [&session](const Options& options) { return run(options, session); });
}
