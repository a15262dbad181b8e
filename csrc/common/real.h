// SPDX-License-Identifier: Apache-2.0
//
// Elements of any real type as doubles; only integers beyond 2^53 round.

#pragma once

#include <cstdint>
#include <type_traits>

#include "common/dtype.h"

namespace fastmetrics {

FM_HD double real_at(const void* data, DType type, int64_t offset) {
  double value = 0.0;
  if (is_floating(type)) {
    with_score_type(type, [&](auto t) { value = widen(static_cast<const decltype(t)*>(data)[offset]); });
  } else {
    with_label_type(type, [&](auto t) { value = static_cast<double>(static_cast<const decltype(t)*>(data)[offset]); });
  }
  return value;
}

// n elements from `offset` on, `stride` apart.
inline void to_doubles(const void* data, DType type, int64_t offset, int64_t stride, int n, double* to) {
  auto convert = [&](auto step) {
    if (is_floating(type)) {
      with_score_type(type, [&](auto t) {
        const auto* from = static_cast<const decltype(t)*>(data) + offset;
        for (int i = 0; i < n; ++i) to[i] = static_cast<double>(widen(from[i * step]));
      });
    } else {
      with_label_type(type, [&](auto t) {
        const auto* from = static_cast<const decltype(t)*>(data) + offset;
        for (int i = 0; i < n; ++i) to[i] = static_cast<double>(from[i * step]);
      });
    }
  };
  if (stride == 1) {
    convert(std::integral_constant<int64_t, 1>{});
  } else {
    convert(stride);
  }
}

}  // namespace fastmetrics
