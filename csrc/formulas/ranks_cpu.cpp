// SPDX-License-Identifier: Apache-2.0
//
// average_ranks and pair_order: what rank correlations are made of. See fastmetrics/formulas/rank_correlation.py for
// their meaning.
//
// Sorting is by radix, which compares nothing and keeps the order of equal values: samples sorted by y and then by x
// are in the order of both. Pairs in the wrong order are counted while y is merged (Knight 1966): O(n log n), where
// comparing all pairs takes O(n^2).

#include "common/cpu.h"
#include "formulas/ranks.h"
#include "formulas/sort.h"

namespace fastmetrics {
namespace {

// One column of [N, D].
struct Column {
  const void* data;
  DType type;
  int64_t n, offset, stride;
};

Column column_of(const Columns& values, int64_t d) {
  return {values.data, values.type, values.rows, d * values.column_stride, values.row_stride};
}

// Calls f(from, keyed) with the elements of the column and an empty vector that fits their keys.
template <typename F>
void with_keys(const Column& c, const F& f) {
  auto call = [&](auto t) {
    using T = decltype(t);
    f(static_cast<const T*>(c.data) + c.offset, std::vector<Keyed<decltype(key_of(t))>>(c.n));
  };
  if (is_floating(c.type)) {
    with_score_type(c.type, call);
  } else {
    with_label_type(c.type, call);
  }
}

// Calls f(begin, end) for each run of equal keys.
template <typename Key, typename F>
void for_runs(const std::vector<Keyed<Key>>& sorted, const F& f) {
  const int64_t n = static_cast<int64_t>(sorted.size());
  for (int64_t begin = 0, end; begin < n; begin = end) {
    for (end = begin + 1; end < n && sorted[end].key == sorted[begin].key;) ++end;
    f(begin, end);
  }
}

// Sums over the groups of tied values of one column.
struct Ties {
  double pairs = 0.0, p1 = 0.0, p2 = 0.0, groups = 0.0;

  void add(int64_t size) {
    const double t = static_cast<double>(size);
    pairs += t * (t - 1.0) / 2.0;
    p1 += t * (t - 1.0) * (t - 2.0);
    p2 += t * (t - 1.0) * (2.0 * t + 5.0);
    groups += 1.0;
  }
};

// How many pairs of `values` are in descending order. Sorts them; other: as many.
int64_t inversions(std::vector<uint32_t>* values, std::vector<uint32_t>* other) {
  const int64_t n = static_cast<int64_t>(values->size());
  int64_t found = 0;
  for (int64_t width = 1; width < n; width *= 2) {
    const uint32_t* from = values->data();
    uint32_t* to = other->data();
    for (int64_t begin = 0; begin < n; begin += 2 * width) {
      const int64_t middle = std::min(n, begin + width), end = std::min(n, begin + 2 * width);
      int64_t left = begin, right = middle, at = begin;
      while (left < middle && right < end) {  // no branch, because none could be foretold
        const bool descends = from[right] < from[left];
        to[at++] = descends ? from[right] : from[left];
        found += descends ? middle - left : 0;
        right += descends;
        left += !descends;
      }
      std::copy(from + left, from + middle, to + at);
      std::copy(from + right, from + end, to + at + (middle - left));
    }
    values->swap(*other);
  }
  return found;
}

// One row of the result, see pair_order_body.
void pair_order_of(const Column& x, const Column& y, double* row) {
  const int64_t n = x.n;
  Ties x_ties, y_ties;
  std::vector<uint32_t> order(n), dense(n);  // of y: samples in its order, and the number of each sample's group
  with_keys(y, [&](const auto* from, auto&& keyed) {
    for (int64_t i = 0; i < n; ++i) keyed[i] = {key_of(from[i * y.stride]), static_cast<uint32_t>(i)};
    radix_sort(&keyed);
    uint32_t group = 0;
    for_runs(keyed, [&](int64_t begin, int64_t end) {
      y_ties.add(end - begin);
      for (int64_t i = begin; i < end; ++i) dense[order[i] = keyed[i].index] = group;
      ++group;
    });
  });
  std::vector<uint32_t> sequence(n);  // groups of y where x ascends, and y where x is tied
  int64_t both = 0;                   // pairs that are tied in x and in y
  with_keys(x, [&](const auto* from, auto&& keyed) {
    for (int64_t i = 0; i < n; ++i) keyed[i] = {key_of(from[order[i] * x.stride]), order[i]};
    radix_sort(&keyed);
    for (int64_t i = 0; i < n; ++i) sequence[i] = dense[keyed[i].index];
    for_runs(keyed, [&](int64_t begin, int64_t end) {
      x_ties.add(end - begin);
      for (int64_t i = begin, next; i < end; i = next) {
        for (next = i + 1; next < end && sequence[next] == sequence[i];) ++next;
        both += (next - i) * (next - i - 1) / 2;
      }
    });
  });
  const int64_t tied_x = static_cast<int64_t>(x_ties.pairs), tied_y = static_cast<int64_t>(y_ties.pairs);
  const int64_t discordant = inversions(&sequence, &order);
  const int64_t ordered = n * (n - 1) / 2 - tied_x - tied_y + both;
  const double values[kPairOrder] = {static_cast<double>(ordered - 2 * discordant),
                                     static_cast<double>(ordered),
                                     x_ties.pairs,
                                     y_ties.pairs,
                                     x_ties.p1,
                                     y_ties.p1,
                                     x_ties.p2,
                                     y_ties.p2,
                                     x_ties.groups,
                                     y_ties.groups};
  std::copy(std::begin(values), std::end(values), row);
}

}  // namespace

void average_ranks(const Columns& values, double* ranks) {
  const int64_t n = values.rows, columns = values.columns;
  split(columns, columns > 1 ? threads_for(n * columns) : 1, [&](int, int64_t first, int64_t last) {
    for (int64_t d = first; d < last; ++d) {
      const Column c = column_of(values, d);
      with_keys(c, [&](const auto* from, auto&& keyed) {
        for (int64_t i = 0; i < n; ++i) keyed[i] = {key_of(from[i * c.stride]), static_cast<uint32_t>(i)};
        radix_sort(&keyed);
        for_runs(keyed, [&](int64_t begin, int64_t end) {
          const double rank = 0.5 * static_cast<double>(begin + 1 + end);
          for (int64_t i = begin; i < end; ++i) ranks[keyed[i].index * columns + d] = rank;
        });
      });
    }
  });
}

void pair_order(const Columns& x, const Columns& y, double* orders) {
  split(x.columns, x.columns > 1 ? threads_for(x.rows * x.columns) : 1, [&](int, int64_t first, int64_t last) {
    for (int64_t d = first; d < last; ++d) pair_order_of(column_of(x, d), column_of(y, d), orders + d * kPairOrder);
  });
}

}  // namespace fastmetrics
