#include "report/all_results.h"

#include "report/accumulation_report.h"
#include "report/cell_report.h"
#include "report/cell_study_report.h"
#include "report/compare_report.h"
#include "report/compile_report.h"
#include "report/corners_report.h"
#include "report/demo_report.h"
#include "report/eval_report.h"
#include "report/explore_report.h"
#include "report/extract_report.h"
#include "report/features_report.h"
#include "report/gates_report.h"
#include "report/hazards_report.h"
#include "report/montecarlo_report.h"
#include "report/noise_report.h"
#include "report/pick_report.h"
#include "report/power_report.h"
#include "report/quadrant_report.h"
#include "report/run_report.h"
#include "report/sweep_report.h"
#include "report/train_report.h"
#include "report/verify_report.h"

namespace hysteron::report {

std::vector<ResultInfo> all_results() {
  return {{"cell", cell_table().infos()},
          {"compare --measured", compare_table().infos()},
          {"compare --stimulus", stimulus_table().infos()},
          {"compile", compile_table().infos()},
          {"corners", corners_table().infos()},
          {"demo", demo_table().infos()},
          {"eval of a reference backbone", sequence_eval_table().infos()},
          {"eval", eval_table().infos()},
          {"explore --pick", pick_table().infos()},
          {"explore --slurm", slurm_script_table().infos()},
          {"explore", explore_table().infos()},
          {"extract", extract_table().infos()},
          {"features", features_table().infos()},
          {"gates", gates_table().infos()},
          {"hazards", hazards_table().infos()},
          {"montecarlo", montecarlo_table().infos()},
          {"noise", noise_table().infos()},
          {"power", power_result_table().infos()},
          {"run", run_table().infos()},
          {"study accumulation", accumulation_table().infos()},
          {"study cell", cell_study_table().infos()},
          {"study quadrant", quadrant_table().infos()},
          {"sweep", sweep_table().infos()},
          {"train of a reference backbone", sequence_training_table().infos()},
          {"train", training_table().infos()},
          {"verify", verify_table().infos()}};
}

}  // namespace hysteron::report
