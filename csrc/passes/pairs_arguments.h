// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operator to what the loops are given; checks everything that they rely on.

#pragma once

#include "common/stable.h"
#include "passes/pairs.h"

namespace fastmetrics {

// preds, target: any shape for one output, [N, D] for more.
inline PairsBatch pairs_batch(const Tensor& preds, const Tensor& target, int64_t num_outputs) {
  const int64_t dims = target.dim();
  PairsBatch b{};
  b.preds_type = dtype_of(preds);
  b.target_type = dtype_of(target);
  STD_TORCH_CHECK(b.preds_type != DType::kOther && b.target_type != DType::kOther,
                  "pairs_: preds and target must be real");
  STD_TORCH_CHECK(preds.dim() == dims && dims < kMaxDims, "pairs_: preds and target must have the same shape");
  STD_TORCH_CHECK(num_outputs == 1 || (num_outputs > 1 && dims == 2 && target.size(1) == num_outputs),
                  "pairs_: preds and target must be [N, num_outputs]");
  b.preds = preds.const_data_ptr();
  b.target = target.const_data_ptr();
  b.outputs = num_outputs;
  for (int64_t d = 0; d < dims; ++d) {
    STD_TORCH_CHECK(preds.size(d) == target.size(d), "pairs_: preds and target must have the same shape");
    if (num_outputs > 1 && d == 1) {
      b.a_output = preds.stride(1);
      b.b_output = target.stride(1);
    } else {
      b.layout.push(target.size(d), preds.stride(d), target.stride(d));
    }
  }
  b.layout.collapse(0);
  return b;
}

inline PairsSums pairs_sums(const OptionalTensor& squared_error, const OptionalTensor& absolute_error,
                            int64_t num_outputs) {
  return {state_data<double>(squared_error, DType::kDouble, num_outputs, "squared_error, float64 [D]"),
          state_data<double>(absolute_error, DType::kDouble, num_outputs, "absolute_error, float64 [D]")};
}

inline int64_t* pairs_count(const Tensor& count) {
  return state_data<int64_t>(count, DType::kInt64, 1, "count, int64 []");
}

}  // namespace fastmetrics
