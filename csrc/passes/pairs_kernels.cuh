// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the pairs pass.
//
// Sums are float64, in an order that depends on the sizes alone: which thread has which pairs, then lanes, warps and
// blocks in order. So the same data gives the same bits on every card, whatever its addresses.

#pragma once

#include "common/device.cuh"
#include "passes/pairs.h"

namespace fastmetrics {

// Neighbouring pairs of a thread.
constexpr int kPairs = 4;

// Four neighbours, at once if `wide`: their address is a multiple of 16 bytes, or of their size if that is less.
template <typename T>
__device__ __forceinline__ Pack<T, kPairs> load_four(const T* from, bool wide) {
  if (wide) return load_pack<T, kPairs>(from);
  return {from[0], from[1], from[2], from[3]};
}

// An element of any type.
__device__ __forceinline__ double value_at(const void* data, DType type, int64_t offset) {
  double value = 0.0;
  if (is_floating(type)) {
    with_score_type(type, [&](auto t) { value = widen(static_cast<const decltype(t)*>(data)[offset]); });
  } else if (type == DType::kUInt64) {
    value = static_cast<double>(static_cast<const uint64_t*>(data)[offset]);
  } else {
    value = static_cast<double>(label_at(data, type, offset));
  }
  return value;
}

struct ErrorSums {
  double squared = 0.0, absolute = 0.0;

  __device__ void add(double x, double y) {
    const double d = x - y;
    squared += d * d;
    absolute += fabs(d);
  }
  __device__ void add(const ErrorSums& other) {
    squared += other.squared;
    absolute += other.absolute;
  }
};

// Sums over the threads that have the same column, in order, for row 0. of_block: [kThreads].
__device__ __forceinline__ ErrorSums sum_of_rows(ErrorSums mine, int columns, ErrorSums* of_block) {
  of_block[threadIdx.x] = mine;
  __syncthreads();
  for (int width = kThreads / 2; width >= columns; width /= 2) {
    if (static_cast<int>(threadIdx.x) < width) of_block[threadIdx.x].add(of_block[threadIdx.x + width]);
    __syncthreads();
  }
  return of_block[threadIdx.x];
}

// One output whose pairs are neighbours of one type. partial: [gridDim.x].
template <typename T>
FM_KERNEL pairs_kernel(const PairsBatch b, bool wide, ErrorSums* partial) {
  __shared__ ErrorSums of_block[kThreads];
  const T* x = static_cast<const T*>(b.preds);
  const T* y = static_cast<const T*>(b.target);
  const int64_t pairs = b.layout.size[0], packs = pairs / kPairs;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  ErrorSums sums[kPairs];
  auto add = [&](const Pack<T, kPairs>& u, const Pack<T, kPairs>& v) {
#pragma unroll
    for (int j = 0; j < kPairs; ++j) sums[j].add(widen(u.at[j]), widen(v.at[j]));
  };
  int64_t i = first;
  for (; i + stride < packs; i += 2 * stride) {
    const auto x0 = load_four(x + i * kPairs, wide), x1 = load_four(x + (i + stride) * kPairs, wide);
    const auto y0 = load_four(y + i * kPairs, wide), y1 = load_four(y + (i + stride) * kPairs, wide);
    add(x0, y0);
    add(x1, y1);
  }
  if (i < packs) add(load_four(x + i * kPairs, wide), load_four(y + i * kPairs, wide));
  const int64_t rest = packs * kPairs + first;
  if (rest < pairs) sums[0].add(widen(x[rest]), widen(y[rest]));
  for (int j = 1; j < kPairs; ++j) sums[0].add(sums[j]);
  const ErrorSums sum = sum_of_rows(sums[0], 1, of_block);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// Any types, strides and outputs. A block is `columns` outputs (a power of two) by kThreads / columns pairs; `chunks`
// blocks in a row have all outputs. partial: [gridDim.x / chunks, D].
FM_KERNEL
pairs_strided_kernel(const PairsBatch b, int columns, int64_t chunks, ErrorSums* partial) {
  __shared__ ErrorSums of_block[kThreads];
  const int rows = kThreads / columns;
  const int64_t output = blockIdx.x % chunks * columns + static_cast<int>(threadIdx.x) % columns;
  const int64_t pairs = b.layout.samples(), part = blockIdx.x / chunks, stride = gridDim.x / chunks * rows;
  ErrorSums sums;
  if (output < b.outputs) {
    for (int64_t i = part * rows + static_cast<int>(threadIdx.x) / columns; i < pairs; i += stride) {
      int64_t of_preds, of_target;
      b.layout.locate(i, &of_preds, &of_target);
      sums.add(value_at(b.preds, b.preds_type, of_preds + output * b.a_output),
               value_at(b.target, b.target_type, of_target + output * b.b_output));
    }
  }
  sums = sum_of_rows(sums, columns, of_block);
  if (static_cast<int>(threadIdx.x) < columns && output < b.outputs) partial[part * b.outputs + output] = sums;
}

// Adds the sums of all parts to the state; a block has one output after another. partial: [parts, D].
FM_KERNEL
pairs_add_kernel(const ErrorSums* partial, int64_t parts, int64_t outputs, int64_t pairs, int64_t* count,
                 PairsSums to) {
  __shared__ ErrorSums of_block[kThreads];
  for (int64_t output = blockIdx.x; output < outputs; output += gridDim.x) {
    ErrorSums sums;
    for (int64_t part = threadIdx.x; part < parts; part += kThreads) sums.add(partial[part * outputs + output]);
    sums = sum_of_rows(sums, 1, of_block);
    if (threadIdx.x == 0) {
      if (to.squared != nullptr) to.squared[output] += sums.squared;
      if (to.absolute != nullptr) to.absolute[output] += sums.absolute;
    }
    __syncthreads();  // of_block has been read
  }
  if (blockIdx.x == 0 && threadIdx.x == 0) *count += pairs;
}

}  // namespace fastmetrics
