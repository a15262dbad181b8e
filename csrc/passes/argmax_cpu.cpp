// SPDX-License-Identifier: Apache-2.0
//
// Argmax and ranks for a lane type: float for scores of up to 32 bits, and double.
//
// Two layouts are fast. Rows (the scores of a sample are neighbours): long rows have running maxima and their places in
// lanes, and are counted against their targets' scores in the same read, four rows in step; of short rows as many as a
// vector has lanes are transposed in registers. Planes (the same class of neighbouring samples are neighbours): the
// running maxima of four vectors of samples stay in registers while the class planes go by. Anything else is walked
// score by score. Rows with NaN are scanned again.

#include "passes/argmax.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "common/cpu.h"
#include "common/simd.h"
#include "rules/order.h"

namespace fastmetrics {
namespace {

template <typename T>
struct Lanes {
  static constexpr bool kDouble = sizeof(T) == 8;
  using V = std::conditional_t<kDouble, F64s, F32s>;
  using I = std::conditional_t<kDouble, I64s, I32s>;
  using Mask = std::conditional_t<kDouble, Mask64, Mask32>;
  static constexpr int kCount = kDouble ? kDoubles : kFloats;
  static constexpr int kPiece = kDouble ? 2 : 4;  // columns of load_columns
  static constexpr int64_t kLong = kDouble ? kLongRow / 2 : kLongRow;

  static V load(const T* from) {
    if constexpr (kDouble) {
      return widen_doubles(from);
    } else {
      return widen_floats(from);
    }
  }
};

// Lanes of a row, or of samples: the greatest scores so far, and where they were.
template <typename T>
struct Maxima {
  typename Lanes<T>::V best = typename Lanes<T>::V{} - INFINITY;
  typename Lanes<T>::I at = {};

  void update_max(typename Lanes<T>::V x, int32_t place) {
    at = put(greater(x, best), place, at);
    best = greater_of(x, best);
  }

  // The same with neighbours from `place` on, the greatest of which is found first: fewer steps wait for each other.
  template <int n>
  void update_max(const typename Lanes<T>::V (&x)[n], int32_t place) {
    using I = typename Lanes<T>::I;
    typename Lanes<T>::V most = greater_of(x[1], x[0]);
    I within = select(greater(x[1], x[0]), I{} + 1, I{});
    if constexpr (n == 4) {
      const typename Lanes<T>::V last = greater_of(x[3], x[2]);
      const I of_last = select(greater(x[3], x[2]), I{} + 3, I{} + 2);
      within = select(greater(last, most), of_last, within);
      most = greater_of(last, most);
    }
    at = select(greater(most, best), within + place, at);
    best = greater_of(most, best);
  }
};

// Lanes of a row with one target, or of samples with one each: the targets' scores, the targets, and how many classes
// come before them.
template <typename T>
struct Ranking {
  typename Lanes<T>::V own = {};
  typename Lanes<T>::I target = {}, before = {};

