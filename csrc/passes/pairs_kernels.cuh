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
#include "passes/pairs_values.cuh"

namespace fastmetrics {

// Neighbouring pairs of a thread.
constexpr int kPairs = 4;

// Four neighbours, at once if `wide`: their address is a multiple of 16 bytes, or of their size if that is less.
template <typename T>
__device__ __forceinline__ Pack<T, kPairs> load_four(const T* from, bool wide) {
  if (wide) return load_pack<T, kPairs>(from);
  return {from[0], from[1], from[2], from[3]};
}

// What loops over neighbours have of the statistics of some pairs; see PairsSums.
template <bool kMoments>
struct SimpleSums {
  double count = 0.0, squared = 0.0, absolute = 0.0;
  Moments moments;

  __device__ __forceinline__ void add(const SimpleSums& other) {
    count += other.count;
    squared += other.squared;
    absolute += other.absolute;
    if (kMoments) moments = merged(moments, other.moments);
  }

  __device__ __forceinline__ void add_to(const PairsStates& s, int64_t) const {
    if (s.count != nullptr) *s.count += count;
    if (kMoments) store(merged(moments_at(s.moments), moments), s.moments);
    if (s.errors[kSquaredError] != nullptr) *s.errors[kSquaredError] += squared;
    if (s.errors[kAbsoluteError] != nullptr) *s.errors[kAbsoluteError] += absolute;
  }
};

// Out of line, because it has more in registers than the loops over pairs.
template <typename Sums>
__device__ __attribute__((noinline)) void add_sums(const Sums* from, Sums* to) {
  to->add(*from);
}

// Adds the sums of the threads that have the same column, in order, to those of row 0. of_block: [kThreads].
template <typename Sums>
__device__ __forceinline__ void add_rows(int columns, Sums* of_block) {
  __syncthreads();
  for (int width = kThreads / 2; width >= columns; width /= 2) {
    if (static_cast<int>(threadIdx.x) < width) add_sums(of_block + threadIdx.x + width, of_block + threadIdx.x);
    __syncthreads();
  }
}

// Shared memory for Sums [kThreads], which have no constructor to run there.
#define FM_SUMS_OF_BLOCK(Sums, name)                                            \
  __shared__ __align__(16) unsigned char name##_bytes[kThreads * sizeof(Sums)]; \
  Sums* const name = reinterpret_cast<Sums*>(name##_bytes)

// Where the sums of blocks meet: `parts` of them for each output. of: [parts, D] if there are several parts. tickets:
// one for each blocks that share outputs, see comes_last; null where a kernel of its own adds the parts.
template <typename Sums>
struct SumsOfBlocks {
  Sums* of;
  int64_t* tickets;
  int64_t parts, outputs;
  int together;  // outputs whose parts are added at once: a power of two
  PairsStates states;

  // Adds the sums of `columns` outputs from `first` on, which are in of_block, to the states: in the last one of the
  // blocks that share `ticket`. All threads of the block call it.
  __device__ __forceinline__ void add(int64_t part, int64_t first, int columns, int64_t ticket, Sums* of_block) const {
    const int64_t output = first + threadIdx.x;
    const bool mine = static_cast<int>(threadIdx.x) < columns && output < outputs;
    if (parts == 1) {
      if (mine) of_block[threadIdx.x].add_to(states, output);
      return;
    }
    if (mine) of[part * outputs + output] = of_block[threadIdx.x];
    if (tickets == nullptr || !comes_last(parts, tickets + ticket)) return;
    const int64_t end = first + columns < outputs ? first + columns : outputs;
#pragma unroll 1
    for (int64_t from = first; from < end; from += together) add_parts(from, end, of_block);
  }

  // Adds the parts of `together` outputs from `from` on: a thread has one of them, or some if there is one output, and
  // then threads are folded.
  __device__ __forceinline__ void add_parts(int64_t from, int64_t end, Sums* of_block) const {
    const int64_t output = from + static_cast<int>(threadIdx.x) % together;
    of_block[threadIdx.x] = Sums();
    if (output < end) {
#pragma unroll 1
      for (int64_t part = static_cast<int>(threadIdx.x) / together; part < parts; part += kThreads) {
        add_sums(of + part * outputs + output, of_block + threadIdx.x);
      }
    }
    add_rows(together, of_block);
    if (static_cast<int>(threadIdx.x) < together && output < end) of_block[threadIdx.x].add_to(states, output);
  }
};

// Adds the faults of the block to the record, int64 [kFaults] or null, and closes that in the last block. All threads
// call it; bad: see pairs_strided_kernel.
__device__ __forceinline__ void record_pairs(const PairsBatch& b, const Count* bad, int64_t* faults) {
  if (faults == nullptr) return;
  const int which = static_cast<int>(threadIdx.x);
  if (which < kKindsOfFault && bad[2 * which] != 0) {
    atomicAdd(as_count(faults + kScratchCount + which), bad[2 * which]);
    atomicMax(as_count(faults + kScratchPlace + which), bad[2 * which + 1]);
  }
  if (!comes_last(gridDim.x, faults + kScratchBlocks) || threadIdx.x != 0) return;
  record_bad_pairs(b, faults);
}

// One output whose pairs are neighbours of one type.
template <typename T, bool kMoments>
FM_KERNEL pairs_kernel(const PairsBatch b, bool wide, const SumsOfBlocks<SimpleSums<kMoments>> to) {
  FM_SUMS_OF_BLOCK(SimpleSums<kMoments>, of_block);
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
  SimpleSums<kMoments> all;
  all.squared = squared;
  all.absolute = absolute;
  if (kMoments) all.moments = sums.moments();
  of_block[threadIdx.x] = all;
  add_rows(1, of_block);
  // all pairs are counted at once; by the thread that reads it
  if (threadIdx.x == 0 && blockIdx.x == 0) of_block[0].count = static_cast<double>(pairs);
  to.add(blockIdx.x, 0, 1, 0, of_block);
}

// Three blocks share a multiprocessor, because latency binds; but for the cards where it would spill then.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
#define FM_STRIDED_KERNEL FM_KERNEL
#else
#define FM_STRIDED_KERNEL FM_KERNEL_OF(3)
#endif

// Any types, strides and outputs, weights, masks and sums. A block is `columns` outputs (a power of two) by
// kThreads / columns pairs; `chunks` blocks in a row have all outputs. Sums are in shared memory, since no thread has
// the registers for all of them.
FM_STRIDED_KERNEL
pairs_strided_kernel(const PairsBatch b, int columns, int64_t chunks, unsigned asked,
                     const SumsOfBlocks<PairsSums> to) {
  FM_SUMS_OF_BLOCK(PairsSums, of_block);
  // of each kind of fault, how many there are, and kNoPlace less the place of the first
  __shared__ Count bad[2 * kKindsOfFault];
  if (threadIdx.x < 2 * kKindsOfFault) bad[threadIdx.x] = 0;
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
    if (b.weights != nullptr) w = b.weights[b.layout.offset(i, b.layout.d_stride) + output * b.d_output];
    int64_t of_preds, of_target;
    b.layout.locate(i, &of_preds, &of_target);
    // all are asked for before one is looked at
    const uint64_t of_x = bits_at(b.preds, b.preds_type, of_preds + output * b.a_output);
    const uint64_t of_y = bits_at(b.target, b.target_type, of_target + output * b.b_output);
    if (!(w >= 0.0 && w < INFINITY)) add_bad(kBadWeight, i);
    if (!(w > 0.0 && w < INFINITY)) continue;
    const double x = value_of(of_x, b.preds_type), y = value_of(of_y, b.target_type);
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
  record_pairs(b, bad, to.states.faults);
  to.add(part, blockIdx.x % chunks * columns, columns, blockIdx.x % chunks, of_block);
}

// Adds the sums of all parts to the states; a block has the outputs of one tree.
FM_KERNEL pairs_add_kernel(const SumsOfBlocks<PairsSums> to) {
  FM_SUMS_OF_BLOCK(PairsSums, of_block);
  to.add_parts(static_cast<int64_t>(blockIdx.x) * to.together, to.outputs, of_block);
}

}  // namespace fastmetrics
