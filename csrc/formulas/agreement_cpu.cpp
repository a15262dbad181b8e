// SPDX-License-Identifier: Apache-2.0
//
// cohen_kappa, weighted_cohen_kappa and matthews_corrcoef: agreement of labels with their target. See
// fastmetrics/formulas/confusion.py for their meaning.

#include <limits>

#include "formulas/counts.h"

namespace fastmetrics {
namespace {

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

Margins sum_of(const std::vector<Margins>& classes) {
  Margins sum{};
  for (const Margins& c : classes) {
    sum.tp += c.tp;
    sum.predicted += c.predicted;
    sum.actual += c.actual;
  }
  return sum;
}

double kappa_of(const std::vector<Margins>& classes) {
  const Margins sum = sum_of(classes);
  double observed = 0.0, expected = 0.0;
  for (const Margins& c : classes) {
    const double missed = c.actual - c.tp;
    observed += missed < 0.0 ? 0.0 : missed;
    expected += c.actual * (sum.predicted - c.predicted);
  }
  return 1.0 - observed / (expected / sum.actual);
}

double matthews_of(const std::vector<Margins>& classes) {
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

template <typename F>
void value_of_margins(const View& table, const char* name, const F& formula, const Output& out) {
  const Tables tables(table, name);
  STD_TORCH_CHECK(table.dim() == 2, name, ": table must be [C, 3] or [L, 4]");
  float* to = state_data<float>(out, DType::kFloat, 1, "out, float32 []");
  tables.for_each([&](int64_t, const auto& only) { *to = static_cast<float>(formula(margins_of(only))); });
}

// table: int64 or float64 [C, 3] or [L, 4], contiguous; out: float32 [].
void cohen_kappa_into(View table, Output out) { value_of_margins(table, "cohen_kappa", kappa_of, out); }
void matthews_corrcoef_into(View table, Output out) { value_of_margins(table, "matthews_corrcoef", matthews_of, out); }

Tensor value_like(const Tensor& other) {
  return torch::stable::new_empty(other, {}, torch::headeronly::ScalarType::Float);
}

Tensor cohen_kappa(const Tensor table) {
  Tensor out = value_like(table);
  cohen_kappa_into(in_order(table), out);
  return out;
}

Tensor matthews_corrcoef(const Tensor table) {
  Tensor out = value_like(table);
  matthews_corrcoef_into(in_order(table), out);
  return out;
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

// confusion: int64 or float64 [C, C]; returns float32 [].
Tensor weighted_cohen_kappa(const Tensor confusion, bool quadratic) {
  const DType dtype = dtype_of(confusion);
  STD_TORCH_CHECK((dtype == DType::kDouble || dtype == DType::kInt64) && confusion.dim() == 2 &&
                      confusion.size(0) == confusion.size(1),
                  "weighted_cohen_kappa: confusion must be int64 or float64, [C, C]");
  const Tensor cells = in_order(confusion);
  const void* data = cells.const_data_ptr();
  const int64_t classes = cells.size(0);
  Tensor out = value_like(confusion);
  *static_cast<float*>(out.mutable_data_ptr()) = static_cast<float>(
      dtype == DType::kDouble ? weighted_kappa_of(static_cast<const double*>(data), classes, quadratic)
                              : weighted_kappa_of(static_cast<const int64_t*>(data), classes, quadratic));
  return out;
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) {
  m.impl("cohen_kappa", TORCH_BOX(&fastmetrics::cohen_kappa));
  m.impl("matthews_corrcoef", TORCH_BOX(&fastmetrics::matthews_corrcoef));
  m.impl("weighted_cohen_kappa", TORCH_BOX(&fastmetrics::weighted_cohen_kappa));
}
FM_DIRECT_CALL("cohen_kappa", &fastmetrics::cohen_kappa_into)
FM_DIRECT_CALL("matthews_corrcoef", &fastmetrics::matthews_corrcoef_into)
