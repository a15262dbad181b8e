// SPDX-License-Identifier: Apache-2.0
//
// Small kernels that use what the emulator offers, right and wrong, for test_emulator.py.

#include "probe.h"

#include "common/divisor.h"

#include <cuda_pipeline_primitives.h>

#include "common/launch.cuh"

namespace fastmetrics {
namespace {

// What the compiler says of it, for numbers of which none would fit in 32 bits, and the least.
constexpr bool divides(int64_t n, int64_t by) {
  int64_t rest = -1;
  return Divisor(by).divide(n, &rest) == n / by && rest == n % by;
}
static_assert(divides(0, 1) && divides(1, 1) && divides(INT64_MAX, 1) && divides(6, 7) && divides(7, 7));
static_assert(divides(INT64_MAX, 3) && divides(INT64_MAX - 1, 3) && divides(INT64_MAX - 2, 3));
static_assert(divides(INT64_MAX, INT64_MAX) && divides(INT64_MAX - 1, INT64_MAX) &&
              divides(INT64_MAX, int64_t{1} << 62));
static_assert(divides(int64_t{1} << 40, 1000003) && divides((int64_t{1} << 40) * 1000003, 1000003));
static_assert(divides((int64_t{1} << 40) * 1000003 - 1, 1000003) && divides(INT64_MAX, (int64_t{1} << 33) + 1));

}  // namespace

// Each lane writes what an operation gave it. out: int64 [kThreads].
FM_KERNEL warp_probe_kernel(int what, int64_t* out) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const bool even = lane % 2 == 0;
  const unsigned half = even ? 0x55555555u : 0xaaaaaaaau;
  int64_t got = 0;
  int all = 0;
  switch (what) {
    case 0:
      got = __shfl_sync(kAllLanes, lane * 10, 3);
      break;
    case 1:
      got = __shfl_sync(kAllLanes, lane, 2, 8);
      break;
    case 2:
      got = __shfl_up_sync(kAllLanes, lane, 1, 16);
      break;
    case 3:
      got = __shfl_down_sync(kAllLanes, static_cast<int64_t>(lane), 2);
      break;
    case 4:
      got = static_cast<int64_t>(__shfl_xor_sync(kAllLanes, static_cast<double>(lane), 5));
      break;
    case 5:  // two groups of lanes, each by itself
      got = even ? __reduce_add_sync(half, lane) : __reduce_max_sync(half, lane);
      break;
    case 6:
      got = __ballot_sync(kAllLanes, lane % 3 == 0);
      break;
    case 7:
      got = __match_any_sync(kAllLanes, lane / 8);
      break;
    case 8:
      got = __match_all_sync(half, lane % 2, &all) * int64_t{10} + all;
      break;
    case 9:
      got = __any_sync(kAllLanes, lane == 7) * 2 + __all_sync(kAllLanes, lane < 31);
      break;
    case 10:
      got = __syncthreads_count(lane < 5) * 4 + __syncthreads_and(lane < 32) * 2 + __syncthreads_or(lane == 40);
      break;
    default:
      break;
  }
  out[threadIdx.x] = got;
}

