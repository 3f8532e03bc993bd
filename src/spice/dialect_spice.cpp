// ngspice and Xyce: two children of SPICE that differ in parameters, paths and what a run writes.

#include <fmt/format.h>

#include <utility>

#include "spice/dialect_writer.h"

namespace hysteron::spice {
namespace {

std::string lines(const std::string& first, const std::vector<std::string>& words) {
  return wrapped(first, words, "+", "");
}

std::vector<std::string> settings(const std::vector<Setting>& settings, const std::string& introduction) {
  std::vector<std::string> words;
  if (!settings.empty() && !introduction.empty()) words.push_back(introduction);
  for (const Setting& setting : settings) words.push_back(setting_text(setting, "{", "}"));
  return words;
}

/// What the two have in common.
class SpiceWriter : public DialectWriter {
 public:
  explicit SpiceWriter(std::string parameters) : parameters_(std::move(parameters)) {}

  std::string comment(const std::string& text) const override { return "* " + text + "\n"; }

  // A netlist that is included has no title line; a bench does, and it is a comment all the same.
  std::string first_line(const std::string& title, bool) const override { return comment(title); }

  std::string begin(const Subcircuit& subcircuit) const override {
    std::vector<std::string> words = subcircuit.ports;
    const std::vector<std::string> more = settings(subcircuit.parameters, parameters_);
    words.insert(words.end(), more.begin(), more.end());
    return lines(".subckt " + subcircuit.name, words);
  }

  std::string instance(const Instance& instance) const override {
    std::vector<std::string> words = instance.nodes;
    if (instance.master == kCapacitor) {
      words.push_back(fmt::format("{:.6g}", instance.settings.front().value));
      return lines(instance.name, words);
    }
    words.push_back(instance.master);
    const std::vector<std::string> more = settings(instance.settings, parameters_);
    words.insert(words.end(), more.begin(), more.end());
    return lines(instance.name, words);
  }

  std::string end(const Subcircuit& subcircuit) const override { return ".ends " + subcircuit.name + "\n"; }

  std::string source(char, const std::string& name, const std::string& from, const std::string& to,
                     const sim::PiecewiseLinear& value) const override {
    const std::string first = fmt::format("{} {} {}", name, from, to);
    if (value.size() == 1) return fmt::format("{} dc {:.9g}\n", first, value.front().value);
    std::vector<std::string> words;
    for (const sim::Breakpoint& point : value) words.push_back(fmt::format("{:.9g} {:.9g}", point.time, point.value));
    words.back() += ")";
    return lines(first + " pwl(", words);
  }

 protected:
  static std::string transient(const Analysis& analysis) {
    return fmt::format(".tran {:.9g} {:.9g} 0 {:.9g}{}\n", analysis.step, analysis.stop, analysis.step,
                       analysis.starts_from_initial_voltages ? " uic" : "");
  }

 private:
  std::string parameters_;  // the word before parameters
};

class NgspiceWriter : public SpiceWriter {
 public:
  NgspiceWriter() : SpiceWriter("") {}

  std::string include(const std::string& file) const override { return fmt::format(".include '{}'\n", file); }

  std::string conditions(const sim::Testbench& bench, const technology::Technology& technology) const override {
    return ngspice_conditions(bench, technology);
  }

  std::string analysis(const Analysis& analysis, const BenchFile& file) const override {
    std::string text;
    for (const auto& [path, voltage] : analysis.initial_voltages) {
      text += fmt::format(".ic v({})={:.6g}\n", joined(path, '.'), voltage);
    }
    std::vector<std::string> saved;
    for (const std::string& source : analysis.sources) saved.push_back(fmt::format("i({})", source));
    for (const Path& path : analysis.nodes) saved.push_back(fmt::format("v({})", joined(path, '.')));
    saved.insert(saved.end(), analysis.transistor_currents.begin(), analysis.transistor_currents.end());
    text += lines(".save", saved);
    text += transient(analysis);
    return text + control(analysis, file) + ".end\n";
  }

 private:
  /// Runs, writes what was saved, and reads the sources' currents at the wanted times into a table. ngspice's threads
  /// spin: on a loaded machine a run with one is ten times as fast.
  static std::string control(const Analysis& analysis, const BenchFile& file) {
    std::string text = "\n.control\nset num_threads=1\nset filetype=binary\nrun\n";
    text += fmt::format("write {}.raw\n", file.stem);
    std::string names;
    for (const std::string& source : analysis.read_sources) names += "," + source.substr(1);
    text += fmt::format("echo \"time{}\" > {}.csv\n", names, file.stem);
    text += "foreach when";
    for (const double time : file.read_times) text += fmt::format(" {:.9g}", time);
    text += "\n";
    std::string row = "$when";
    for (std::size_t k = 0; k < analysis.read_sources.size(); ++k) {
      text += fmt::format("  meas tran now{} find i({}) at=$when\n", k, analysis.read_sources[k]);
      text += fmt::format("  let logit{} = now{} / {:.9g}\n", k, k, file.unit_current);
      row += fmt::format(",$&logit{}", k);
    }
    text += fmt::format("  echo \"{}\" >> {}.csv\nend\nquit\n.endc\n", row, file.stem);
    return text;
  }
};

class XyceWriter : public SpiceWriter {
 public:
  XyceWriter() : SpiceWriter("PARAMS:") {}

  std::string include(const std::string& file) const override { return fmt::format(".include \"{}\"\n", file); }

  std::string conditions(const sim::Testbench& bench, const technology::Technology& technology) const override {
    return comment("models.lib: the library of " + technology.name + " for Xyce, with the sections of its corners") +
           fmt::format(".lib \"models.lib\" {}\n", corner_section(bench, technology)) +
           fmt::format(".options device gmin=1e-16 temp={:.6g}\n", bench.temperature) +
           ".options timeint method=gear reltol=1e-3 abstol=1e-14\n";
  }

  std::string analysis(const Analysis& analysis, const BenchFile& file) const override {
    std::string text;
    std::vector<std::string> printed;
    for (const std::string& source : analysis.sources) printed.push_back(fmt::format("i({})", source));
    for (const auto& [path, voltage] : analysis.initial_voltages) {
      text += fmt::format(".ic v({})={:.6g}\n", joined(path, ':'), voltage);
    }
    for (const Path& path : analysis.nodes) printed.push_back(fmt::format("v({})", joined(path, ':')));
    text += transient(analysis);
    return text + lines(fmt::format(".print tran format=csv file={}.csv", file.stem), printed) + ".end\n";
  }
};

}  // namespace

std::unique_ptr<DialectWriter> ngspice_writer() { return std::make_unique<NgspiceWriter>(); }
std::unique_ptr<DialectWriter> xyce_writer() { return std::make_unique<XyceWriter>(); }

}  // namespace hysteron::spice
