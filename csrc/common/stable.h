// SPDX-License-Identifier: Apache-2.0
//
// What the registrations of the passes share on top of torch's stable ABI: the names of its tensors, and dtype codes.

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

}  // namespace fastmetrics
