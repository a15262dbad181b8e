// SPDX-License-Identifier: Apache-2.0
//
// sort_scores_ and curve_areas_; see fastmetrics/formulas/curve_table.py for their meaning.
//
// Scores whose signs are labels are sorted by magnitude and carry nothing else. Scores with labels of their own are
// sorted as pairs.

#include "formulas/curves.h"

#include <algorithm>

#include "common/cpu.h"
#include "common/memory_cpu.h"
#include "formulas/magnitude_sort.h"
#include "formulas/sort.h"
#include "formulas/sorted_scores.h"

namespace fastmetrics {
namespace {

constexpr int64_t kPartRows = 65536;
constexpr int64_t kMostParts = 64;
constexpr int64_t kTile = 64;  // rows and columns

template <typename T>
using KeyOf = decltype(key_of(T{}));

// [rows, columns] to [columns, rows].
template <typename T>
void transpose(const T* from, int64_t rows, int64_t columns, T* to) {
  const int64_t tiles = (rows + kTile - 1) / kTile;
  split(tiles, threads_for(rows * columns), [&](int, int64_t first, int64_t last) {
    const int64_t begin = first * kTile, end = std::min(rows, last * kTile);
    for (int64_t row = begin; row < end; row += kTile) {
      const int64_t stop = std::min(end, row + kTile);
      for (int64_t column = 0; column < columns; column += kTile) {
        for (int64_t c = column; c < std::min(columns, column + kTile); ++c) {
          for (int64_t r = row; r < stop; ++r) to[c * rows + r] = from[r * columns + c];
        }
      }
    }
  });
}

// How many distinct values there are in [begin, end), which begins where one does.
template <typename S>
int64_t runs_of(const S& scores, int64_t begin, int64_t end) {
  int64_t found = begin < end;
  for (int64_t i = begin + 1; i < end; ++i) found += !scores.same(i, i - 1);
  return found;
}

// One column of scores of any sign, and their labels.
template <typename T>
void sort_labelled(const T* scores, const int8_t* given, const Curves& to, int64_t column) {
  std::vector<Keyed<KeyOf<T>>> keyed;
  const int64_t n = to.rows, step = to.columns;
  keyed.reserve(n);
  for (int64_t i = 0; i < n; ++i) {
    const T score = scores[i * step + column];
    if (given[i * step + column] < 0 || widen(score) != widen(score)) continue;
    keyed.push_back({static_cast<KeyOf<T>>(~key_of(score)), static_cast<uint32_t>(i)});
  }
  radix_sort(&keyed);
  T* values = static_cast<T*>(to.values) + column * n;
  uint8_t* labels = to.labels + column * n;
  int64_t m = 0;
  for (const auto& one : keyed) {
    values[m] = scores[int64_t{one.index} * step + column];
    labels[m++] = given[int64_t{one.index} * step + column];
  }
  to.counts[2 * column] = m;
  const LabelledScores<T> found{values, labels};
  to.counts[2 * column + 1] = runs_of(found, 0, m);
}

// A column in parts that begin where a value does: where they begin, and how many positives come before each.
struct Walk {
  std::vector<int64_t> begin, positives;

  int64_t parts() const { return static_cast<int64_t>(begin.size()) - 1; }
};

template <typename S>
Walk walk_of(const S& scores, int64_t m) {
  const int64_t parts = std::min(kMostParts, std::max<int64_t>(1, m / kPartRows));
  Walk walk;
  walk.begin.assign(parts + 1, m);
  for (int64_t p = 0; p < parts; ++p) {
    int64_t at = p == 0 ? 0 : std::max(walk.begin[p - 1], m / parts * p);
    while (at > 0 && at < m && scores.same(at, at - 1)) ++at;
    walk.begin[p] = at;
  }
  return walk;
}

// Calls f(part, begin, end) for each part.
template <typename F>
void for_parts(const Walk& walk, int threads, const F& f) {
  const int64_t parts = walk.parts();
  split(parts, static_cast<int>(std::min<int64_t>(threads, parts)), [&](int, int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p) f(p, walk.begin[p], walk.begin[p + 1]);
  });
}

// Counts the positives before each part.
template <typename S>
void count_before(const S& scores, int threads, Walk* walk) {
  const int64_t parts = walk->parts();
  walk->positives.assign(parts + 1, 0);
  if (parts == 1) return;
  for_parts(*walk, threads, [&](int64_t p, int64_t begin, int64_t end) {
    int64_t sum = 0;
    for (int64_t i = begin; i < end; ++i) sum += scores.positive(i);
    walk->positives[p + 1] = sum;
  });
  for (int64_t p = 1; p <= parts; ++p) walk->positives[p] += walk->positives[p - 1];
}

// Positives, negatives, and twice the area under them, of which all are integers.
struct Area {
  int64_t tp = 0, fp = 0;
  uint64_t twice = 0;
};

// A pair of a positive and a negative counts two if the positive has the greater score, and one if they are tied; no
// branch, because none could be foretold.
template <typename S>
class AreaWalk {
 public:
  AreaWalk(const S& scores, int64_t begin) : scores_(scores), begin_(begin) {}

