#include "technology/technology.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace hysteron::technology {
namespace {

namespace fs = std::filesystem;

const fs::path kPdkRoot = fs::path(HYSTERON_SOURCE_DIR) / "../shared/pdk";

std::string message_of(const std::string& name, const fs::path& root) {
  try {
    load_technology(name, root);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  ADD_FAILURE() << name << " was accepted";
  return {};
}

std::string own_description() { return read_file(fs::path(HYSTERON_SOURCE_DIR) / "technologies" / "generic180.toml"); }

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Technology, Generic180NeedsNoPdk) {
  const Technology technology = load_technology("generic180", "/nonexistent");
  EXPECT_EQ(technology.name, "generic180");
  EXPECT_DOUBLE_EQ(technology.supply, 1.8);
  EXPECT_EQ(technology.models.sections.size(), 5u);
  EXPECT_NE(technology.models.files.at("generic180.spice").find(technology.n.subcircuit), std::string::npos);
}

TEST(Technology, GateAreaScalesAllThatHasToMatch) {
  const Technology plain = load_technology("generic180");
  const Technology twice = load_technology("generic180@4");
  EXPECT_EQ(twice.name, "generic180@4");
  EXPECT_NE(twice.fingerprint, plain.fingerprint);
  EXPECT_DOUBLE_EQ(twice.reference.width, 10e-6);
  EXPECT_DOUBLE_EQ(twice.rail_diode.width, 5e-6);
  EXPECT_DOUBLE_EQ(twice.rail_diode.length, 10e-6);
  ASSERT_EQ(twice.leg_lengths.size(), plain.leg_lengths.size());
  EXPECT_DOUBLE_EQ(twice.leg_lengths.back(), 100e-6);
  EXPECT_DOUBLE_EQ(twice.cell_switch.length, plain.cell_switch.length);
  EXPECT_EQ(load_technology("generic180@16").leg_lengths, (std::vector<double>{20e-6, 40e-6, 80e-6, 100e-6}))
      << "no channel is longer than the technology has";
  EXPECT_EQ(load_technology("generic180@1").fingerprint, plain.fingerprint);
  EXPECT_NE(message_of("generic180@100", "").find("gate area 100"), std::string::npos);
  EXPECT_NE(message_of("generic180@", "").find("generic180@"), std::string::npos);
}

TEST(Technology, AShapeKeepsTheGateAreaAndMakesSwitchesLonger) {
  const Technology plain = load_technology("generic180");
  Technology slim = load_technology("generic180");
  scale_shape(slim, 0.25);
  EXPECT_NE(slim.fingerprint, plain.fingerprint);
  EXPECT_DOUBLE_EQ(slim.reference.width, 2.5e-6);
  EXPECT_DOUBLE_EQ(slim.reference.length, 10e-6);
  EXPECT_DOUBLE_EQ(slim.rail_diode.width, 1.25e-6);
  EXPECT_DOUBLE_EQ(slim.cell_switch.width, plain.cell_switch.width);
  EXPECT_DOUBLE_EQ(slim.cell_switch.length, 4.0 * plain.cell_switch.length);
  EXPECT_EQ(slim.leg_lengths, (std::vector<double>{10e-6, 20e-6, 40e-6, 100e-6}));
}

TEST(Technology, FindsGf180mcuInEveryLayout) {
  if (!fs::exists(kPdkRoot)) GTEST_SKIP() << "../shared/pdk is not here";
  const Technology flat = load_technology("gf180mcu", kPdkRoot);
  const TemporaryDirectory folder("pdk");
  for (const char* layout : {"gf180mcuD/libs.tech/ngspice", "gf180mcuC/libs.tech/ngspice", "."}) {
    const TemporaryDirectory root("pdk");
    fs::create_directories(root.path() / layout);
    for (const auto& [file, bytes] : flat.models.files) write_file(root.path() / layout / file, bytes);
    EXPECT_EQ(load_technology("gf180mcu", root.path()).fingerprint, flat.fingerprint) << layout;
  }
}

TEST(Technology, NamesWhatAPdkFolderLacks) {
  const TemporaryDirectory root("pdk");
  const std::string message = message_of("gf180mcu", root.path());
  EXPECT_NE(message.find("sm141064.ngspice"), std::string::npos) << message;
  EXPECT_NE(message.find(root.path().string()), std::string::npos) << message;
}

TEST(Technology, RefusesUnknownNames) { EXPECT_NE(message_of("sky999", {}).find("generic180"), std::string::npos); }

TEST(Technology, DescriptionNamesTheKeyThatIsWrong) {
  const std::vector<std::pair<std::pair<std::string, std::string>, std::string>> cases = {
      {{"supply = 1.8 ", "supply = -1.8 "}, "supply"},
      {{"supply = 1.8 ", "suply = 1.8 "}, "supply"},
      {{"supply = 1.8 ", "supply = 0.3 "}, "supply"},
      {{"temperature = [-40.0, 125.0]", "temperature = [125.0, -40.0]"}, "temperature"},
      {{"grid = 5e-9", "grid = 5e-9\nbogus = 1"}, "bogus"},
      {{"reference = [5e-6, 5e-6]", "reference = [5e-6]"}, "reference"},
      {{"reference = [5e-6, 5e-6]", "reference = [5e-6, 500e-6]"}, "reference"},
      {{"typical = \"tt\"", "typical = \"zz\""}, "typical"},
      {{"subcircuit = \"nfet_g180\"", "subcircuit = \"a b\\n.include x\""}, "subcircuit"},
      {{"parameter = \"sw_mismatch\"", "parameter = \"sw_other\""}, "parameter"},
      {{"[geometry]", "[geometry"}, "line"},
  };
  for (const auto& [edit, expected] : cases) {
    const TemporaryDirectory folder("technology");
    const fs::path file = folder.path() / "own.toml";
    write_file(file, replaced(own_description(), edit.first, edit.second));
    const std::string message = message_of(file.string(), {});
    EXPECT_NE(message.find(expected), std::string::npos) << message;
    EXPECT_NE(message.find("own.toml"), std::string::npos) << message;
  }
}

TEST(Technology, ImpossibleDescriptionsNameKeyValueAndWhatWasExpected) {
  struct Case {
    const char* from;
    const char* to;
    std::vector<std::string> says;
  };
  const std::vector<Case> cases = {
      {"grid = 5e-9", "grid = 5e-7", {"geometry.grid is 5e-07", "at most 1.8e-07 m", "nfet_g180"}},
      {"leg_lengths = [5e-6, 10e-6", "leg_lengths = [5e-6, 5.2e-6", {"geometry.leg_lengths is", "a tenth longer"}},
      {"library = \"generic180.spice\"",
       "library = \"other.spice\"",
       {"models.library is 'other.spice'", "models.files"}},
      {"typical = \"tt\"",
       "include = [\"gone.spice\"]\ntypical = \"tt\"",
       {"models.include is", "gone.spice", "models.files"}},
      {"ff = \"ff\"", "ff = \"fastest\"", {"models.corners.ff is 'fastest'", "a section of generic180.spice", "ss"}},
      {"subcircuit = \"nfet_g180\"", "subcircuit = \"nfet_g18\"", {"nfet.subcircuit is 'nfet_g18'", "nfet_g180"}},
      {"[pfet]\nsubcircuit = \"pfet_g180\"\ninner = \"m0\"",
       "[pfet]\nsubcircuit = \"pfet_g180\"\ninner = \"m1\"",
       {"pfet.inner is 'm1'", "MOS instance inside pfet_g180", "m0"}},
      {"inner = \"m0\"", "inner = \"r0\"", {"nfet.inner is 'r0'", "begins with m"}},
      {"parameter = \"sw_mismatch\"",
       "parameter = \"sw_mismatch\"\nsection = \"chance\"",
       {"mismatch.section is 'chance'", "a section of generic180.spice"}},
  };
  for (const Case& one : cases) {
    const TemporaryDirectory folder("technology");
    const fs::path file = folder.path() / "own.toml";
    write_file(file, replaced(own_description(), one.from, one.to));
    const std::string message = message_of(file.string(), {});
    for (const std::string& part : one.says) EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

/// A description with two model files of its own: the corners' sections read the devices of the other file.
class OwnModels : public testing::Test {
 protected:
  OwnModels() {
    write_file(file_, replaced(replaced(own_description(), "files = [\"generic180.spice\"]",
                                        "files = [\"corners.spice\", \"devices.spice\"]"),
                               "library = \"generic180.spice\"", "library = \"corners.spice\""));
    write_file(folder_.path() / "devices.spice", devices_);
    write_file(folder_.path() / "corners.spice", corners_);
  }

  TemporaryDirectory folder_{"technology"};
  fs::path file_ = folder_.path() / "own.toml";
  std::string corners_ =
      "* Spelled as PDKs do\n.LIB TT\n.Include 'devices.spice'\n.ENDL\n"
      ".lib ff\n.inc devices.spice\n.endl ff\n  .lib ss\n.lib 'corners.spice' tt\n.endl\n"
      ".lib fs\n.endl\n.lib \"sf\"\n.endl\n";
  std::string devices_ =
      ".SUBCKT\n* in between\n+ NFET_G180 d g s b w=1 l=1\nM0 d g s b nmos\n.ENDS\n"
      ".subckt pfet_g180 d g s b\n+ w=1 l=1\n  m0 d g s b pmos w={w} l={l}\n.ends pfet_g180\n";
};

TEST_F(OwnModels, AreFoundInAnyFileAndInAnyCase) { EXPECT_EQ(load_technology(file_.string()).name, "generic180"); }

TEST_F(OwnModels, ASectionOfAnotherFileIsNotTheLibrarys) {
  write_file(folder_.path() / "corners.spice", replaced(corners_, ".lib ff", ".lib fff"));
  write_file(folder_.path() / "devices.spice", devices_ + ".lib ff\n.endl\n");
  EXPECT_NE(message_of(file_.string(), {}).find("models.corners.ff is 'ff'"), std::string::npos);
}

TEST_F(OwnModels, AnInstanceAfterTheSubcircuitIsNotInsideIt) {
  write_file(folder_.path() / "devices.spice",
             replaced(devices_, "M0 d g s b nmos\n.ENDS\n", "r1 d s 1k\n.ENDS\nm0 d g s b nmos\n"));
  EXPECT_NE(message_of(file_.string(), {}).find("nfet.inner is 'm0'"), std::string::npos);
}

TEST_F(OwnModels, WhatAFileOfOthersMayDefineIsNotRefused) {
  write_file(folder_.path() / "devices.spice", ".include '/opt/foundry/devices.spice'\n");
  EXPECT_EQ(load_technology(file_.string()).name, "generic180") << "ngspice will say whether it is there";
}

TEST(Technology, FingerprintFollowsTheDescription) {
  const TemporaryDirectory folder("technology");
  const fs::path file = folder.path() / "own.toml";
  write_file(file, own_description());
  const std::string before = load_technology(file.string()).fingerprint;
  write_file(file, replaced(own_description(), "supply = 1.8 ", "supply = 1.7 "));
  EXPECT_NE(load_technology(file.string()).fingerprint, before);
}

TEST(Technology, AreaCountsDiffusionAndSpacing) {
  const Technology technology = load_technology("generic180");
  EXPECT_NEAR(technology.area({5e-6, 5e-6}), 5.6e-6 * 6.4e-6, 1e-15);
}

}  // namespace
}  // namespace hysteron::technology
