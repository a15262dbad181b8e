// SPDX-License-Identifier: Apache-2.0

#include "passes/scores_cuda.h"

#include "common/cuda.h"
#include "passes/scores_arguments.h"

namespace fastmetrics {
namespace {

Tensor workspace_of(const Tensor& on_device, int64_t numel) {
  return torch::stable::new_empty(on_device, {numel}, torch::headeronly::ScalarType::Long);
}

template <typename State>
void add_batch(const ScoresBatch& b, const ScoreBins& bins, State* histogram, const OptionalTensor& faults,
               const Tensor& on_device) {
  Tensor workspace = workspace_of(on_device, score_histogram_workspace(b, bins));
  check("score_histogram_",
        launch_score_histogram(b, bins, histogram, faults_data(faults),
                               static_cast<int64_t*>(workspace.mutable_data_ptr()), current_stream(on_device)));
}

void score_histogram_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, OptionalTensor weights,
                          const Tensor cuts, const Tensor logit_cuts, Tensor histogram, OptionalTensor faults,
                          bool uniform, bool in_columns, int64_t logits, int64_t ignore_index, bool has_ignore_index,
                          bool ignored_decide) {
  on_device_of(preds, "score_histogram_", {&target, &cuts, &logit_cuts, &histogram}, {&valid, &weights, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const ScoresBatch b = scores_batch("score_histogram_", preds, target, valid, weights, in_columns, logits,
                                     ignore_index, has_ignore_index, ignored_decide);
  const ScoreBins bins = score_bins(cuts, logit_cuts, uniform);
  if (weights.has_value()) {
    add_batch(b, bins, score_histogram_data<double>(b, bins, histogram), faults, preds);
  } else {
    add_batch(b, bins, score_histogram_data<int64_t>(b, bins, histogram), faults, preds);
  }
}

template <typename State>
void count_batch(const ScoresBatch& b, const ScoreKeys& keys, State* counts, const OptionalTensor& faults,
                 const Tensor& on_device) {
  Tensor workspace = workspace_of(on_device, count_scores_workspace(b, keys));
  check("count_scores_",
        launch_count_scores(b, keys, counts, faults_data(faults), static_cast<int64_t*>(workspace.mutable_data_ptr()),
                            current_stream(on_device)));
}

void count_scores_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, OptionalTensor weights,
                       Tensor counts, OptionalTensor faults, int64_t bits, bool in_columns, int64_t logits,
                       int64_t ignore_index, bool has_ignore_index, bool ignored_decide) {
  on_device_of(preds, "count_scores_", {&target, &counts}, {&valid, &weights, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const ScoresBatch b = scores_batch("count_scores_", preds, target, valid, weights, in_columns, logits, ignore_index,
                                     has_ignore_index, ignored_decide);
  const ScoreKeys keys = score_keys(b, bits, logits);
  if (weights.has_value()) {
    count_batch(b, keys, score_counts_data<double>(b, keys, counts), faults, preds);
  } else {
    count_batch(b, keys, score_counts_data<int64_t>(b, keys, counts), faults, preds);
  }
}

void keep_scores_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, OptionalTensor weights,
                      Tensor scores, OptionalTensor labels, OptionalTensor faults, int64_t first, bool in_columns,
                      int64_t logits, int64_t ignore_index, bool has_ignore_index, bool ignored_decide) {
  on_device_of(preds, "keep_scores_", {&target, &scores}, {&valid, &weights, &labels, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const ScoresBatch b = scores_batch("keep_scores_", preds, target, valid, weights, in_columns, logits, ignore_index,
                                     has_ignore_index, ignored_decide);
  const KeptRows rows = kept_rows(b, scores, labels, first);
  Tensor workspace = workspace_of(preds, keep_scores_workspace(b));
  check("keep_scores_",
        launch_keep_scores(b, rows.scores, rows.labels, faults_data(faults),
                           static_cast<int64_t*>(workspace.mutable_data_ptr()), current_stream(preds)));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) {
  m.impl("score_histogram_", TORCH_BOX(&fastmetrics::score_histogram_cuda));
  m.impl("count_scores_", TORCH_BOX(&fastmetrics::count_scores_cuda));
  m.impl("keep_scores_", TORCH_BOX(&fastmetrics::keep_scores_cuda));
}
