// SPDX-License-Identifier: Apache-2.0
//
// score_keys_, sort_labelled_, walk_scores_ and sum_precisions_; see fastmetrics/formulas/curve_table.py for their
// meaning.
//
// Scores whose signs are labels become keys that carry both, which any sort of unsigned numbers takes. They are dealt
// before into parts, of which each thread sorts one. Scores with labels of their own are sorted as pairs.

#include "formulas/curves.h"

#include <algorithm>
#include <vector>

#include "common/cpu.h"
#include "common/simd.h"
#include "formulas/sort.h"
#include "formulas/sorted_scores.h"

namespace fastmetrics {
namespace {

constexpr int64_t kTile = 64;       // rows and columns
constexpr int64_t kSamples = 1024;  // of which the bounds of parts are taken
constexpr int kCounted = 512;       // keys at a time

// A key: the magnitude, and then the sign, of which the greatest come first; NaN comes last. One less than that, so
// that no score has the key of NaN.
template <typename Bits>
Bits key_of_bits(Bits x, Bits infinity) {
  const Bits turned = static_cast<Bits>(x << 1 | x >> kSignPlace<Bits>);
  return (x & kMagnitude<Bits>) > infinity ? static_cast<Bits>(~Bits{0}) : static_cast<Bits>(~turned - 1);
}
template <typename Bits>
Bits bits_of_key(Bits key) {
  const Bits turned = static_cast<Bits>(~static_cast<Bits>(key + 1));
  return static_cast<Bits>(turned >> 1 | turned << kSignPlace<Bits>);
}

template <typename T>
constexpr BitsOf<T> kInfinity = sizeof(T) == 8            ? static_cast<BitsOf<T>>(0x7ff0000000000000u)
                                : sizeof(T) == 4          ? static_cast<BitsOf<T>>(0x7f800000u)
                                : std::is_same_v<T, Half> ? static_cast<BitsOf<T>>(0x7c00u)
                                                          : static_cast<BitsOf<T>>(0x7f80u);

// Writes the keys of n scores that are in [least, most] to [to, end), where there is room for those and no more.
template <typename Bits>
void choose(const Bits* from, int64_t step, int64_t n, Bits infinity, Bits least, Bits most, Bits* to, Bits* end) {
  int64_t i = 0;
  if constexpr (sizeof(Bits) == 4) {
    const auto whole = [](uint32_t key) { return I32s{} + static_cast<int32_t>(key ^ 0x80000000u); };  // in their order
    const I32s low = whole(least), high = whole(most), top = I32s{} + static_cast<int32_t>(infinity);
    for (; step == 1 && i + kFloats <= n && to + kFloats <= end; i += kFloats) {
      const U32s x = load<U32s>(from + i);
      const I32s key = put(greater((I32s)(x & kMagnitude<Bits>), top), -1, (I32s)(~(x << 1 | x >> 31) - 1));
      const I32s compared = key ^ INT32_MIN;
      to += compress(at_least(compared, low) & at_least(high, compared), key, reinterpret_cast<int32_t*>(to));
    }
  }
  for (; i < n && to < end; ++i) {
    const Bits key = key_of_bits(from[i * step], infinity);
    *to = key;
    to += key >= least && key <= most;
  }
}

// Writes the keys of a column in parts of about equal size, each by the thread that looks for its keys.
template <typename Bits>
void deal(const Bits* from, int64_t step, int64_t n, Bits infinity, int64_t parts, Bits* keys, int64_t* ends) {
  const int64_t samples = std::min(n, kSamples);
  std::vector<Bits> sample(samples), most(parts, static_cast<Bits>(~Bits{0}));  // the greatest keys of the parts
  for (int64_t i = 0; i < samples; ++i) sample[i] = key_of_bits(from[n / samples * i * step], infinity);
  std::sort(sample.begin(), sample.end());
  for (int64_t p = 1; p < parts; ++p) most[p - 1] = sample[samples * p / parts];
  const Parts shares(n, parts);
  std::vector<int64_t> counts(parts * parts);  // of keys up to the greatest one of a part, share by share
  const int threads = threads_for(n);
  shares.for_each(threads, [&](int64_t s, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kCounted) {
      const int m = static_cast<int>(std::min<int64_t>(kCounted, end - i));
      Bits key[kCounted];
      for (int j = 0; j < m; ++j) key[j] = key_of_bits(from[(i + j) * step], infinity);
      for (int64_t p = 0; p + 1 < parts; ++p) {
        Bits count = 0;
        for (int j = 0; j < m; ++j) count = static_cast<Bits>(count + (key[j] <= most[p]));
        counts[s * parts + p] += count;
      }
    }
  });
  for (int64_t p = 0; p < parts; ++p) {
    ends[p] = p + 1 == parts ? n : 0;
    for (int64_t s = 0; p + 1 < parts && s < shares.count; ++s) ends[p] += counts[s * parts + p];
  }
  split(parts, threads, [&](int, int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p) {
      const Bits least = p == 0 ? Bits{0} : static_cast<Bits>(most[p - 1] + 1);
      if (p > 0 && ends[p] == ends[p - 1]) continue;
      choose(from, step, n, infinity, least, most[p], keys + (p == 0 ? 0 : ends[p - 1]), keys + ends[p]);
    }
  });
}

