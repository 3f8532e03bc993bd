#pragma once

#include "cli/program.h"
#include "spice/fake_program.h"

namespace hysteron::cli {

using spice::FakeProgram;

/// The real ngspice, with `before_clip` run first where the netlist is that of a clip (it has the readout's nodes, and
/// layers are not calibrated in these tests); $count is then the number of clips begun so far, this one too.
inline std::string watched(const std::string& before_clip) {
  return "here=$(dirname \"$0\")\n"
         "echo >> \"$here/runs\"\n"
         "if grep -q logit0 deck.cir; then\n"
         "  echo >> \"$here/clips\"\n"
         "  count=$(wc -l < \"$here/clips\")\n"
         "  " +
         before_clip +
         "\n"
         "fi\n"
         "exec ngspice \"$@\"";
}

/// Commands that run clips in an ngspice that is watched.
class WatchedCli : public Cli {
 protected:
  void use(const FakeProgram& fake) { surroundings_.environment["HYSTERON_NGSPICE"] = fake.path().string(); }

  static std::size_t clips_begun(const FakeProgram& fake) { return count(fake.folder() / "clips"); }

  /// Circuits that were simulated, of whatever kind.
  static std::size_t runs_begun(const FakeProgram& fake) { return count(fake.folder() / "runs"); }

  /// Waits until `count` clips were begun, interrupts the program and gives how it ended.
  static Outcome interrupt_at(Program& program, const FakeProgram& fake, std::size_t count) {
    return program.interrupt_when([&] { return clips_begun(fake) >= count; });
  }

 private:
  static std::size_t count(const fs::path& lines) { return fs::exists(lines) ? read_file(lines).size() : 0; }
};

}  // namespace hysteron::cli
