// SPDX-License-Identifier: Apache-2.0
//
// What the loop that draws samples is given. The meaning is resample_body in fastmetrics/passes/resample.py.

#pragma once

#include <cstdint>

namespace fastmetrics {

struct Resample {
  const int64_t* sizes;  // [D], in [0, 2^32)
  const int32_t* place;  // [P, n]
  int64_t draws, places, n, sums;
  int64_t seed;
};

}  // namespace fastmetrics
