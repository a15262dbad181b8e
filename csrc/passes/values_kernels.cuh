// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the values pass.
//
// Sums are float64, in an order that depends on the sizes alone: which thread has which values, then the threads of a
// block and the blocks in order. So the same data gives the same bits on every card, whatever its addresses.

#pragma once

#include <cmath>
#include <type_traits>

#include "common/device.cuh"
#include "common/real.h"
#include "passes/values.h"

namespace fastmetrics {

// Neighbouring values of a thread.
constexpr int kValues = 4;

// Sums over the block, for thread 0. of_block: [kThreads].
__device__ __forceinline__ Extent extent_of_block(const Extent& mine, Extent* of_block) {
  of_block[threadIdx.x] = mine;
  __syncthreads();
  for (int width = kThreads / 2; width > 0; width /= 2) {
    if (static_cast<int>(threadIdx.x) < width) of_block[threadIdx.x].add(of_block[threadIdx.x + width]);
    __syncthreads();
  }
  return of_block[0];
}

// Dynamic shared memory for Extent [kThreads].
#define FM_EXTENTS_OF_BLOCK(name)                         \
  extern __shared__ __align__(16) unsigned char shared[]; \
  Extent* const name = reinterpret_cast<Extent*>(shared)

// Where the extents of blocks meet. of: [gridDim.x] if that is not 1; ticket: see comes_last.
struct ExtentsOfBlocks {
  Extent* of;
  int64_t* ticket;
  ValuesStates states;

  // Adds those of all threads to the states, in the block that comes last; all threads call it.
  __device__ __forceinline__ void add(const Extent& mine, Extent* of_block) const {
    Extent all = extent_of_block(mine, of_block);
    if (gridDim.x > 1) {
      if (threadIdx.x == 0) of[blockIdx.x] = all;
      if (!comes_last(gridDim.x, ticket)) return;
      Extent parts;
#pragma unroll 1
      for (unsigned part = threadIdx.x; part < gridDim.x; part += kThreads) parts.add(of[part]);
      all = extent_of_block(parts, of_block);
    }
    if (threadIdx.x == 0) states.add(all);
  }
};

// What a thread has of values whose weight is 1. NaN is only counted, and what it stands for is added at the end.
template <typename T>
class Running {
 public:
  using W = WidenedTo<T>;

  __device__ __forceinline__ void add(T value) {
    const W x = widen(value);
    const bool nan = x != x;
    nans_ += nan;
    sum_ += static_cast<double>(nan ? W(0) : x);
    if constexpr (std::is_same<W, float>::value) {
      low_ = fminf(x, low_);  // of NaN and a number, the number
      high_ = fmaxf(x, high_);
    } else {
      low_ = x < low_ ? x : low_;
      high_ = x > high_ ? x : high_;
    }
  }

  // seen: how many values there were.
  __device__ Extent extent(int64_t seen, const NanRule& rule) const {
    Extent all;
    all.sum = sum_;
    all.weight = static_cast<double>(seen - nans_);
    all.low = low_;
    all.high = high_;
    if (nans_ == 0) return all;
    all.sum += rule.product * nans_;
    all.weight += rule.weight * nans_;
    all.low = lesser(rule.low, all.low);
    all.high = greater(rule.high, all.high);
    all.nans = rule.keep ? 0 : nans_;
    return all;
  }

 private:
  double sum_ = 0.0;
  W low_ = static_cast<W>(INFINITY), high_ = -static_cast<W>(INFINITY);
  uint32_t nans_ = 0;
};

// Values that are neighbours of a floating type, without weights and mask; `wide` if the address is aligned as a pack
// is.
template <typename T>
FM_KERNEL_OF(4)
values_kernel(const ValuesBatch b, bool wide, const ExtentsOfBlocks to) {
  FM_EXTENTS_OF_BLOCK(of_block);
  const T* x = static_cast<const T*>(b.values);
  const int64_t n = b.layout.size[0], packs = n / kValues;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  Running<T> running;
  int64_t seen = 0;
  auto load = [&](int64_t pack) -> Pack<T, kValues> {
    const T* from = x + pack * kValues;
    if (wide) return load_pack<T, kValues>(from);
    return {from[0], from[1], from[2], from[3]};
  };
  auto add = [&](const Pack<T, kValues>& pack) {
#pragma unroll
    for (int j = 0; j < kValues; ++j) running.add(pack.at[j]);
    seen += kValues;
  };
  int64_t i = first;
  for (; i + 3 * stride < packs; i += 4 * stride) {
    Pack<T, kValues> pack[4];
#pragma unroll
    for (int u = 0; u < 4; ++u) pack[u] = load(i + u * stride);
#pragma unroll
    for (int u = 0; u < 4; ++u) add(pack[u]);
  }
#pragma unroll 1
  for (; i < packs; i += stride) add(load(i));
  const int64_t rest = packs * kValues + first;
  if (rest < n) {
    running.add(x[rest]);
    ++seen;
  }
  to.add(running.extent(seen, b.nans), of_block);
}

// Any types, strides, weights and mask.
FM_KERNEL_OF(6)
values_strided_kernel(const ValuesBatch b, const ExtentsOfBlocks to) {
  FM_EXTENTS_OF_BLOCK(of_block);
  const int64_t n = b.layout.samples(), stride = static_cast<int64_t>(gridDim.x) * kThreads;
  Extent mine;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < n; i += stride) {
    if (b.valid != nullptr && !b.valid[b.layout.offset(i, b.layout.c_stride)]) continue;
    int64_t values_at, weights_at;
    b.layout.locate(i, &values_at, &weights_at);
    const double weight = b.weights == nullptr ? 1.0 : real_at(b.weights, b.weights_type, weights_at);
    mine.add(real_at(b.values, b.values_type, values_at), weight, b.nans);
  }
  to.add(mine, of_block);
}

}  // namespace fastmetrics
