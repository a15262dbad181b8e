// SPDX-License-Identifier: Apache-2.0
//
// Which of many steps a value reaches.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/simd.h"

namespace fastmetrics {

// Numbers that ascend. Where they go from 0 to 1 and each is about as far from the next, a product says which of them
// are reached, unless it is so near to one that only a comparison does: memory is asked for those alone. Others are
// searched by halves, without a branch, which nobody could foretell.
template <typename V>
class Steps {
 public:
  // even: whether they may be so.
  Steps(std::vector<V> steps, bool even) : steps_(std::move(steps)), number_(static_cast<int64_t>(steps_.size())) {
    if (even && number_ > 0 && steps_.front() == 0 && (number_ == 1 || steps_.back() == 1)) {
      last_ = static_cast<V>(number_ - 1);
      double farthest = 0.0;
      for (int64_t i = 0; i < number_; ++i) {
        farthest = std::max(farthest, std::fabs(static_cast<double>(steps_[i]) * last_ - static_cast<double>(i)));
      }
      const double rounding = static_cast<double>(last_) * std::numeric_limits<V>::epsilon();
      near_ = static_cast<V>(2 * (farthest + rounding));  // a place is rounded twice at most
    }
    steps_.push_back(std::numeric_limits<V>::quiet_NaN());  // is read where there is no step, and not reached
  }

  // How many of them each of n values reaches; NaN reaches none.
  void find(const V* __restrict x, int n, int32_t* __restrict reached) const {
    if (!even()) {
      int i = 0;
      for (; i + kAtOnce <= n; i += kAtOnce) search<kAtOnce>(x + i, reached + i);
      for (; i < n; ++i) search<1>(x + i, reached + i);
      return;
    }
    int i = 0;
    for (; i + kFew <= n; i += kFew) find_few(x + i, std::integral_constant<int, kFew>{}, reached + i);
    if (i < n) find_few(x + i, n - i, reached + i);
  }

  int32_t reached(V x) const {
    int32_t found;
    find(&x, 1, &found);
    return found;
  }

  bool even() const { return near_ < V(0.125); }
  V last() const { return last_; }
  V near() const { return near_; }

 private:
  static constexpr int kAtOnce = 8;
  static constexpr int kFew = 256;  // of which one seldom is near a step

  template <typename N>
  void find_few(const V* __restrict x, N n, int32_t* __restrict reached) const {
    const V last = last_, near = near_;
    int32_t compare = 0;
    for (int i = 0; i < n; ++i) {
      const V place = within(x[i]) * last;
      const int32_t nearest = static_cast<int32_t>(place + V(0.5));
      const V beyond = place - static_cast<V>(nearest);
      reached[i] = nearest + ((beyond >= V(0) ? 1 : 0) & (x[i] >= V(0) ? 1 : 0));
      compare |= (std::fabs(beyond) < near ? 1 : 0) & (x[i] > V(0) ? 1 : 0) & (x[i] < V(1) ? 1 : 0);
    }
    for (int i = 0; i < n && compare != 0; ++i) reached[i] = next_to_nearest(x[i]);
  }

  static V within(V x) {
    const V at_least_0 = x > V(0) ? x : V(0);  // 0 for NaN
    return at_least_0 < V(1) ? at_least_0 : V(1);
  }

  int32_t next_to_nearest(V x) const {
    const int32_t nearest = static_cast<int32_t>(within(x) * last_ + V(0.5));
    return nearest + (x >= steps_[nearest]);
  }

  // Of several values, since each look waits for the one before.
  template <int kValues>
  void search(const V* x, int32_t* reached) const {
    const V* base[kValues];
    for (int k = 0; k < kValues; ++k) base[k] = steps_.data();
    for (int64_t left = number_; left > 1;) {
      const int64_t half = left / 2;
      for (int k = 0; k < kValues; ++k) base[k] += half & -static_cast<int64_t>(x[k] >= base[k][half - 1]);
      left -= half;
    }
    for (int k = 0; k < kValues; ++k) {
      reached[k] = static_cast<int32_t>(base[k] - steps_.data()) + (x[k] >= *base[k]);
    }
  }

  std::vector<V> steps_;
  int64_t number_;
  V last_ = 0, near_ = 1;  // near: what a product may be wrong by, and a step be elsewhere, of a step
};

// Even steps that floats reach.
class EvenSteps {
 public:
  explicit EvenSteps(const Steps<float>& steps)
      : steps_(&steps), last_(F32s{} + steps.last()), far_((I32s)(F32s{} + (0.5f - steps.near()))) {}

  // How many each of x reaches, all of which are in [0, 1] and none near a step: *farthest, which grows, gets the bits
  // of their greatest distance from the middle between two steps, or those of NaN.
  I32s reached(F32s x, I32s* farthest) const {
    constexpr float kInteger = 0x1.8p23f;  // an integer that is added to it is in the low bits of the sum
    constexpr int32_t kBits = 0x4b400000;
    const F32s place = x * last_ - 0.5f, shifted = place + kInteger, beyond = place - (shifted - kInteger);
    *farthest = greater_of((I32s)beyond & INT32_MAX, *farthest);
    return (I32s)shifted - (kBits - 1);
  }
  // Whether none was near.
  Mask32 sure(I32s farthest) const { return ~greater(farthest, far_); }

  // The same for any x. Both ends are near, and may be most of them.
  I32s reached_by_any(F32s x, I32s* farthest) const {
    I32s distance = {};
    const I32s between = reached(x, &distance);
    *farthest = greater_of(distance, *farthest);
    const F32s zero = {}, one = zero + 1.0f;
    const Mask32 first = equal(x, zero), all = equal(x, one);
    const Mask32 inside = sure(distance) & greater(x, zero) & greater(one, x);
    if (any(~(inside | first | all))) {
      float scores[kFloats];
      int32_t found[kFloats];
      store(x, scores);
      steps_->find(scores, kFloats, found);
      return load<I32s>(found);
    }
    return select(first, I32s{} + 1, select(all, (I32s) __builtin_convertvector(last_, I32s) + 1, between));
  }

 private:
  const Steps<float>* steps_;
  F32s last_;
  I32s far_;
};

// Steps at numbers that ascend, each the least V that is not below its number, so that comparisons say the same. Those
// of a thread's last calls are kept for its next small batch. even: as above.
template <typename V>
std::shared_ptr<const Steps<V>> steps_at(const double* numbers, int64_t n, bool even) {
  struct Known {
    std::vector<double> numbers;
    bool even = false;
    std::shared_ptr<const Steps<V>> steps;
  };
  constexpr int kKept = 4;
  thread_local Known known[kKept];
  thread_local int next = 0;
  for (const Known& one : known) {
    if (one.steps && one.even == even && std::equal(one.numbers.begin(), one.numbers.end(), numbers, numbers + n)) {
      return one.steps;
    }
  }
  std::vector<V> found(n);
  for (int64_t i = 0; i < n; ++i) {
    found[i] = static_cast<V>(numbers[i]);
    if (found[i] < numbers[i]) found[i] = std::nextafter(found[i], std::numeric_limits<V>::infinity());
  }
  Known& to = known[next];
  next = (next + 1) % kKept;
  to = {{numbers, numbers + n}, even, std::make_shared<const Steps<V>>(std::move(found), even)};
  return to.steps;
}

}  // namespace fastmetrics
