// SPDX-License-Identifier: Apache-2.0

#include "passes/proper_scores_cuda.h"

#include "common/cuda.h"
#include "passes/rows_arguments.h"

namespace fastmetrics {
namespace {

void proper_scores_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, OptionalTensor weights,
                        OptionalTensor brier, OptionalTensor log_loss, Tensor count, OptionalTensor faults,
                        int64_t logits, double epsilon, bool multilabel, int64_t ignore_index, bool has_ignore_index) {
  on_device_of(preds, "proper_scores_", {&target, &count}, {&valid, &weights, &brier, &log_loss, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const RowsBatch b = scored_batch("proper_scores_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const ProperScoresOptions options = proper_scores_options(preds, target, logits, epsilon, multilabel);
  Tensor workspace =
      torch::stable::new_empty(count, {proper_scores_workspace(b, options)}, torch::headeronly::ScalarType::Long);
  check("proper_scores_",
        launch_proper_scores(b, options, proper_scores_sums(b, 1, options, brier, log_loss, count), faults_data(faults),
                             static_cast<int64_t*>(workspace.mutable_data_ptr()), current_stream(preds)));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) {
  m.impl("proper_scores_", TORCH_BOX(&fastmetrics::proper_scores_cuda));
}
