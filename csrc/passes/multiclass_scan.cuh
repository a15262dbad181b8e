// SPDX-License-Identifier: Apache-2.0
//
// What the kernels for scores share: targets on their way, the scan of a row, and the count of what it found.

#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "passes/multiclass_kernels.cuh"
#include "rules/order.h"

namespace fastmetrics {

// Targets as they were loaded: nothing waits for them before their values are asked for.
class FetchedTarget {
 public:
  // kN of them, `step` apart.
  template <int kN>
  static __device__ __forceinline__ void fetch(const MulticlassBatch& b, int64_t offset, int64_t step,
                                               FetchedTarget (&to)[kN]) {
    auto read = [&](auto t) {
      using Label = decltype(t);
      const Label* from = static_cast<const Label*>(b.target) + offset;
#pragma unroll
      for (int j = 0; j < kN; ++j) to[j].set(from[j * step]);
    };
    if (b.target_type == DType::kInt64) return read(int64_t{});  // before the search among the types
    with_label_type(b.target_type, read);
  }

  // Whether it is one of the first `limit` classes, which index() is then. A negative one is not, of any type.
  __device__ __forceinline__ bool is_below(uint32_t limit) const { return (high_ == 0) & (low_ < limit); }
  __device__ __forceinline__ bool is_below_but(uint32_t limit, uint32_t ignored) const {
    return is_below(limit) & (low_ != ignored);
  }
  __device__ __forceinline__ int32_t index() const { return static_cast<int32_t>(low_); }

  __device__ __forceinline__ int64_t value(const MulticlassBatch& b) const {
    if (b.target_type == DType::kInt64 || b.target_type == DType::kUInt64) {
      return static_cast<int64_t>(static_cast<uint64_t>(high_) << 32 | low_);
    }
    return b.target_type == DType::kUInt32 ? int64_t{low_} : int64_t{static_cast<int32_t>(low_)};
  }

 private:
  template <typename Label>
  __device__ __forceinline__ void set(Label label) {
    low_ = static_cast<uint32_t>(label);
    high_ = sizeof(Label) == 8 ? static_cast<uint32_t>(static_cast<uint64_t>(label) >> 32) : 0;
  }

  uint32_t low_ = 0, high_ = 0;
};

// Counts samples of which the label and the rank are known, and notes what is wrong with them.
template <Kept kKept, typename State>
class Counter {
 public:
  __device__ __forceinline__ Counter(const MulticlassBatch& batch, const MulticlassCells<State>& states,
                                     const SharedCells& plan, unsigned char* cells)
      : b_(batch), s_(states), plan_(plan), sink_(batch, states, plan, cells) {}

  // Whether a sample counts as the class of its target, for sure, and a pair is all that is counted.
  __device__ __forceinline__ bool is_plain(const FetchedTarget& target) const {
    return kKept == kPairs && target.is_below_but(plan_.limit, plan_.ignored);
  }
  __device__ __forceinline__ void count_plain(const FetchedTarget& target, int32_t label) {
    sink_.template add_pair<kPairs>(target.index(), label);
  }

  // place_of(): of the sample in the batch.
  template <typename PlaceOf>
  __device__ __forceinline__ void count(const FetchedTarget& target, int32_t label, int32_t rank,
                                        const PlaceOf& place_of) {
    if (is_plain(target)) return count_plain(target, label);
    look_and_count(target, label, rank, place_of);
  }
  template <typename PlaceOf>
  __device__ __forceinline__ void look_and_count(const FetchedTarget& target, int32_t label, int32_t rank,
                                                 const PlaceOf& place_of) {
    int64_t group = 0;
    int32_t t = target.index();
    typename Adds<State>::Amount amount = 1;
    if (!target.is_below_but(plan_.limit, plan_.ignored)) {
      const int64_t value = target.value(b_), place = place_of();
      if (!accept<State>(b_, place, value, 0, &bad_, &amount)) return;
      t = static_cast<int32_t>(value);
      group = group_of(b_, place);
    }
    if constexpr (kKept == kPairs) {
      sink_.template add_pair<kPairs>(t, label);
    } else {
      sink_.add(group, t, label, rank, amount);
    }
  }

