// SPDX-License-Identifier: Apache-2.0
//
// sort_scores_, curve_areas_ and curve_points_; see fastmetrics/formulas/curve_table.py for their meaning.
//
// A score that is not negative has its order in its bits, and room for its label below them: keys of 32 bits (64 of
// doubles) are sorted by radix, in three passes, by both threads. Scores with labels of their own are sorted as pairs.

#include "formulas/curves.h"

#include <algorithm>
#include <memory>
#include <type_traits>

#include "common/cpu.h"
#include "formulas/sort.h"

namespace fastmetrics {
namespace {

constexpr int64_t kFewRows = 512;
constexpr int64_t kPartRows = 65536;
constexpr int64_t kMostParts = 64;

template <typename T>
using Wide = decltype(widen(T{}));
template <typename T>
using KeyOf = std::conditional_t<std::is_same_v<Wide<T>, double>, uint64_t, uint32_t>;

// Memory that is not set to anything.
template <typename T>
std::unique_ptr<T[]> room(int64_t n) {
  return std::unique_ptr<T[]>(new T[n]);
}

// Sorts n keys by radix, ascending; other: room for as many. Returns where the sorted ones are.
template <typename Key>
Key* sort_keys(Key* keys, Key* other, int64_t n, int threads) {
  if (n < kFewRows) {
    std::sort(keys, keys + n);
    return keys;
  }
  constexpr int kBits = 11, kDigits = (8 * sizeof(Key) + kBits - 1) / kBits, kBuckets = 1 << kBits;
  std::vector<std::vector<int64_t>> counts(threads, std::vector<int64_t>(kBuckets));
  for (int d = 0; d < kDigits; ++d) {
    const int shift = d * kBits;
    auto digit = [&](Key key) { return static_cast<int>(key >> shift) & (kBuckets - 1); };
    const Parts parts(n, threads);
    parts.for_each(threads, [&](int64_t p, int64_t begin, int64_t end) {
      auto& count = counts[p];
      std::fill(count.begin(), count.end(), 0);
      for (int64_t i = begin; i < end; ++i) ++count[digit(keys[i])];
    });
    int64_t before = 0, of_first = 0;
    for (const auto& count : counts) of_first += count[digit(keys[0])];
    if (of_first == n) continue;
    for (int bucket = 0; bucket < kBuckets; ++bucket) {
      for (auto& count : counts) {
        const int64_t of_bucket = count[bucket];
        count[bucket] = before;
        before += of_bucket;
      }
    }
    parts.for_each(threads, [&](int64_t p, int64_t begin, int64_t end) {
      int64_t* at = counts[p].data();
      for (int64_t i = begin; i < end; ++i) other[at[digit(keys[i])]++] = keys[i];
    });
    std::swap(keys, other);
  }
  return keys;
}

template <typename T>
T from_key(KeyOf<T> key) {
  Wide<T> value;
  memcpy(&value, &key, sizeof(value));
  T score;
  narrow(value, &score);
  return score;
}

// How many distinct values n neighbours have, the last of which ends a run.
template <typename T>
int64_t distinct(const T* values, int64_t n) {
  int64_t found = n > 0;
  for (int64_t i = 1; i < n; ++i) found += widen(values[i]) != widen(values[i - 1]);
  return found;
}

// One column of scores whose sign says the label.
template <typename T>
void sort_signed(const T* scores, const Curves& to, int64_t column, int threads) {
  using Key = KeyOf<T>;
  const int64_t n = to.rows, step = to.columns;
  auto keys = room<Key>(n), other = room<Key>(n);
  const Parts parts(n, threads);
  std::vector<int64_t> kept(parts.count);
  constexpr int kTop = 8 * sizeof(Key) - 1;
  parts.for_each(threads, [&](int64_t p, int64_t begin, int64_t end) {
    Key* at = keys.get() + begin;
    for (int64_t i = begin; i < end; ++i) {
      const Wide<T> score = widen(scores[i * step + column]);
      Key bits;
      memcpy(&bits, &score, sizeof(bits));
      *at = static_cast<Key>(bits << 1) | static_cast<Key>(~bits >> kTop & 1);
      at += score == score;
    }
    kept[p] = at - (keys.get() + begin);
  });
  int64_t m = kept[0];
  for (int64_t p = 1; p < parts.count; ++p) {
    const Key* from = keys.get() + std::min(n, p * parts.size);
    std::copy(from, from + kept[p], keys.get() + m);
    m += kept[p];
  }
  const Key* sorted = sort_keys(keys.get(), other.get(), m, threads);
  T* values = static_cast<T*>(to.values) + column * n;
  uint8_t* labels = to.labels + column * n;
  std::vector<int64_t> found(threads, 0);
  split(m, threads, [&](int thread, int64_t begin, int64_t end) {
    int64_t runs = 0;
    for (int64_t i = begin; i < end; ++i) {
      const Key key = sorted[m - 1 - i];
      values[i] = from_key<T>(key >> 1);
      labels[i] = key & 1;
      runs += i == 0 || key >> 1 != sorted[m - i] >> 1;
    }
    found[thread] = runs;
  });
  to.counts[2 * column] = m;
  to.counts[2 * column + 1] = 0;
  for (const int64_t runs : found) to.counts[2 * column + 1] += runs;
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
  to.counts[2 * column + 1] = distinct(values, m);
}

// Calls f(column, threads that share it) for all columns, as many at a time as there are threads.
template <typename F>
void for_columns(const Curves& curves, const F& f) {
  const int threads = threads_for(curves.columns * curves.rows);
  if (curves.columns < threads) {
    for (int64_t c = 0; c < curves.columns; ++c) f(c, threads);
    return;
  }
  split(curves.columns, threads, [&](int, int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) f(c, 1);
  });
}

// A column in parts that begin where a value does: where they begin, and how many positives and distinct values come
// before each.
struct Walk {
  std::vector<int64_t> begin, positives, runs;
};

template <typename T>
Walk walk_of(const T* values, const uint8_t* labels, int64_t m, int threads) {
  const int64_t parts = std::min(kMostParts, std::max<int64_t>(1, m / kPartRows));
  Walk walk;
  walk.begin.assign(parts + 1, m);
  walk.positives.assign(parts + 1, 0);
  walk.runs.assign(parts + 1, 0);
  for (int64_t p = 0; p < parts; ++p) {
    int64_t at = p == 0 ? 0 : std::max(walk.begin[p - 1], m / parts * p);
    while (at > 0 && at < m && widen(values[at]) == widen(values[at - 1])) ++at;
    walk.begin[p] = at;
  }
  if (parts > 1) {
    split(parts, threads, [&](int, int64_t first, int64_t last) {
      for (int64_t p = first; p < last; ++p) {
        const int64_t from = walk.begin[p], n = walk.begin[p + 1] - from;
        int64_t sum = 0;
        for (int64_t i = 0; i < n; ++i) sum += labels[from + i];
        walk.positives[p + 1] = sum;
        walk.runs[p + 1] = distinct(values + from, n);
      }
    });
  }
  for (int64_t p = 1; p <= parts; ++p) {
    walk.positives[p] += walk.positives[p - 1];
    walk.runs[p] += walk.runs[p - 1];
  }
  return walk;
}

// Calls f(part, point, value, tp, fp) at the end of each run of equal values.
template <typename T, typename F>
void for_points(const T* values, const uint8_t* labels, int64_t m, int threads, const Walk& walk, const F& f) {
  const int64_t parts = static_cast<int64_t>(walk.begin.size()) - 1;
  split(parts, std::min<int64_t>(threads, parts), [&](int, int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p) {
      int64_t tp = walk.positives[p], point = walk.runs[p];
      const int64_t end = walk.begin[p + 1];
      for (int64_t i = walk.begin[p]; i < end; ++i) {
        tp += labels[i];
        if (i + 1 < end && widen(values[i + 1]) == widen(values[i])) continue;
        f(p, point++, i, tp, i + 1 - tp);
      }
    }
  });
}

}  // namespace

