// SPDX-License-Identifier: Apache-2.0
//
// Division by a number that is known before a kernel starts.

#pragma once

#include <cstdint>

#include "rules/macros.h"

namespace fastmetrics {

FM_HD constexpr uint64_t high_product(uint64_t x, uint64_t y) {
#ifdef __CUDA_ARCH__
  return __umul64hi(x, y);
#else
  return static_cast<uint64_t>(static_cast<unsigned __int128>(x) * y >> 64);
#endif
}

// By a product with the reciprocal, rounded down, which is at most one too small.
struct Divisor {
  uint64_t by = 1, reciprocal = UINT64_MAX;

  constexpr Divisor() = default;
  // by: greater than 0.
  constexpr explicit Divisor(int64_t by)
      : by(static_cast<uint64_t>(by)), reciprocal(UINT64_MAX / static_cast<uint64_t>(by)) {}

  // n: not negative. rest: what is left.
  FM_HD constexpr int64_t divide(int64_t n, int64_t* rest) const {
    const uint64_t dividend = static_cast<uint64_t>(n);
    uint64_t quotient = high_product(dividend, reciprocal), left = dividend - quotient * by;
    if (left >= by) {
      left -= by;
      ++quotient;
    }
    *rest = static_cast<int64_t>(left);
    return static_cast<int64_t>(quotient);
  }
};

}  // namespace fastmetrics
