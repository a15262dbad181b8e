// SPDX-License-Identifier: Apache-2.0
//
// Rounds over a batch whose scores may be probabilities or logits, which is known only when all are read. The first
// takes them for probabilities, and stops as soon as one says otherwise, which mostly is among the first; the second
// takes them for logits.
//
// All rounds are one launch: its blocks are those of the first round, then those of the second, and then those that
// add what was found to the state, if that is not the end of the last round. Each has a number in the order in which
// they begin, so a block that waits for those of the round before waits for blocks that run.

#pragma once

#include "common/device.cuh"

namespace fastmetrics {

enum class Round { kOnly, kFirst, kSecond, kSums };

// Which block of a round the calling one is.
struct Turn {
  Round round;
  int block;

  // Which thread of its round the calling one is.
  __device__ __forceinline__ int64_t thread() const { return static_cast<int64_t>(block) * kThreads + threadIdx.x; }
};

// Scratch of the turns, int64, zero before and after: how many blocks have begun, how many are done with their round,
// and how many of the last ones are.
enum { kTurnsBegun = 0, kTurnsDone = 1, kTurnsOver = 2, kTurnsScratch = 3 };

struct Turns {
  bool either;       // whether there are two rounds
  int blocks;        // of a round
  int adders;        // blocks that add what was found to the state
  int64_t* scratch;  // [kTurnsScratch]; null if one round is all

  FM_HD int rounds() const { return either ? 2 : 1; }
  int64_t grid() const { return rounds() * static_cast<int64_t>(blocks) + adders; }

  // Of a round.
  __device__ __forceinline__ int64_t threads() const { return static_cast<int64_t>(blocks) * kThreads; }

  // The turn of the block, which begins: what the rounds before did is done. All threads call it, once.
  __device__ __forceinline__ Turn take() const {
    if (scratch == nullptr) return {Round::kOnly, static_cast<int>(blockIdx.x)};
    if (threadIdx.x == 0) {
      const int number = static_cast<int>(atomicAdd(as_count(scratch + kTurnsBegun), Count{1}));
      const int before = round_of(number) * blocks;
      while (before > 0 && ordered_value(scratch + kTurnsDone) < before) __nanosleep(kWait);
      number_of_block() = number;
    }
    __syncthreads();
    return current();
  }

  // The same turn again, for which loops then need no registers.
  __device__ __forceinline__ Turn current() const {
    if (scratch == nullptr) return {Round::kOnly, static_cast<int>(blockIdx.x)};
    const int round = round_of(number_of_block()), block = number_of_block() - round * blocks;
    if (round == rounds()) return {Round::kSums, block};
    return {!either ? Round::kOnly : round == 0 ? Round::kFirst : Round::kSecond, block};
  }

  // Says that the block is done with its round, when others wait for that; all threads call it.
  __device__ __forceinline__ void done() const {
    __syncthreads();
    if (threadIdx.x == 0) leave_ticket(scratch + kTurnsDone);
  }

  // Whether the block is the last of those that nobody waits for, for all its threads, which call it instead: then
  // nobody needs any scratch again, and this one is zero.
  __device__ __forceinline__ bool are_over() const {
    if (!comes_last(adders > 0 ? adders : blocks, scratch + kTurnsOver)) return false;
    if (threadIdx.x == 0) {
      scratch[kTurnsBegun] = 0;
      atomicExch(as_count(scratch + kTurnsDone), Count{0});
    }
    return true;
  }

 private:
  static constexpr unsigned kWait = 100;  // nanoseconds

  // In the order in which blocks begin.
  __device__ __forceinline__ static int& number_of_block() {
    __shared__ int number;
    return number;
  }
  __device__ __forceinline__ int round_of(int number) const {
    const int round = number / blocks;
    return round < rounds() ? round : rounds();
  }
};

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
