#include "report/die_tables.h"

namespace hysteron::report {
namespace {

using studies::DieScores;
using train::Spread;

std::string spread_text(const char* what, const Spread& spread, std::size_t dies) {
  return fmt::format("{:<22}{:.2f} % mean, {:.2f} % deviation, {:.2f} % worst of {} dies\n", what, 100.0 * spread.mean,
                     100.0 * spread.deviation, 100.0 * spread.worst, dies);
}

const Table<Spread>& accuracy_spread_table() {
  static const auto table = Table<Spread>()
                                .figure("mean", Better::kHigher, "", &Spread::mean)
                                .figure("deviation", Better::kLower, "standard deviation", &Spread::deviation)
                                .figure("worst", Better::kHigher, "the worst one", &Spread::worst);
  return table;
}

}  // namespace

const Table<DieScores>& die_scores_table() {
  static const auto table =
      Table<DieScores>()
          .figure("draws", "dies", &DieScores::draws)
          .object("accuracy", "over the dies", accuracy_spread_table(), &DieScores::accuracy)
          .text([](const DieScores& dies) { return spread_text("accuracy of dies", dies.accuracy, dies.draws); })
          .object("balanced_accuracy", "as above; where a sequence has one label", accuracy_spread_table(),
                  &DieScores::balanced)
          .text([](const DieScores& dies) {
            return dies.balanced ? spread_text("balanced of dies", *dies.balanced, dies.draws) : std::string();
          });
  return table;
}

std::string die_scores_text(const std::optional<DieScores>& scores) {
  return scores ? die_scores_table().text(*scores) : std::string();
}

}  // namespace hysteron::report
