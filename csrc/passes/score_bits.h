// SPDX-License-Identifier: Apache-2.0
//
// Probabilities by their bits: those in [0, 1] are the least unsigned numbers, but for -0.

#pragma once

#include <cstdint>

#include "common/dtype.h"

namespace fastmetrics {

// The bits of a score, and those of 1 and of -0.
template <typename T>
struct ScoreBits;
template <>
struct ScoreBits<Half> {
  using type = uint16_t;
  static constexpr type kOne = 0x3c00, kMinusZero = 0x8000;
};
template <>
struct ScoreBits<BFloat16> {
  using type = uint16_t;
  static constexpr type kOne = 0x3f80, kMinusZero = 0x8000;
};
template <>
struct ScoreBits<float> {
  using type = uint32_t;
  static constexpr type kOne = 0x3f800000u, kMinusZero = 0x80000000u;
};
template <>
struct ScoreBits<double> {
  using type = uint64_t;
  static constexpr type kOne = 0x3ff0000000000000u, kMinusZero = 0x8000000000000000u;
};

}  // namespace fastmetrics
