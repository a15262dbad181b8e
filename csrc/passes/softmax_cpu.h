// SPDX-License-Identifier: Apache-2.0
//
// The softmax of the scores of one sample, as doubles in whole vectors.

#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/math_cpu.h"

namespace fastmetrics {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

inline int64_t whole_vectors(int64_t n) { return (n + kDoubles - 1) / kDoubles * kDoubles; }

// The greatest of n values, in whole vectors; NaN if any is.
inline double greatest(const double* p, int64_t n) {
  Doubles most = load<Doubles>(p);
  Mask64 nan = unordered(most, most);
  for (int64_t i = kDoubles; i < n; i += kDoubles) {
    const Doubles x = load<Doubles>(p + i);
    nan |= unordered(x, x);
    most = greater_of(x, most);
  }
  return any(nan) ? std::numeric_limits<double>::quiet_NaN() : greatest_lane(most);
}

// Makes of n scores, in whole vectors, what is in proportion to their softmax; returns the factor.
inline double softmax(double* p, int64_t n) {
  const double most = greatest(p, n);
  if (!(std::fabs(most) < kInfinity)) {
    std::fill_n(p, n, most);
    return std::numeric_limits<double>::quiet_NaN();
  }
  FastMath math;  // which is for all that is not above 0
  Doubles sum = {};
  for (int64_t i = 0; i < n; i += kDoubles) {
    const Doubles value = math.exp(load<Doubles>(p + i) - most);
    memcpy(p + i, &value, sizeof(value));
    sum += value;
  }
  return 1.0 / sum_of_lanes(sum);
}

}  // namespace fastmetrics
