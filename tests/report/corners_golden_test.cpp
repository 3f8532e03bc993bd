#include "golden.h"
#include "report/corners_report.h"
#include "samples.h"

namespace hysteron::report {
namespace {

/// A point with a lost clip, one beside and one that could not be simulated.
studies::Corners sample_corners() {
  studies::Corners corners;
  corners.prepared = sample_prepared_model();
  corners.operating_point = {"gf180mcu", 1.8, 1e-9};
  studies::CornerPoint point;
  point.corner = "ss";
  point.supply = 1.62;
  point.temperature = -40.0;
  point.unit_current = 0.9e-9;
  point.reference_power = 5e-9;
  point.agreement = sample_agreement();
  point.lost = {3};
  studies::CornerPoint beside = point;
  beside.temperature = 125.0;
  beside.counted = false;
  beside.lost = {};
  studies::CornerPoint failed = point;
  failed.corner = "ff";
  failed.agreement = {};
  failed.lost = {};
  failed.failed = {3};
  failed.error = "the current reference has fallen to 1 pA; it is sized for 1 nA";
  corners.points = {point, failed, beside};
  corners.clips = {{3, 1, 40, 0}};
  corners.reference_power = 4e-9;
  studies::count_corners(corners);
  return corners;
}

TEST(Golden, Corners) { check_golden("corners", corners_table(), sample_corners()); }

}  // namespace
}  // namespace hysteron::report
