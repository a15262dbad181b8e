// SPDX-License-Identifier: Apache-2.0

#include "passes/values_cuda.h"

#include "common/cuda.h"
#include "passes/values_arguments.h"

namespace fastmetrics {
namespace {

void values_cuda(const Tensor values, OptionalTensor weights, OptionalTensor valid, OptionalTensor sum,
                 OptionalTensor weight, OptionalTensor minimum, OptionalTensor maximum, OptionalTensor faults,
                 int64_t nans, double replacement) {
  on_device_of(values, "values_", {}, {&weights, &valid, &sum, &weight, &minimum, &maximum, &faults});
  const torch::stable::accelerator::DeviceGuard guard(values.get_device_index());
  const ValuesBatch b = values_batch(values, weights, valid, nans, replacement);
  const ValuesStates states = values_states(sum, weight, minimum, maximum, faults, nans);
  static_assert(sizeof(Extent) % sizeof(double) == 0);
  const int64_t doubles = values_workspace(b) * static_cast<int64_t>(sizeof(Extent) / sizeof(double));
  Tensor workspace = torch::stable::new_empty(values, {doubles}, torch::headeronly::ScalarType::Double);
  check("values_",
        launch_values(b, states, static_cast<Extent*>(workspace.mutable_data_ptr()), current_stream(values)));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl("values_", TORCH_BOX(&fastmetrics::values_cuda)); }
