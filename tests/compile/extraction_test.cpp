#include "compile/extraction.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "base/error.h"
#include "compile/hazard_mitigations.h"
#include "compile/ideal_curves.h"
#include "compile/small_network.h"
#include "spice/dialect.h"
#include "spice/netlist_reader.h"

namespace hysteron::compile {
namespace {

const technology::Technology& generic180() {
  static const technology::Technology technology = technology::load_technology("generic180");
  return technology;
}

/// Every kind of weight: ordinary ones, one that needs several legs, one too small for any, one that is 0.
model::Network varied_network() {
  model::Network network = small_network();
  network.input.weight(0, 1) = 1e-5F;
  network.readout.weight(0, 0) = 25.0F;
  network.layers[0].candidate.weight(0, 1) = 0.0F;
  network.layers[0].output.bias[1] = -1e-5F;
  return network;
}

CompiledNetwork compiled_network() { return build_network(varied_network(), generic180(), ideal_curves(), {}); }

std::string netlist_of(const CompiledNetwork& network) {
  const GainCurves curves = ideal_curves();
  const spice::Hierarchy hierarchy(network.circuit, generic180(), kNetworkName,
                                   make_notes(network, generic180(), curves));
  return spice::format_netlist(hierarchy.netlist(), spice::Dialect::kNgspice);
}

Extraction extract(const std::string& text) {
  const std::string origin = "'network.spice'";
  const NetlistHeader header = parse_header(spice::netlist_header(text, origin), origin);
  return extract_network(spice::parse_netlist(text, origin, generic180()), origin, header, generic180(),
                         ideal_curves());
}

/// Of every parameter: the sizing error of its rows in mapping.csv, the mean of both legs of a signed value.
std::map<std::string, double> sizing_errors(const CompiledNetwork& network) {
  std::map<std::string, std::map<bool, double>> by_part;
  for (const CompiledLeg& leg : network.legs) {
    if (!leg.parameter) continue;  // equal legs share the value
    by_part[model::parameter_name(*leg.parameter)][leg.mirrored] += leg.share_of(leg.sizing_error);
  }
  std::map<std::string, double> result;
  for (const auto& [name, parts] : by_part) {
    for (const auto& [part, error] : parts) result[name] += error / static_cast<double>(parts.size());
  }
  return result;
}

void expect_round_trip(const CompiledNetwork& network) {
  const Extraction extraction = extract(netlist_of(network));
  const std::map<std::string, double> errors = sizing_errors(network);
  std::size_t compared = 0;
  for (const ExtractedParameter& parameter : extraction.parameters) {
    if (parameter.derived) continue;  // in no row
    if (parameter.model == 0.0) {
      EXPECT_EQ(parameter.extracted, 0.0) << parameter.name;
    } else {
      EXPECT_NEAR(parameter.extracted / parameter.model - 1.0, errors.at(parameter.name), 2e-6) << parameter.name;
    }
    ++compared;
  }
  EXPECT_EQ(compared, errors.size());
}

TEST(Extraction, RoundTripEqualsTheSizingErrorOfEveryParameter) { expect_round_trip(compiled_network()); }

TEST(Extraction, RoundTripHoldsForWhatSimulationCorrected) {
  CompiledNetwork network = compiled_network();
  // As calibration leaves cells: other sizes than the curves alone would give, and the errors of the measured loop.
  for (const CompiledCell& cell : network.cells[0]) {
    for (const CellLeg which : kCellLegs) {
      CompiledLeg& instance = network.legs[cell.legs[which]];
      const circuit::Transistor& transistor = network.circuit.transistor(instance.device);
      network.circuit.resize(instance.device, 1.07 * transistor.width, transistor.length);
      instance.sizing_error = 1e-3 * static_cast<double>(cell.legs[which] % 5) - 2e-3;
    }
  }
  expect_round_trip(network);
}

TEST(Extraction, GivesBackTheModelsValuesAndShape) {
  const model::Network network = varied_network();
  const Extraction extraction = extract(netlist_of(compiled_network()));
  EXPECT_EQ(extraction.model.input.weight, network.input.weight);
  EXPECT_EQ(extraction.model.layers[0].beta_lo, network.layers[0].beta_lo);
  EXPECT_EQ(extraction.model.readout.weight, network.readout.weight);
  EXPECT_EQ(extraction.realised.layers[0].initial_state, network.layers[0].initial_state);
  EXPECT_EQ(extraction.realised.labels, network.labels);
  model::check_network(extraction.realised, "extracted");
  EXPECT_NEAR(extraction.realised.readout.weight(0, 0), 25.0, 0.25);
}

TEST(Extraction, DroppedParametersComeBackAsZero) {
  const Extraction extraction = extract(netlist_of(compiled_network()));
  std::size_t dropped = 0;
  for (const ExtractedParameter& parameter : extraction.parameters) {
    if (!parameter.dropped) continue;
    EXPECT_EQ(parameter.extracted, 0.0);
    ++dropped;
  }
  EXPECT_EQ(dropped, 3U);  // two too small, one 0
  EXPECT_EQ(extraction.realised.input.weight(0, 1), 0.0F);
  EXPECT_EQ(extraction.realised.layers[0].output.bias[1], 0.0F);
  EXPECT_EQ(extraction.realised.layers[0].candidate.weight(0, 1), 0.0F);
  EXPECT_EQ(extraction_errors(extraction.parameters).dropped, 2U);
}

TEST(Extraction, TakesCapacitorsOnCellsAsTheyCome) {
  CompiledNetwork network = compiled_network();
  HazardMitigations mitigations;
  mitigations.cell_capacitance = 5e-14;
  apply_mitigations(network, mitigations);
  const std::string text = netlist_of(network);
  EXPECT_NE(text.find("\ncv0 h_v0 0 5e-14\n"), std::string::npos);
  expect_round_trip(network);
  std::string resized = text;
  resized.replace(resized.find("\ncv0 h_v0 0 5e-14"), std::string("\ncv0 h_v0 0 5e-14").size(), "\ncv0 h_v0 0 6e-14");
  EXPECT_THROW(extract(resized), Error);
  std::string without = text;
  without.erase(text.find("\ncv0 "), std::string("\ncv0 h_v0 0 5e-14").size());
  EXPECT_THROW(extract(without), Error);
}

/// The first line of `text` that begins with `start`, and where it is.
struct Line {
  std::size_t begin = 0;
  std::size_t end = 0;  // behind its line feed
  std::size_t number = 0;
};
Line find_line(const std::string& text, const std::string& start, const std::string& after = "") {
  std::size_t begin = text.find("\n" + start, after.empty() ? 0 : text.find(after));
  EXPECT_NE(begin, std::string::npos) << start;
  ++begin;
  const auto number = static_cast<std::size_t>(std::count(text.begin(), text.begin() + begin, '\n')) + 1;
  return {begin, text.find('\n', begin) + 1, number};
}

std::string replaced(std::string text, const std::string& start, const std::string& from, const std::string& to) {
  const Line line = find_line(text, start);
  const std::size_t at = text.find(from, line.begin);
  EXPECT_LT(at, line.end) << from;
  return text.replace(at, from.size(), to);
}

TEST(Extraction, FollowsAWidthThatWasChanged) {
  const std::string text = netlist_of(compiled_network());
  const Line line = find_line(text, "xcandidate_weight_1_1 ");
  const std::size_t at = text.find("w=", line.begin);
  const double width = std::stod(text.substr(at + 2));
  std::string edited = text;
  edited.replace(at, text.find(' ', at) - at, fmt::format("w={:.6g}", 1.1 * width));
  const Extraction before = extract(text);
  const Extraction after = extract(edited);
  for (std::size_t i = 0; i < before.parameters.size(); ++i) {
    const double ratio = before.parameters[i].name == "layers.0.candidate.weight[1,1]" ? 1.1 : 1.0;
    EXPECT_NEAR(after.parameters[i].extracted, ratio * before.parameters[i].extracted,
                1e-5 * std::abs(before.parameters[i].extracted))
        << before.parameters[i].name;
  }
}

TEST(Extraction, TakesUnitsCaseAndOrderAsSpiceDoes) {
  std::string text = netlist_of(compiled_network());
  const Extraction before = extract(text);
  text = replaced(text, "xcandidate_weight_1_1 ", "xcandidate_weight_1_1 ", "XCandidate_Weight_1_1\n+ ");
  text = replaced(text, "xv0_0p_d ", " w=5e-06", " W = 5u");
  const Line first = find_line(text, "* readout.bias[0]");
  const std::size_t end = text.find('\n', first.end) + 1;
  const std::string moved = text.substr(first.begin, end - first.begin);
  text.erase(first.begin, moved.size());
  text.insert(find_line(text, "* readout.weight[0,0]").begin, moved + "* a comment of a user\n");
  const Extraction after = extract(text);
  for (std::size_t i = 0; i < before.parameters.size(); ++i) {
    EXPECT_EQ(after.parameters[i].extracted, before.parameters[i].extracted) << before.parameters[i].name;
  }
}

// Edited out of shape -----------------------------------------------------------------------------------------------

struct Edit {
  const char* name;
  std::function<std::string(const std::string&)> change;
  std::vector<std::string> says;
  const char* line_of = "";  // start of the line the message must name; empty: any
  const char* after = "";    // that line is the first one after this text
};

std::ostream& operator<<(std::ostream& stream, const Edit& edit) { return stream << edit.name; }

std::string without_line(std::string text, const std::string& start) {
  Line line = find_line(text, start);
  while (text[line.end] == '+') line.end = text.find('\n', line.end) + 1;
  return text.erase(line.begin, line.end - line.begin);
}

std::function<std::string(const std::string&)> replacing(const char* start, const char* from, const char* to) {
  return [=](const std::string& text) { return replaced(text, start, from, to); };
}

std::function<std::string(const std::string&)> removing(const char* start) {
  return [=](const std::string& text) { return without_line(text, start); };
}

/// Gives parameter `name` of the line another value, whatever it is; the line may be continued.
std::function<std::string(const std::string&)> setting(const char* start, const char* name, const char* value) {
  return [=](const std::string& text) {
    const std::string key = std::string(name) + "=";
    const std::size_t begin = text.find(key, find_line(text, start).begin) + key.size();
    return text.substr(0, begin) + value + text.substr(text.find_first_of(" \n", begin));
  };
}

class EditedNetlist : public testing::TestWithParam<Edit> {};

TEST_P(EditedNetlist, IsRefusedByLineAndExpectation) {
  const std::string text = netlist_of(compiled_network());
  const std::string edited = GetParam().change(text);
  try {
    extract(edited);
    FAIL() << "accepted";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput) << message;
    EXPECT_NE(message.find("'network.spice': line "), std::string::npos) << message;
    EXPECT_NE(message.find("expected"), std::string::npos) << message;
    for (const std::string& part : GetParam().says) EXPECT_NE(message.find(part), std::string::npos) << message;
    if (*GetParam().line_of != '\0') {
      const std::size_t number = find_line(edited, GetParam().line_of, GetParam().after).number;
      EXPECT_NE(message.find(fmt::format("line {}:", number)), std::string::npos) << message;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Extraction, EditedNetlist,
    testing::Values(
        Edit{"missing_leg", removing("xcandidate_weight_1_0 "), {"xcandidate_weight_1_0", "missing"}},
        Edit{"missing_rail", removing("xv1_0p_d "), {"xv1_0p_d", "missing"}},
        Edit{"missing_cell", removing("xcell1 "), {"xcell1", "missing"}},
        Edit{"missing_end", removing(".ends hysteron_network_layer0"), {"has no end"}},
        Edit{"missing_begin", removing(".subckt hysteron_network_layer0 "), {".subckt"}},
        Edit{"missing_comment", removing("* readout.bias[1]"), {"comments of parameters"}},
        Edit{"missing_size_comment", removing("* rail xv1_0p_d"), {"xv1_0p_d", "ROLE"}, "xv1_0p_d "},
        Edit{"missing_initial_state", removing("* layers.0.initial_state[1]"), {"initial_state", "two for each cell"}},
        Edit{"missing_head", removing("* hysteron.labels"), {"hysteron.labels"}},
        Edit{"wrong_gate",
             replacing("xcandidate_weight_1_1 ", " v0_1p_pr ", " v0_0p_pr "),
             {"v0_0p_pr", "v0_1p_pr", "terminal 2"},
             "xcandidate_weight_1_1 "},
        Edit{"wrong_drain",
             replacing("xcandidate_weight_1_1 ", " c0_1 ", " c0_0 "),
             {"c0_0", "c0_1", "terminal 1"},
             "xcandidate_weight_1_1 "},
        Edit{"unknown_device",
             replacing("xbias_0 ", "pfet_g180", "pfet_other"),
             {"pfet_other", "nfet_g180"},
             "xbias_0 "},
        Edit{"other_polarity",
             replacing("xcandidate_weight_1_1 ", "pfet_g180", "nfet_g180"),
             {"nfet_g180", "pfet_g180"},
             "xcandidate_weight_1_1 "},
        Edit{"too_wide", setting("xcandidate_weight_1_1 ", " w", "1m"), {"width", "curve"}, "xcandidate_weight_1_1 "},
        Edit{"too_narrow",
             setting("xcandidate_weight_1_1 ", " w", "100n"),
             {"width", "curve"},
             "xcandidate_weight_1_1 "},
        Edit{"other_length",
             setting("xcandidate_weight_1_1 ", " l", "7u"),
             {"length", "7 um"},
             "xcandidate_weight_1_1 "},
        Edit{"cell_too_wide", setting("xcell0 ", "beta_hi_w", "1m"), {"width", "layers.0.beta_hi[0]"}, "xcell0 "},
        Edit{
            "no_number", setting("xcandidate_weight_1_1 ", " w", "wide"), {"wide", "number"}, "xcandidate_weight_1_1 "},
        Edit{"negative", setting("xcandidate_weight_1_1 ", " w", "-1u"), {"above 0"}, "xcandidate_weight_1_1 "},
        Edit{"no_width", replacing("xcandidate_weight_1_1 ", " w=", " m="), {"'m'"}, "xcandidate_weight_1_1 "},
        Edit{"node_lost",
             replacing("xcandidate_weight_1_1 ", " vdd vdd ", " vdd "),
             {"3 nodes", "4"},
             "xcandidate_weight_1_1 "},
        Edit{"twice",
             [](const std::string& text) {
               const Line line = find_line(text, "xcandidate_weight_1_1 ");
               return text.substr(0, line.end) + text.substr(line.begin);
             },
             {"there already"}},
        Edit{"extra_device",
             [](const std::string& text) {
               const Line line = find_line(text, "xcandidate_weight_1_1 ");
               return text.substr(0, line.end) + "xmine c0_0 c0_0 0 0 nfet_g180 w=5u l=5u\n" + text.substr(line.end);
             },
             {"xmine"},
             "xmine"},
        Edit{"capacitor_without_value",
             [](const std::string& text) {
               const Line line = find_line(text, "xcandidate_weight_1_1 ");
               return text.substr(0, line.end) + "cmine c0_0 0\n" + text.substr(line.end);
             },
             {"cmine", "VALUE"},
             "cmine "},
        Edit{"resistor",
             [](const std::string& text) {
               const Line line = find_line(text, "xcandidate_weight_1_1 ");
               return text.substr(0, line.end) + "r1 c0_0 0 1meg\n" + text.substr(line.end);
             },
             {"r1"},
             "r1 "},
        Edit{"rail_resized", replacing("xv1_0p_d ", "w=5e-06", "w=6e-06"), {"no parameter", "w=5e-06"}, "xv1_0p_d "},
        Edit{"correction_without_sign",
             replacing("* readout.weight[0,1] = -0.5; vds=0.9", "vds=0.9", "vds=0.9; correction=-1"),
             {"correction", "0.1 to 10"}},
        Edit{"correction_of_nothing",
             replacing("* readout.weight[0,1] = -0.5; vds=0.9", "vds=0.9", "vds=0.9; correction=0"),
             {"correction", "0.1 to 10"}},
        Edit{"voltage_of_no_circuit",
             replacing("* readout.weight[0,1] = -0.5; vds=0.9", "vds=0.9", "vds=9"),
             {"vds", "0 to 6"}},
        Edit{"legs_beyond_counting",
             replacing("* readout.weight[0,1] = -0.5; vds=0.9", "vds=0.9", "vds=0.9; legs=1e30"),
             {"legs"}},
        Edit{"legs_that_are_not_there",
             replacing("* readout.weight[0,1] = -0.5; vds=0.9", "vds=0.9", "vds=0.9; legs=2"),
             {"readout.weight[0,1]", "2 legs", "expected 1"}},
        Edit{"comment_of_another_value",
             replacing("* readout.weight[0,1] = -0.5; vds=0.9; part=minus", "-0.5", "-0.6"),
             {"readout.weight[0,1]"}},
        Edit{"comment_out_of_range",
             replacing("* readout.bias[1]", "bias[1]", "bias[7]"),
             {"readout.bias[7]"},
             "* readout.bias[7]"},
        Edit{
            "comment_without_number", replacing("* readout.bias[1]", "= 0.2", "= many"), {"many"}, "* readout.bias[1]"},
        Edit{"comment_with_something_else",
             replacing("* readout.bias[1]", "vds=", "vgs="),
             {"vgs"},
             "* readout.bias[1]"},
        Edit{"head_without_number",
             replacing("* hysteron.unit_current_a", "= ", "= \"much\" "),
             {"hysteron.unit_current_a"}},
        Edit{"head_of_another_format",
             replacing("* hysteron.format", "= 1", "= 9"),
             {"hysteron.format"},
             "* hysteron.format"},
        Edit{"subcircuit_renamed",
             [](const std::string& text) {
               return replaced(replaced(text, ".subckt hysteron_network_bias ", "_bias ", "_basis "),
                               ".ends hysteron_network_bias", "_bias", "_basis");
             },
             {"hysteron_network_bias"}},
        Edit{"continuation_of_nothing", [](const std::string& text) { return "+ 1\n" + text; }, {"continues"}},
        Edit{"empty", [](const std::string&) { return std::string("\n"); }, {"hysteron.format"}}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace hysteron::compile