// The keys of all columns, [rows, columns] to [columns, rows].
template <typename Bits>
void turn(const Bits* from, Bits infinity, int64_t rows, int64_t columns, Bits* to) {
  const int64_t tiles = (rows + kTile - 1) / kTile;
  split(tiles, threads_for(rows * columns), [&](int, int64_t first, int64_t last) {
    const int64_t begin = first * kTile, end = std::min(rows, last * kTile);
    if (columns == 1) {
      for (int64_t r = begin; r < end; ++r) to[r] = key_of_bits(from[r], infinity);
      return;
    }
    for (int64_t row = begin; row < end; row += kTile) {
      const int64_t stop = std::min(end, row + kTile);
      for (int64_t column = 0; column < columns; column += kTile) {
        for (int64_t c = column; c < std::min(columns, column + kTile); ++c) {
          for (int64_t r = row; r < stop; ++r) to[c * rows + r] = key_of_bits(from[r * columns + c], infinity);
        }
      }
    }
  });
}

template <typename T>
using KeyOf = decltype(key_of(T{}));

// One column of scores of any sign, and their labels.
template <typename T>
void sort_column(const T* scores, const int8_t* given, const Curves& to, int64_t column) {
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
    narrow(widen(scores[int64_t{one.index} * step + column]) + 0, &values[m]);  // -0 is 0
    labels[m++] = given[int64_t{one.index} * step + column];
  }
  to.counts[2 * column] = m;
}

// What the walk down a block leaves for the sum over blocks: twice the area between its first point and its last, and
// those two, counted from its first row on.
struct BlockArea {
  int64_t twice;
  int32_t points, positives, first_row, first_tp, last_row, last_tp;
};

BlockArea area_of(const BlockPoints& p) {
  BlockArea area{0, p.n, p.positives, 0, 0, 0, 0};
  if (p.n == 0) return area;
  int32_t twice = 0;  // at most twice the square of the rows
  for (int k = 1; k < p.n; ++k) {
    twice += (p.row[k] - p.row[k - 1] - (p.tp[k] - p.tp[k - 1])) * (p.tp[k] + p.tp[k - 1]);
  }
  area.twice = twice;
  area.first_row = p.row[0];
  area.first_tp = p.tp[0];
  area.last_row = p.row[p.n - 1];
  area.last_tp = p.tp[p.n - 1];
  return area;
}