  // All threads of the block call it, once.
  __device__ __forceinline__ void close() { finish(b_, s_, bad_, &sink_); }

 private:
  const MulticlassBatch& b_;
  const MulticlassCells<State>& s_;
  const SharedCells& plan_;
  Sink<State> sink_;
  BadOnes bad_;
};

// All scores of a pack.
template <typename T, int N>
__device__ __forceinline__ void widen_all(const Pack<T, N>& x, WidenedTo<T> (&to)[N]) {
#pragma unroll
  for (int j = 0; j < N; ++j) to[j] = widen(x.at[j]);
}
// Two at a time from their word: an instruction each.
template <int N>
__device__ __forceinline__ std::enable_if_t<N % 2 == 0> widen_all(const Pack<BFloat16, N>& x, float (&to)[N]) {
  uint32_t words[N / 2];
  memcpy(words, &x, sizeof(words));
#pragma unroll
  for (int j = 0; j < N; j += 2) {
    to[j] = float_from_bits(words[j / 2] << 16);
    to[j + 1] = float_from_bits(words[j / 2] & 0xffff0000u);
  }
}

// The greater one, or NaN if one of them is.
__device__ __forceinline__ double greatest(double a, double b) { return a > b || a != a ? a : b; }
__device__ __forceinline__ float greatest(float a, float b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  float most;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(most) : "f"(a), "f"(b));
  return most;
#else
  return a > b || a != a ? a : b;
#endif
}

// Adds 1 if class c, of score x, comes before the target, of score `own`: a greater score does, and an equal one of an
// earlier class. Neither is NaN. Four instructions, for which the compiler takes five.
__device__ __forceinline__ void count_before(float x, int32_t c, float own, int32_t target, int32_t* count) {
#ifdef __CUDA_ARCH__
  asm("{ .reg .pred before; setp.gt.s32 before, %4, %2; setp.ge.and.f32 before, %1, %3, before;"
      " setp.gt.or.f32 before, %1, %3, before; @before add.s32 %0, %0, 1; }"
      : "+r"(*count)
      : "f"(x), "r"(c), "f"(own), "r"(target));
#else
  *count += x > own || (x == own && c < target);
#endif
}
__device__ __forceinline__ void count_before(double x, int32_t c, double own, int32_t target, int32_t* count) {
  *count += x > own || (x >= own && c < target);
}

constexpr int32_t kNoClass = INT32_MAX;

// The first of the greatest scores of those seen, in ascending order of the classes, and how many come before the
// target. Without NaN: where `best` is one, see_again must follow.
template <typename W, bool kRanks>
struct Scan {
  W best = -static_cast<W>(INFINITY);
  int32_t at = 0;  // also if all were minus infinity
  int32_t rank = 0;
  W own = 0;  // the score of the target
  int32_t target = 0;

  __device__ __forceinline__ void aim(W score, int32_t of) {
    own = score;
    target = of;
  }

  __device__ __forceinline__ void see(W x, int32_t c) {
    at = x > best ? c : at;
    best = greatest(best, x);
    if (kRanks) count_before(x, c, own, target, &rank);
  }

  // From here on classes are counted from `by` more.
  __device__ __forceinline__ void move(int32_t by) {
    at -= by;
    target -= by;
  }

  __device__ __forceinline__ bool has_nan() const { return best != best; }

  // The classes first, first + step, ... of a row that has a NaN; score_of(c).
  template <typename ScoreOf>
  __device__ __forceinline__ void see_again(int32_t first, int32_t classes, int32_t step, const ScoreOf& score_of) {
    at = kNoClass;
    rank = 0;
#pragma unroll 1
    for (int32_t c = first; c < classes; c += step) {
      const W x = score_of(c);
      if (x != x && at == kNoClass) at = c;
      if (kRanks) rank += precedes<W>(x, c, own, target);
    }
  }
};

}  // namespace fastmetrics
