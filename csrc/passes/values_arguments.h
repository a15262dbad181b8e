// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operator to what the loops are given; checks everything that they rely on.

#pragma once

#include "common/view.h"
#include "passes/sample_rows_arguments.h"
#include "passes/values.h"

namespace fastmetrics {

inline ValuesBatch values_batch(const View& values, const OptionalView& weights, const OptionalView& valid,
                                int64_t nans, double replacement) {
  ValuesBatch b{};
  b.values_type = dtype_of(values);
  require(b.values_type != DType::kOther && values.dim() < kMaxDims, "values_: values must be real");
  require(nans >= kKeepNans && nans <= kReplaceNans, "values_: nans must be 0, 1 or 2");
  b.values = values.const_data_ptr();
  if (weights.has_value()) {
    b.weights_type = dtype_of(*weights);
    require(b.weights_type != DType::kOther, "values_: weights must be real");
    check_per_sample(weights, values, b.weights_type, "values_: weights must have the shape of values");
    b.weights = weights->const_data_ptr();
  }
  check_per_sample(valid, values, DType::kBool, "values_: valid must be bool, of the shape of values");
  b.valid = valid.has_value() ? static_cast<const bool*>(valid->const_data_ptr()) : nullptr;
  for (int64_t d = 0; d < values.dim(); ++d) {
    b.layout.push(values.size(d), values.stride(d), weights.has_value() ? weights->stride(d) : 0,
                  valid.has_value() ? valid->stride(d) : 0);
  }
  // what is absent has strides of 0, which walk on like any others
  b.layout.collapse(0);
  b.nans = nan_rule(nans, replacement);
  return b;
}

// rows: how many numbers each state has.
inline ValuesStates values_states(const OptionalState& sum, const OptionalState& weight, const OptionalState& minimum,
                                  const OptionalState& maximum, const OptionalState& faults, int64_t nans,
                                  int64_t rows = 1) {
  return {state_data<double>(sum, DType::kDouble, rows, "sum, float64 [] or [S]"),
          state_data<double>(weight, DType::kDouble, rows, "weight, float64 [] or [S]"),
          state_data<double>(minimum, DType::kDouble, rows, "minimum, float64 [] or [S]"),
          state_data<double>(maximum, DType::kDouble, rows, "maximum, float64 [] or [S]"),
          nans == kDropNans ? faults_data(faults) : nullptr};
}

// How many rows the states have, of which some is given.
inline int64_t rows_of_values(const OptionalState& sum, const OptionalState& weight, const OptionalState& minimum,
                              const OptionalState& maximum) {
  for (const OptionalState* state : {&sum, &weight, &minimum, &maximum}) {
    if (state->has_value()) return (*state)->numel();
  }
  return 0;
}

}  // namespace fastmetrics
