// SPDX-License-Identifier: Apache-2.0

#include "passes/multiclass_cuda.h"

#include "common/cuda.h"
#include "passes/multiclass_arguments.h"
#include "passes/multiclass_rows_cuda.h"

namespace fastmetrics {
namespace {

void multiclass_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, OptionalTensor confusion,
                     OptionalTensor counts, OptionalTensor ranks, OptionalTensor faults, int64_t num_classes,
                     int64_t ignore_index, bool has_ignore_index, OptionalTensor rank_histogram, OptionalTensor weights,
                     OptionalTensor rows, OptionalTensor samples) {
  on_device_of(preds, "multiclass_", {&target},
               {&valid, &confusion, &counts, &ranks, &rank_histogram, &faults, &weights, &rows, &samples});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const SampleRows r = multiclass_rows(rows, target, confusion, counts, ranks, rank_histogram);
  const MulticlassBatch b =
      multiclass_batch(preds, target, valid, weights, r, num_classes, ignore_index, has_ignore_index);
  int64_t* of_rows = multiclass_samples(r, weights, samples);
  const cudaStream_t stream = current_stream(preds);
  auto add = [&](const auto& states, auto* of_samples, const auto& without_rows) {
    if (!rows.has_value()) return without_rows(b, states, stream);
    Tensor workspace =
        torch::stable::new_empty(target, {kMulticlassRowsWorkspace}, torch::headeronly::ScalarType::Long);
    int64_t* scratch = static_cast<int64_t*>(workspace.mutable_data_ptr());
    return launch_multiclass_rows(b, r, states, of_samples, scratch, stream);
  };
  if (weights.has_value()) {
    const auto states = multiclass_states<double>(b, r, confusion, counts, ranks, rank_histogram, faults);
    check("multiclass_", add(states, static_cast<double*>(nullptr), launch_multiclass_weighted));
  } else {
    const auto states = multiclass_states<int64_t>(b, r, confusion, counts, ranks, rank_histogram, faults);
    check("multiclass_", add(states, of_rows, launch_multiclass));
  }
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl("multiclass_", TORCH_BOX(&fastmetrics::multiclass_cuda)); }
