#include "report/all_results.h"

#include "report/compile_report.h"
#include "report/corners_report.h"
#include "report/demo_report.h"
#include "report/hazards_report.h"
#include "report/montecarlo_report.h"
#include "report/pick_report.h"
#include "report/verify_report.h"

namespace hysteron::report {

std::vector<ResultInfo> all_results() {
  return {{"compile", compile_table().infos()}, {"corners", corners_table().infos()},
          {"demo", demo_table().infos()},       {"explore --pick", pick_table().infos()},
          {"hazards", hazards_table().infos()}, {"montecarlo", montecarlo_table().infos()},
          {"verify", verify_table().infos()}};
}

}  // namespace hysteron::report
