// SPDX-License-Identifier: Apache-2.0
//
// Sums of numbers that have the same bits in any order of the additions: a number is a whole multiple of a power of
// two, rounded down, whose parts of 16 bits are added apart. So cells in shared memory may be of 32 bits, to which it
// adds without a loop.

#pragma once

#include "common/device.cuh"

namespace fastmetrics {

constexpr int kPartBits = 16;
// How many numbers may be added to cells of 32 bits.
constexpr int64_t kMostOfParts = int64_t{1} << (32 - kPartBits);

constexpr double power_of_two(int exponent) {
  double power = 1.0;
  for (; exponent > 0; --exponent) power *= 2.0;
  for (; exponent < 0; ++exponent) power /= 2.0;
  return power;
}

// Numbers in [0, kLimit) as multiples of 2^-kFraction.
template <int kHowMany, int kFraction>
struct Parts {
  static constexpr int kParts = kHowMany, kOfWord = 64 / kPartBits;
  static constexpr bool kWide = kParts > kOfWord;
  static constexpr double kLimit = power_of_two(kPartBits * kParts - kFraction);
  static_assert(kParts <= 2 * kOfWord, "two words");

  // Calls add(part, bits) for each part of x that is not 0, from the lowest on.
  template <typename F>
  __device__ __forceinline__ static void split(double x, const F& add) {
    const double scaled = x * power_of_two(kWide ? kFraction - 64 : kFraction);
    uint64_t low = static_cast<uint64_t>(scaled), high = 0;
    if constexpr (kWide) {
      high = low;
      low = static_cast<uint64_t>((scaled - static_cast<double>(high)) * 0x1p64);  // the fraction is exact
    }
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
      const uint64_t word = part < kOfWord ? low : high;
      const auto bits = static_cast<uint32_t>(word >> part % kOfWord * kPartBits) & ((1u << kPartBits) - 1);
      if (bits != 0) add(part, bits);
    }
  }

  // The number of which these are the parts.
  __device__ __forceinline__ static double sum(const Count* parts) {
    double sum = 0.0;
    for (int part = 0; part < kParts; ++part) {
      sum += ldexp(static_cast<double>(parts[part]), part * kPartBits - kFraction);
    }
    return sum;
  }
};

}  // namespace fastmetrics