// Walks down a column. Whole numbers are added up, of which twice the area is at most half the square of the rows.
template <typename Bits>
void walk_column(const Curves& curves, int64_t column, int threads, bool keys, int64_t* before, double* areas) {
  constexpr int64_t kRows = Curves::kBlockRows;
  Bits* bits = static_cast<Bits*>(curves.values) + column * curves.rows;
  const uint8_t* labels = curves.labels == nullptr ? nullptr : curves.labels + column * curves.rows;
  const Bits mask = labels == nullptr ? kMagnitude<Bits> : static_cast<Bits>(~Bits{0});
  int64_t* counts = curves.counts + 2 * column;
  if (keys) counts[0] = std::lower_bound(bits, bits + curves.rows, static_cast<Bits>(~Bits{0})) - bits;
  const int64_t m = counts[0], blocks = (m + kRows - 1) / kRows;
  const auto tied = [&](int64_t end) {  // of two scores that are both keys, if there are any
    if (end >= m) return false;
    const Bits one = keys ? bits_of_key(bits[end - 1]) : bits[end - 1],
               next = keys ? bits_of_key(bits[end]) : bits[end];
    return ((one ^ next) & mask) == 0;
  };
  const Parts parts(blocks, threads);
  thread_local std::vector<BlockArea> of_blocks;
  std::vector<BlockArea>& found = of_blocks;  // those of this thread, for all
  found.resize(blocks);
  std::vector<bool> ties(parts.count);  // a part's last with the next one's first, while both are keys
  for (int64_t p = 0; p < parts.count; ++p)
    ties[p] = (p + 1) * parts.size < blocks && tied((p + 1) * parts.size * kRows);
  parts.for_each(threads, [&](int64_t p, int64_t first, int64_t last) {
    BlockPoints points;
    for (int64_t b = first; b < last; ++b) {
      const int64_t begin = b * kRows, end = std::min(m, begin + kRows);
      const bool goes_on = b + 1 == last ? ties[p] : tied(end);
      if (keys) {
        for (int64_t i = begin; i < end; ++i) bits[i] = bits_of_key(bits[i]);
      }
      find_points(bits + begin, labels == nullptr ? nullptr : labels + begin, mask, static_cast<int>(end - begin),
                  goes_on, &points);
      found[b] = area_of(points);
    }
  });
  int64_t tp = 0, points = 0, point_tp = 0, point_fp = 0;  // before a block, and at the last point
  uint64_t twice = 0;
  int64_t* to = before + 2 * column * (curves.blocks() + 1);
  to[0] = to[1] = 0;
  for (int64_t b = 0; b < curves.blocks(); ++b) {
    if (b < blocks) {
      const BlockArea& of = found[b];
      if (of.points > 0) {
        const int64_t fp = b * kRows - tp, first_tp = tp + of.first_tp, first_fp = fp + of.first_row + 1 - of.first_tp;
        const int64_t last_tp = tp + of.last_tp, last_fp = fp + of.last_row + 1 - of.last_tp;
        twice += static_cast<uint64_t>((first_fp - point_fp) * (first_tp + point_tp));
        twice += static_cast<uint64_t>(of.twice + 2 * tp * (last_fp - first_fp));
        point_tp = last_tp;
        point_fp = last_fp;
      }
      tp += of.positives;
      points += of.points;
    }
    to[2 * b + 2] = tp;
    to[2 * b + 3] = points;
  }
  counts[1] = points;
  areas[3 * column] = static_cast<double>(tp);
  areas[3 * column + 1] = static_cast<double>(m - tp);
  areas[3 * column + 2] = 0.5 * static_cast<double>(twice);
}

// The precisions of the positives of a block: that of its first point, and the sum over those of the others.
struct BlockSum {
  double first, rest;
  int32_t points, at_first, behind;  // points, positives up to the first one, and behind the last one
};

