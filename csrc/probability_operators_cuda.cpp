// SPDX-License-Identifier: Apache-2.0
//
// The operators of probabilities, on a GPU: what is given is checked here and goes to launches that know no
// torch.

#include "common/operator_cuda.h"
#include "passes/calibration_cuda.h"
#include "passes/proper_scores_cuda.h"
#include "passes/rows_arguments.h"
#include "passes/sample_rows_arguments.h"

namespace fastmetrics {
namespace {

void calibration(View preds, View target, OptionalView valid, OptionalView weights, View edges, State counts,
                 State confidences, State hits, OptionalState faults, int64_t logits, int64_t ignore_index,
                 bool has_ignore_index) {
  const RowsBatch b = scored_batch("calibration_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const CalibrationOptions options = calibration_options(preds, target, edges, counts.dim() > 1, logits);
  Workspace workspace(calibration_workspace(b, nullptr, options));
  check("calibration_",
        launch_calibration(b, nullptr, options, calibration_sums(b, 1, options, counts, confidences, hits),
                           faults_data(faults), workspace.as<int64_t>(), current_stream()));
}

// rows: [K, ...], with the shape of target; counts: [S, B] or [S, C, B].
void calibration_rows(View preds, View target, View rows, OptionalView valid, OptionalView weights, View edges,
                      State counts, State confidences, State hits, OptionalState faults, int64_t logits,
                      int64_t ignore_index, bool has_ignore_index) {
  require(counts.dim() == 2 || counts.dim() == 3, "calibration_rows_: counts must be [S, B] or [S, C, B]");
  const RowsBatch b = scored_batch("calibration_rows_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const SampleRows r = sample_rows(rows, target, counts.size(0));
  const CalibrationOptions options = calibration_options(preds, target, edges, counts.dim() > 2, logits);
  Workspace workspace(calibration_workspace(b, &r, options));
  check("calibration_rows_",
        launch_calibration(b, &r, options, calibration_sums(b, r.count, options, counts, confidences, hits),
                           faults_data(faults), workspace.as<int64_t>(), current_stream()));
}

void proper_scores(View preds, View target, OptionalView valid, OptionalView weights, OptionalState brier,
                   OptionalState log_loss, State count, OptionalState faults, int64_t logits, double epsilon,
                   bool multilabel, int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = scored_batch("proper_scores_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const ProperScoresOptions options = proper_scores_options(preds, target, logits, epsilon, multilabel);
  Workspace workspace(proper_scores_workspace(b, nullptr, options));
  check("proper_scores_",
        launch_proper_scores(b, nullptr, options, proper_scores_sums(b, 1, options, brier, log_loss, count),
                             faults_data(faults), workspace.as<int64_t>(), current_stream()));
}

// rows: [K, ...], with the shape of target; brier, log_loss and count: [S, 1] or [S, L].
void proper_scores_rows(View preds, View target, View rows, OptionalView valid, OptionalView weights,
                        OptionalState brier, OptionalState log_loss, State count, OptionalState faults, int64_t logits,
                        double epsilon, bool multilabel, int64_t ignore_index, bool has_ignore_index) {
  require(count.dim() == 2, "proper_scores_rows_: count must be [S, 1] or [S, L]");
  const RowsBatch b =
      scored_batch("proper_scores_rows_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const SampleRows r = sample_rows(rows, target, count.size(0));
  const ProperScoresOptions options = proper_scores_options(preds, target, logits, epsilon, multilabel);
  Workspace workspace(proper_scores_workspace(b, &r, options));
  check("proper_scores_rows_",
        launch_proper_scores(b, &r, options, proper_scores_sums(b, r.count, options, brier, log_loss, count),
                             faults_data(faults), workspace.as<int64_t>(), current_stream()));
}

}  // namespace
}  // namespace fastmetrics

FM_CUDA_OPERATOR("calibration_", &fastmetrics::calibration)
FM_CUDA_OPERATOR("calibration_rows_", &fastmetrics::calibration_rows)
FM_CUDA_OPERATOR("proper_scores_", &fastmetrics::proper_scores)
FM_CUDA_OPERATOR("proper_scores_rows_", &fastmetrics::proper_scores_rows)
