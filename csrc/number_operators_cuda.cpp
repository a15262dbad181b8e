// SPDX-License-Identifier: Apache-2.0
//
// The operators of numbers, on a GPU: what is given is checked here and goes to launches that know no torch.

#include "common/operator_cuda.h"
#include "passes/pairs_arguments.h"
#include "passes/pairs_cuda.h"
#include "passes/pairs_rows_cuda.h"
#include "passes/row_pairs_arguments.h"
#include "passes/row_pairs_cuda.h"
#include "passes/values_arguments.h"
#include "passes/values_cuda.h"
#include "passes/values_rows_cuda.h"

namespace fastmetrics {
namespace {

void add_pairs(const PairsBatch& b, const PairsStates& s) {
  with_scratch("pairs_", pairs_scratch(b, s),
               [&](const Scratch& scratch, cudaStream_t stream) { return launch_pairs(b, s, scratch, stream); });
}

void add_pairs_rows(const PairsBatch& b, const ColumnRows& rows, const PairsStates& s) {
  with_scratch("pairs_rows_", pairs_rows_scratch(b, rows, s), [&](const Scratch& scratch, cudaStream_t stream) {
    return launch_pairs_rows(b, rows, s, scratch, stream);
  });
}

void pairs(View preds, View target, OptionalView weights, OptionalView valid, FM_PAIRS_STATES(OptionalState),
           int64_t num_outputs, double p, double power, double preds_threshold, double target_threshold) {
  const PairsBatch b =
      pairs_batch(preds, target, weights, valid, num_outputs, p, power, preds_threshold, target_threshold);
  add_pairs(b, pairs_states(num_outputs, FM_PAIRS_STATE_NAMES));
}

// rows: [K, ...], with the shape of target; states: [S, D] and so on.
void pairs_by_rows(View preds, View target, View rows, OptionalView weights, OptionalView valid,
                   FM_PAIRS_STATES(OptionalState), int64_t num_outputs, double p, double power, double preds_threshold,
                   double target_threshold, OptionalState samples, OptionalViews others, OptionalIntegers) {
  require_rows(others);
  require_counted_apart(samples);
  const PairsBatch b =
      pairs_batch(preds, target, weights, valid, num_outputs, p, power, preds_threshold, target_threshold);
  const int64_t size = rows_of_pairs(num_outputs, FM_PAIRS_STATE_NAMES);
  if (size == 0) return;
  add_pairs_rows(b, pairs_rows(rows, target, num_outputs, size),
                 pairs_states(size * num_outputs, FM_PAIRS_STATE_NAMES));
}

void simple_pairs(View preds, View target, OptionalView weights, OptionalView valid,
                  FM_SIMPLE_PAIRS_STATES(OptionalState), int64_t num_outputs) {
  add_pairs(pairs_batch(preds, target, weights, valid, num_outputs),
            simple_pairs_states(num_outputs, FM_SIMPLE_PAIRS_STATE_NAMES));
}

void values(View values, OptionalView weights, OptionalView valid, OptionalState sum, OptionalState weight,
            OptionalState minimum, OptionalState maximum, OptionalState faults, int64_t nans, double replacement) {
  const ValuesBatch b = values_batch(values, weights, valid, nans, replacement);
  const ValuesStates states = values_states(sum, weight, minimum, maximum, faults, nans);
  with_scratch("values_", values_scratch(b),
               [&](const Scratch& scratch, cudaStream_t stream) { return launch_values(b, states, scratch, stream); });
}

// rows: [K, ...], with the shape of the values; states: [S].
void values_by_rows(View values, View rows, OptionalView weights, OptionalView valid, OptionalState sum,
                    OptionalState weight, OptionalState minimum, OptionalState maximum, OptionalState faults,
                    int64_t nans, double replacement, OptionalState samples, OptionalViews others, OptionalIntegers) {
  require_rows(others);
  require_counted_apart(samples);
  const int64_t size = rows_of_values(sum, weight, minimum, maximum);
  if (size == 0) return;
  const ValuesBatch b = values_batch(values, weights, valid, nans, replacement);
  const SampleRows r = sample_rows(rows, values, size);
  check("values_rows_",
        launch_values_rows(b, r, values_states(sum, weight, minimum, maximum, faults, nans, size), current_stream()));
}

Tensor row_pairs(const Tensor preds, const Tensor target, int64_t figure) {
  const OptionalTensor tensors[] = {preds, target};
  const Target::Guard guard(Target::device_of(tensors, 2));
  Tensor out = torch::stable::new_empty(preds, {preds.size(0)}, torch::headeronly::ScalarType::Double);
  check("row_pairs", launch_row_pairs(row_pairs_batch(preds, target, figure, out), current_stream()));
  return out;
}

}  // namespace
}  // namespace fastmetrics

FM_CUDA_OPERATOR("pairs_", &fastmetrics::pairs)
FM_CUDA_OPERATOR("pairs_rows_", &fastmetrics::pairs_by_rows)
FM_CUDA_OPERATOR("simple_pairs_", &fastmetrics::simple_pairs)
FM_CUDA_OPERATOR("values_", &fastmetrics::values)
FM_CUDA_OPERATOR("values_rows_", &fastmetrics::values_by_rows)

// This returns a new tensor.
STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl("row_pairs", TORCH_BOX(&fastmetrics::row_pairs)); }
