// SPDX-License-Identifier: Apache-2.0

#include "passes/multiclass_cuda.h"

#include "common/cuda.h"
#include "passes/multiclass_arguments.h"

namespace fastmetrics {
namespace {

void multiclass_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, OptionalTensor confusion,
                     OptionalTensor counts, OptionalTensor ranks, OptionalTensor faults, int64_t num_classes,
                     int64_t ignore_index, bool has_ignore_index, OptionalTensor rank_histogram) {
  on_device_of(preds, "multiclass_", {&target}, {&valid, &confusion, &counts, &ranks, &rank_histogram, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const MulticlassBatch b = multiclass_batch(preds, target, valid, std::nullopt, confusion, counts, ranks,
                                             rank_histogram, num_classes, ignore_index, has_ignore_index);
  const MulticlassStates s = multiclass_states<int64_t>(b, target, confusion, counts, ranks, rank_histogram, faults);
  check("multiclass_", launch_multiclass(b, s, current_stream(preds)));
}

void multiclass_weighted_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, const Tensor weights,
                              OptionalTensor confusion, OptionalTensor counts, OptionalTensor ranks,
                              OptionalTensor faults, int64_t num_classes, int64_t ignore_index, bool has_ignore_index,
                              OptionalTensor rank_histogram) {
  on_device_of(preds, "multiclass_weighted_", {&target, &weights},
               {&valid, &confusion, &counts, &ranks, &rank_histogram, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const MulticlassBatch b = multiclass_batch(preds, target, valid, weights, confusion, counts, ranks, rank_histogram,
                                             num_classes, ignore_index, has_ignore_index);
  const auto s = multiclass_states<double>(b, target, confusion, counts, ranks, rank_histogram, faults);
  check("multiclass_weighted_", launch_multiclass_weighted(b, s, current_stream(preds)));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) {
  m.impl("multiclass_", TORCH_BOX(&fastmetrics::multiclass_cuda));
  m.impl("multiclass_weighted_", TORCH_BOX(&fastmetrics::multiclass_weighted_cuda));
}