void sort_scores(const void* scores, const int8_t* labels, const Curves& to) {
  with_score_type(to.type, [&](auto t) {
    using T = decltype(t);
    const T* from = static_cast<const T*>(scores);
    for_columns(to, [&](int64_t column, int threads) {
      if (labels == nullptr) {
        sort_signed(from, to, column, threads);
      } else {
        sort_labelled(from, labels, to, column);
      }
    });
  });
}

void curve_areas(const Curves& curves, bool precision, double* areas) {
  with_score_type(curves.type, [&](auto t) {
    using T = decltype(t);
    for_columns(curves, [&](int64_t column, int threads) {
      const T* values = static_cast<const T*>(curves.values) + column * curves.rows;
      const uint8_t* labels = curves.labels + column * curves.rows;
      const int64_t m = curves.counts[2 * column];
      const Walk walk = walk_of(values, labels, m, threads);
      const int64_t parts = static_cast<int64_t>(walk.begin.size()) - 1;
      struct alignas(64) Sums {
        double area = 0.0, precision = 0.0;
        int64_t tp = 0, fp = 0;
      };
      std::vector<Sums> sums(parts);
      for (int64_t p = 0; p < parts; ++p) {
        sums[p].tp = walk.positives[p];
        sums[p].fp = walk.begin[p] - walk.positives[p];
      }
      auto add = [&](int64_t p, int64_t, int64_t, int64_t tp, int64_t fp) {
        Sums& s = sums[p];
        s.area += 0.5 * static_cast<double>(fp - s.fp) * static_cast<double>(tp + s.tp);
        if (precision && tp != s.tp) {
          s.precision += static_cast<double>(tp - s.tp) * (static_cast<double>(tp) / static_cast<double>(tp + fp));
        }
        s.tp = tp;
        s.fp = fp;
      };
      for_points(values, labels, m, threads, walk, add);
      double area = 0.0, of_precision = 0.0;
      for (const Sums& s : sums) {
        area += s.area;
        of_precision += s.precision;
      }
      double* to = areas + 4 * column;
      to[0] = static_cast<double>(sums.back().tp);
      to[1] = static_cast<double>(sums.back().fp);
      to[2] = area;
      to[3] = of_precision;
    });
  });
}

void curve_points(const Curves& curves, void* thresholds, int64_t* tp, int64_t* fp) {
  std::vector<int64_t> first(curves.columns, 0);
  for (int64_t c = 1; c < curves.columns; ++c) first[c] = first[c - 1] + curves.counts[2 * c - 1];
  with_score_type(curves.type, [&](auto t) {
    using T = decltype(t);
    for_columns(curves, [&](int64_t column, int threads) {
      const T* values = static_cast<const T*>(curves.values) + column * curves.rows;
      const uint8_t* labels = curves.labels + column * curves.rows;
      const int64_t m = curves.counts[2 * column], at = first[column];
      const Walk walk = walk_of(values, labels, m, threads);
      T* to = static_cast<T*>(thresholds);
      for_points(values, labels, m, threads, walk,
                 [&](int64_t, int64_t point, int64_t i, int64_t of_tp, int64_t of_fp) {
                   to[at + point] = values[i];
                   tp[at + point] = of_tp;
                   fp[at + point] = of_fp;
                 });
    });
  });
}

}  // namespace fastmetrics
