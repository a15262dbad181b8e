// SPDX-License-Identifier: Apache-2.0
//
// Figures of two rows: what each pair of elements adds to three sums, and what the sums give. Math says how wide a
// value is (V: a double, or a vector of them) and has log and exp of it.

#pragma once

#include <cmath>
#include <cstdint>

#include "rules/macros.h"

namespace fastmetrics {

enum Figure : int64_t { kCosine = 0, kKl = 1, kKlLog = 2, kJs = 3, kJsLog = 4, kFigures = 5, kOnlySums = 5 };

template <typename V>
struct RowSums {
  V figure{}, preds{}, target{};
};

// a log(a / b), 0 where a is.
template <typename Math, typename V = typename Math::V>
FM_HD V relative_entropy(V a, V b) {
  return a == V{} ? V{} : a * Math::log(a / b);
}

// x and y are multiplied by the scales where kFigure is kJs. kOnlySums is the first of its two rounds.
template <int64_t kFigure, typename Math, typename V = typename Math::V>
FM_HD void add_to_row(V x, V y, double x_scale, double y_scale, RowSums<V>* sums) {
  if constexpr (kFigure == kCosine) {
    sums->figure += x * y;
    sums->preds += x * x;
    sums->target += y * y;
  } else if constexpr (kFigure == kKl || kFigure == kOnlySums) {
    if (kFigure == kKl) sums->figure += relative_entropy<Math>(x, y);
    sums->preds += x;
    sums->target += y;
  } else if constexpr (kFigure == kKlLog) {
    const V p = Math::exp(x);
    sums->figure += p == V{} ? V{} : p * (x - y);  // an impossible event adds nothing
  } else {
    const V p = kFigure == kJsLog ? Math::exp(x) : x * x_scale, q = kFigure == kJsLog ? Math::exp(y) : y * y_scale;
    const V middle = (p + q) * 0.5;
    sums->figure += (relative_entropy<Math>(p, middle) + relative_entropy<Math>(q, middle)) * 0.5;
  }
}

template <int64_t kFigure>
FM_HD double figure_of(const RowSums<double>& sums) {
  if constexpr (kFigure == kCosine) return sums.figure / (sqrt(sums.preds) * sqrt(sums.target));
  // of p / P and q / Q: sum of p / P log(p / q), and log(Q / P)
  if constexpr (kFigure == kKl) return sums.figure / sums.preds + log(sums.target / sums.preds);
  return sums.figure;
}

}  // namespace fastmetrics
