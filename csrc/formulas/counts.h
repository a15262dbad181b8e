// SPDX-License-Identifier: Apache-2.0
//
// Tables of counts as the formulas read them; see fastmetrics/formulas/counts.py.
//
// A table is small and its arithmetic trivial: these kernels exist because the same formula in torch operations takes a
// dozen of them, which is most of the time of a forward on a small batch. Nothing here is worth a thread.

#pragma once

#include <cmath>
#include <cstdint>

namespace fastmetrics {

// AVERAGE_CODES.
enum Average : int64_t { kNone = 0, kMicro = 1, kMacro = 2, kWeighted = 3 };

// The counts of one class, or of all classes together; double if the samples had weights.
template <typename Cell>
struct Counts {
  Cell tp, fp, tn, fn;

  void add(const Counts& other) {
    tp += other.tp;
    fp += other.fp;
    tn += other.tn;
    fn += other.fn;
  }
};

// ROUNDING.
constexpr double kRounding = 1e-12;

// A difference of sums of weights; of integers it is exact.
inline int64_t difference(int64_t x, int64_t) { return x; }
inline double difference(double x, double total) { return std::fabs(x) > kRounding * total ? x : 0.0; }

// One table, [classes, 3] of tp, predicted, actual, or [classes, 4] of tp, fp, tn, fn.
template <typename Cell>
struct Table {
  const Cell* data;
  int64_t classes, columns;
  Cell samples;  // of a table of three columns, where each is a decision on every class

  Table(const Cell* data, int64_t classes, int64_t columns)
      : data(data), classes(classes), columns(columns), samples(0) {
    if (columns == 3) {
      for (int64_t c = 0; c < classes; ++c) samples += data[c * 3 + 2];
    }
  }

  Counts<Cell> of_class(int64_t c) const {
    const Cell* row = data + c * columns;
    if (columns == 4) return {row[0], row[1], row[2], row[3]};
    const Cell fp = row[1] - row[0], fn = row[2] - row[0], tn = samples - row[1] - fn;
    return {row[0], difference(fp, samples), difference(tn, samples), difference(fn, samples)};
  }

  Counts<Cell> of_all(int64_t excluded = -1) const {
    Counts<Cell> sum{0, 0, 0, 0};
    for (int64_t c = 0; c < classes; ++c) {
      if (c != excluded) sum.add(of_class(c));
    }
    return sum;
  }
};

// Tables of one shape, [count, classes, columns], of int64 or double.
struct Tables {
  const void* data;
  bool real;
  int64_t count, classes, columns;

  // Calls f(i, table) with each.
  template <typename F>
  void for_each(const F& f) const {
    auto call = [&](auto cell) {
      const auto* cells = static_cast<const decltype(cell)*>(data);
      for (int64_t i = 0; i < count; ++i) f(i, Table<decltype(cell)>(cells + i * classes * columns, classes, columns));
    };
    if (real) {
      call(double{});
    } else {
      call(int64_t{});
    }
  }
};

}  // namespace fastmetrics
