// SPDX-License-Identifier: Apache-2.0
//
// The row pairs pass on the CPU; its meaning is row_pairs_body in fastmetrics/passes/row_pairs.py. A row is summed in
// lanes, in an order that depends on its length alone.

#include <limits>

#include "common/cpu.h"
#include "common/math_cpu.h"
#include "common/real.h"
#include "passes/row_pairs_arguments.h"

namespace fastmetrics {
namespace {

constexpr int kBlock = 512;

double sum_of(F64s v) {
  double sum = 0.0;
  for (int j = 0; j < kDoubles; ++j) sum += v[j];
  return sum;
}

template <int64_t kFigure>
RowSums<double> sums_of_row(const RowPairsBatch& b, int64_t row, double x_scale, double y_scale) {
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
  return {sum_of(sums.figure), sum_of(sums.preds), sum_of(sums.target)};
}

Tensor row_pairs_cpu(const Tensor preds, const Tensor target, int64_t figure) {
  Tensor out = torch::stable::new_empty(preds, {preds.size(0)}, torch::headeronly::ScalarType::Double);
  const RowPairsBatch b = row_pairs_batch(preds, target, figure, out);
  with_figure(figure, [&](auto of) {
    constexpr int64_t kFigure = decltype(of)::value;
    split(b.rows, threads_for(b.rows * b.columns), [&](int, int64_t first, int64_t last) {
      for (int64_t row = first; row < last; ++row) {
        RowSums<double> scale{0.0, 1.0, 1.0};
        if (kFigure == kJs) scale = sums_of_row<kOnlySums>(b, row, 1.0, 1.0);
        b.out[row] = figure_of<kFigure>(sums_of_row<kFigure>(b, row, 1.0 / scale.preds, 1.0 / scale.target));
      }
    });
  });
  return out;
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) { m.impl("row_pairs", TORCH_BOX(&fastmetrics::row_pairs_cpu)); }
