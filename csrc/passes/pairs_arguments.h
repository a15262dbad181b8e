// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operator to what the loops are given; checks everything that they rely on.

#pragma once

#include "common/view.h"
#include "passes/pairs.h"
#include "passes/sample_rows_arguments.h"

namespace fastmetrics {

// preds, target, weights, valid: any shape for one output, [..., D] for more.
inline PairsBatch pairs_batch(const View& preds, const View& target, const OptionalView& weights,
                              const OptionalView& valid, int64_t num_outputs) {
  const int64_t dims = target.dim();
  PairsBatch b{};
  b.preds_type = dtype_of(preds);
  b.target_type = dtype_of(target);
  require(b.preds_type != DType::kOther && b.target_type != DType::kOther, "pairs_: preds and target must be real");
  require(preds.dim() == dims && dims < kMaxDims, "pairs_: preds and target must have the same shape");
  require(num_outputs == 1 || (num_outputs > 1 && dims > 1 && target.size(dims - 1) == num_outputs),
          "pairs_: preds and target must be [..., num_outputs]");
  check_per_sample(weights, target, DType::kDouble, "pairs_: weights must be float64 of the shape of target");
  check_per_sample(valid, target, DType::kBool, "pairs_: valid must be bool of the shape of target");
  b.preds = preds.const_data_ptr();
  b.target = target.const_data_ptr();
  if (weights.has_value()) b.weights = static_cast<const double*>(weights->const_data_ptr());
  if (valid.has_value()) b.valid = static_cast<const bool*>(valid->const_data_ptr());
  b.outputs = num_outputs;
  for (int64_t d = 0; d < dims; ++d) {
    require(preds.size(d) == target.size(d), "pairs_: preds and target must have the same shape");
    const int64_t of_valid = b.valid == nullptr ? 0 : valid->stride(d);
    const int64_t of_weights = b.weights == nullptr ? 0 : weights->stride(d);
    if (num_outputs > 1 && d == dims - 1) {
      b.a_output = preds.stride(d);
      b.b_output = target.stride(d);
      b.c_output = of_valid;
      b.d_output = of_weights;
    } else {
      b.layout.push(target.size(d), preds.stride(d), target.stride(d), of_valid, of_weights);
    }
  }
  b.layout.collapse(0);
  return b;
}

// The same with the options of errors, deviances and events.
inline PairsBatch pairs_batch(const View& preds, const View& target, const OptionalView& weights,
                              const OptionalView& valid, int64_t num_outputs, double p, double power,
                              double preds_threshold, double target_threshold) {
  PairsBatch b = pairs_batch(preds, target, weights, valid, num_outputs);
  b.p = p;
  b.power = power;
  b.preds_threshold = preds_threshold;
  b.target_threshold = target_threshold;
  return b;
}

// The dimension of the target that outputs are; -1 if there is one output.
inline int64_t column_of_outputs(const View& target, int64_t num_outputs) {
  return num_outputs > 1 ? target.dim() - 1 : -1;
}

// rows: integers or bool [K, ...], with the shape of target; count: rows of the states.
inline ColumnRows pairs_rows(const View& rows, const View& target, int64_t num_outputs, int64_t count) {
  require(count < INT32_MAX / num_outputs, "pairs_rows_: the states must have at most 2^31 rows of outputs");
  return column_rows(rows, target, count, column_of_outputs(target, num_outputs));
}

// The order of the operator's arguments, as parameters of a type and as names.
#define FM_PAIRS_STATES(T)                                                                                      \
  T count, T moments, T extremes, T squared_error, T absolute_error, T squared_log_error, T percentage_error,   \
      T symmetric_percentage_error, T absolute_target, T log_cosh_error, T powered_error, T deviance, T events, \
      T faults
#define FM_PAIRS_STATE_NAMES                                                                    \
  count, moments, extremes, squared_error, absolute_error, squared_log_error, percentage_error, \
      symmetric_percentage_error, absolute_target, log_cosh_error, powered_error, deviance, events, faults

// How many rows states of [S, D, ...] have, of which some is given.
inline int64_t rows_of_pairs(int64_t outputs, FM_PAIRS_STATES(const OptionalState&)) {
  int64_t rows = 0;
  auto look = [&](const OptionalState& state, int64_t each) {
    if (state.has_value()) rows = state->numel() / (outputs * each);
  };
  for (const OptionalState* state : {&squared_error, &absolute_error, &squared_log_error, &percentage_error,
                                     &symmetric_percentage_error, &absolute_target, &log_cosh_error, &powered_error}) {
    look(*state, 1);
  }
  look(deviance, 2);
  look(events, 3);
  look(extremes, 3);
  look(moments, 6);
  look(count, 1);
  (void)faults;
  return rows;
}

// outputs: those of all rows.
inline PairsStates pairs_states(int64_t outputs, FM_PAIRS_STATES(OptionalState)) {
  auto data = [&](const OptionalState& state, int64_t each, const char* what) {
    return state_data<double>(state, DType::kDouble, outputs * each, what);
  };
  return {
      data(count, 1, "count, float64 [D]"),
      data(moments, 6, "moments, float64 [D, 6]"),
      data(extremes, 3, "extremes, float64 [D, 3]"),
      {
          data(squared_error, 1, "squared_error, float64 [D]"),
          data(absolute_error, 1, "absolute_error, float64 [D]"),
          data(squared_log_error, 1, "squared_log_error, float64 [D]"),
          data(percentage_error, 1, "percentage_error, float64 [D]"),
          data(symmetric_percentage_error, 1, "symmetric_percentage_error, float64 [D]"),
          data(absolute_target, 1, "absolute_target, float64 [D]"),
          data(log_cosh_error, 1, "log_cosh_error, float64 [D]"),
          data(powered_error, 1, "powered_error, float64 [D]"),
      },
      data(deviance, 2, "deviance, float64 [D, 2]"),
      data(events, 3, "events, float64 [D, 3]"),
      faults_data(faults),
  };
}

// The same of simple_pairs_: only what loops over neighbours have, see PairsStates::only_simple.
#define FM_SIMPLE_PAIRS_STATES(T) T count, T moments, T squared_error, T absolute_error, T faults
#define FM_SIMPLE_PAIRS_STATE_NAMES count, moments, squared_error, absolute_error, faults

inline PairsStates simple_pairs_states(int64_t outputs, FM_SIMPLE_PAIRS_STATES(OptionalState)) {
  const OptionalState none;
  return pairs_states(outputs, count, moments, none, squared_error, absolute_error, none, none, none, none, none, none,
                      none, none, faults);
}

}  // namespace fastmetrics
