// The bridge with the real ngspice.

#include "spice/ngspice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstdlib>
#include <numbers>
#include <string>
#include <vector>

#include "base/file.h"

namespace hysteron::spice {
namespace {

Deck deck_of(const std::string& text) {
  Deck deck;
  deck.text = text;
  return deck;
}

// A step of 1 V into 1 kohm and 1 uF.
Deck low_pass(double farad = 1e-6) {
  return deck_of("* low-pass\nv1 in 0 dc 0 ac 1 pulse(0 1 0 1n 1n 1 2)\nr1 in out 1k\nc1 out 0 " +
                 std::to_string(farad * 1e6) + "u\n.options reltol=1e-5\n.save v(out) i(v1)\n.tran 10u 5m\n.end\n");
}

std::string error_of(const Deck& deck, const RunOptions& options = {}) {
  try {
    Ngspice().run(deck, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSimulator);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Ngspice, TransientOfLowPassIsTheExponential) {
  const RunResult result = Ngspice().run(low_pass());
  EXPECT_EQ(result.attempts, 1);
  EXPECT_EQ(result.retry, "");
  const Plot& plot = result.raw.plot("transient");
  const std::vector<double>& time = plot["time"];
  const std::vector<double>& out = plot["v(out)"];
  EXPECT_NEAR(time.back(), 5e-3, 1e-12);
  for (std::size_t i = 0; i < time.size(); ++i) EXPECT_NEAR(out[i], 1.0 - std::exp(-time[i] / 1e-3), 1e-4);
}

TEST(Ngspice, OperatingPointOfADivider) {
  const RunResult result = Ngspice().run(deck_of("* divider\nv1 a 0 3\nr1 a B 2k\nr2 b 0 1k\n.op\n.end\n"));
  EXPECT_NEAR(result.raw.plot("operating point").last("v(B)"), 1.0, 1e-6);
  EXPECT_NEAR(result.raw.plots[0].last("i(v1)"), -1e-3, 1e-9);
}

TEST(Ngspice, AcOfLowPassIsComplex) {
  Deck deck = low_pass();
  deck.text.replace(deck.text.find(".tran 10u 5m"), 12, ".ac dec 5 1 100k");
  const Plot plot = Ngspice().run(deck).raw.plot("ac");
  ASSERT_TRUE(plot.is_complex);
  const auto out = plot.complex_column("v(out)");
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::complex<double> pole(1.0, 2.0 * std::numbers::pi * plot["frequency"][i] * 1e-3);
    EXPECT_LT(std::abs(out[i] - 1.0 / pole), 1e-9);
  }
}

TEST(Ngspice, ReturnsEveryAnalysis) {
  Deck deck = low_pass();
  deck.text.insert(deck.text.find(".tran"), ".op\n");
  const RunResult result = Ngspice().run(deck);
  EXPECT_TRUE(result.raw.has_plot("operating point"));
  EXPECT_TRUE(result.raw.has_plot("transient"));
}

TEST(Ngspice, ControlBlockMayWriteTheResult) {
  const RunResult result =
      Ngspice().run(deck_of("* sweep\nv1 a 0 1\nr1 a 0 1k\n.control\nset appendwrite\nop\nwrite out.raw\nalter v1 "
                            "2\nop\nwrite out.raw\n.endc\n.end\n"));
  ASSERT_EQ(result.raw.plots.size(), 2U);
  EXPECT_EQ(result.raw.plots[1].last("v(a)"), 2.0);
}

TEST(Ngspice, ErrorsNameTheNetlistLine) {
  struct Case {
    const char* text;
    std::vector<std::string> expected;
  };
  const Case cases[] = {
      {"* t\nv1 a 0 1\n\nM1 a a 0 0 nosuch w=1u l=1u\n.op\n.end\n",
       {"could not find a valid modelname", "netlist line 4: M1 a a 0 0 nosuch"}},
      {"* t\nv1 a 0 1\nxq a 0 nosub\n.op\n.end\n", {"unknown subckt", "netlist line 3: xq a 0 nosub"}},
      {"* t\nv1 a 0 1\nr1 a 0 {missing*2}\n.op\n.end\n",
       {"Undefined parameter [missing]", "netlist line 3: r1 a 0 {missing*2}"}},
      {"* t\n.include 'parts.sp'\nv1 a 0 1\nxleg a\n+ 0 part\n.op\n.end\n",
       {"could not find a valid modelname", "netlist line 4: xleg a  0 part"}},
      {"* t\n.include 'nothing.sp'\nv1 a 0 1\n.op\n.end\n", {"nothing.sp", "netlist line 2: .include"}},
      {"* t\nv1 a 0 1\nv2 a 0 2\n.op\n.end\n", {"3 attempts", "netlist line 2: v1 a 0 1"}},
      {"* t\nv1 a 0 1\nr1 a 0 1k\n.end\n", {"is there an analysis in the netlist?"}},
  };
  for (const Case& c : cases) {
    Deck deck = deck_of(c.text);
    deck.files["parts.sp"] = "* parts\n.subckt part a b\nm0 a b 0 0 nosuch w=1u l=1u\n.ends\n";
    const std::string message = error_of(deck);
    for (const std::string& part : c.expected) EXPECT_TRUE(has(message, part)) << part << " is not in: " << message;
  }
}

TEST(Ngspice, WarningsComeWithTheResult) {
  const RunResult result = Ngspice().run(deck_of("* t\nv1 a 0 1\nr1 a 0 1k\n.save v(a) @r9[i]\n.op\n.end\n"));
  ASSERT_EQ(result.messages.size(), 1U);
  EXPECT_TRUE(has(result.messages[0], "@r9[i]") && has(result.messages[0], "netlist line 4")) << result.messages[0];
}

TEST(Ngspice, StopsAtTheTimeLimit) {
  RunOptions options;
  options.time_limit = std::chrono::duration<double>(0.3);
  options.retries = {".options method=gear"};
  Deck deck = low_pass();
  deck.text.replace(deck.text.find(".tran 10u 5m"), 12, ".tran 1n 1000 0 1n");
  const std::string message = error_of(deck, options);
  EXPECT_TRUE(has(message, "ran longer than 300 ms") && has(message, "2 attempts")) << message;
}

TEST(Ngspice, StopsAtTheSizeLimit) {
  RunOptions options;
  options.raw_limit = 2000;
  EXPECT_TRUE(has(error_of(low_pass(), options), "wrote more than the limit of 2000 bytes"));
}

TEST(Ngspice, WorksBelowAnOddPath) {
  const TemporaryDirectory base("odd");
  const std::filesystem::path odd = base.path() / "it's a \"path\" $HOME; x";
  make_directories(odd);
  const char* old = std::getenv("TMPDIR");
  const std::string before = old == nullptr ? "" : old;
  ::setenv("TMPDIR", odd.c_str(), 1);
  Deck deck = deck_of("* t\n.include 'a part.sp'\nv1 a 0 1\nx1 a 0 part\n.op\n.end\n");
  deck.files["a part.sp"] = "* parts\n.subckt part a b\nr1 a b 1k\n.ends\n";
  const RunResult result = Ngspice().run(deck);
  old == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", before.c_str(), 1);
  EXPECT_NEAR(result.raw.plots[0].last("i(v1)"), -1e-3, 1e-9);
  EXPECT_TRUE(std::filesystem::is_empty(odd));
}

TEST(Ngspice, RepeatsItselfToTheLastBit) {
  const Ngspice ngspice;
  EXPECT_EQ(ngspice.run(low_pass()).raw.plots[0].columns, ngspice.run(low_pass()).raw.plots[0].columns);
}

TEST(Ngspice, ParallelRunsEqualSerialOnes) {
  std::vector<Deck> decks;
  for (int i = 1; i <= 8; ++i) decks.push_back(low_pass(i * 1e-7));
  const Ngspice ngspice;
  const std::vector<RunOutcome> serial = ngspice.run_all(decks, 1);
  const std::vector<RunOutcome> parallel = ngspice.run_all(decks, 4);
  ASSERT_EQ(parallel.size(), decks.size());
  for (std::size_t i = 0; i < decks.size(); ++i) {
    EXPECT_EQ(serial[i].value().raw.plots[0].columns, parallel[i].value().raw.plots[0].columns);
  }
  EXPECT_NE(serial[0].value().raw.plots[0].last("v(out)"), serial[7].value().raw.plots[0].last("v(out)"));
}

TEST(Ngspice, OneFailureDoesNotLoseTheOthers) {
  std::vector<Deck> decks(5, low_pass());
  decks[2] = deck_of("* t\nv1 a 0 1\nxq a 0 nosub\n.op\n.end\n");
  std::vector<std::size_t> done;
  const auto outcomes =
      Ngspice().run_all(decks, 2, {}, [&](std::size_t index, const RunOutcome&) { done.push_back(index); });
  EXPECT_EQ(done.size(), decks.size());
  for (std::size_t i = 0; i < decks.size(); ++i) EXPECT_EQ(outcomes[i].ok(), i != 2) << i;
  EXPECT_THROW(static_cast<void>(outcomes[2].value()), Error);
  EXPECT_TRUE(Ngspice().run_all({}, 2).empty());
}

class CountingReporter : public SilentReporter {
 public:
  void progress(const std::string& task, std::size_t done, std::size_t total, const std::string& detail) override {
    last = task + " " + std::to_string(done) + "/" + std::to_string(total) + " " + detail;
  }
  std::string last;
};

TEST(Ngspice, ReportsProgress) {
  std::vector<Deck> decks(3, low_pass());
  decks[0].text = "* t\nxq a 0 nosub\n.op\n.end\n";
  CountingReporter reporter;
  Ngspice().run_all(decks, 1, {}, reporter, "clips");
  EXPECT_EQ(reporter.last, "clips 3/3 1 failed");
}

}  // namespace
}  // namespace hysteron::spice
