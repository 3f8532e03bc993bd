#include "report/figures.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "golden.h"
#include "report/all_results.h"

namespace hysteron::report {
namespace {

struct Part {
  double power = 0.0;
};

struct Sample {
  double good = 0.75;
  double error = 0.1;
  double unmeasured = std::numeric_limits<double>::quiet_NaN();
  std::optional<int> absent;
  Part part{2.5};
  std::vector<Part> parts{{1.0}, {3.0}};
  std::string path = "caf\xE9";  // Latin-1
};

const Table<Part>& part_table() {
  static const auto table = Table<Part>().figure("total_nw", "nW", Better::kLower, "power", &Part::power);
  return table;
}

const Table<Sample>& sample_table() {
  static const auto table = Table<Sample>()
                                .figure("good", Better::kHigher, "a share", &Sample::good)
                                .shown("good share", "{:.2f}")
                                .figure("error", Better::kLower, "", &Sample::error)
                                .figure("unmeasured", Better::kHigher, "", &Sample::unmeasured)
                                .shown("never shown", "{:.2f}")
                                .figure("absent", "", &Sample::absent)
                                .object("part", "a part", part_table(), &Sample::part)
                                .list("parts", "many", part_table(), &Sample::parts)
                                .figure("path", "", &Sample::path);
  return table;
}

ErrorKind kind_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::kInterrupted;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Table, JsonHasNullForWhatIsNotFiniteAndNoKeyForWhatIsAbsent) {
  const nlohmann::ordered_json json = sample_table().json({}).tree();
  EXPECT_TRUE(json["unmeasured"].is_null());
  EXPECT_FALSE(json.contains("absent"));
  EXPECT_EQ(json["part"]["total_nw"], 2.5);
  EXPECT_EQ(json["parts"].size(), 2u);
  EXPECT_EQ(json.begin().key(), "good") << "in the order of the table";
}

TEST(Table, TextShowsFiguresThatHaveAValue) { EXPECT_EQ(sample_table().text({}), "good share          0.75\n"); }

TEST(Table, JsonTextReplacesWhatIsNotUtf8) {
  EXPECT_NE(json_text(sample_table().json({})).find("caf\xEF\xBF\xBD"), std::string::npos);
}

TEST(Table, MergeTakesNothingFromAnAbsentPart) {
  const auto table =
      Table<Sample>().merge(part_table(), [](const Sample& sample) { return sample.absent ? &sample.part : nullptr; });
  EXPECT_TRUE(table.json({}).tree().empty());
  Sample present;
  present.absent = 1;
  EXPECT_EQ(table.json(present).tree()["total_nw"], 2.5);
}

TEST(Requirement, TakesEachComparisonTheWayThatIsBetter) {
  const auto infos = sample_table().infos();
  const Requirement lower = parse_requirement("good>=0.5", infos);
  EXPECT_EQ(lower.metric, "good");
  EXPECT_FALSE(lower.is_upper);
  EXPECT_EQ(lower.value, 0.5);
  EXPECT_TRUE(parse_requirement("part.total_nw<=3", infos).is_upper);
  EXPECT_FALSE(parse_fail_under("good=0.5", infos).is_upper);
  EXPECT_TRUE(parse_fail_under("error=0.5", infos).is_upper);
}

TEST(Requirement, RefusesWhatItCannotCheck) {
  const auto infos = sample_table().infos();
  for (const char* text : {"good", "good=0.5", "good<=0.5", "error>=1", "path>=1", "parts[].total_nw<=1", "bad>=1",
                           "good>=", "good>=x", ">=1", ""}) {
    EXPECT_EQ(kind_of([&] { parse_requirement(text, infos); }), ErrorKind::kUsage) << text;
  }
  EXPECT_NE(message_of([&] { parse_requirement("bad>=1", infos); }).find("good, error, unmeasured, part.total_nw"),
            std::string::npos);
}

TEST(Requirement, SaysEveryOneThatIsMissed) {
  const auto infos = sample_table().infos();
  const Json json = sample_table().json({});
  const auto check = [&](const std::vector<std::string>& texts) {
    std::vector<Requirement> requirements;
    for (const std::string& text : texts) requirements.push_back(parse_requirement(text, infos));
    check_requirements(requirements, json);
  };
  check({"good>=0.75", "error<=0.1", "part.total_nw<=2.5"});
  EXPECT_EQ(kind_of([&] { check({"good>=0.8"}); }), ErrorKind::kLimitMissed);
  EXPECT_EQ(message_of([&] {
              check({"good>=0.8", "error<=0.05", "unmeasured>=0"});
            }),
            "good is 0.75; required >= 0.8; error is 0.1; required <= 0.05; unmeasured was not measured");
}

TEST(Docs, KeyTablesAreThoseOfTheCode) {
  std::string page =
      "# JSON of the commands\n\n"
      "Every command with `--json` prints one object with these keys; parts of objects are written `key.part`, of "
      "lists `key[].part`. A\n"
      "figure with a direction can be required: `--require 'KEY>=VALUE'` where higher is better, `<=` where lower is. "
      "Fractions are from 0\n"
      "to 1. `null` stands for a figure that was not measured. The page is written from the tables in `src/report` by\n"
      "`HYSTERON_UPDATE_GOLDEN=1 build/release/tests/report_test`.\n";
  for (const ResultInfo& result : all_results()) {
    page += "\n## `" + result.command + "`\n\n" + markdown_table(result.figures);
  }
  check_file("docs/json.md", page);
}

TEST(Docs, EveryFigureHasAKeyAndQuantitiesEndInTheirUnit) {
  EXPECT_GE(all_results().size(), 4u);
  for (const ResultInfo& result : all_results()) {
    ASSERT_FALSE(result.figures.empty()) << result.command;
    for (const FigureInfo& info : result.figures) EXPECT_FALSE(info.key.empty()) << result.command;
  }
}

}  // namespace
}  // namespace hysteron::report
