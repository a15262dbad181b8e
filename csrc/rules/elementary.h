// SPDX-License-Identifier: Apache-2.0
//
// What rules take logarithms, exponentials and powers from. A rule is given a Math: this one is right for every double,
// on every device; FastMath in common/math_cpu.h is for loops that vectorise.

#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "rules/macros.h"

namespace fastmetrics {

FM_HD double double_from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

FM_HD uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

struct LibraryMath {
  FM_HD double absolute(double x) { return ::fabs(x); }
  FM_HD double exp(double x) { return ::exp(x); }
  // log(a / b)
  FM_HD double log_of_ratio(double a, double b) { return ::log(a / b); }
  // a log(a / b), 0 where a is
  FM_HD double relative_entropy(double a, double b) { return a == 0.0 ? 0.0 : a * ::log(a / b); }
  // log((1 + x) / (1 + y))
  FM_HD double log1p_of_ratio(double x, double y) { return ::log1p(x) - ::log1p(y); }
  // log(1 + exp(x)); only for x of at most -1/4, anything for others
  FM_HD double log1p_of_exp(double x) { return ::log1p(::exp(x)); }
  // x to the power e; a negative x counts as 0
  FM_HD double power(double x, double e) { return ::pow(x < 0.0 ? 0.0 : x, e); }
};

}  // namespace fastmetrics
