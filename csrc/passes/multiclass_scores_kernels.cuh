// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the multiclass pass for scores, by how the classes of a sample lie. Those that take any layout also
// take weights: State is int64_t, or double for weighted samples.
//
//   tile     short dense rows: a warp copies its next rows to shared memory while a lane has some of those before.
//   rows     longer rows: some lanes, a warp or a block have a row, four loads of 16 bytes in flight where the row
//            allows.
//   planes   the class is strided, as in [N, C, H, W]: a thread has neighbouring samples, or one sample, and walks the
//            classes.
//
// A row is scanned as if it had no NaN, which the greatest score tells; the few that have one are scanned again.

#pragma once

#include <cuda_pipeline_primitives.h>

#include <type_traits>

#include "passes/multiclass_scan.cuh"

namespace fastmetrics {

// Rows of a warp in a tile: 8 bytes of scores of each class a lane.
template <typename T>
constexpr int kRowsOfLane = 8 / sizeof(T);
// Scores that are read at once where their number is even; 16 bytes of float64 would not pay.
template <typename T>
constexpr int kPair = sizeof(T) < 8 ? 2 : 1;
constexpr int kStages = 2;
// Shared memory that a block has for the tiles of each class.
constexpr int kTileBytesOfClass = kStages * kThreads * 8;

// Dense rows, 16-byte aligned, and dense targets, with a number of classes that is a multiple of kTogether, which are
// read at once.
template <typename T, int kTogether, Kept kKept>
FM_KERNEL tile_kernel(const MulticlassBatch b, const MulticlassStates s, const SharedCells plan) {
  extern __shared__ __align__(16) unsigned char shared[];
  using W = WidenedTo<T>;
  constexpr bool kRanks = kKept == kRanked;
  constexpr int kWarps = kThreads / kWarp, kRows = kRowsOfLane<T>, kTile = kRows * kWarp;
  constexpr int kChunk = kWarp * 16;                             // bytes that a warp copies at once
  constexpr int kOfClass = kTile * static_cast<int>(sizeof(T));  // that a tile has of a class
  const int classes = static_cast<int>(b.classes), tile_bytes = kTile * classes * static_cast<int>(sizeof(T));
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
  // tiles first: they need the alignment
  const int stages = warp * kStages * tile_bytes, both = 2 * stages + tile_bytes;
  Counter<kKept, int64_t> counter(b, s, plan, shared + kWarps * kStages * tile_bytes);
  const int64_t samples = b.layout.size[0], tiles = samples / kTile;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kWarps, step = kept(stride * kTile);
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kWarps + warp;
  int64_t sample = first * kTile + lane;
  int left = first < tiles ? static_cast<int>((tiles - first + stride - 1) / stride) : 0;  // tiles of this warp
  const unsigned char* from = static_cast<const unsigned char*>(b.preds) + first * tile_bytes + lane * 16;
  const int64_t between = kept((stride - 1) * tile_bytes + kTogether * kOfClass);  // of what was copied last
  FetchedTarget targets[kRows];
  if (left > 0) {
    for (int at = lane * 16; at < tile_bytes; at += kChunk) {
      __pipeline_memcpy_async(shared + stages + at, from + (at - lane * 16), 16);
    }
    FetchedTarget::fetch(b, sample, kWarp, targets);
  }
  from += stride * tile_bytes;
  __pipeline_commit();
  for (int now = stages; left > 0; --left) {
    __pipeline_wait_prior(0);
    // the copies of all lanes are there, and all have read the tile before, in whose place the next one is copied
    __syncwarp();
    const bool more = left > 1;
    int row[kRows];  // where it is in shared memory
    Scan<W, kRanks> scan[kRows];
    auto row_of = [&](int stage, int r) { return stage + (r * kWarp + lane) * classes * static_cast<int>(sizeof(T)); };
    auto score_of = [&](int of_row, int c) { return widen(reinterpret_cast<const T*>(shared + of_row)[c]); };
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      row[r] = row_of(now, r);
      const int32_t t = targets[r].index();
      if (kRanks && targets[r].is_below(b.classes)) scan[r].aim(score_of(row[r], t), t);
    }
    now = both - now;
    int at = now + lane * 16, unseen = classes;
    // `times` times kTogether classes: what is copied of the next tile is what is seen of this one
    auto see = [&](auto times) -> void {
      constexpr int kTimes = decltype(times)::value, kBytes = kTimes * kTogether * kOfClass;
#pragma unroll
      for (int to = 0; to < kBytes; to += kChunk) {
        if (more && (kBytes % kChunk == 0 || lane * 16 < kBytes)) {
          __pipeline_memcpy_async(shared + at + to, from + to, 16);
        }
      }
#pragma unroll
      for (int u = 0; u < kTimes; ++u) {
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
          W x[kTogether];
          widen_all(load_pack<T, kTogether>(reinterpret_cast<const T*>(shared + row[r]) + u * kTogether), x);
#pragma unroll
          for (int j = 0; j < kTogether; ++j) scan[r].see(x[j], u * kTogether + j);
        }
      }
    };
    auto see_and_go_on = [&](auto times) -> void {
      constexpr int kClasses = decltype(times)::value * kTogether;
      see(times);
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        row[r] += kClasses * static_cast<int>(sizeof(T));
        scan[r].move(kClasses);
      }
      at += kClasses * kOfClass;
      from += kClasses * kOfClass;
      unseen -= kClasses;
    };
