// SPDX-License-Identifier: Apache-2.0
//
// average_ratio: a ratio of counts, averaged over classes. See fastmetrics/formulas/ratios.py for its meaning.
//
// The table is small and the arithmetic trivial: the kernel exists because the same formula in torch operations takes a
// dozen of them, which is most of the time of a forward on a small batch. Nothing here is worth a thread.

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace {

using torch::stable::Tensor;

enum Average : int64_t { kNone = 0, kMicro = 1, kMacro = 2, kWeighted = 3 };
enum Drop : int64_t { kKeepAll = 0, kDropAbsent = 1, kDropUntargeted = 2 };

// The counts of one class, or of all classes together; double if the samples had weights.
template <typename Cell>
struct Counts {
  Cell tp, fp, tn, fn;
};

// ROUNDING of fastmetrics/formulas/counts.py.
constexpr double kRounding = 1e-12;

// A difference of sums of weights; of integers it is exact.
int64_t difference(int64_t x, int64_t) { return x; }
double difference(double x, double total) { return std::fabs(x) > kRounding * total ? x : 0.0; }

// One row of a table: [3] holds tp, predicted, actual; [4] holds tp, fp, tn, fn.
template <typename Cell>
Counts<Cell> read_row(const Cell* row, int64_t columns, Cell samples) {
  if (columns == 4) return {row[0], row[1], row[2], row[3]};
  const Cell fp = row[1] - row[0], fn = row[2] - row[0], tn = samples - row[1] - fn;
  return {row[0], difference(fp, samples), difference(tn, samples), difference(fn, samples)};
}

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

// One table [classes, columns] to out: [classes] for kNone, else [1].
template <typename Cell>
void average_table(const Cell* table, int64_t classes, int64_t columns, const double* ratio, int64_t average,
                   double zero_division, int64_t drop, int64_t excluded, double empty, float* out) {
  Cell samples = 0;
  if (columns == 3) {
    for (int64_t c = 0; c < classes; ++c) samples += table[c * 3 + 2];
  }
  if (average == kMicro) {
    Counts<Cell> sum{0, 0, 0, 0};
    for (int64_t c = 0; c < classes; ++c) {
      if (c == excluded) continue;
      const Counts<Cell> row = read_row(table + c * columns, columns, samples);
      sum.tp += row.tp;
      sum.fp += row.fp;
      sum.tn += row.tn;
      sum.fn += row.fn;
    }
    *out = static_cast<float>(score(ratio, sum, zero_division));
    return;
  }
  double weighted = 0.0, weights = 0.0;
  for (int64_t c = 0; c < classes; ++c) {
    const Counts<Cell> row = read_row(table + c * columns, columns, samples);
    const double value = score(ratio, row, zero_division);
    if (average == kNone) {
      out[c] = static_cast<float>(value);
      continue;
    }
    if (c == excluded) continue;
    const Cell actual = row.tp + row.fn;
    double weight = 1.0;
    if (average == kWeighted) {
      weight = static_cast<double>(actual);
    } else if (drop == kDropAbsent) {
      weight = actual + row.fp != 0 ? 1.0 : 0.0;
    } else if (drop == kDropUntargeted) {
      weight = actual != 0 ? 1.0 : 0.0;
    }
    weighted += weight * value;
    weights += weight;
  }
  if (average != kNone) *out = static_cast<float>(weights == 0.0 ? empty : weighted / weights);
}

// table: int64 or float64 [..., C, 3 or 4]; ratio: float64 [2, 4], contiguous; returns float32 [...] or [..., C].
Tensor average_ratio(const Tensor table_in, const Tensor ratio, int64_t average, double zero_division, int64_t drop,
                     int64_t excluded, double empty) {
  const int64_t dims = table_in.dim();
  const bool weighted = table_in.scalar_type() == torch::headeronly::ScalarType::Double;
  STD_TORCH_CHECK((weighted || table_in.scalar_type() == torch::headeronly::ScalarType::Long) && dims >= 2 &&
                      (table_in.size(dims - 1) == 3 || table_in.size(dims - 1) == 4),
                  "average_ratio: table must be int64 or float64, [..., C, 3] or [..., C, 4]");
  STD_TORCH_CHECK(
      ratio.scalar_type() == torch::headeronly::ScalarType::Double && ratio.numel() == 8 && ratio.is_contiguous(),
      "average_ratio: ratio must be float64 [2, 4]");
  const Tensor table = table_in.is_contiguous() ? table_in : torch::stable::contiguous(table_in);
  const int64_t columns = table.size(dims - 1), classes = table.size(dims - 2);
  std::vector<int64_t> shape;
  int64_t groups = 1;
  for (int64_t d = 0; d < dims - 2; ++d) {
    shape.push_back(table.size(d));
    groups *= table.size(d);
  }
  if (average == kNone) shape.push_back(classes);
  Tensor out = torch::stable::new_empty(table, shape, torch::headeronly::ScalarType::Float);
  const double* weights = static_cast<const double*>(ratio.const_data_ptr());
  float* to = static_cast<float*>(out.mutable_data_ptr());
  const int64_t step = average == kNone ? classes : 1;
  auto average_tables = [&](auto cell) {
    const auto* from = static_cast<const decltype(cell)*>(table.const_data_ptr());
    for (int64_t g = 0; g < groups; ++g) {
      average_table(from + g * classes * columns, classes, columns, weights, average, zero_division, drop, excluded,
                    empty, to + g * step);
    }
  };
  if (weighted) {
    average_tables(double{});
  } else {
    average_tables(int64_t{});
  }
  return out;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) { m.impl("average_ratio", TORCH_BOX(&average_ratio)); }
