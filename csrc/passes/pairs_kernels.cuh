// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the pairs pass.
//
// Sums are float64, in an order that depends on the sizes alone: which thread has which pairs, then the threads of a
// block and the blocks in order. So the same data gives the same bits on every card, whatever its addresses.
//
// A thread's pilot is the first pair that it counts. Its moments are those of the distances from there, and become
// moments about the mean before they meet those of another thread.

#pragma once

#include "common/device.cuh"
#include "passes/pairs.h"

namespace fastmetrics {

// Neighbouring pairs of a thread.
constexpr int kPairs = 4;

// Sums that are asked for, beside the error kinds, whose bits come first.
enum : unsigned { kAskMoments = 1u << 16, kAskExtremes = 1u << 17, kAskDeviance = 1u << 18, kAskEvents = 1u << 19 };

// Of a block: for each kind of fault how many there are, and kNoPlace less the place of the first.
constexpr int kBlockFaults = 2 * kKindsOfFault;

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

// Adds the sums of the threads that have the same column, in order, to those of row 0. of_block: [kThreads].
__device__ __forceinline__ void add_rows(int columns, PairsSums* of_block) {
  __syncthreads();
  for (int width = kThreads / 2; width >= columns; width /= 2) {
    if (static_cast<int>(threadIdx.x) < width) of_block[threadIdx.x].add(of_block[threadIdx.x + width]);
    __syncthreads();
  }
}

// Shared memory for PairsSums [kThreads], which has no constructor to run there.
#define FM_SUMS_OF_BLOCK(name)                                                       \
  __shared__ __align__(16) unsigned char name##_bytes[kThreads * sizeof(PairsSums)]; \
  PairsSums* const name = reinterpret_cast<PairsSums*>(name##_bytes)

// One output whose pairs are neighbours of one type. partial: [gridDim.x].
template <typename T, bool kMoments>
FM_KERNEL pairs_kernel(const PairsBatch b, bool wide, PairsSums* partial) {
  FM_SUMS_OF_BLOCK(of_block);
  const T* x = static_cast<const T*>(b.preds);
  const T* y = static_cast<const T*>(b.target);
  const int64_t pairs = b.layout.size[0], packs = pairs / kPairs;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  double squared = 0.0, absolute = 0.0;
  ShiftedSums sums;
  auto add = [&](double u, double v) {
    const double d = u - v;
    squared += d * d;
    absolute += fabs(d);
    if (kMoments) sums.add(u, v, 1.0);
  };
  auto add_pack = [&](const Pack<T, kPairs>& u, const Pack<T, kPairs>& v) {
#pragma unroll
    for (int j = 0; j < kPairs; ++j) add(widen(u.at[j]), widen(v.at[j]));
  };
  const int64_t rest = packs * kPairs + first;
  if (kMoments) {
    if (first < packs) {
      sums.start(widen(x[first * kPairs]), widen(y[first * kPairs]));
    } else if (rest < pairs) {
      sums.start(widen(x[rest]), widen(y[rest]));
    }
  }
  int64_t i = first;
  for (; i + stride < packs; i += 2 * stride) {
    const auto x0 = load_four(x + i * kPairs, wide), x1 = load_four(x + (i + stride) * kPairs, wide);
    const auto y0 = load_four(y + i * kPairs, wide), y1 = load_four(y + (i + stride) * kPairs, wide);
    add_pack(x0, y0);
    add_pack(x1, y1);
  }
  if (i < packs) add_pack(load_four(x + i * kPairs, wide), load_four(y + i * kPairs, wide));
  if (rest < pairs) add(widen(x[rest]), widen(y[rest]));
  PairsSums all;
  all.errors[kSquaredError] = squared;
  all.errors[kAbsoluteError] = absolute;
  all.moments = sums.moments();
  of_block[threadIdx.x] = all;
  add_rows(1, of_block);
  if (threadIdx.x != 0) return;
  // the pairs of this block are counted at once
  if (blockIdx.x == 0) of_block[0].count = static_cast<double>(pairs);
  partial[blockIdx.x] = of_block[0];
}

// Any types, strides and outputs, weights, masks and sums. A block is `columns` outputs (a power of two) by
// kThreads / columns pairs; `chunks` blocks in a row have all outputs. Sums are in shared memory, since no thread has
// the registers for all of them. partial: [gridDim.x / chunks, D]; faults: [gridDim.x, kBlockFaults] or null.
FM_KERNEL
pairs_strided_kernel(const PairsBatch b, int columns, int64_t chunks, unsigned asked, PairsSums* partial,
                     Count* faults) {
  FM_SUMS_OF_BLOCK(of_block);
  __shared__ Count bad[kBlockFaults];
  if (threadIdx.x < kBlockFaults) bad[threadIdx.x] = 0;
  of_block[threadIdx.x] = PairsSums();
  __syncthreads();
  PairsSums* const mine = of_block + threadIdx.x;
  const int rows = kThreads / columns;
  const int64_t output = blockIdx.x % chunks * columns + static_cast<int>(threadIdx.x) % columns;
  const int64_t pairs = b.layout.samples(), part = blockIdx.x / chunks, stride = gridDim.x / chunks * rows;
  ShiftedSums sums;
  auto add_bad = [&](int which, int64_t pair) {
    atomicAdd(bad + 2 * which, Count{1});
    atomicMax(bad + 2 * which + 1, static_cast<Count>(kNoPlace - (pair * b.outputs + output)));
  };
  const int64_t begin = output < b.outputs ? part * rows + static_cast<int>(threadIdx.x) / columns : pairs;
  for (int64_t i = begin; i < pairs; i += stride) {
    if (b.valid != nullptr && !b.valid[b.layout.offset(i, b.layout.c_stride) + output * b.c_output]) continue;
    double w = 1.0;
    if (b.weights != nullptr) {
      w = b.weights[b.layout.offset(i, b.layout.d_stride) + output * b.d_output];
      if (!(w >= 0.0 && w < INFINITY)) add_bad(kBadWeight, i);
      if (!(w > 0.0 && w < INFINITY)) continue;
    }
    int64_t of_preds, of_target;
    b.layout.locate(i, &of_preds, &of_target);
    const double x = value_at(b.preds, b.preds_type, of_preds + output * b.a_output);
    const double y = value_at(b.target, b.target_type, of_target + output * b.b_output);
    mine->count += w;
    if (asked & kAskMoments) {
      if (sums.n == 0.0) sums.start(x, y);
      sums.add(x, y, w);
    }
    if (asked & kAskExtremes) {
      const double here[] = {1.0, y, y};
      add_extremes(here, mine->extremes);
    }
    LibraryMath math;
#pragma unroll 1
    for (int kind = 0; kind < kErrorKinds; ++kind) {
      if (!(asked >> kind & 1u)) continue;
      double error = 0.0;
      with_rule(kind, b.p, [&](auto rule) { error = error_of<decltype(rule)::value>(x, y, b.p, math); });
      mine->errors[kind] += w * error;
    }
    if (asked & kAskDeviance) {
      const bool bad_x = outside_of_preds(x, b.power), bad_y = outside_of_target(y, b.power);
      if (bad_x) add_bad(kBadPreds, i);
      if (bad_y) add_bad(kBadTarget, i);
      if (!bad_x && !bad_y) {
        double value = 0.0;
        with_form(b.power, [&](auto form) { value = deviance_of<decltype(form)::value>(x, y, b.power, math); });
        mine->deviance[0] += w * value;
        mine->deviance[1] += w;
      }
    }
    if (asked & kAskEvents) {
      const bool predicted = x >= b.preds_threshold, happened = y >= b.target_threshold;
      if (predicted || happened) mine->events[predicted ? (happened ? 0 : 2) : 1] += w;
    }
  }
  mine->moments = sums.moments();
  add_rows(columns, of_block);
  if (static_cast<int>(threadIdx.x) < columns && output < b.outputs) partial[part * b.outputs + output] = *mine;
  if (faults != nullptr && threadIdx.x < kBlockFaults) {
    faults[static_cast<int64_t>(blockIdx.x) * kBlockFaults + threadIdx.x] = bad[threadIdx.x];
  }
}

// Adds the sums of all parts to the states; a block has one output after another. partial: [parts, D].
FM_KERNEL pairs_add_kernel(const PairsSums* partial, int64_t parts, int64_t outputs, PairsStates s) {
  FM_SUMS_OF_BLOCK(of_block);
  for (int64_t output = blockIdx.x; output < outputs; output += gridDim.x) {
    of_block[threadIdx.x] = PairsSums();
    for (int64_t part = threadIdx.x; part < parts; part += kThreads) {
      of_block[threadIdx.x].add(partial[part * outputs + output]);
    }
    add_rows(1, of_block);
    if (threadIdx.x == 0) of_block[0].add_to(s, output);
    __syncthreads();  // of_block has been read
  }
}

// Adds the faults of all blocks to the record, a warp for each kind. of_blocks: [blocks, kBlockFaults].
FM_KERNEL pairs_faults_kernel(const PairsBatch b, const Count* of_blocks, int64_t blocks, int64_t* faults) {
  const int which = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
  if (which >= kKindsOfFault) return;
  Count count = 0, nearest = 0;
  for (int64_t block = lane; block < blocks; block += kWarp) {
    const Count* of_block = of_blocks + block * kBlockFaults + 2 * which;
    count += of_block[0];
    nearest = of_block[1] > nearest ? of_block[1] : nearest;
  }
  count = sum_of_warp(count);
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const Count other = __shfl_down_sync(kAllLanes, nearest, offset);
    nearest = other > nearest ? other : nearest;
  }
  if (lane != 0 || count == 0) return;
  if (faults[2 * which] == 0) {
    const int64_t place = kNoPlace - static_cast<int64_t>(nearest), pair = place / b.outputs;
    const int64_t output = place % b.outputs;
    int64_t of_preds, of_target;
    b.layout.locate(pair, &of_preds, &of_target);
    double value;
    if (which == kBadWeight) {
      value = b.weights[b.layout.offset(pair, b.layout.d_stride) + output * b.d_output];
    } else if (which == kBadPreds) {
      value = value_at(b.preds, b.preds_type, of_preds + output * b.a_output);
    } else {
      value = value_at(b.target, b.target_type, of_target + output * b.b_output);
    }
    faults[2 * which + 1] = static_cast<int64_t>(bits_of(value));
  }
  faults[2 * which] += static_cast<int64_t>(count);
}

}  // namespace fastmetrics