#pragma unroll 1
    while (unseen > 4 * kTogether) see_and_go_on(std::integral_constant<int, 4>());
    if (unseen > 2 * kTogether) see_and_go_on(std::integral_constant<int, 2>());
    if (unseen > kTogether) see_and_go_on(std::integral_constant<int, 1>());
    see(std::integral_constant<int, 1>());
    __pipeline_commit();
    from += between;
    bool any_nan = false, plain = true;  // of the rows of the lane
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      scan[r].move(kTogether - classes);
      any_nan |= scan[r].has_nan();
      plain &= counter.is_plain(targets[r]);
    }
    if (plain & !any_nan) {
#pragma unroll
      for (int r = 0; r < kRows; ++r) counter.count_plain(targets[r], scan[r].at);
    } else {
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        if (scan[r].has_nan()) {
          scan[r].see_again(0, classes, 1, [&](int c) { return score_of(row_of(both - now, r), c); });
        }
        counter.look_and_count(targets[r], scan[r].at, scan[r].rank, [&]() { return sample + r * kWarp; });
      }
    }
    sample += step;
    if (more) FetchedTarget::fetch(b, sample, kWarp, targets);
  }
  const int64_t rest = tiles * kTile + static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (rest < samples) {
    const T* const scores = static_cast<const T*>(b.preds) + rest * classes;
    FetchedTarget target[1];
    FetchedTarget::fetch(b, rest, 0, target);
    Scan<W, kRanks> scan;
    const int32_t t = target[0].index();
    if (kRanks && target[0].is_below(b.classes)) scan.aim(widen(scores[t]), t);
    for (int c = 0; c < classes; ++c) scan.see(widen(scores[c]), c);
    if (scan.has_nan()) scan.see_again(0, classes, 1, [&](int c) { return widen(scores[c]); });
    counter.count(target[0], scan.at, scan.rank, [&]() { return rest; });
  }
  counter.close();
}

// Classes of a row that one of kLanes lanes sees, in ascending order.
template <int kLanes, typename T, bool kRanks, typename W>
__device__ __forceinline__ void scan_row(const T* row, int32_t classes, int lane, Scan<W, kRanks>* scan) {
  constexpr int32_t kN = kPerLoad<T>, kPacks = 4, kStep = kLanes * kN;
  const int32_t past = static_cast<int32_t>(reinterpret_cast<uintptr_t>(row) % 16 / sizeof(T));
  int32_t head = past == 0 ? 0 : kN - past;
  if (head > classes) head = classes;
#pragma unroll 1
  for (int32_t c = lane; c < head; c += kLanes) scan->see(widen(row[c]), c);
  const int32_t end = classes - (classes - head) % kN;  // of the packs
  int32_t first = head + lane * kN;
  scan->move(first);
  const T* from = row + first;
#pragma unroll 1
  for (; first < end; first += kPacks * kStep, from += kPacks * kStep) {
    Pack<T, kN> x[kPacks];
#pragma unroll
    for (int u = 0; u < kPacks; ++u) {
      if (first + u * kStep < end) x[u] = load_pack<T, kN>(from + u * kStep);
    }
#pragma unroll
    for (int u = 0; u < kPacks; ++u) {
      if (first + u * kStep >= end) break;
      W wide[kN];
      widen_all(x[u], wide);
#pragma unroll
      for (int j = 0; j < kN; ++j) scan->see(wide[j], u * kStep + j);
    }
    scan->move(kPacks * kStep);
  }
  scan->move(-first);
#pragma unroll 1
  for (int32_t c = end + lane; c < classes; c += kLanes) scan->see(widen(row[c]), c);
}

