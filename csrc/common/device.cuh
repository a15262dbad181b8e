// SPDX-License-Identifier: Apache-2.0
//
// What the kernels share: wide loads, counters, reductions over lanes and the record of faults.

#pragma once

#include <cstdint>

#include "common/faults.h"
#include "rules/half.h"

namespace fastmetrics {

constexpr int kThreads = 256;  // of every block
// At least two blocks share a multiprocessor; without that hint nvcc keeps to 64 registers and spills.
#define FM_KERNEL __global__ void __launch_bounds__(kThreads, 2)
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

// CUDA's atomics know no int64_t; adding to a two's complement is the same.
using Count = unsigned long long;
__device__ __forceinline__ Count* as_count(int64_t* state) { return reinterpret_cast<Count*>(state); }

// N neighbours that are loaded at once; their address must be a multiple of their size, or of 16 bytes.
template <typename T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
  T at[N];
};

template <typename T, int N>
__device__ __forceinline__ Pack<T, N> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, N>*>(from);
}

// How many T are 16 bytes.
template <typename T>
constexpr int kPerLoad = 16 / sizeof(T);

// The sum over the warp, in lane 0. All lanes take part.
template <typename T>
__device__ __forceinline__ T sum_of_warp(T value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) value += __shfl_down_sync(kAllLanes, value, offset);
  return value;
}

// Whether a sample can be counted with this weight.
__device__ __forceinline__ bool good_weight(double weight) { return weight >= 0.0 && weight <= 1.7976931348623157e308; }

constexpr int64_t kNoPlace = INT64_MAX;

// Record that the element at `place` of the batch is bad. faults: int64 [kFaults] or null.
__device__ __forceinline__ void add_fault(int64_t* faults, int which, int64_t place) {
  if (faults == nullptr) return;
  atomicAdd(as_count(faults + kScratchCount + which), Count{1});
  atomicMax(as_count(faults + kScratchPlace + which), static_cast<Count>(kNoPlace - place));
}

// Move what is in the scratch to the record, and empty it; one thread, when all faults are in. value_at(which, place)
// is the bad value.
template <typename ValueAt>
__device__ __forceinline__ void record_faults(int64_t* faults, const ValueAt& value_at) {
  for (int which = 0; which < kKindsOfFault; ++which) {
    const Count count = atomicExch(as_count(faults + kScratchCount + which), Count{0});
    const Count place = atomicExch(as_count(faults + kScratchPlace + which), Count{0});
    if (count == 0) continue;
    if (faults[2 * which] == 0) faults[2 * which + 1] = value_at(which, kNoPlace - static_cast<int64_t>(place));
    faults[2 * which] += static_cast<int64_t>(count);
  }
}

// The same for a kernel that is alone: the block that finishes last does it. All threads of all blocks call it, after
// their last fault.
template <typename ValueAt>
__device__ __forceinline__ void record_faults_last(int64_t* faults, const ValueAt& value_at) {
  if (faults == nullptr) return;
  __threadfence();
  __syncthreads();
  if (threadIdx.x != 0) return;
  if (atomicAdd(as_count(faults + kScratchBlocks), Count{1}) != gridDim.x - 1) return;
  __threadfence();
  record_faults(faults, value_at);
  atomicExch(as_count(faults + kScratchBlocks), Count{0});
}

}  // namespace fastmetrics
