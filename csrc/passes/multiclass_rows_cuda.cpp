// SPDX-License-Identifier: Apache-2.0

#include "passes/multiclass_rows_cuda.h"

#include "common/cuda.h"
#include "passes/multiclass_arguments.h"

namespace fastmetrics {
namespace {

void multiclass_rows_cuda(const Tensor preds, const Tensor target, const Tensor rows, OptionalTensor valid,
                          OptionalTensor weights, OptionalTensor samples, OptionalTensor confusion,
                          OptionalTensor counts, OptionalTensor ranks, OptionalTensor faults, int64_t num_classes,
                          int64_t ignore_index, bool has_ignore_index, OptionalTensor rank_histogram) {
  on_device_of(preds, "multiclass_rows_", {&target, &rows},
               {&valid, &weights, &samples, &confusion, &counts, &ranks, &rank_histogram, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const MulticlassBatch b = multiclass_batch(preds, target, valid, weights, std::nullopt, std::nullopt, std::nullopt,
                                             std::nullopt, num_classes, ignore_index, has_ignore_index);
  const SampleRows r =
      multiclass_sample_rows(b, rows, target, weights, samples, confusion, counts, ranks, rank_histogram);
  Tensor workspace = torch::stable::new_empty(target, {kMulticlassRowsWorkspace}, torch::headeronly::ScalarType::Long);
  int64_t* scratch = static_cast<int64_t*>(workspace.mutable_data_ptr());
  auto launch = [&](const auto& states, auto* of_samples) {
    check("multiclass_rows_", launch_multiclass_rows(b, r, states, of_samples, scratch, current_stream(preds)));
  };
  if (weights.has_value()) {
    launch(multiclass_rows_states<double>(r, b.classes, confusion, counts, ranks, rank_histogram, faults),
           static_cast<double*>(nullptr));
  } else {
    launch(multiclass_rows_states<int64_t>(r, b.classes, confusion, counts, ranks, rank_histogram, faults),
           state_data<int64_t>(samples, DType::kInt64, r.count, "samples, int64 [S]"));
  }
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) {
  m.impl("multiclass_rows_", TORCH_BOX(&fastmetrics::multiclass_rows_cuda));
}