// What `join` makes of the values of kLanes neighbouring lanes, for all of them.
template <int kLanes, typename V, typename Join>
__device__ __forceinline__ V of_lanes(V mine, const Join& join) {
#pragma unroll
  for (int offset = kLanes / 2; offset > 0; offset /= 2) mine = join(mine, __shfl_xor_sync(kAllLanes, mine, offset));
  return mine;
}

// The least of them, or their sum: of a warp an instruction, from sm_80 on.
template <int kLanes>
__device__ __forceinline__ int32_t least_of_lanes(int32_t mine) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  if constexpr (kLanes == kWarp) return __reduce_min_sync(kAllLanes, mine);
#endif
  return of_lanes<kLanes>(mine, [](int32_t x, int32_t y) { return x < y ? x : y; });
}
template <int kLanes>
__device__ __forceinline__ int32_t sum_of_lanes(int32_t mine) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  if constexpr (kLanes == kWarp) return __reduce_add_sync(kAllLanes, mine);
#endif
  return of_lanes<kLanes>(mine, [](int32_t x, int32_t y) { return x + y; });
}

// kLanes: 2, 16 or 32, lanes of a row; or kThreads, the block. The classes of a row are neighbours.
template <typename T, int kLanes, Kept kKept, typename State>
FM_KERNEL rows_kernel(const MulticlassBatch b, const MulticlassCells<State> s, const SharedCells plan) {
  extern __shared__ __align__(16) unsigned char shared[];
  using W = WidenedTo<T>;
  constexpr bool kRanks = kKept == kRanked;
  constexpr int kInWarp = kLanes < kWarp ? kLanes : kWarp;
  constexpr int kRows = kThreads / kLanes;  // of a block
  constexpr int kWarps = kThreads / kWarp;
  Counter<kKept, State> counter(b, s, plan, shared);
  __shared__ W best_of_warp[kWarps];
  __shared__ int32_t at_of_warp[kWarps], rank_of_warp[kWarps];
  const int lane = static_cast<int>(threadIdx.x) % kLanes, warp = static_cast<int>(threadIdx.x) / kWarp;
  const int64_t samples = b.layout.samples(), stride = static_cast<int64_t>(gridDim.x) * kRows;
  const int32_t classes = static_cast<int32_t>(b.classes);
  auto greater = [](W x, W y) { return greatest(x, y); };
  int64_t sample = static_cast<int64_t>(blockIdx.x) * kRows + static_cast<int>(threadIdx.x) / kLanes;
  int64_t of_preds = 0, of_target = 0;
  b.layout.locate(sample < samples ? sample : 0, &of_preds, &of_target);
  FetchedTarget next[1];
  FetchedTarget::fetch(b, of_target, 0, next);
  const bool steps = b.layout.dims == 1;
  const int64_t step_of_preds = kept(stride * b.layout.a_stride[0]);
  const int64_t step_of_target = kept(stride * b.layout.b_stride[0]);
  // all lanes of a warp go round together, so that they meet in the shuffles
  int64_t left = samples - static_cast<int64_t>(blockIdx.x) * kRows;
  for (; left > 0; left -= stride, sample += stride) {
    const FetchedTarget target = next[0];
    const T* row = static_cast<const T*>(b.preds) + of_preds;
    const bool here = sample < samples, known = here && target.is_below(classes);
    if (sample + stride < samples) {
      if (steps) {
        of_preds += step_of_preds;
        of_target += step_of_target;
      } else {
        b.layout.locate(sample + stride, &of_preds, &of_target);
      }
      FetchedTarget::fetch(b, of_target, 0, next);
    }
    Scan<W, kRanks> scan;
    scan.at = kNoClass;
    if (known) {
      if (kRanks) scan.aim(widen(row[target.index()]), target.index());
      scan_row<kLanes>(row, classes, lane, &scan);
    }
    W best = of_lanes<kInWarp>(scan.best, greater);
    if (kLanes > kWarp) {
      if (threadIdx.x % kWarp == 0) best_of_warp[warp] = best;
      __syncthreads();
      for (int w = 0; w < kWarps; ++w) best = greatest(best, best_of_warp[w]);
    }
    if (best != best) {
      scan.see_again(lane, classes, kLanes, [&](int32_t c) { return widen(row[c]); });
    } else if (scan.best != best) {
      scan.at = kNoClass;
    }
    scan.at = least_of_lanes<kInWarp>(scan.at);
    if (kRanks) scan.rank = sum_of_lanes<kInWarp>(scan.rank);
    if (kLanes > kWarp) {
      if (threadIdx.x % kWarp == 0) {
        at_of_warp[warp] = scan.at;
        rank_of_warp[warp] = scan.rank;
      }
      __syncthreads();
      for (int w = 1; threadIdx.x == 0 && w < kWarps; ++w) {
        scan.at = at_of_warp[w] < scan.at ? at_of_warp[w] : scan.at;
        scan.rank += rank_of_warp[w];
      }
    }
    const int32_t label = scan.at == kNoClass ? 0 : scan.at;
    if (here && lane == 0) counter.count(target, label, scan.rank, [&]() { return sample; });
  }
  counter.close();
}

