// SPDX-License-Identifier: Apache-2.0
//
// The softmax of samples, in float64. A vector has scores of one sample where those are neighbours and many, and else
// the same class of as many samples as it has lanes.

#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/math_cpu.h"
#include "passes/rows_cpu.h"
#include "rules/hinge.h"

namespace fastmetrics {

constexpr int64_t kFewClasses = 64;
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

// Makes of n scores, in whole vectors, what is in proportion to their softmax; returns the factor, NaN if there is no
// softmax. of_greatest, if given, gets the greatest score.
inline double softmax(double* p, int64_t n, double* of_greatest = nullptr) {
  const double most = greatest(p, n);
  if (of_greatest != nullptr) *of_greatest = most;
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

// As many samples as a vector has lanes; those that are left out, and lanes without a sample, count nothing.
struct Group {
  int64_t target[kDoubles] = {};
  Doubles weight = {};
  int samples;
  bool counted[kDoubles] = {};

  Group(const int32_t* targets, const double* weights, int n) : samples(n) {
    for (int j = 0; j < n; ++j) {
      counted[j] = weights[j] != kLeftOut;
      if (!counted[j]) continue;
      target[j] = targets[j];
      weight[j] = weights[j];
    }
  }
};

// The scores of a group, a vector a class, 0 for samples that are left out; returns whether one lies outside [0, 1].
template <typename T>
bool widen_columns(const T* from, int64_t step, int64_t klass, int64_t classes, const Group& group, Doubles* p) {
  double* to = reinterpret_cast<double*>(p);
  if (step == 1 && group.samples == kDoubles) {
    for (int64_t c = 0; c < classes; ++c) {
      for (int j = 0; j < kDoubles; ++j) to[c * kDoubles + j] = widen(from[c * klass + j]);
    }
  } else {
    if (group.samples < kDoubles) std::fill_n(p, classes, Doubles{});
    for (int j = 0; j < group.samples; ++j) {
      for (int64_t c = 0; c < classes; ++c) to[c * kDoubles + j] = widen(from[j * step + c * klass]);
    }
  }
  for (int j = 0; j < group.samples; ++j) {
    for (int64_t c = 0; c < classes && !group.counted[j]; ++c) to[c * kDoubles + j] = 0.0;
  }
  Mask64 outside = {};
  for (int64_t c = 0; c < classes; ++c) outside |= ~at_least(p[c], Doubles{}) | not_at_most(p[c], Doubles{} + 1.0);
  return any(outside);
}

// As softmax, of the lanes of n vectors each.
inline Doubles softmax_of_lanes(Doubles* p, int64_t n, Doubles* of_greatest = nullptr) {
  Doubles most = p[0], sum = {};
  Words nan = most != most;
  for (int64_t c = 1; c < n; ++c) {
    nan |= p[c] != p[c];
    most = p[c] > most ? p[c] : most;
  }
  if (of_greatest != nullptr) *of_greatest = most;
  FastMath math;  // a lane for which it is not is NaN
  for (int64_t c = 0; c < n; ++c) sum += p[c] = math.exp(p[c] - most);
  const Words finite = (FastMath::absolute(most) < kInfinity) & ~nan;
  return finite ? 1.0 / sum : Doubles{} + std::numeric_limits<double>::quiet_NaN();
}

}  // namespace fastmetrics
