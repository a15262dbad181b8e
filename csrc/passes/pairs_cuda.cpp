// SPDX-License-Identifier: Apache-2.0

#include "passes/pairs_cuda.h"

#include "common/cuda.h"
#include "passes/pairs_arguments.h"

namespace fastmetrics {
namespace {

void pairs_cuda(const Tensor preds, const Tensor target, Tensor count, OptionalTensor squared_error,
                OptionalTensor absolute_error, int64_t num_outputs) {
  on_device_of(preds, "pairs_", {&target, &count}, {&squared_error, &absolute_error});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const PairsBatch b = pairs_batch(preds, target, num_outputs);
  const PairsSums sums = pairs_sums(squared_error, absolute_error, num_outputs);
  Tensor workspace = torch::stable::new_empty(count, {pairs_workspace(b)}, torch::headeronly::ScalarType::Double);
  check("pairs_", launch_pairs(b, pairs_count(count), sums, static_cast<double*>(workspace.mutable_data_ptr()),
                               current_stream(preds)));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl("pairs_", TORCH_BOX(&fastmetrics::pairs_cuda)); }
