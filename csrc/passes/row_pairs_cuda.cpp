// SPDX-License-Identifier: Apache-2.0

#include "passes/row_pairs_cuda.h"

#include "common/cuda.h"
#include "passes/row_pairs_arguments.h"

namespace fastmetrics {
namespace {

Tensor row_pairs_cuda(const Tensor preds, const Tensor target, int64_t figure) {
  on_device_of(preds, "row_pairs", {&target}, {});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  Tensor out = torch::stable::new_empty(preds, {preds.size(0)}, torch::headeronly::ScalarType::Double);
  check("row_pairs", launch_row_pairs(row_pairs_batch(preds, target, figure, out), current_stream(preds)));
  return out;
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl("row_pairs", TORCH_BOX(&fastmetrics::row_pairs_cuda)); }