// What a GPU leaves undefined. out: int64 [kThreads].
FM_KERNEL wrong_probe_kernel(int what, int64_t* out) {
  extern __shared__ __align__(16) unsigned char shared[];
  __shared__ int values[kThreads];
  const int thread = static_cast<int>(threadIdx.x), lane = thread % kWarp;
  int* const words = reinterpret_cast<int*>(shared);  // [kThreads], as launched
  values[thread] = thread;
  switch (what) {
    case 0:  // half of the threads
      if (thread < kThreads / 2) __syncthreads();
      break;
    case 1:  // two barriers that are not one
      if (lane < 16) {
        __syncthreads();
      } else {
        __syncthreads();
      }
      break;
    case 2:  // lane 16 is not in the mask
      if (lane < 16) out[thread] = __shfl_down_sync(0xffffu, lane, 1);
      break;
    case 3:
      if (lane < 16) {
        out[thread] = __shfl_sync(kAllLanes, lane, 0);
      } else {
        out[thread] = __ballot_sync(kAllLanes, lane);
      }
      break;
    case 4:  // who has left does not answer
      if (lane == 5) return;
      out[thread] = __shfl_sync(kAllLanes, lane, 5);
      break;
    case 5:  // one waits for its warp, which waits for the block
      if (lane == 0) __syncwarp();
      __syncthreads();
      break;
    case 6:
      words[thread + 1] = thread;
      break;
    case 7:
      out[thread] = words[thread];
      break;
    case 8:
      out[thread] = values[thread ^ 32];
      break;
    case 9:
      words[0] = thread;
      break;
    case 10:
      out[0] += 1;
      break;
    case 11:
      __syncthreads();
      if (thread == 40) {
        values[0] = 1;
      } else {
        atomicAdd(values, 1);
      }
      break;
    case 12:
      out[thread] = *reinterpret_cast<const int64_t*>(shared + 4 + 8 * (thread / 4));
      break;
    case 13:
      out[thread + 1] = 0;
      break;
    default:  // a barrier of the warp orders its lanes, and no others
      __syncwarp();
      out[thread] = values[thread ^ (what == 14 ? 1 : 64)];
      break;
  }
}

// Copies that nobody waits for, and when they land. in, out: int64 [kThreads].
FM_KERNEL copy_probe_kernel(int what, const int64_t* in, int64_t* out) {
  __shared__ __align__(16) int64_t values[2][kThreads];
  const int thread = static_cast<int>(threadIdx.x), neighbour = thread ^ 1;
  const bool first = thread % 2 == 0;
  values[0][thread] = -1;
  values[1][thread] = -2;
  if (what != 7) __syncwarp();
  __pipeline_memcpy_async(values[0] + (what == 7 ? neighbour : thread), in + thread, what == 9 ? 6 : 8);
  if (what != 2) __pipeline_commit();
  if (what == 3) __pipeline_memcpy_async(values[1] + thread, in + neighbour, 8);
  if (what == 3) __pipeline_commit();
  if (what == 8) __syncwarp();
  if (what == 8 && !first) out[thread] = values[0][neighbour];
  if (what == 10 && first) __pipeline_memcpy_async(values[1] + thread, in + thread + 1, 16);
  if (what != 1) __pipeline_wait_prior(what == 3 || what == 4 ? 1 : 0);
  switch (what) {
    case 5:
      __syncwarp();
      out[thread] = values[0][neighbour];
      break;
    case 6:
      out[thread] = values[0][neighbour];
      break;
    case 8:
      break;
    default:
      out[thread] = values[0][thread] * 1000 + values[1][thread];
      break;
  }
}

// The block that is last adds what all have written. fences: 1 before the count, 2 after it. out: int64 [gridDim.x].
FM_KERNEL last_probe_kernel(int fences, int64_t* out, Count* finished, int64_t* sum) {
  __shared__ bool last;
  if (threadIdx.x == 0) {
    out[blockIdx.x] = blockIdx.x + 1;
    if (fences & 1) __threadfence();
    last = atomicAdd(finished, Count{1}) == gridDim.x - 1;
    if (fences & 2) __threadfence();
  }
  __syncthreads();
  if (last && threadIdx.x == 32) {
    for (unsigned i = 0; i < gridDim.x; ++i) *sum += out[i];
  }
}

cudaError_t launch_warp_probe(int what, int64_t* out) {
  return launch(warp_probe_kernel, dim3(1), 0, nullptr, what, out);
}

cudaError_t launch_wrong_probe(int what, int64_t* out) {
  return launch(wrong_probe_kernel, dim3(what == 10 ? 2 : 1), kThreads * sizeof(int), nullptr, what, out);
}

cudaError_t launch_copy_probe(int what, const int64_t* in, int64_t* out) {
  return launch(copy_probe_kernel, dim3(1), 0, nullptr, what, in, out);
}

cudaError_t launch_last_probe(int fences, int64_t blocks, int64_t* out, int64_t* finished, int64_t* sum) {
  return launch(last_probe_kernel, dim3(static_cast<unsigned>(blocks)), 0, nullptr, fences, out,
                reinterpret_cast<Count*>(finished), sum);
}

}  // namespace fastmetrics
