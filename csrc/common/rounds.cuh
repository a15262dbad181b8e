// SPDX-License-Identifier: Apache-2.0
//
// Rounds over a batch whose scores may be probabilities or logits, which is known only when all are read. The first
// takes them for probabilities, and stops as soon as one says otherwise, which mostly is among the first; the second
// takes them for logits.

#pragma once

#include "common/device.cuh"

namespace fastmetrics {

enum class Round { kOnly, kFirst, kSecond };

// What a thread sees of scores in a round. outside: whether one lies outside [0, 1]; zero before the first round.
class Lookout {
 public:
  __device__ __forceinline__ Lookout(Round round, int64_t* outside)
      : flag_(round == Round::kFirst ? outside : nullptr) {}

  __device__ __forceinline__ void look(bool outside) { outside_ |= outside; }

  // Whether the first round is over, because some score says so; now and then with a look at those of other warps. All
  // lanes of the warp call it.
  __device__ __forceinline__ bool stops() {
    if (flag_ == nullptr) return false;
    const bool others = turns_++ % kLooksApart == 0 && shared_value(flag_) != 0;
    if (!__any_sync(kAllLanes, outside_ || others)) return false;
    if (!others && threadIdx.x % kWarp == 0) atomicMax(as_count(flag_), Count{1});
    return true;
  }

 private:
  static constexpr unsigned kLooksApart = 16;

  int64_t* flag_;
  unsigned turns_ = 0;
  bool outside_ = false;
};

}  // namespace fastmetrics
