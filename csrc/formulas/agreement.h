// SPDX-License-Identifier: Apache-2.0
//
// cohen_kappa, weighted_cohen_kappa and matthews_corrcoef: agreement of labels with their target. See
// fastmetrics/formulas/confusion.py for their meaning.

#pragma once

#include <limits>
#include <vector>

#include "formulas/counts.h"

namespace fastmetrics {

// What one class has; the sums of weights, or counts as the formulas widen them.
struct Margins {
  double tp, predicted, actual;
};

// table: [C, 3], or [L, 4] of which all decisions together are a table of classes 0 and 1.
template <typename Cell>
std::vector<Margins> margins_of(const Table<Cell>& table) {
  auto margins = [](Cell tp, Cell predicted, Cell actual) {
    return Margins{static_cast<double>(tp), static_cast<double>(predicted), static_cast<double>(actual)};
  };
  if (table.columns == 4) {
    const Counts<Cell> c = table.of_all();
    return {margins(c.tn, c.tn + c.fn, c.tn + c.fp), margins(c.tp, c.tp + c.fp, c.tp + c.fn)};
  }
  std::vector<Margins> found;
  found.reserve(table.classes);
  for (int64_t c = 0; c < table.classes; ++c) {
    const Cell* row = table.data + c * 3;
    found.push_back(margins(row[0], row[1], row[2]));
  }
  return found;
}

inline Margins sum_of(const std::vector<Margins>& classes) {
  Margins sum{};
  for (const Margins& c : classes) {
    sum.tp += c.tp;
    sum.predicted += c.predicted;
    sum.actual += c.actual;
  }
  return sum;
}

inline double kappa_of(const std::vector<Margins>& classes) {
  const Margins sum = sum_of(classes);
  double observed = 0.0, expected = 0.0;
  for (const Margins& c : classes) {
    const double missed = c.actual - c.tp;
    observed += missed < 0.0 ? 0.0 : missed;
    expected += c.actual * (sum.predicted - c.predicted);
  }
  return 1.0 - observed / (expected / sum.actual);
}

inline double matthews_of(const std::vector<Margins>& classes) {
  const Margins sum = sum_of(classes);
  double of_predicted = 0.0, of_actual = 0.0, common = 0.0;
  for (const Margins& c : classes) {
    of_predicted += c.predicted * (sum.predicted - c.predicted);
    of_actual += c.actual * (sum.actual - c.actual);
    common += c.predicted * c.actual;
  }
  const double spread = of_predicted * of_actual, right = sum.tp, wrong = sum.actual - right;
  if (classes.size() == 2) {
    if (wrong == 0.0 && right != 0.0) return 1.0;
    if (right == 0.0 && wrong != 0.0) return -1.0;
    if (spread == 0.0) {
      constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
      double product = 1.0;
      for (const Margins& c : classes) product *= (c.predicted + kEpsilon) * (c.actual + kEpsilon);
      return std::sqrt(kEpsilon) * (right - wrong) / std::sqrt(product);
    }
  }
  return spread == 0.0 ? 0.0 : (right * sum.actual - common) / std::sqrt(spread);
}

template <typename Cell>
double weighted_kappa_of(const Cell* confusion, int64_t classes, bool quadratic) {
  std::vector<double> actual(classes), predicted(classes);
  auto distance = [&](int64_t i, int64_t j) {
    const double d = static_cast<double>(i < j ? j - i : i - j);
    return quadratic ? d * d : d;
  };
  double observed = 0.0, expected = 0.0, total = 0.0;
  for (int64_t i = 0; i < classes; ++i) {
    for (int64_t j = 0; j < classes; ++j) {
      const double cell = static_cast<double>(confusion[i * classes + j]);
      actual[i] += cell;
      predicted[j] += cell;
      observed += distance(i, j) * cell;
    }
    total += actual[i];
  }
  for (int64_t i = 0; i < classes; ++i) {
    double from = 0.0;
    for (int64_t j = 0; j < classes; ++j) from += distance(i, j) * predicted[j];
    expected += actual[i] * from;
  }
  return 1.0 - observed / (expected / total);
}

}  // namespace fastmetrics
