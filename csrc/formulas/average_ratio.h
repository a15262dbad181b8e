// SPDX-License-Identifier: Apache-2.0
//
// average_ratio: a ratio of counts, averaged over classes. See fastmetrics/formulas/ratios.py for its meaning.

#pragma once

#include "formulas/counts.h"

namespace fastmetrics {

enum Drop : int64_t { kKeepAll = 0, kDropAbsent = 1, kDropUntargeted = 2 };

template <typename Cell>
double dot(const double* weight, const Counts<Cell>& c) {
  return weight[0] * static_cast<double>(c.tp) + weight[1] * static_cast<double>(c.fp) +
         weight[2] * static_cast<double>(c.tn) + weight[3] * static_cast<double>(c.fn);
}

// ratio: [2, 4], numerator and denominator.
template <typename Cell>
double score(const double* ratio, const Counts<Cell>& c, double zero_division) {
  const double denominator = dot(ratio + 4, c);
  return denominator == 0.0 ? zero_division : dot(ratio, c) / denominator;
}

// out: [classes] for kNone, else [1].
template <typename Cell>
void average_table(const Table<Cell>& table, const double* ratio, int64_t average, double zero_division, int64_t drop,
                   int64_t excluded, double empty, float* out) {
  if (average == kMicro) {
    *out = static_cast<float>(score(ratio, table.of_all(excluded), zero_division));
    return;
  }
  double weighted = 0.0, weights = 0.0;
  for (int64_t c = 0; c < table.classes; ++c) {
    const Counts<Cell> counts = table.of_class(c);
    const double value = score(ratio, counts, zero_division);
    if (average == kNone) {
      out[c] = static_cast<float>(value);
      continue;
    }
    if (c == excluded) continue;
    const Cell actual = counts.tp + counts.fn;
    double weight = 1.0;
    if (average == kWeighted) {
      weight = static_cast<double>(actual);
    } else if (drop == kDropAbsent) {
      weight = actual + counts.fp != 0 ? 1.0 : 0.0;
    } else if (drop == kDropUntargeted) {
      weight = actual != 0 ? 1.0 : 0.0;
    }
    weighted += weight * value;
    weights += weight;
  }
  if (average != kNone) *out = static_cast<float>(weights == 0.0 ? empty : weighted / weights);
}

// ratio: [2, 4]; out: [count, classes] for kNone, else [count].
inline void average_ratio(const Tables& tables, const double* ratio, int64_t average, double zero_division,
                          int64_t drop, int64_t excluded, double empty, float* out) {
  const int64_t step = average == kNone ? tables.classes : 1;
  tables.for_each([&](int64_t i, const auto& table) {
    average_table(table, ratio, average, zero_division, drop, excluded, empty, out + i * step);
  });
}

}  // namespace fastmetrics
