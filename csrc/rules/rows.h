// SPDX-License-Identifier: Apache-2.0
//
// Figures of two rows: what each pair of elements adds to three sums, and what the sums give. V is what
// Math (rules/elementary.h) is for: a double, or a vector of them.

#pragma once

#include <cmath>
#include <cstdint>

#include "rules/elementary.h"

namespace fastmetrics {

enum Figure : int64_t { kCosine = 0, kKl = 1, kKlLog = 2, kJs = 3, kJsLog = 4, kFigures = 5, kOnlySums = 5 };

template <typename V>
struct RowSums {
  V figure{}, preds{}, target{};
};

// Whether there are terms that take a logarithm or an exponential.
constexpr bool has_terms(int64_t figure) { return figure != kCosine && figure != kOnlySums; }

// What a pair adds to the figure. x and y are multiplied by the scales where kFigure is kJs.
template <int64_t kFigure, typename V, typename Math>
FM_HD V term_of(V x, V y, double x_scale, double y_scale, Math& math) {
  if constexpr (kFigure == kKl) return math.relative_entropy(x, y);
  if constexpr (kFigure == kKlLog) {
    const V p = math.exp(x);
    return p == 0.0 ? V{} : p * (x - y);  // an impossible event adds nothing
  }
  V p = x * x_scale, q = y * y_scale;
  if constexpr (kFigure == kJsLog) {
    p = math.exp(x);
    q = math.exp(y);
  }
  const V middle = (p + q) * 0.5;
  return (math.relative_entropy(p, middle) + math.relative_entropy(q, middle)) * 0.5;
}

// Adds pairs, of which V has one or as many as its lanes. kOnlySums is the first of the two rounds of kJs.
template <int64_t kFigure, typename V>
FM_HD void add_to_row(V x, V y, V term, RowSums<V>* sums) {
  if constexpr (kFigure == kCosine) {
    sums->figure += x * y;
    sums->preds += x * x;
    sums->target += y * y;
  } else {
    if (has_terms(kFigure)) sums->figure += term;
    if (kFigure != kKl && kFigure != kOnlySums) return;
    sums->preds += x;
    sums->target += y;
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
