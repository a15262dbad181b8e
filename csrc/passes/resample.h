// SPDX-License-Identifier: Apache-2.0
//
// What the loop that draws samples is given. The meaning is resample_body in fastmetrics/passes/resample.py.

#pragma once

#include <cstdint>

namespace fastmetrics {

struct Resample {
  const int64_t* counts;  // [T, K], at least 0, each table less than 2^53
  const int32_t* places;  // [P, K]
  const int64_t* seeds;   // [T]
  const int64_t* sizes;   // [T, D], at least 0 and less than 2^53; null: what the tables have
  int64_t tables, cells, places_of_cell, draws, sums;
  int64_t first;  // draw
};

}  // namespace fastmetrics
