// Spectre's own language: `name (nodes) master parameters`, references without braces, a backslash at a broken line.

#include <fmt/format.h>

#include "spice/dialect_writer.h"

namespace hysteron::spice {
namespace {

std::string lines(const std::string& first, const std::vector<std::string>& words) {
  return wrapped(first, words, "   ", " \\");
}

/// "(a b c)" as words that may be parted by line breaks.
std::vector<std::string> bracketed(std::vector<std::string> words) {
  words.front().insert(0, "(");
  words.back() += ")";
  return words;
}

std::vector<std::string> settings(const std::vector<Setting>& settings) {
  std::vector<std::string> words;
  for (const Setting& setting : settings) words.push_back(setting_text(setting, "", ""));
  return words;
}

class SpectreWriter : public DialectWriter {
 public:
  std::string comment(const std::string& text) const override { return "// " + text + "\n"; }

  std::string first_line(const std::string& title, bool is_bench) const override {
    return comment(title) + "simulator lang=spectre\n" + (is_bench ? "global 0\n" : "");
  }

  std::string begin(const Subcircuit& subcircuit) const override {
    const std::string first = lines("subckt " + subcircuit.name, bracketed(subcircuit.ports));
    return subcircuit.parameters.empty() ? first : first + lines("parameters", settings(subcircuit.parameters));
  }

  std::string instance(const Instance& instance) const override {
    std::vector<std::string> words = bracketed(instance.nodes);
    words.push_back(instance.master);
    const std::vector<std::string> more = settings(instance.settings);
    words.insert(words.end(), more.begin(), more.end());
    return lines(instance.name, words);
  }

  std::string end(const Subcircuit& subcircuit) const override { return "ends " + subcircuit.name + "\n"; }

  std::string include(const std::string& file) const override { return fmt::format("include \"{}\"\n", file); }

  std::string conditions(const sim::Testbench& bench, const technology::Technology& technology) const override {
    return comment("models.scs: the models of " + technology.name + " for Spectre, with the sections of its corners") +
           fmt::format("include \"models.scs\" section={}\n", corner_section(bench, technology)) +
           fmt::format("settings options temp={:.6g} gmin=1e-16 reltol=1e-3 vabstol=1e-5 iabstol=1e-14\n",
                       bench.temperature);
  }

  std::string source(char kind, const std::string& name, const std::string& from, const std::string& to,
                     const sim::PiecewiseLinear& value) const override {
    const std::string first = fmt::format("{} ({} {}) {}source", name, from, to, kind);
    if (value.size() == 1) return fmt::format("{} type=dc dc={:.9g}\n", first, value.front().value);
    std::vector<std::string> words;
    for (const sim::Breakpoint& point : value) words.push_back(fmt::format("{:.9g} {:.9g}", point.time, point.value));
    words.back() += "]";
    return lines(first + " type=pwl wave=[", words);
  }

  std::string analysis(const Analysis& analysis, const BenchFile&) const override {
    std::string text;
    std::vector<std::string> saved;
    for (const std::string& source : analysis.sources) saved.push_back(source + ":p");
    for (const auto& [path, voltage] : analysis.initial_voltages) {
      text += fmt::format("ic {}={:.6g}\n", joined(path, '.'), voltage);
    }
    for (const Path& path : analysis.nodes) saved.push_back(joined(path, '.'));
    text += lines("save", saved);
    return text + fmt::format("clip tran stop={:.9g} maxstep={:.9g} method=gear2only{}\n", analysis.stop, analysis.step,
                              analysis.starts_from_initial_voltages ? " skipdc=yes" : "");
  }
};

}  // namespace

std::unique_ptr<DialectWriter> spectre_writer() { return std::make_unique<SpectreWriter>(); }

}  // namespace hysteron::spice