// Four quotients are one over their common denominator, since divisions take longest. Writes behind the points.
BlockSum sum_of(BlockPoints& p, int64_t tp_before, int64_t rows_before) {
  constexpr int kLanes = 8, kB = kLanes, kC = 2 * kLanes, kD = 3 * kLanes, kAtOnce = 4 * kLanes;
  static_assert(kAtOnce <= BlockPoints::kBehind);
  if (p.n == 0) return {0.0, 0.0, 0, 0, p.positives};
  const double tp = static_cast<double>(tp_before), rows = static_cast<double>(rows_before + 1);
  const double first = (tp + p.tp[0]) / (rows + p.row[0]);
  std::fill_n(p.tp + p.n, kAtOnce, p.tp[p.n - 1]);
  std::fill_n(p.row + p.n, kAtOnce, 0);
  alignas(64) double up[kAtOnce], down[kAtOnce], lanes[kLanes] = {};
  for (int k = 1; k < p.n; k += kAtOnce) {
    for (int j = 0; j < kAtOnce; ++j) {
      up[j] = (tp + p.tp[k + j]) * (p.tp[k + j] - p.tp[k + j - 1]);
      down[j] = rows + p.row[k + j];
    }
    for (int j = 0; j < kLanes; ++j) {
      const double of_ab = up[j] * down[j + kB] + up[j + kB] * down[j], ab = down[j] * down[j + kB];
      const double of_cd = up[j + kC] * down[j + kD] + up[j + kD] * down[j + kC], cd = down[j + kC] * down[j + kD];
      lanes[j] += (of_ab * cd + of_cd * ab) / (ab * cd);
    }
  }
  return {first, sum_of_lanes<kLanes>(lanes), p.n, p.tp[0], p.positives - p.tp[p.n - 1]};
}

}  // namespace

void score_keys(const void* scores, DType type, int64_t rows, int64_t columns, int64_t parts, void* keys,
                int64_t* ends) {
  with_score_type(type, [&](auto t) {
    using T = decltype(t);
    using Bits = BitsOf<T>;
    if (parts > 1) {
      for (int64_t c = 0; c < columns; ++c) {
        deal(static_cast<const Bits*>(scores) + c, columns, rows, kInfinity<T>, parts,
             static_cast<Bits*>(keys) + c * rows, ends + c * parts);
      }
      return;
    }
    std::fill_n(ends, columns, rows);
    turn(static_cast<const Bits*>(scores), kInfinity<T>, rows, columns, static_cast<Bits*>(keys));
  });
}

void sort_labelled(const void* scores, const int8_t* labels, const Curves& to) {
  with_score_type(to.type, [&](auto t) {
    using T = decltype(t);
    for_columns(to, [&](int64_t column, int) { sort_column(static_cast<const T*>(scores), labels, to, column); });
  });
}

void walk_curves(const Curves& curves, bool keys, int64_t* before, double* areas) {
  with_bits(curves.type, [&](auto b) {
    for_columns(curves, [&](int64_t column, int threads) {
      walk_column<decltype(b)>(curves, column, threads, keys, before, areas);
    });
  });
}

void sum_precisions(const Curves& curves, double* sums) {
  for_columns(curves, [&](int64_t column, int threads) {
    const SortedColumn of(curves, column);
    std::vector<BlockSum> found(of.count);
    split(of.count, static_cast<int>(std::min<int64_t>(threads, of.count)), [&](int, int64_t begin, int64_t end) {
      BlockPoints points;
      for (int64_t b = begin; b < end; ++b) {
        of.find(b, &points);
        found[b] = sum_of(points, of.tp_before(b), of.begin(b));
      }
    });
    double sum = 0.0;
    int64_t waiting = 0;  // positives whose run has not ended
    for (const BlockSum& of_block : found) {
      if (of_block.points > 0) {
        sum += static_cast<double>(waiting + of_block.at_first) * of_block.first + of_block.rest;
        waiting = 0;
      }
      waiting += of_block.behind;
    }
    sums[column] = sum;
  });
}

}  // namespace fastmetrics
