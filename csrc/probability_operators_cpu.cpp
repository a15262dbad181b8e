// SPDX-License-Identifier: Apache-2.0
//
// The operators for how good probabilities are, calibration and proper scores: what is given is checked here and goes
// to loops that know no torch.

#include "common/operator.h"
#include "passes/loops_cpu.h"
#include "passes/rows_arguments.h"
#include "passes/sample_rows_arguments.h"

namespace fastmetrics {
namespace {

void calibration(View preds, View target, OptionalView valid, OptionalView weights, View edges, State counts,
                 State confidences, State hits, OptionalState faults, int64_t logits, int64_t ignore_index,
                 bool has_ignore_index) {
  const RowsBatch b = scored_batch("calibration_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const CalibrationOptions options = calibration_options(preds, target, edges, counts.dim() > 1, logits);
  add_calibration(b, nullptr, options, calibration_sums(b, 1, options, counts, confidences, hits), nullptr,
                  faults_data(faults));
}

// rows: [K, ...], with the shape of target; counts: [S, B] or [S, C, B].
void calibration_rows(View preds, View target, View rows, OptionalView valid, OptionalView weights, View edges,
                      State counts, State confidences, State hits, OptionalState faults, int64_t logits,
                      int64_t ignore_index, bool has_ignore_index, OptionalState samples, OptionalViews others,
                      OptionalIntegers sizes) {
  require(counts.dim() == 2 || counts.dim() == 3, "calibration_rows_: counts must be [S, B] or [S, C, B]");
  const RowsBatch b = scored_batch("calibration_rows_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const Slicings r = slicings_of(sample_rows(rows, target, counts.size(0)), rows, others, sizes);
  const CalibrationOptions options = calibration_options(preds, target, edges, counts.dim() > 2, logits);
  add_calibration(b, &r, options, calibration_sums(b, r.count, options, counts, confidences, hits),
                  samples_of_rows(r, weights, samples), faults_data(faults));
}

void proper_scores(View preds, View target, OptionalView valid, OptionalView weights, OptionalState brier,
                   OptionalState log_loss, State count, OptionalState faults, int64_t logits, double epsilon,
                   bool multilabel, int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = scored_batch("proper_scores_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const ProperScoresOptions options = proper_scores_options(preds, target, logits, epsilon, multilabel);
  add_proper_scores(b, nullptr, options, proper_scores_sums(b, 1, options, brier, log_loss, count), nullptr,
                    faults_data(faults));
}

// rows: [K, ...], with the shape of target; brier, log_loss and count: [S, 1] or [S, L].
void proper_scores_rows(View preds, View target, View rows, OptionalView valid, OptionalView weights,
                        OptionalState brier, OptionalState log_loss, State count, OptionalState faults, int64_t logits,
                        double epsilon, bool multilabel, int64_t ignore_index, bool has_ignore_index,
                        OptionalState samples, OptionalViews others, OptionalIntegers sizes) {
  require(count.dim() == 2, "proper_scores_rows_: count must be [S, 1] or [S, L]");
  const RowsBatch b =
      scored_batch("proper_scores_rows_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const Slicings r = slicings_of(sample_rows(rows, target, count.size(0)), rows, others, sizes);
  const ProperScoresOptions options = proper_scores_options(preds, target, logits, epsilon, multilabel);
  add_proper_scores(b, &r, options, proper_scores_sums(b, r.count, options, brier, log_loss, count),
                    samples_of_rows(r, weights, samples), faults_data(faults));
}

}  // namespace
}  // namespace fastmetrics

FM_CPU_OPERATOR("calibration_", &fastmetrics::calibration)
FM_CPU_OPERATOR("calibration_rows_", &fastmetrics::calibration_rows)
FM_CPU_OPERATOR("proper_scores_", &fastmetrics::proper_scores)
FM_CPU_OPERATOR("proper_scores_rows_", &fastmetrics::proper_scores_rows)
