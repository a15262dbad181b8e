// SPDX-License-Identifier: Apache-2.0
//
// What the registrations of the passes share on top of torch's stable ABI: dtype codes and checks of states.

#pragma once

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <optional>

#include "common/dtype.h"
#include "common/faults.h"

namespace fastmetrics {

using torch::stable::Tensor;
using OptionalTensor = std::optional<Tensor>;

inline DType dtype_of(const Tensor& t) {
  using torch::headeronly::ScalarType;
  switch (t.scalar_type()) {
    case ScalarType::Bool:
      return DType::kBool;
    case ScalarType::Byte:
      return DType::kUInt8;
    case ScalarType::UInt16:
      return DType::kUInt16;
    case ScalarType::UInt32:
      return DType::kUInt32;
    case ScalarType::UInt64:
      return DType::kUInt64;
    case ScalarType::Char:
      return DType::kInt8;
    case ScalarType::Short:
      return DType::kInt16;
    case ScalarType::Int:
      return DType::kInt32;
    case ScalarType::Long:
      return DType::kInt64;
    case ScalarType::Half:
      return DType::kHalf;
    case ScalarType::BFloat16:
      return DType::kBFloat16;
    case ScalarType::Float:
      return DType::kFloat;
    case ScalarType::Double:
      return DType::kDouble;
    default:
      return DType::kOther;
  }
}

// The data of a state: contiguous, of the dtype and number of elements that the pass writes; null if it was not asked.
template <typename T>
inline T* state_data(const OptionalTensor& state, DType dtype, int64_t numel, const char* what) {
  if (!state.has_value()) return nullptr;
  STD_TORCH_CHECK(dtype_of(*state) == dtype && state->is_contiguous() && state->numel() == numel,
                  "state has the wrong dtype, shape or strides: ", what);
  return static_cast<T*>(state->mutable_data_ptr());
}

// What comes per sample has the shape of the samples, `of`.
inline void check_per_sample(const OptionalTensor& values, const Tensor& of, DType dtype, const char* rule) {
  if (!values.has_value()) return;
  bool fits = dtype_of(*values) == dtype && values->dim() == of.dim();
  for (int64_t d = 0; fits && d < of.dim(); ++d) fits = values->size(d) == of.size(d);
  STD_TORCH_CHECK(fits, rule);
}

inline int64_t* faults_data(const OptionalTensor& faults) {
  return state_data<int64_t>(faults, DType::kInt64, kFaults, "faults, int64 [11]");
}

}  // namespace fastmetrics
