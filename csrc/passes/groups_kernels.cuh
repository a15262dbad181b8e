// SPDX-License-Identifier: Apache-2.0
//
// The kernel over the groups of samples: how many samples each group has, or the rows of the samples of several
// slicings. Its meaning is count_groups_body and place_groups_body in fastmetrics/passes/groups.py.
//
// It is alone: the block that finishes last records the groups out of range. What is done with a sample is a class with
//   To: what it is given, and a constructor (to, how many groups, shared memory) that all threads of a block call;
//   left_out(i): whether slicings before this one say that sample i is;
//   add(i, group): sample i; the group is -1 where it is left out;
//   close(): all threads of the block call it, once each has done its part.

#pragma once

#include "common/cells.cuh"
#include "passes/sample_rows.h"

namespace fastmetrics {

// State: int64_t, or double, whose whole numbers come out the same in any order.
template <typename State>
class GroupCounter {
 public:
  struct To {
    State* counts;  // [S]
    int replicas;   // of them in shared memory; 0 for none
  };

  __device__ __forceinline__ GroupCounter(const To& to, int64_t count, unsigned char* shared)
      : counts_(reinterpret_cast<Card*>(to.counts)), near_(to.replicas > 0), cells_(shared, count, to.replicas) {}

  __device__ __forceinline__ bool left_out(int64_t) const { return false; }
  __device__ __forceinline__ void add(int64_t, int32_t group) {
    if (group < 0) return;
    if (near_) {
      cells_.add_near(group, 1u);
    } else {
      atomicAdd(counts_ + group, Card{1});
    }
  }
  __device__ __forceinline__ void close() { cells_.flush(counts_); }

 private:
  using Card = std::conditional_t<std::is_same<State, double>::value, double, Count>;
  Card* counts_;
  bool near_;
  CellsOfBlock<uint32_t> cells_;
};

class GroupPlacer {
 public:
  struct To {
    int32_t* rows;             // [K, samples]; a row of -1 is one in all slicings before this one
    int64_t slicing, samples;  // which one; how many
    int32_t start;             // the first of its rows
  };

  __device__ __forceinline__ GroupPlacer(const To& to, int64_t, unsigned char*) : to_(to) {}

  __device__ __forceinline__ bool left_out(int64_t i) const { return to_.slicing > 0 && to_.rows[i] < 0; }
  __device__ __forceinline__ void add(int64_t i, int32_t group) {
    to_.rows[to_.slicing * to_.samples + i] = group < 0 ? -1 : group + to_.start;
    if (group >= 0) return;
#pragma unroll 1
    for (int64_t k = 0; k < to_.slicing; ++k) to_.rows[k * to_.samples + i] = -1;
  }
  __device__ __forceinline__ void close() {}

 private:
  const To& to_;
};

// T: the type of groups, where a stride leads from each sample to the next one, in the mask too; void: any.
template <typename T, typename Sink>
FM_KERNEL groups_kernel(const SampleRows groups, const GroupsMask mask, const typename Sink::To to, int64_t* faults) {
  extern __shared__ __align__(16) unsigned char shared[];
  Sink sink(to, groups.count, shared);
  BadOnes bad;
  const int64_t samples = groups.layout.samples(), stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t k = 0; k < groups.slicings; ++k) {
    auto group_at = [&](int64_t i) -> int64_t {
      if constexpr (std::is_void<T>::value) {
        return groups.row_of(i, k);
      } else {
        return static_cast<const T*>(groups.data)[groups.slicing(k) + i * groups.layout.a_stride[0]];
      }
    };
    auto is_valid = [&](int64_t i) {
      if (mask.valid == nullptr) return true;
      if constexpr (std::is_void<T>::value) {
        return mask.valid[mask.layout.offset(i, mask.layout.a_stride)];
      } else {
        return mask.valid[i * mask.layout.a_stride[0]];
      }
    };
    auto take = [&](int64_t i, int64_t group, bool valid, bool left_out) {
      const bool inside = static_cast<uint64_t>(group) < static_cast<uint64_t>(groups.count);
      if (valid && !inside) bad.add(kBadTarget, k * samples + i);
      sink.add(i, valid && inside && !left_out ? static_cast<int32_t>(group) : -1);
    };
    constexpr int kAtOnce = std::is_void<T>::value ? 1 : 4;
    int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    for (; i + (kAtOnce - 1) * stride < samples; i += kAtOnce * stride) {
      int64_t group[kAtOnce];
      bool valid[kAtOnce], left_out[kAtOnce];
#pragma unroll
      for (int j = 0; j < kAtOnce; ++j) {
        group[j] = group_at(i + j * stride);
        valid[j] = is_valid(i + j * stride);
        left_out[j] = sink.left_out(i + j * stride);
      }
#pragma unroll
      for (int j = 0; j < kAtOnce; ++j) take(i + j * stride, group[j], valid[j], left_out[j]);
    }
#pragma unroll 1
    for (; i < samples; i += stride) take(i, group_at(i), is_valid(i), sink.left_out(i));
  }
  sink.close();
  if (faults == nullptr) return;
  bad.close(faults);
  if (threadIdx.x != 0 || take_ticket(faults + kScratchBlocks) != gridDim.x - 1) return;
  atomicExch(as_count(faults + kScratchBlocks), Count{0});
  const int64_t count = faults[kScratchCount + kBadTarget], place = kNoPlace - faults[kScratchPlace + kBadTarget];
  if (count == 0) return;
  faults[kScratchCount + kBadTarget] = faults[kScratchPlace + kBadTarget] = 0;
  if (faults[2 * kBadGroup] == 0) faults[2 * kBadGroup + 1] = groups.row_of(place % samples, place / samples);
  faults[2 * kBadGroup] += count;
}

}  // namespace fastmetrics
