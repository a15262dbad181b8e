// SPDX-License-Identifier: Apache-2.0
//
// The row pairs pass on the CPU; its meaning is row_pairs_body in fastmetrics/passes/row_pairs.py. A row is summed in
// lanes, in an order that depends on its length alone.

#include <limits>

#include "common/cpu.h"
#include "common/math_cpu.h"
#include "passes/loops_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kBlock = 512;

RowSums<double> sum_of(const RowSums<F64s>& sums) {
  return {sum_of_lanes(sums.figure), sum_of_lanes(sums.preds), sum_of_lanes(sums.target)};
}

// Of a figure without terms, and neighbours.
template <int64_t kFigure, typename T>
RowSums<double> sums_of_neighbours(const T* x, const T* y, int64_t n) {
  RowSums<F64s> sums;
  int64_t i = 0;
  for (; i + kDoubles <= n; i += kDoubles) {
    fetch_ahead(x + i, kDoubles);
    fetch_ahead(y + i, kDoubles);
    add_to_row<kFigure>(widen_doubles(x + i), widen_doubles(y + i), F64s{}, &sums);
  }
  RowSums<double> rest = sum_of(sums);
  for (; i < n; ++i) {
    add_to_row<kFigure>(static_cast<double>(widen(x[i])), static_cast<double>(widen(y[i])), 0.0, &rest);
  }
  return rest;
}

template <int64_t kFigure>
RowSums<double> sums_of_row(const RowPairsBatch& b, int64_t row, double x_scale, double y_scale) {
  if constexpr (!has_terms(kFigure)) {
    if (b.preds_type == b.target_type && is_floating(b.preds_type) && b.preds_column == 1 && b.target_column == 1) {
      RowSums<double> sums;
      with_score_type(b.preds_type, [&](auto t) {
        const auto* x = static_cast<const decltype(t)*>(b.preds) + row * b.preds_row;
        sums =
            sums_of_neighbours<kFigure>(x, static_cast<const decltype(t)*>(b.target) + row * b.target_row, b.columns);
      });
      return sums;
    }
  }
  // what fills the last lanes adds nothing
  constexpr double kNothing = kFigure == kKlLog || kFigure == kJsLog ? -std::numeric_limits<double>::infinity() : 0.0;
  double x[kBlock], y[kBlock], term[kBlock];
  RowSums<F64s> sums;
  for (int64_t i = 0; i < b.columns; i += kBlock) {
    const int n = static_cast<int>(std::min<int64_t>(kBlock, b.columns - i));
    to_doubles(b.preds, b.preds_type, row * b.preds_row + i * b.preds_column, b.preds_column, n, x);
    to_doubles(b.target, b.target_type, row * b.target_row + i * b.target_column, b.target_column, n, y);
    const int whole = (n + kDoubles - 1) / kDoubles * kDoubles;
    std::fill(x + n, x + whole, kNothing);
    std::fill(y + n, y + whole, kNothing);
    if constexpr (has_terms(kFigure)) {
      compute(x, y, whole, term,
              [=](auto of_x, auto of_y, auto& math) { return term_of<kFigure>(of_x, of_y, x_scale, y_scale, math); });
    }
    for (int j = 0; j < whole; j += kDoubles) {
      const F64s of_figure = has_terms(kFigure) ? load<F64s>(term + j) : F64s{};
      add_to_row<kFigure>(load<F64s>(x + j), load<F64s>(y + j), of_figure, &sums);
    }
  }
  return sum_of(sums);
}

}  // namespace

void compute_row_pairs(const RowPairsBatch& b) {
  with_figure(b.figure, [&](auto of) {
    constexpr int64_t kFigure = decltype(of)::value;
    split(b.rows, threads_for(b.rows * b.columns), [&](int, int64_t first, int64_t last) {
      for (int64_t row = first; row < last; ++row) {
        RowSums<double> scale{0.0, 1.0, 1.0};
        if (kFigure == kJs) scale = sums_of_row<kOnlySums>(b, row, 1.0, 1.0);
        b.out[row] = figure_of<kFigure>(sums_of_row<kFigure>(b, row, 1.0 / scale.preds, 1.0 / scale.target));
      }
    });
  });
}

}  // namespace fastmetrics
