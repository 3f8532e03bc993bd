// hysteron_bench [--json FILE] [Google Benchmark's options]

#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

/// The arguments with `--json FILE` or `--json=FILE` in Google Benchmark's words.
std::vector<std::string> translated(int count, char** arguments) {
  std::vector<std::string> result;
  for (int i = 0; i < count; ++i) {
    const std::string argument = arguments[i];
    std::string file;
    if (argument == "--json" && i + 1 < count) {
      file = arguments[++i];
    } else if (argument.starts_with("--json=")) {
      file = argument.substr(std::strlen("--json="));
    } else {
      result.push_back(argument);
      continue;
    }
    result.push_back("--benchmark_out=" + file);
    result.emplace_back("--benchmark_out_format=json");
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments = translated(argc, argv);
  std::vector<char*> pointers;
  pointers.reserve(arguments.size());
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
