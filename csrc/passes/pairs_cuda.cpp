// SPDX-License-Identifier: Apache-2.0

#include "passes/pairs_cuda.h"

#include "common/cuda.h"
#include "passes/pairs_arguments.h"

namespace fastmetrics {
namespace {

// On the device of preds.
void pairs(const Tensor& preds, const PairsBatch& b, const PairsStates& s) {
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  Tensor workspace = torch::stable::new_empty(preds, {pairs_workspace(b, s)}, torch::headeronly::ScalarType::Double);
  check("pairs_", launch_pairs(b, s, static_cast<double*>(workspace.mutable_data_ptr()), current_stream(preds)));
}

void pairs_cuda(const Tensor preds, const Tensor target, OptionalTensor weights, OptionalTensor valid,
                FM_PAIRS_STATES(OptionalTensor), int64_t num_outputs, double p, double power, double preds_threshold,
                double target_threshold) {
  on_device_of(preds, "pairs_", {&target},
               {&weights, &valid, &count, &moments, &extremes, &squared_error, &absolute_error, &squared_log_error,
                &percentage_error, &symmetric_percentage_error, &absolute_target, &log_cosh_error, &powered_error,
                &deviance, &events, &faults});
  PairsBatch b = pairs_batch(preds, target, weights, valid, num_outputs);
  b.p = p;
  b.power = power;
  b.preds_threshold = preds_threshold;
  b.target_threshold = target_threshold;
  pairs(preds, b, pairs_states(num_outputs, FM_PAIRS_STATE_NAMES));
}

void simple_pairs_cuda(const Tensor preds, const Tensor target, OptionalTensor weights, OptionalTensor valid,
                       FM_SIMPLE_PAIRS_STATES(OptionalTensor), int64_t num_outputs) {
  on_device_of(preds, "simple_pairs_", {&target},
               {&weights, &valid, &count, &moments, &squared_error, &absolute_error, &faults});
  pairs(preds, pairs_batch(preds, target, weights, valid, num_outputs),
        simple_pairs_states(num_outputs, FM_SIMPLE_PAIRS_STATE_NAMES));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) {
  m.impl("pairs_", TORCH_BOX(&fastmetrics::pairs_cuda));
  m.impl("simple_pairs_", TORCH_BOX(&fastmetrics::simple_pairs_cuda));
}
