// SPDX-License-Identifier: Apache-2.0

#include "passes/rows_cuda.h"

#include "common/cuda.h"
#include "passes/rows_arguments.h"

namespace fastmetrics {
namespace {

Tensor rows_cuda(const Tensor preds, const Tensor target, int64_t figure) {
  on_device_of(preds, "rows", {&target}, {});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  Tensor out = torch::stable::new_empty(preds, {preds.size(0)}, torch::headeronly::ScalarType::Double);
  check("rows", launch_rows(rows_batch(preds, target, figure, out), current_stream(preds)));
  return out;
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl("rows", TORCH_BOX(&fastmetrics::rows_cuda)); }
