// SPDX-License-Identifier: Apache-2.0

#include "passes/calibration_cuda.h"

#include "common/cuda.h"
#include "passes/rows_arguments.h"

namespace fastmetrics {
namespace {

void calibration_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, OptionalTensor weights,
                      const Tensor edges, Tensor counts, Tensor confidences, Tensor hits, OptionalTensor faults,
                      int64_t logits, int64_t ignore_index, bool has_ignore_index) {
  on_device_of(preds, "calibration_", {&target, &edges, &counts, &confidences, &hits}, {&valid, &weights, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const RowsBatch b = scored_batch("calibration_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const CalibrationOptions options = calibration_options(preds, target, edges, counts.dim() > 1, logits);
  Tensor workspace =
      torch::stable::new_empty(confidences, {calibration_workspace(b, options)}, torch::headeronly::ScalarType::Long);
  check("calibration_",
        launch_calibration(b, options, calibration_sums(b, 1, options, counts, confidences, hits), faults_data(faults),
                           static_cast<int64_t*>(workspace.mutable_data_ptr()), current_stream(preds)));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl("calibration_", TORCH_BOX(&fastmetrics::calibration_cuda)); }
