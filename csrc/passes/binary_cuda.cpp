// SPDX-License-Identifier: Apache-2.0

#include "passes/binary_cuda.h"

#include "common/cuda.h"
#include "passes/binary_arguments.h"
#include "passes/binary_cells_cuda.h"

namespace fastmetrics {
namespace {

void binary_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, Tensor counts, OptionalTensor faults,
                 double probability_cutoff, double logit_cutoff, int64_t ignore_index, bool has_ignore_index,
                 bool ignored_decide, OptionalTensor weights, OptionalTensor rows, OptionalTensor samples) {
  on_device_of(preds, "binary_", {&target, &counts}, {&valid, &faults, &weights, &rows, &samples});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const BinaryRows r = binary_rows(rows, target, counts);
  const bool cells = in_cells(weights, rows);
  const BinaryBatch b = binary_batch(preds, target, valid, weights, r, cells, probability_cutoff, logit_cutoff,
                                     ignore_index, has_ignore_index, ignored_decide);
  const BinaryCells c{b, r, binary_samples(r, weights, samples)};
  Tensor workspace = torch::stable::new_empty(target, {cells ? binary_cells_workspace(c) : binary_workspace(b)},
                                              torch::headeronly::ScalarType::Long);
  int64_t* scratch = static_cast<int64_t*>(workspace.mutable_data_ptr());
  const cudaStream_t stream = current_stream(preds);
  int64_t* of_faults = faults_data(faults);
  if (weights.has_value()) {
    check("binary_", launch_binary_cells(c, binary_counts<double>(r, counts), of_faults, scratch, stream));
  } else if (cells) {
    check("binary_", launch_binary_cells(c, binary_counts<int64_t>(r, counts), of_faults, scratch, stream));
  } else {
    check("binary_", launch_binary(b, binary_counts<int64_t>(r, counts), of_faults, scratch, stream));
  }
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl("binary_", TORCH_BOX(&fastmetrics::binary_cuda)); }