// A thread has kN samples: neighbours in one run, aligned in every plane, if kN > 1; any one sample if kN is 1.
template <typename T, int kN, Kept kKept, typename State>
FM_KERNEL_OF(kKept == kPairs ? 3 : 2)
planes_kernel(const MulticlassBatch b, const MulticlassCells<State> s, const SharedCells plan) {
  extern __shared__ __align__(16) unsigned char shared[];
  using W = WidenedTo<T>;
  constexpr bool kRanks = kKept == kRanked;
  Counter<kKept, State> counter(b, s, plan, shared);
  const int64_t packs = b.layout.samples() / kN, stride = static_cast<int64_t>(gridDim.x) * kThreads;
  const int64_t b_step = b.layout.b_stride[b.layout.dims - 1];
  const int32_t classes = static_cast<int32_t>(b.classes);
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < packs; i += stride) {
    int64_t of_preds, of_target;
    b.layout.locate(i * kN, &of_preds, &of_target);
    const T* plane = static_cast<const T*>(b.preds) + of_preds;
    FetchedTarget targets[kN];
    FetchedTarget::fetch(b, of_target, b_step, targets);
    Scan<W, kRanks> scan[kN];
#pragma unroll
    for (int j = 0; kRanks && j < kN; ++j) {
      const int32_t t = targets[j].index();
      if (targets[j].is_below(b.classes)) scan[j].aim(widen(plane[static_cast<uint32_t>(t) * b.class_stride + j]), t);
    }
    const T* from = plane;
#pragma unroll 4
    for (int32_t c = 0; c < classes; ++c, from += b.class_stride) {
      W x[kN];
      widen_all(load_pack<T, kN>(from), x);
#pragma unroll
      for (int j = 0; j < kN; ++j) scan[j].see(x[j], c);
    }
    bool any_nan = false;
#pragma unroll
    for (int j = 0; j < kN; ++j) any_nan |= scan[j].has_nan();
    if (any_nan) {
#pragma unroll
      for (int j = 0; j < kN; ++j) {
        if (!scan[j].has_nan()) continue;
        scan[j].see_again(0, classes, 1, [&](int32_t c) { return widen(plane[c * b.class_stride + j]); });
      }
    }
#pragma unroll
    for (int j = 0; j < kN; ++j) {
      counter.count(targets[j], scan[j].at, scan[j].rank, [&]() { return i * kN + j; });
    }
  }
  counter.close();
}

}  // namespace fastmetrics
