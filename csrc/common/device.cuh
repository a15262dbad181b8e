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
// As many as are said; but for the cards where it would spill then, or that have not so many threads.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1200
#define FM_KERNEL_OF(blocks) FM_KERNEL
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define FM_KERNEL_OF(blocks) __global__ void __launch_bounds__(kThreads, (blocks) < 4 ? (blocks) : 4)
#else
#define FM_KERNEL_OF(blocks) __global__ void __launch_bounds__(kThreads, blocks)
#endif
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

// CUDA's atomics know no int64_t; adding to a two's complement is the same.
using Count = unsigned long long;
__device__ __forceinline__ Count* as_count(int64_t* state) { return reinterpret_cast<Count*>(state); }

// A number that is kept in registers, and not worked out again in every round of a loop.
__device__ __forceinline__ int64_t kept(int64_t x) {
#ifdef __CUDA_ARCH__
  asm("" : "+l"(x));
#endif
  return x;
}

// What is loaded before stays so, and does not wait behind a branch for what was loaded with it.
__device__ __forceinline__ void load_before() {
#ifdef __CUDA_ARCH__
  asm volatile("" ::: "memory");
#endif
}

// N neighbours that are loaded at once; their address must be a multiple of their size, or of 16 bytes.
template <typename T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
  T at[N];
};

template <typename T, int N>
__device__ __forceinline__ Pack<T, N> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, N>*>(from);
}

// What arithmetic on T is done in.
template <typename T>
using WidenedTo = decltype(widen(T{}));

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

// What a thread finds to be bad, in registers: `which` is a constant wherever it is called.
class BadOnes {
 public:
  __device__ __forceinline__ void add(int which, int64_t place) {
    ++count_[which];
    if (place < first_[which]) first_[which] = place;
  }

  // Adds to the scratch of a record, counts [kKindsOfFault] and first places as kNoPlace - place; zero at first. All
  // threads of the block call it. What thread 0 does is all that is done, and is ordered before what it does next.
  __device__ __forceinline__ void close(int64_t* counts, int64_t* places) const {
    if (!__syncthreads_or(count_[kBadTarget] | count_[kBadPreds] | count_[kBadWeight])) return;
    __shared__ Count of_block[2 * kKindsOfFault];
    if (threadIdx.x < 2 * kKindsOfFault) of_block[threadIdx.x] = 0;
    __syncthreads();
#pragma unroll
    for (int which = 0; which < kKindsOfFault; ++which) {
      if (count_[which] == 0) continue;
      atomicAdd(of_block + 2 * which, Count{count_[which]});
      atomicMax(of_block + 2 * which + 1, static_cast<Count>(kNoPlace - first_[which]));
    }
    __syncthreads();
    if (threadIdx.x != 0) return;
    for (int which = 0; which < kKindsOfFault; ++which) {
      if (of_block[2 * which] == 0) continue;
      atomicAdd(as_count(counts + which), of_block[2 * which]);
      atomicMax(as_count(places + which), of_block[2 * which + 1]);
    }
  }

  // The same to the scratch of `faults`, int64 [kFaults] or null.
  __device__ __forceinline__ void close(int64_t* faults) const {
    if (faults != nullptr) close(faults + kScratchCount, faults + kScratchPlace);
  }

 private:
  uint32_t count_[kKindsOfFault] = {};
  int64_t first_[kKindsOfFault] = {kNoPlace, kNoPlace, kNoPlace};
};

// Move what is in the scratch to the record, and empty it; one thread, when all faults are in. value_at(which, place)
// is the bad value.
template <typename ValueAt>
__device__ __forceinline__ void record_faults(int64_t* faults, const ValueAt& value_at) {
  for (int which = 0; which < kKindsOfFault; ++which) {
    const int64_t count = faults[kScratchCount + which], place = faults[kScratchPlace + which];
    if (count == 0) continue;
    faults[kScratchCount + which] = faults[kScratchPlace + which] = 0;
    if (faults[2 * which] == 0) faults[2 * which + 1] = value_at(which, kNoPlace - place);
    faults[2 * which] += count;
  }
}

// A value that other blocks may change meanwhile.
__device__ __forceinline__ int64_t shared_value(int64_t* from) {
#ifdef __CUDA_ARCH__
  int64_t value;
  asm volatile("ld.relaxed.gpu.global.s64 %0, [%1];" : "=l"(value) : "l"(from) : "memory");
  return value;
#else
  return static_cast<int64_t>(atomicAdd(as_count(from), Count{0}));
#endif
}

// The same, and what the threads did that added to it comes before what the calling one does next.
__device__ __forceinline__ int64_t ordered_value(int64_t* from) {
#ifdef __CUDA_ARCH__
  int64_t value;
  asm volatile("ld.acquire.gpu.global.s64 %0, [%1];" : "=l"(value) : "l"(from) : "memory");
  return value;
#else
  __threadfence();
  const int64_t value = shared_value(from);
  __threadfence();
  return value;
#endif
}

// How many blocks took a ticket before. What the calling thread did comes before what the threads do that take a later
// one. A fence in its place would make every other addition to a state wait for its result, from sm_90 on.
__device__ __forceinline__ Count take_ticket(int64_t* tickets) {
#ifdef __CUDA_ARCH__
  Count before;
  asm volatile("atom.acq_rel.gpu.global.add.u64 %0, [%1], 1;" : "=l"(before) : "l"(tickets) : "memory");
  return before;
#else
  __threadfence();
  const Count before = atomicAdd(as_count(tickets), Count{1});
  __threadfence();
  return before;
#endif
}

// Adds a ticket for those who look with ordered_value.
__device__ __forceinline__ void leave_ticket(int64_t* tickets) {
#ifdef __CUDA_ARCH__
  asm volatile("red.release.gpu.global.add.u64 [%0], 1;" : : "l"(tickets) : "memory");
#else
  take_ticket(tickets);
#endif
}

// Whether the block is the last of `blocks` that come here, for all of its threads, which all call it: then what the
// others did before is done, and can be read. ticket: zero before, and after the last one.
__device__ __forceinline__ bool comes_last(int64_t blocks, int64_t* ticket) {
  __syncthreads();  // what the block did is done before thread 0 says so
  bool last = false;
  if (threadIdx.x == 0) {
    last = take_ticket(ticket) == static_cast<Count>(blocks - 1);
    if (last) atomicExch(as_count(ticket), Count{0});
  }
  return __syncthreads_or(last) != 0;
}

// Close `bad` and record it, for a kernel that is alone: the block that finishes last does it. All threads of all
// blocks call it.
template <typename ValueAt>
__device__ __forceinline__ void record_faults_last(int64_t* faults, const BadOnes& bad, const ValueAt& value_at) {
  if (faults == nullptr) return;
  bad.close(faults);
  if (threadIdx.x != 0) return;
  if (take_ticket(faults + kScratchBlocks) != gridDim.x - 1) return;
  record_faults(faults, value_at);
  atomicExch(as_count(faults + kScratchBlocks), Count{0});
}

}  // namespace fastmetrics