  void step(int64_t i) {
    const int64_t positive = scores_.positive(i), tied = -static_cast<int64_t>(i > begin_ && scores_.same(i, i - 1));
    run_tp_ &= tied;
    run_fp_ &= tied;
    area_.twice += static_cast<uint64_t>(positive != 0 ? run_fp_ : 2 * area_.tp - run_tp_);
    area_.tp += positive;
    run_tp_ += positive;
    run_fp_ += 1 - positive;
  }

  Area at(int64_t end) const { return {area_.tp, end - begin_ - area_.tp, area_.twice}; }

 private:
  const S& scores_;
  int64_t begin_, run_tp_ = 0, run_fp_ = 0;
  Area area_;
};

// The areas of all parts. A step waits for the one before it, so several parts are walked at a time.
template <typename S>
std::vector<Area> areas_of(const S& scores, int threads, const Walk& walk) {
  constexpr int64_t kAtOnce = 4;
  const int64_t parts = walk.parts(), groups = (parts + kAtOnce - 1) / kAtOnce;
  std::vector<Area> found(parts);
  auto begin_of = [&](int64_t p) { return walk.begin[std::min(p, parts)]; };
  split(groups, static_cast<int>(std::min<int64_t>(threads, groups)), [&](int, int64_t first, int64_t last) {
    for (int64_t p = first * kAtOnce; p < last * kAtOnce; p += kAtOnce) {
      const int64_t at[] = {begin_of(p), begin_of(p + 1), begin_of(p + 2), begin_of(p + 3), begin_of(p + 4)};
      AreaWalk<S> walks[] = {{scores, at[0]}, {scores, at[1]}, {scores, at[2]}, {scores, at[3]}};
      int64_t together = at[1] - at[0];
      for (int k = 1; k < kAtOnce; ++k) together = std::min(together, at[k + 1] - at[k]);
      for (int64_t i = 0; i < together; ++i) {
        for (int k = 0; k < kAtOnce; ++k) walks[k].step(at[k] + i);
      }
      for (int k = 0; k < kAtOnce && p + k < parts; ++k) {
        for (int64_t i = at[k] + together; i < at[k + 1]; ++i) walks[k].step(i);
        found[p + k] = walks[k].at(at[k + 1]);
      }
    }
  });
  return found;
}

// The sum over positives of the precision at their scores. Its order depends on sizes alone.
template <typename S>
double precisions_of(const S& scores, int threads, Walk* walk) {
  count_before(scores, threads, walk);
  std::vector<double> sums(walk->parts());
  for_parts(*walk, threads, [&](int64_t p, int64_t begin, int64_t end) {
    int64_t tp = walk->positives[p], before = tp;
    double sum = 0.0;
    for (int64_t i = begin; i < end; ++i) {  // without a branch
      tp += scores.positive(i);
      const bool ends = i + 1 == end || !scores.same(i + 1, i);
      const double of_run = static_cast<double>(tp - before) * (static_cast<double>(tp) / static_cast<double>(i + 1));
      sum += ends ? of_run : 0.0;
      before = ends ? tp : before;
    }
    sums[p] = sum;
  });
  double sum = 0.0;
  for (const double of_part : sums) sum += of_part;
  return sum;
}

}  // namespace

void sort_scores(const void* scores, const int8_t* labels, const Curves& to) {
  with_score_type(to.type, [&](auto t) {
    using T = decltype(t);
    const T* from = static_cast<const T*>(scores);
    T* values = static_cast<T*>(to.values);
    prefer_huge_pages(values, to.columns * to.rows * static_cast<int64_t>(sizeof(T)));
    if (labels != nullptr) {
      for_columns(to, [&](int64_t column, int) { sort_labelled(from, labels, to, column); });
      return;
    }
    if (to.columns > 1) transpose(from, to.rows, to.columns, values);
    for_columns(to, [&](int64_t column, int threads) {
      T* of_column = values + column * to.rows;
      const auto found = MagnitudeSort<T>::sort(to.columns > 1 ? of_column : from, to.rows, threads, of_column);
      to.counts[2 * column] = found.numbers;
      to.counts[2 * column + 1] = found.distinct;
    });
  });
}

void curve_areas(const Curves& curves, bool precision, double* areas) {
  with_score_type(curves.type, [&](auto t) {
    using T = decltype(t);
    for_columns(curves, [&](int64_t column, int threads) {
      with_scores<T>(curves, column, [&](const auto& scores) {
        Walk walk = walk_of(scores, curves.counts[2 * column]);
        int64_t tp = 0, fp = 0;
        double twice = 0.0;
        for (const Area& of_part : areas_of(scores, threads, walk)) {
          twice += static_cast<double>(of_part.twice) + 2.0 * static_cast<double>(tp) * static_cast<double>(of_part.fp);
          tp += of_part.tp;
          fp += of_part.fp;
        }
        double* to = areas + 4 * column;
        to[0] = static_cast<double>(tp);
        to[1] = static_cast<double>(fp);
        to[2] = 0.5 * twice;
        to[3] = precision ? precisions_of(scores, threads, &walk) : 0.0;
      });
    });
  });
}

}  // namespace fastmetrics
