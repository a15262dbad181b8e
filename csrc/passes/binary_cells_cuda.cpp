// SPDX-License-Identifier: Apache-2.0

#include "passes/binary_cells_cuda.h"

#include "common/cuda.h"
#include "passes/binary_arguments.h"

namespace fastmetrics {
namespace {

template <typename State>
void add_batch(const char* name, const BinaryCells& c, State* counts, const OptionalTensor& faults,
               const Tensor& on_device) {
  Tensor workspace =
      torch::stable::new_empty(on_device, {binary_cells_workspace(c)}, torch::headeronly::ScalarType::Long);
  check(name, launch_binary_cells(c, counts, faults_data(faults), static_cast<int64_t*>(workspace.mutable_data_ptr()),
                                  current_stream(on_device)));
}

void binary_groups_cuda(const Tensor preds, const Tensor target, const Tensor groups, OptionalTensor valid,
                        OptionalTensor weights, Tensor counts, OptionalTensor faults, double probability_cutoff,
                        double logit_cutoff, int64_t ignore_index, bool has_ignore_index) {
  on_device_of(preds, "binary_groups_", {&target, &groups, &counts}, {&valid, &weights, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const BinaryCells c{binary_batch(preds, target, valid, weights, counts, probability_cutoff, logit_cutoff,
                                   ignore_index, has_ignore_index, false, true),
                      binary_groups(groups, target, counts), 1};
  if (weights.has_value()) {
    add_batch("binary_groups_", c, binary_groups_counts<double>(c.groups, counts), faults, preds);
  } else {
    add_batch("binary_groups_", c, binary_groups_counts<int64_t>(c.groups, counts), faults, preds);
  }
}

void binary_weighted_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, const Tensor weights,
                          Tensor counts, OptionalTensor faults, double probability_cutoff, double logit_cutoff,
                          int64_t ignore_index, bool has_ignore_index, bool multilabel, bool ignored_decide) {
  on_device_of(preds, "binary_weighted_", {&target, &weights, &counts}, {&valid, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const auto batch = [&](bool labels_apart) {
    return binary_batch(preds, target, valid, weights, counts, probability_cutoff, logit_cutoff, ignore_index,
                        has_ignore_index, labels_apart, ignored_decide);
  };
  const BinaryBatch b = batch(multilabel);
  // a label is a group, and so is one of an index of dimension 0 that is kept apart
  const BinaryGroups groups{nullptr, DType::kOther, {}, b.groups * b.labels};
  add_batch("binary_weighted_", BinaryCells{batch(false), groups, b.per_sample}, binary_counts<double>(b, counts),
            faults, preds);
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) {
  m.impl("binary_groups_", TORCH_BOX(&fastmetrics::binary_groups_cuda));
  m.impl("binary_weighted_", TORCH_BOX(&fastmetrics::binary_weighted_cuda));
}
