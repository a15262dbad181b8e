// SPDX-License-Identifier: Apache-2.0
//
// The operators of numbers, which regression and aggregation ask for: what is given is checked here and goes to loops
// that know no torch.

#include "common/cpu.h"
#include "common/operator.h"
#include "formulas/ranks.h"
#include "passes/loops_cpu.h"
#include "passes/pairs_arguments.h"
#include "passes/row_pairs_arguments.h"
#include "passes/values_arguments.h"

namespace fastmetrics {
namespace {

using torch::headeronly::ScalarType;
using torch::stable::new_empty;

void pairs(View preds, View target, OptionalView weights, OptionalView valid, FM_PAIRS_STATES(OptionalState),
           int64_t num_outputs, double p, double power, double preds_threshold, double target_threshold) {
  const PairsBatch b =
      pairs_batch(preds, target, weights, valid, num_outputs, p, power, preds_threshold, target_threshold);
  add_pairs(b, pairs_states(num_outputs, FM_PAIRS_STATE_NAMES));
}

// rows: [K, ...], with the shape of target; others: [...]; states: [S, D] and so on.
void pairs_by_rows(View preds, View target, View rows, OptionalView weights, OptionalView valid,
                   FM_PAIRS_STATES(OptionalState), int64_t num_outputs, double p, double power, double preds_threshold,
                   double target_threshold, OptionalState samples, OptionalViews others, OptionalIntegers sizes) {
  require_counted_apart(samples);
  const PairsBatch b =
      pairs_batch(preds, target, weights, valid, num_outputs, p, power, preds_threshold, target_threshold);
  const int64_t size = rows_of_pairs(num_outputs, FM_PAIRS_STATE_NAMES);
  if (size == 0) return;
  const ColumnRows r = pairs_rows(rows, target, num_outputs, size);
  add_pairs_rows(b, slicings_of(r.of_first, rows, others, sizes, column_of_outputs(target, num_outputs)),
                 pairs_states(size * num_outputs, FM_PAIRS_STATE_NAMES));
}

void simple_pairs(View preds, View target, OptionalView weights, OptionalView valid,
                  FM_SIMPLE_PAIRS_STATES(OptionalState), int64_t num_outputs) {
  add_pairs(pairs_batch(preds, target, weights, valid, num_outputs),
            simple_pairs_states(num_outputs, FM_SIMPLE_PAIRS_STATE_NAMES));
}

// The moments of a batch go to those of a state, which is most of what a forward does besides reading. moments, batch:
// float64 [D, 6].
void merge_moments(State moments, View batch) {
  const int64_t outputs = moments.numel() / 6;
  double* to = state_data<double>(moments, DType::kDouble, 6 * outputs, "moments, float64 [D, 6]");
  require(batch.dtype() == DType::kDouble && batch.dim() == 2 && batch.size(0) == outputs && batch.size(1) == 6,
          "merge_moments_: batch must be float64 [D, 6] as moments are");
  const double* from = static_cast<const double*>(batch.const_data_ptr());
  for (int64_t d = 0; d < outputs; ++d) {
    double row[6];
    for (int i = 0; i < 6; ++i) row[i] = from[d * batch.stride(0) + i * batch.stride(1)];
    store(merged(moments_at(to + 6 * d), moments_at(row)), to + 6 * d);
  }
}

void values(View values, OptionalView weights, OptionalView valid, OptionalState sum, OptionalState weight,
            OptionalState minimum, OptionalState maximum, OptionalState faults, int64_t nans, double replacement) {
  add_values(values_batch(values, weights, valid, nans, replacement),
             values_states(sum, weight, minimum, maximum, faults, nans));
}

// rows: [K, ...], with the shape of the values; others: [...]; states: [S].
void values_by_rows(View values, View rows, OptionalView weights, OptionalView valid, OptionalState sum,
                    OptionalState weight, OptionalState minimum, OptionalState maximum, OptionalState faults,
                    int64_t nans, double replacement, OptionalState samples, OptionalViews others,
                    OptionalIntegers sizes) {
  require_counted_apart(samples);
  const int64_t size = rows_of_values(sum, weight, minimum, maximum);
  if (size == 0) return;
  add_values_rows(values_batch(values, weights, valid, nans, replacement),
                  slicings_of(sample_rows(rows, values, size), rows, others, sizes),
                  values_states(sum, weight, minimum, maximum, faults, nans, size));
}

Tensor row_pairs(const Tensor preds, const Tensor target, int64_t figure) {
  Tensor out = new_empty(preds, {preds.size(0)}, ScalarType::Double);
  compute_row_pairs(row_pairs_batch(preds, target, figure, out));
  return out;
}

Columns columns_of(const View& values, const char* name) {
  require(values.dim() == 2 && values.dtype() != DType::kOther, name, ": values must be real, [N, D]");
  require(values.size(0) < INT32_MAX, name, ": at most 2^31 samples");
  return {values.const_data_ptr(), values.dtype(), values.size(0), values.size(1), values.stride(0), values.stride(1)};
}

Tensor ranks(const Tensor values) {
  const Columns columns = columns_of(values, "average_ranks");
  Tensor out = new_empty(values, {columns.rows, columns.columns}, ScalarType::Double);
  average_ranks(columns, static_cast<double*>(out.mutable_data_ptr()));
  return out;
}

Tensor order_of_pairs(const Tensor preds, const Tensor target) {
  const Columns x = columns_of(preds, "pair_order"), y = columns_of(target, "pair_order");
  require(x.rows == y.rows && x.columns == y.columns, "pair_order: preds and target must have the same shape");
  Tensor out = new_empty(preds, {x.columns, kPairOrder}, ScalarType::Double);
  pair_order(x, y, static_cast<double*>(out.mutable_data_ptr()));
  return out;
}

}  // namespace
}  // namespace fastmetrics

FM_CPU_OPERATOR("pairs_", &fastmetrics::pairs)
FM_CPU_OPERATOR("pairs_rows_", &fastmetrics::pairs_by_rows)
FM_CPU_OPERATOR("simple_pairs_", &fastmetrics::simple_pairs)
FM_CPU_OPERATOR("merge_moments_", &fastmetrics::merge_moments)
FM_CPU_OPERATOR("values_", &fastmetrics::values)
FM_CPU_OPERATOR("values_rows_", &fastmetrics::values_by_rows)

// These return a new tensor; a direct call is given the one to write.
STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) {
  m.impl("row_pairs", TORCH_BOX(&fastmetrics::row_pairs));
  m.impl("average_ranks", TORCH_BOX(&fastmetrics::ranks));
  m.impl("pair_order", TORCH_BOX(&fastmetrics::order_of_pairs));
}
