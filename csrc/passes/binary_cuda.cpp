// SPDX-License-Identifier: Apache-2.0

#include "passes/binary_cuda.h"

#include "common/cuda.h"
#include "passes/binary_arguments.h"

namespace fastmetrics {
namespace {

void binary_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, Tensor counts, OptionalTensor faults,
                 double probability_cutoff, double logit_cutoff, int64_t ignore_index, bool has_ignore_index,
                 bool multilabel, bool ignored_decide) {
  on_device_of(preds, "binary_", {&target, &counts}, {&valid, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const BinaryBatch b = binary_batch(preds, target, valid, std::nullopt, counts, probability_cutoff, logit_cutoff,
                                     ignore_index, has_ignore_index, multilabel, ignored_decide);
  Tensor workspace = torch::stable::new_empty(counts, {binary_workspace(b)});
  check("binary_", launch_binary(b, binary_counts<int64_t>(b, counts), faults_data(faults),
                                 static_cast<int64_t*>(workspace.mutable_data_ptr()), current_stream(preds)));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl("binary_", TORCH_BOX(&fastmetrics::binary_cuda)); }
