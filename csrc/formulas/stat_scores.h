// SPDX-License-Identifier: Apache-2.0
//
// stat_scores: the counts of classes, or their averages. See fastmetrics/formulas/counts.py for its meaning.

#pragma once

#include <type_traits>

#include "formulas/counts.h"

namespace fastmetrics {

constexpr int kScores = 5;  // tp, fp, tn, fn, support

template <typename Cell>
void store(const Counts<Cell>& c, Cell* out) {
  out[0] = c.tp;
  out[1] = c.fp;
  out[2] = c.tn;
  out[3] = c.fn;
  out[4] = c.tp + c.fn;
}

// out: [5].
template <typename Cell>
void mean_of_classes(const Table<Cell>& table, int64_t average, int64_t excluded, float* out) {
  auto weight_of = [&](int64_t c, const Counts<Cell>& counts) {
    return c == excluded ? 0.0 : average == kMacro ? 1.0 : static_cast<double>(counts.tp + counts.fn);
  };
  double weights = 0.0, sums[kScores] = {};
  for (int64_t c = 0; c < table.classes; ++c) weights += weight_of(c, table.of_class(c));
  for (int64_t c = 0; c < table.classes; ++c) {
    const Counts<Cell> counts = table.of_class(c);
    const double share = weight_of(c, counts) / weights;  // NaN where there is no weight
    Cell scores[kScores];
    store(counts, scores);
    for (int i = 0; i < kScores; ++i) sums[i] += static_cast<double>(scores[i]) * share;
  }
  for (int i = 0; i < kScores; ++i) out[i] = static_cast<float>(sums[i]);
}

// Whether scores have the dtype of the table, and not float32.
inline bool is_counted(int64_t average) { return average == kNone || average == kMicro; }

// out: the cells of the tables, [count, classes, 5] for kNone and [count, 5] for kMicro, else float [count, 5].
inline void stat_scores(const Tables& tables, int64_t average, int64_t excluded, void* out) {
  tables.for_each([&](int64_t i, const auto& table) {
    if (!is_counted(average)) return mean_of_classes(table, average, excluded, static_cast<float*>(out) + i * kScores);
    using Cell = std::decay_t<decltype(table.samples)>;
    auto* cells = static_cast<Cell*>(out);
    if (average == kMicro) return store(table.of_all(excluded), cells + i * kScores);
    for (int64_t c = 0; c < table.classes; ++c) store(table.of_class(c), cells + (i * table.classes + c) * kScores);
  });
}

}  // namespace fastmetrics
