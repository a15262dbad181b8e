// SPDX-License-Identifier: Apache-2.0
//
// Element types by a small code, without torch: passes are written once for each score type, and targets of any type
// are widened by a loader.

#pragma once

#include <cstdint>
#include <type_traits>

#include "rules/half.h"

namespace fastmetrics {

enum class DType : int32_t {
  kBool,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kHalf,
  kBFloat16,
  kFloat,
  kDouble,
  kOther,
};

FM_HD bool is_floating(DType t) { return t >= DType::kHalf && t <= DType::kDouble; }
FM_HD bool is_label(DType t) { return t <= DType::kInt64; }

// Bytes of an element.
FM_HD int64_t size_of(DType t) {
  switch (t) {
    case DType::kBool:
    case DType::kUInt8:
    case DType::kInt8:
      return 1;
    case DType::kUInt16:
    case DType::kInt16:
    case DType::kHalf:
    case DType::kBFloat16:
      return 2;
    case DType::kUInt32:
    case DType::kInt32:
    case DType::kFloat:
      return 4;
    default:
      return 8;
  }
}

// Calls f(T{}) with the element type; the label types only.
template <typename F>
FM_HD void with_label_type(DType t, F&& f) {
  switch (t) {
    case DType::kBool:
    case DType::kUInt8:
      return f(uint8_t{});
    case DType::kUInt16:
      return f(uint16_t{});
    case DType::kUInt32:
      return f(uint32_t{});
    case DType::kUInt64:
      return f(uint64_t{});
    case DType::kInt8:
      return f(int8_t{});
    case DType::kInt16:
      return f(int16_t{});
    case DType::kInt32:
      return f(int32_t{});
    default:
      return f(int64_t{});
  }
}

// Calls f(T{}) with the element type; the floating types only.
template <typename F>
FM_HD void with_score_type(DType t, F&& f) {
  switch (t) {
    case DType::kHalf:
      return f(Half{});
    case DType::kBFloat16:
      return f(BFloat16{});
    case DType::kFloat:
      return f(float{});
    default:
      return f(double{});
  }
}

// The unsigned integer of the size of a floating type.
template <typename T>
using BitsOf = std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>;

// Reads one label; the label types only. A uint64 above INT64_MAX comes out negative.
FM_HD int64_t label_at(const void* data, DType type, int64_t offset) {
  int64_t value = 0;
  with_label_type(type, [&](auto t) { value = static_cast<int64_t>(static_cast<const decltype(t)*>(data)[offset]); });
  return value;
}

}  // namespace fastmetrics
