// SPDX-License-Identifier: Apache-2.0
//
// The order of scores: NaN is the greatest value, -0 equals +0, the lowest index wins a tie. The argmax is the first
// class in that order and the rank of the target is the number of classes before it.

#pragma once

#include <cstdint>
#include <cstring>

#include "rules/macros.h"

namespace fastmetrics {

// Whether `a` comes before the best so far, `b`, when classes are visited in ascending order.
template <typename T>
FM_HD bool beats(T a, T b) {
  return a > b || (a != a && b == b);
}

// Whether class `i` with score `a` comes before the target, class `t` with score `b`.
template <typename T>
FM_HD bool precedes(T a, int64_t i, T b, int64_t t) {
  const bool a_nan = a != a, b_nan = b != b;
  if (a_nan || b_nan) return a_nan && (!b_nan || i < t);
  return a > b || (a == b && i < t);
}

// Integers in the order of the scores: equal scores have equal keys, the greatest key is NaN.
FM_HD int32_t order_key(float x) {
  if (x != x) return INT32_MAX;
  int32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits < 0 ? -(bits & INT32_MAX) : bits;
}
FM_HD int64_t order_key(double x) {
  if (x != x) return INT64_MAX;
  int64_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits < 0 ? -(bits & INT64_MAX) : bits;
}

}  // namespace fastmetrics
