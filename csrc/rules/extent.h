// SPDX-License-Identifier: Apache-2.0
//
// Sum, weight, least and greatest of values, and what a NaN counts as.

#pragma once

#include <cstdint>
#include <limits>

#include "rules/macros.h"

namespace fastmetrics {

enum NanMode : int64_t { kKeepNans = 0, kDropNans = 1, kReplaceNans = 2 };

// What a value counts as that is NaN or whose weight is.
struct NanRule {
  bool keep;  // as it is; the rest is then of a value whose weight is 1
  double product, weight, low, high;
};

FM_HD NanRule nan_rule(int64_t mode, double replacement) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();
  if (mode == kKeepNans) return {true, kNan, 1.0, kNan, kNan};
  if (mode == kReplaceNans) return {false, replacement, 1.0, replacement, replacement};
  return {false, 0.0, 0.0, kInfinity, -kInfinity};
}

// The lesser and the greater one; NaN if either is.
FM_HD double lesser(double a, double b) { return a < b || a != a ? a : b; }
FM_HD double greater(double a, double b) { return a > b || a != a ? a : b; }

struct Extent {
  double sum = 0.0, weight = 0.0;
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  int64_t nans = 0;

  FM_HD void add(double value, double of_weight, const NanRule& rule) {
    const bool nan = !rule.keep && (value != value || of_weight != of_weight);
    sum += nan ? rule.product : value * of_weight;
    weight += nan ? rule.weight : of_weight;
    low = lesser(nan ? rule.low : value, low);
    high = greater(nan ? rule.high : value, high);
    nans += nan;
  }

  FM_HD void add(const Extent& other) {
    sum += other.sum;
    weight += other.weight;
    low = lesser(other.low, low);
    high = greater(other.high, high);
    nans += other.nans;
  }
};

}  // namespace fastmetrics
