// SPDX-License-Identifier: Apache-2.0
//
// How the kernels of the pairs pass read a pair of any types, and what is bad about some.

#pragma once

#include <cstring>

#include "common/device.cuh"
#include "passes/pairs.h"

namespace fastmetrics {

// Sums that are asked for, beside the error kinds, whose bits come first.
enum : unsigned {
  kAskMoments = 1u << 16,
  kAskExtremes = 1u << 17,
  kAskDeviance = 1u << 18,
  kAskEvents = 1u << 19,
  kAskCount = 1u << 20
};

// The bits of an element of any type, which several can be asked for before one is looked at.
__device__ __forceinline__ uint64_t bits_at(const void* data, DType type, int64_t offset) {
  switch (size_of(type)) {
    case 1:
      return static_cast<const uint8_t*>(data)[offset];
    case 2:
      return static_cast<const uint16_t*>(data)[offset];
    case 4:
      return static_cast<const uint32_t*>(data)[offset];
    default:
      return static_cast<const uint64_t*>(data)[offset];
  }
}

// The number that they are.
__device__ __forceinline__ double value_of(uint64_t bits, DType type) {
  double value = 0.0;
  if (is_floating(type)) {
    with_score_type(type, [&](auto t) {
      const auto own = static_cast<BitsOf<decltype(t)>>(bits);
      memcpy(&t, &own, sizeof(t));
      value = widen(t);
    });
  } else if (type == DType::kInt8 || type == DType::kInt16 || type == DType::kInt32 || type == DType::kInt64) {
    const int above = 64 - 8 * static_cast<int>(size_of(type));
    value = static_cast<double>(static_cast<int64_t>(bits << above) >> above);  // with its sign
  } else {
    value = static_cast<double>(bits);
  }
  return value;
}

__device__ __forceinline__ double value_at(const void* data, DType type, int64_t offset) {
  return value_of(bits_at(data, type, offset), type);
}

// Moves the faults of pairs, which are all in, to the record; one thread.
__device__ __forceinline__ void record_bad_pairs(const PairsBatch& b, int64_t* faults) {
  record_faults(faults, [&](int kind, int64_t place) {
    const int64_t pair = place / b.outputs, output = place % b.outputs;
    int64_t of_preds, of_target;
    b.layout.locate(pair, &of_preds, &of_target);
    double value;
    if (kind == kBadWeight) {
      value = b.weights[b.layout.offset(pair, b.layout.d_stride) + output * b.d_output];
    } else if (kind == kBadPreds) {
      value = value_at(b.preds, b.preds_type, of_preds + output * b.a_output);
    } else {
      value = value_at(b.target, b.target_type, of_target + output * b.b_output);
    }
    return static_cast<int64_t>(bits_of(value));
  });
}

// Makes a pair of an output the pilot of sums.
__device__ __forceinline__ void pilot_of(const PairsBatch& b, int64_t pair, int64_t output, ShiftedSums* sums) {
  int64_t of_preds, of_target;
  b.layout.locate(pair, &of_preds, &of_target);
  sums->start(value_at(b.preds, b.preds_type, of_preds + output * b.a_output),
              value_at(b.target, b.target_type, of_target + output * b.b_output));
}

}  // namespace fastmetrics