  // Whether scores of class c, or of what it stands for in each lane, come before the target: a class before it unless
  // it is less, one after it unless it is less or equal.
  typename Lanes<T>::Mask precede(typename Lanes<T>::V x, int32_t c) const {
    return not_at_most(x, own) | (not_less(x, own) & greater(target, typename Lanes<T>::I{} + c));
  }
};

inline void store_labels(I32s at, int32_t* labels) { store(at, labels); }
inline void store_labels(I64s at, int32_t* labels) {
  for (int j = 0; j < kDoubles; ++j) labels[j] = static_cast<int32_t>(at[j]);
}

template <typename T>
int32_t argmax_of_sample(const T* scores, int64_t classes, int64_t step) {
  auto best = widen(scores[0]);
  int32_t at = 0;
  for (int64_t c = 1; c < classes; ++c) {
    const auto x = widen(scores[c * step]);
    const bool take = beats(x, best);
    best = take ? x : best;
    at = take ? static_cast<int32_t>(c) : at;
  }
  return at;
}

// How many classes come before the target. NaN is never less, unless the target's own score is NaN.
template <typename T>
int32_t rank_of_target(const T* scores, int64_t classes, int64_t step, int64_t target) {
  const auto own = widen(scores[target * step]);
  int32_t rank = 0;
  if (own != own) {
    for (int64_t c = 0; c < target; ++c) {
      const auto x = widen(scores[c * step]);
      rank += x != x;
    }
    return rank;
  }
  for (int64_t c = 0; c < target; ++c) rank += !(widen(scores[c * step]) < own);
  for (int64_t c = target + 1; c < classes; ++c) rank += !(widen(scores[c * step]) <= own);
  return rank;
}

// The place of the greatest score; of equal ones, the first. Lanes of set k begin at k times their number.
template <typename T, int kSets>
int32_t first_greatest(const Maxima<T> (&sets)[kSets]) {
  using V = typename Lanes<T>::V;
  using I = typename Lanes<T>::I;
  V greatest = sets[0].best;
  for (int k = 1; k < kSets; ++k) greatest = greater_of(greatest, sets[k].best);
  const V top = V{} + greatest_lane(greatest);
  I first = I{} + INT32_MAX;
  for (int k = 0; k < kSets; ++k) {
    const I place = select(equal(sets[k].best, top), sets[k].at + lane_numbers<I>() + Lanes<T>::kCount * k, first);
    first = select(greater(first, place), place, first);
  }
  return static_cast<int32_t>(least_lane(first));
}

// Rows of at least kLong classes, of kRows ranges in step, each with as many sets of maxima; returns how many were
// done. target and ranks, [n], are for kRanks; the rank of a negative target is not written.
template <int kRows, int kSets, bool kRanks, typename T>
int long_rows(const T* data, int64_t sample, int64_t classes, int n, int32_t* labels, const int32_t* target,
              int32_t* ranks) {
  using L = Lanes<T>;
  constexpr int kSoon = 4, kVectors = std::max(2, kSets);
  constexpr int64_t kStep = kVectors * L::kCount;
  const int length = n / kRows;
  for (int i = 0; i < length; ++i) {
    const T* row[kRows];
    Maxima<T> sets[kRows][kSets];
    Ranking<T> of[kRows];
    typename L::Mask nan[kRows] = {};
    for (int r = 0; r < kRows; ++r) {
      const int at = i + r * length;
      row[r] = data + at * sample;
      if (!kRanks) continue;
      of[r].own += widen(row[r][std::max(0, target[at])]);
      of[r].target = target[at] - lane_numbers<typename L::I>();
      if (i + kSoon < length) __builtin_prefetch(row[r] + kSoon * sample + std::max(0, target[at + kSoon]));
    }
    // fresh: how many of the classes were not seen before; the last ones
    auto look = [&](int64_t c, auto fresh) __attribute__((always_inline)) {
      for (int r = 0; r < kRows; ++r) {
        fetch_ahead(row[r] + c, kStep);
        typename L::V x[kVectors];
        for (int k = 0; k < kVectors; ++k) x[k] = L::load(row[r] + c + L::kCount * k);
        for (int k = 0; k < kVectors; k += 2) nan[r] |= unordered(x[k], x[k + 1]);
        for (int k = 0; k < kVectors; ++k) {
          const int32_t first = static_cast<int32_t>(c) + L::kCount * k;
          sets[r][k % kSets].update_max(x[k], first - L::kCount * (k % kSets));
          if (!kRanks) continue;
          const auto seen = last_lanes<typename L::Mask>(fresh - (kVectors - 1 - k) * L::kCount);
          of[r].before = count(of[r].precede(x[k], first) & seen, of[r].before);
        }
      }
    };
    int64_t c = 0;
    for (; c + kStep <= classes; c += kStep) look(c, std::integral_constant<int64_t, kStep>{});
    if (c < classes) look(classes - kStep, classes - c);
    for (int r = 0; r < kRows; ++r) {
      const int at = i + r * length;
      labels[at] = any(nan[r]) ? argmax_of_sample(row[r], classes, 1) : first_greatest(sets[r]);
      if (!kRanks || target[at] < 0) continue;
      const bool ordered = of[r].own[0] == of[r].own[0];
      ranks[at] =
          static_cast<int32_t>(ordered ? sum_of_lanes(of[r].before) : rank_of_target(row[r], classes, 1, target[at]));
    }
  }
  return kRows * length;
}

// A vector of rows of fewer classes. Arguments are as above; `greatest` is for kGreatest, and so is what is returned:
// whether all scores are known to lie in [0, 1].
template <bool kRanks, bool kGreatest, typename T>
bool short_rows(const T* data, int64_t sample, int32_t classes, int32_t* labels, const int32_t* target, int32_t* ranks,
                double* greatest) {
  using L = Lanes<T>;
  constexpr int kPiece = L::kPiece;
  fetch_ahead<2048>(data, L::kCount * sample);
  Maxima<T> rows;
  Ranking<T> of;
  typename L::Mask nan = {};
  typename L::I signs = {};
  for (int r = 0; kRanks && r < L::kCount; ++r) {
    of.own[r] = widen(data[r * sample + std::max(0, target[r])]);
    of.target[r] = target[r];
  }
  auto look = [&](typename L::V x, int32_t c, bool fresh) __attribute__((always_inline)) {
    if (kGreatest) signs |= (typename L::I)x;
    if (kRanks && fresh) of.before = count(of.precede(x, c), of.before);
  };
  if (classes >= kPiece) {
    for (int32_t done = 0; done < classes; done += kPiece) {
      const int32_t c = std::min(done, classes - kPiece);  // the last ones again, whatever part of them was seen
      typename L::V x[kPiece];
      load_columns(data + c, sample, x);
      for (int k = 0; k < kPiece; k += 2) nan |= unordered(x[k], x[k + 1]);
      rows.update_max(x, c);
      for (int k = 0; k < kPiece; ++k) look(x[k], c + k, c + k >= done);
    }
  } else {
    for (int32_t c = 0; c < classes; ++c) {
      typename L::V x{};
      for (int r = 0; r < L::kCount; ++r) x[r] = widen(data[r * sample + c]);
      nan |= unordered(x, x);
      rows.update_max(x, c);
      look(x, c, true);
    }
  }
  store_labels(rows.at, labels);
  for (int r = 0; r < L::kCount && any(nan); ++r) labels[r] = argmax_of_sample(data + r * sample, classes, 1);
  for (int r = 0; kRanks && r < L::kCount; ++r) {
    if (target[r] < 0) continue;
    const bool ordered = of.own[r] == of.own[r];
    ranks[r] = ordered ? static_cast<int32_t>(of.before[r]) : rank_of_target(data + r * sample, classes, 1, target[r]);
  }
  if (!kGreatest) return false;
  if (any(nan)) {
    for (int r = 0; r < L::kCount; ++r) greatest[r] = widen(data[r * sample + labels[r]]);
    return false;
  }
  for (int r = 0; r < L::kCount; ++r) greatest[r] = rows.best[r];
  return !any(greater(typename L::I{}, signs)) && !any(greater(rows.best, typename L::V{} + 1));
}

template <bool kRanks, typename T>
__attribute__((noinline)) void look_at_rows(const T* data, int64_t sample, int64_t classes, int n, int32_t* labels,
                                            const int32_t* target, int32_t* ranks) {
  int i = 0;
  if (classes >= Lanes<T>::kLong) {
    i = long_rows<4, 1, kRanks>(data, sample, classes, n, labels, target, ranks);
    long_rows<1, 4, kRanks>(data + i * sample, sample, classes, n - i, labels + i, target + i, ranks + i);
    return;
  }
  for (; i + Lanes<T>::kCount <= n; i += Lanes<T>::kCount) {
    short_rows<kRanks, false>(data + i * sample, sample, static_cast<int32_t>(classes), labels + i, target + i,
                              ranks + i, nullptr);
  }
  for (; i < n; ++i) {
    labels[i] = argmax_of_sample(data + i * sample, classes, 1);
    if (kRanks && target[i] >= 0) ranks[i] = rank_of_target(data + i * sample, classes, 1, target[i]);
  }
}

template <typename T>
__attribute__((flatten)) void sixteen_rows(const void* data, int64_t sample, int32_t classes, int32_t* labels) {
  const T* rows = static_cast<const T*>(data);
  if (classes >= Lanes<T>::kLong) return look_at_rows<false>(rows, sample, classes, 16, labels, nullptr, nullptr);
  for (int i = 0; i < 16; i += Lanes<T>::kCount) {
    short_rows<false, false>(rows + i * sample, sample, classes, labels + i, nullptr, nullptr, nullptr);
  }
}

// kVectors of neighbours, whose next class is `klass` further.
template <int kVectors, typename T>
void argmax_planes(const T* data, int64_t klass, int64_t classes, int32_t* labels) {
  using L = Lanes<T>;
  constexpr int64_t kAhead = L::kDouble ? 128 : 256;
  Maxima<T> samples[kVectors];
  typename L::Mask nan = {};
  for (int k = 0; k < kVectors; ++k) {
    samples[k].best = L::load(data + L::kCount * k);
    nan |= unordered(samples[k].best, samples[k].best);
  }
  for (int64_t c = 1; c < classes; ++c) {
    const T* plane = data + c * klass;
    typename L::V x[kVectors];
    for (int k = 0; k < kVectors; ++k) {
      __builtin_prefetch(plane + kAhead + L::kCount * k, 0, 2);
      x[k] = L::load(plane + L::kCount * k);
      samples[k].update_max(x[k], static_cast<int32_t>(c));
    }
    for (int k = 0; k < kVectors; k += 2) nan |= unordered(x[k], x[std::min(k + 1, kVectors - 1)]);
  }
  for (int k = 0; k < kVectors; ++k) store_labels(samples[k].at, labels + L::kCount * k);
  for (int i = 0; i < kVectors * L::kCount && any(nan); ++i) labels[i] = argmax_of_sample(data + i, classes, klass);
}

template <typename T>
void argmax_of(const Scores& s, const T* data, int n, int32_t* labels) {
  if (s.klass == 1) return look_at_rows<false>(data, s.sample, s.classes, n, labels, nullptr, nullptr);
  constexpr int kCount = Lanes<T>::kCount;
  int i = 0;
  if (s.sample == 1) {
    for (; i + 4 * kCount <= n; i += 4 * kCount) argmax_planes<4>(data + i, s.klass, s.classes, labels + i);
    for (; i + kCount <= n; i += kCount) argmax_planes<1>(data + i, s.klass, s.classes, labels + i);
  }
  for (; i < n; ++i) labels[i] = argmax_of_sample(data + i * s.sample, s.classes, s.klass);
}

}  // namespace

ArgmaxOfSixteen* argmax_of_sixteen(DType type) {
  ArgmaxOfSixteen* found = nullptr;
  with_score_type(type, [&](auto t) { found = &sixteen_rows<decltype(t)>; });
  return found;
}

void argmax(const Scores& s, int n, int32_t* labels) {
  with_score_type(s.type, [&](auto t) { argmax_of(s, static_cast<const decltype(t)*>(s.data), n, labels); });
}

bool argmax_and_greatest(const Scores& s, int n, int32_t* labels, double* greatest) {
  bool inside = true;
  with_score_type(s.type, [&](auto t) {
    using T = decltype(t);
    const T* data = static_cast<const T*>(s.data);
    int done = 0;
    if (s.klass == 1 && s.classes < Lanes<T>::kLong) {
      for (constexpr int kCount = Lanes<T>::kCount; done + kCount <= n; done += kCount) {
        inside &= short_rows<false, true>(data + done * s.sample, s.sample, static_cast<int32_t>(s.classes),
                                          labels + done, nullptr, nullptr, greatest + done);
      }
    }
    if (done == n) return;
    inside = false;  // is not asked of the others
    argmax_of(s, data + done * s.sample, n - done, labels + done);
    for (int i = done; i < n; ++i) greatest[i] = widen(data[i * s.sample + labels[i] * s.klass]);
  });
  return inside;
}

void argmax_and_ranks(const Scores& s, int n, const int32_t* target, int32_t* labels, int32_t* ranks) {
  with_score_type(s.type, [&](auto t) {
    const auto* data = static_cast<const decltype(t)*>(s.data);
    if (s.klass == 1) return look_at_rows<true>(data, s.sample, s.classes, n, labels, target, ranks);
    constexpr int kStep = 64;  // samples whose scores are found in the cache when they are looked at again
    for (int i = 0; i < n; i += kStep) {
      const int m = std::min(kStep, n - i);
      argmax_of(s, data + i * s.sample, m, labels + i);
      for (int j = i; j < i + m; ++j) {
        if (target[j] >= 0) ranks[j] = rank_of_target(data + j * s.sample, s.classes, s.klass, target[j]);
      }
    }
  });
}

}  // namespace fastmetrics
