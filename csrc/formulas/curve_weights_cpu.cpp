// SPDX-License-Identifier: Apache-2.0
//
// weighted_points_; its meaning is in fastmetrics/formulas/weighted_curves.py.
//
// Scores are sorted with their places, and one walk down them adds up their weights. Sums of weights carry what
// rounding takes from them, so that they are as exact at the end of many scores as at their beginning, and never
// decrease.

#include <cmath>
#include <vector>

#include "common/cpu.h"
#include "formulas/curves.h"
#include "formulas/sort.h"

namespace fastmetrics {
namespace {

// A sum and what rounding has left of it.
class Sum {
 public:
  void add(double x) {
    const double next = sum_ + x, part = next - sum_;
    rest_ += (sum_ - (next - part)) + (x - part);
    sum_ = next;
  }
  double value() const { return sum_ + rest_; }

 private:
  double sum_ = 0.0, rest_ = 0.0;
};

template <typename T>
void find_points_of(const WeightedScores& of, const WeightedPoints& to, int64_t column) {
  using Key = decltype(key_of(T{}));
  const T* scores = static_cast<const T*>(of.scores) + column;
  const int8_t* labels = of.labels == nullptr ? nullptr : of.labels + column;
  const double* weights = of.weights + (of.weight_columns == 1 ? 0 : column);
  const auto score_of = [&](int64_t row) {
    const auto score = widen(scores[row * of.columns]);
    return labels == nullptr && std::signbit(score) ? -score : score + 0;
  };
  std::vector<Keyed<Key>> keyed;
  keyed.reserve(of.rows);
  for (int64_t row = 0; row < of.rows; ++row) {
    const auto score = score_of(row);
    const bool counts = (labels == nullptr || labels[row * of.columns] >= 0) && weights[row * of.weight_columns] > 0.0;
    if (counts && score == score) keyed.push_back({static_cast<Key>(~key_of(score)), static_cast<uint32_t>(row)});
  }
  radix_sort(&keyed);
  constexpr size_t kAhead = 16;  // samples that are fetched before they are needed: their places are in no order
  T* thresholds = static_cast<T*>(to.thresholds) + column * of.rows;
  double *all_tp = to.tp + column * of.rows, *all_fp = to.fp + column * of.rows;
  Sum tp, fp, twice, precisions;
  double tp_before = 0.0, fp_before = 0.0;  // at the point before
  int64_t n = 0;
  for (size_t i = 0; i < keyed.size(); ++i) {
    if (i + kAhead < keyed.size()) {
      const int64_t ahead = keyed[i + kAhead].index;
      __builtin_prefetch(scores + ahead * of.columns);
      __builtin_prefetch(weights + ahead * of.weight_columns);
    }
    const int64_t row = keyed[i].index;
    const bool positive =
        labels == nullptr ? !std::signbit(widen(scores[row * of.columns])) : labels[row * of.columns] != 0;
    const double weight = weights[row * of.weight_columns];
    tp.add(positive ? weight : 0.0);  // without a branch, which could not be predicted
    fp.add(positive ? 0.0 : weight);
    if (i + 1 < keyed.size() && keyed[i + 1].key == keyed[i].key) continue;
    const double tp_now = tp.value(), fp_now = fp.value();
    narrow(score_of(row), &thresholds[n]);
    all_tp[n] = tp_now;
    all_fp[n++] = fp_now;
    twice.add((fp_now - fp_before) * (tp_now + tp_before));
    precisions.add((tp_now - tp_before) * (tp_now / (tp_now + fp_now)));
    tp_before = tp_now;
    fp_before = fp_now;
  }
  to.sizes[column] = n;
  double* sums = to.sums + 4 * column;
  sums[0] = tp.value();
  sums[1] = fp.value();
  sums[2] = twice.value() / 2;
  sums[3] = precisions.value();
}

}  // namespace

void weighted_points(const WeightedScores& of, const WeightedPoints& to) {
  split(of.columns, static_cast<int>(std::min<int64_t>(of.columns, threads_for(of.rows * of.columns))),
        [&](int, int64_t begin, int64_t end) {
          for (int64_t column = begin; column < end; ++column) {
            with_score_type(of.type, [&](auto t) { find_points_of<decltype(t)>(of, to, column); });
          }
        });
}

}  // namespace fastmetrics
