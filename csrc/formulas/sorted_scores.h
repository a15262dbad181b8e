// SPDX-License-Identifier: Apache-2.0
//
// How the formulas of curves read a column of sorted scores on the CPU.

#pragma once

#include <cstring>

#include "common/cpu.h"
#include "formulas/curves.h"

namespace fastmetrics {

// Sorted scores of a column, whose signs are labels.
template <typename T>
struct SignedScores {
  const BitsOf<T>* bits;

  static constexpr int kTop = 8 * sizeof(T) - 1;
  auto magnitude(int64_t i) const {
    return static_cast<BitsOf<T>>(bits[i] & static_cast<BitsOf<T>>(~(BitsOf<T>{1} << kTop)));
  }
  bool same(int64_t i, int64_t j) const { return magnitude(i) == magnitude(j); }
  int64_t positive(int64_t i) const { return bits[i] >> kTop ^ 1; }
  T value(int64_t i) const {
    const BitsOf<T> of = magnitude(i);
    T value;
    memcpy(&value, &of, sizeof(value));
    return value;
  }
};

// Sorted scores of a column, and their labels.
template <typename T>
struct LabelledScores {
  const T* values;
  const uint8_t* labels;

  bool same(int64_t i, int64_t j) const { return widen(values[i]) == widen(values[j]); }
  int64_t positive(int64_t i) const { return labels[i]; }
  T value(int64_t i) const { return values[i]; }
};

// Calls f(scores) with those of a column.
template <typename T, typename F>
void with_scores(const Curves& curves, int64_t column, const F& f) {
  const T* values = static_cast<const T*>(curves.values) + column * curves.rows;
  if (curves.labels == nullptr) {
    f(SignedScores<T>{reinterpret_cast<const BitsOf<T>*>(values)});
  } else {
    f(LabelledScores<T>{values, curves.labels + column * curves.rows});
  }
}

// Calls f(column, threads that share it) for all columns, as many at a time as there are threads.
template <typename F>
void for_columns(const Curves& curves, const F& f) {
  const int threads = threads_for(curves.columns * curves.rows);
  if (curves.columns < threads) {
    for (int64_t c = 0; c < curves.columns; ++c) f(c, threads);
    return;
  }
  split(curves.columns, threads, [&](int, int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) f(c, 1);
  });
}

}  // namespace fastmetrics
