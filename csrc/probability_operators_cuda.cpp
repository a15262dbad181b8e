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
  const CalibrationSums sums = calibration_sums(b, 1, options, counts, confidences, hits);
  int64_t* const of_faults = faults_data(faults);
  with_scratch("calibration_", calibration_scratch(b, nullptr, options),
               [&](const Scratch& scratch, cudaStream_t stream) {
                 return launch_calibration(b, nullptr, options, sums, of_faults, scratch, stream);
               });
}

// rows: [K, ...], with the shape of target; counts: [S, B] or [S, C, B].
void calibration_rows(View preds, View target, View rows, OptionalView valid, OptionalView weights, View edges,
                      State counts, State confidences, State hits, OptionalState faults, int64_t logits,
                      int64_t ignore_index, bool has_ignore_index, OptionalState samples, OptionalViews others,
                      OptionalIntegers) {
  require_rows(others);
  require_counted_apart(samples);
  require(counts.dim() == 2 || counts.dim() == 3, "calibration_rows_: counts must be [S, B] or [S, C, B]");
  const RowsBatch b = scored_batch("calibration_rows_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const SampleRows r = sample_rows(rows, target, counts.size(0));
  const CalibrationOptions options = calibration_options(preds, target, edges, counts.dim() > 2, logits);
  const CalibrationSums sums = calibration_sums(b, r.count, options, counts, confidences, hits);
  int64_t* const of_faults = faults_data(faults);
  with_scratch("calibration_rows_", calibration_scratch(b, &r, options),
               [&](const Scratch& scratch, cudaStream_t stream) {
                 return launch_calibration(b, &r, options, sums, of_faults, scratch, stream);
               });
}

void proper_scores(View preds, View target, OptionalView valid, OptionalView weights, OptionalState brier,
                   OptionalState log_loss, State count, OptionalState faults, int64_t logits, double epsilon,
                   bool multilabel, int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = scored_batch("proper_scores_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const ProperScoresOptions options = proper_scores_options(preds, target, logits, epsilon, multilabel);
  const ProperScoresSums sums = proper_scores_sums(b, 1, options, brier, log_loss, count);
  int64_t* const of_faults = faults_data(faults);
  with_scratch("proper_scores_", proper_scores_scratch(b, nullptr, options),
               [&](const Scratch& scratch, cudaStream_t stream) {
                 return launch_proper_scores(b, nullptr, options, sums, of_faults, scratch, stream);
               });
}

// rows: [K, ...], with the shape of target; brier, log_loss and count: [S, 1] or [S, L].
void proper_scores_rows(View preds, View target, View rows, OptionalView valid, OptionalView weights,
                        OptionalState brier, OptionalState log_loss, State count, OptionalState faults, int64_t logits,
                        double epsilon, bool multilabel, int64_t ignore_index, bool has_ignore_index,
                        OptionalState samples, OptionalViews others, OptionalIntegers) {
  require_rows(others);
  require_counted_apart(samples);
  require(count.dim() == 2, "proper_scores_rows_: count must be [S, 1] or [S, L]");
  const RowsBatch b =
      scored_batch("proper_scores_rows_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const SampleRows r = sample_rows(rows, target, count.size(0));
  const ProperScoresOptions options = proper_scores_options(preds, target, logits, epsilon, multilabel);
  const ProperScoresSums sums = proper_scores_sums(b, r.count, options, brier, log_loss, count);
  int64_t* const of_faults = faults_data(faults);
  with_scratch("proper_scores_rows_", proper_scores_scratch(b, &r, options),
               [&](const Scratch& scratch, cudaStream_t stream) {
                 return launch_proper_scores(b, &r, options, sums, of_faults, scratch, stream);
               });
}

}  // namespace
}  // namespace fastmetrics

FM_CUDA_OPERATOR("calibration_", &fastmetrics::calibration)
FM_CUDA_OPERATOR("calibration_rows_", &fastmetrics::calibration_rows)
FM_CUDA_OPERATOR("proper_scores_", &fastmetrics::proper_scores)
FM_CUDA_OPERATOR("proper_scores_rows_", &fastmetrics::proper_scores_rows)
