// SPDX-License-Identifier: Apache-2.0
//
// How the formulas of curves read a column of sorted scores on the CPU: as bits, of which equal ones are equal scores.

#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "common/cpu.h"
#include "common/simd.h"
#include "formulas/curves.h"

namespace fastmetrics {

// Calls f(Bits) with the unsigned type of the size of a floating type.
template <typename F>
void with_bits(DType type, const F& f) {
  switch (size_of(type)) {
    case 2:
      return f(uint16_t{});
    case 4:
      return f(uint32_t{});
    default:
      return f(uint64_t{});
  }
}

template <typename Bits>
constexpr int kSignPlace = 8 * sizeof(Bits) - 1;
template <typename Bits>
constexpr Bits kMagnitude = static_cast<Bits>(~Bits{0}) >> 1;

// The points of a block, which are where runs of equal scores end: their rows, and the positives up to each, counted
// from the first row of the block on; and the positives of the block.
struct BlockPoints {
  static constexpr int kBehind = 32;  // that may be written behind the points: compress() writes up to kFloats
  static constexpr int64_t kRoom = Curves::kBlockRows + kBehind;
  static_assert(kFloats <= kBehind);

  int n, positives;
  alignas(64) int32_t row[kRoom], tp[kRoom];
};

// And their scores, without the bit of their labels.
struct ScoredPoints : BlockPoints {
  alignas(64) uint64_t scores[kRoom];  // numbers of the size of a score, one behind the other

  template <typename Bits>
  Bits* scores_of() {
    return reinterpret_cast<Bits*>(scores);
  }
};

// For each byte, how many bits are set up to each of its own, a byte each.
struct BitSums {
  uint64_t of[256] = {};

  constexpr BitSums() {
    for (int byte = 0; byte < 256; ++byte) {
      for (int bit = 0, sum = 0; bit < 8; ++bit) {
        sum += byte >> bit & 1;
        of[byte] |= static_cast<uint64_t>(sum) << (8 * bit);
      }
    }
  }
};
inline constexpr BitSums kBitSums;

// How many lanes the mask names up to each.
inline I32s sums_of_lanes(uint32_t mask) {
  const uint64_t low = kBitSums.of[mask & 255];
  return widen_bytes(low, kBitSums.of[mask >> 8 & 255] + (low >> 56) * 0x0101010101010101u);
}

// Those of `rows` scores of which the last is `tied` with the next; mask: the bits of a score; labels: null if the
// first bit is one, 1 for a negative.
template <typename Bits, typename Points>
void find_points(const Bits* bits, const uint8_t* labels, Bits mask, int rows, bool tied, Points* to) {
  constexpr bool kScored = std::is_same_v<Points, ScoredPoints>;
  [[maybe_unused]] Bits* scores = nullptr;
  if constexpr (kScored) scores = to->template scores_of<Bits>();
  int32_t tp = 0;
  int n = 0, done = 0;
  if constexpr (sizeof(Bits) == 4 && kFloats > 4) {  // narrow registers gain nothing
    for (; labels == nullptr && done + kFloats < rows; done += kFloats) {
      const I32s x = load<I32s>(bits + done), next = load<I32s>(bits + done + 1);
      const Mask32 ends = ~equal((x ^ next) & INT32_MAX, I32s{});
      const uint32_t positive = bits_of(at_least(x, I32s{}));
      if constexpr (kScored) compress(ends, x & INT32_MAX, reinterpret_cast<int32_t*>(scores) + n);
      compress(ends, lane_numbers<I32s>() + done, to->row + n);
      n += compress(ends, sums_of_lanes(positive) + tp, to->tp + n);
      tp += __builtin_popcount(positive);
    }
  }
  const auto take = [&](int i, int32_t positive, bool ends) {  // without a branch, which could not be predicted
    tp += positive;
    if constexpr (kScored) scores[n] = bits[i] & mask;
    to->row[n] = i;
    to->tp[n] = tp;
    n += ends;
  };
  const auto walk = [&](const auto& positive) {
    for (int i = done; i + 1 < rows; ++i) take(i, positive(i), ((bits[i] ^ bits[i + 1]) & mask) != 0);
    if (rows > 0) take(rows - 1, positive(rows - 1), !tied);
  };
  if (labels == nullptr) {
    walk([&](int i) { return static_cast<int32_t>(bits[i] >> kSignPlace<Bits>) ^ 1; });
  } else {
    walk([&](int i) { return static_cast<int32_t>(labels[i]); });
  }
  to->n = n;
  to->positives = tp;
}

// A column, and what comes before each of its blocks.
class SortedColumn {
 public:
  static constexpr int64_t kRows = Curves::kBlockRows;

  SortedColumn(const Curves& curves, int64_t column)
      : m(curves.counts[2 * column]),
        points(curves.counts[2 * column + 1]),
        count((m + kRows - 1) / kRows),
        type_(curves.type),
        values_(static_cast<const char*>(curves.values) + column * curves.rows * size_of(curves.type)),
        labels_(curves.labels == nullptr ? nullptr : curves.labels + column * curves.rows),
        blocks_(curves.before + 2 * column * (curves.blocks() + 1)) {}

  const int64_t m, points, count;  // rows, points, and blocks

  int64_t tp_before(int64_t block) const { return blocks_[2 * block]; }
  int64_t points_before(int64_t block) const { return blocks_[2 * block + 1]; }
  int64_t begin(int64_t block) const { return std::min(m, block * kRows); }
  int64_t positives() const { return tp_before(count); }
  int64_t negatives() const { return m - positives(); }

  bool same(int64_t i, int64_t j) const {
    bool found = false;
    with_bits(type_, [&](auto b) {
      using Bits = decltype(b);
      const Bits* bits = reinterpret_cast<const Bits*>(values_);
      found = ((bits[i] ^ bits[j]) & mask<Bits>()) == 0;
    });
    return found;
  }

  template <typename T>
  T score(int64_t i) const {
    using Bits = BitsOf<T>;
    const Bits bits = static_cast<const Bits*>(static_cast<const void*>(values_))[i] & mask<Bits>();
    T score;
    memcpy(&score, &bits, sizeof(score));
    return score;
  }

  int64_t positive(int64_t i) const {
    if (labels_ != nullptr) return labels_[i];
    int64_t found = 0;
    with_bits(type_, [&](auto b) {
      using Bits = decltype(b);
      found = reinterpret_cast<const Bits*>(values_)[i] >> kSignPlace<Bits> ^ 1;
    });
    return found;
  }

  template <typename Points>
  void find(int64_t block, Points* to) const {
    const int64_t first = begin(block), end = begin(block + 1);
    with_bits(type_, [&](auto b) {
      using Bits = decltype(b);
      find_points(reinterpret_cast<const Bits*>(values_) + first, labels_ == nullptr ? nullptr : labels_ + first,
                  mask<Bits>(), static_cast<int>(end - first), end < m && same(end, end - 1), to);
    });
  }

  // The positives among the rows before one.
  int64_t tp_at(int64_t rows) const;

 private:
  template <typename Bits>
  Bits mask() const {
    return labels_ == nullptr ? kMagnitude<Bits> : static_cast<Bits>(~Bits{0});
  }

  DType type_;
  const char* values_;
  const uint8_t* labels_;
  const int64_t* blocks_;
};

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

}  // namespace fastmetrics
