// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the multiclass pass: one for labels and three for scores, by how the classes of a sample lie. Those
// that take any layout also take weights: State is int64_t, or double for weighted samples.
//
//   labels   neighbours of one type: 16 bytes of each input a load, two of each in flight. Anything else: one by one.
//   tile     short dense rows: a warp brings 32 rows to shared memory in wide loads, then a thread has a row.
//   rows     longer rows: 8 lanes, a warp or a block has a row, 16 bytes a load where the row allows.
//   planes   the class is strided, as in [N, C, H, W]: a thread has 16 bytes of neighbouring samples, or one sample,
//            and walks the classes.

#pragma once

#include <cmath>
#include <type_traits>

#include "passes/multiclass_sink.cuh"
#include "rules/order.h"

namespace fastmetrics {

// Whether a sample is counted, and what it adds then; notes what is wrong. label: in range if it came from scores.
template <typename State>
__device__ __forceinline__ bool accept(const MulticlassBatch& b, int64_t place, int64_t target, int64_t label,
                                       BadOnes* bad, typename Adds<State>::Amount* amount) {
  *amount = 1;
  if (!b.is_valid(place) || (b.has_ignore && target == b.ignore)) return false;
  const uint64_t classes = static_cast<uint64_t>(b.classes);
  const bool good_target = static_cast<uint64_t>(target) < classes;
  const bool good_label = static_cast<uint64_t>(label) < classes;
  if (!good_target) bad->add(kBadTarget, place);
  if (!good_label) bad->add(kBadPreds, place);
  if constexpr (Adds<State>::kWeights) {
    *amount = b.weights[b.layout.offset(place, b.layout.d_stride)];
    if (!good_weight(*amount)) {
      bad->add(kBadWeight, place);
      return false;
    }
  }
  return good_target && good_label;
}

__device__ __forceinline__ int64_t group_of(const MulticlassBatch& b, int64_t sample) {
  return b.samplewise ? sample / b.per_sample : 0;
}

template <typename State>
__device__ __forceinline__ void finish(const MulticlassBatch& b, const MulticlassCells<State>& s, const BadOnes& bad,
                                       Sink<State>* sink) {
  sink->close();
  record_faults_last(s.faults, bad, [&](int which, int64_t place) -> int64_t {
    if constexpr (Adds<State>::kWeights) {
      if (which == kBadWeight) return __double_as_longlong(b.weights[b.layout.offset(place, b.layout.d_stride)]);
    }
    int64_t of_preds, of_target;
    b.layout.locate(place, &of_preds, &of_target);
    return which == kBadTarget ? label_at(b.target, b.target_type, of_target)
                               : label_at(b.preds, b.preds_type, of_preds);
  });
}

// Both inputs are T, 16-byte aligned, and all samples are neighbours, as are those of the mask, which is aligned so
// too.
template <typename T, Kept kKept, bool kMasked>
FM_KERNEL labels_kernel(const MulticlassBatch b, const MulticlassStates s, const SharedCells plan) {
  extern __shared__ __align__(16) unsigned char shared[];
  Sink<int64_t> sink(b, s, plan, shared);
  BadOnes bad;
  constexpr int kN = kPerLoad<T>;
  using Wide = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
  using Unsigned = std::make_unsigned_t<Wide>;
  const T* preds = static_cast<const T*>(b.preds);
  const T* target = static_cast<const T*>(b.target);
  const Unsigned classes = static_cast<Unsigned>(b.classes);
  const Wide ignore = static_cast<Wide>(b.ignore);
  const bool has_ignore = b.has_ignore && int64_t{ignore} == b.ignore;
  const int64_t samples = b.layout.size[0], packs = samples / kN;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  // the sample is counted if its classes are in range; whether it is a bad one
  auto count = [&](Wide t, Wide p, bool valid) -> bool {
    const bool in_range = static_cast<Unsigned>(t) < classes && static_cast<Unsigned>(p) < classes;
    const bool seen = valid && !(has_ignore && t == ignore);
    if (seen && in_range) sink.template add_pair<kKept>(static_cast<int32_t>(t), static_cast<int32_t>(p));
    return seen && !in_range;
  };
  auto name_bad = [&](int64_t from, int64_t to) {  // they are few: read them again
#pragma unroll 1
    for (int64_t i = from; i < to; ++i) {
      const Wide t = target[i], p = preds[i];
      if ((kMasked && !b.valid[i]) || (has_ignore && t == ignore)) continue;
      if (static_cast<Unsigned>(t) >= classes) bad.add(kBadTarget, i);
      if (static_cast<Unsigned>(p) >= classes) bad.add(kBadPreds, i);
    }
  };
  auto count_pack = [&](int64_t pack, const Pack<T, kN>& t, const Pack<T, kN>& p, const Pack<bool, kN>& valid) {
    bool any_bad = false;
#pragma unroll
    for (int j = 0; j < kN; ++j) {
      any_bad |= count(static_cast<Wide>(t.at[j]), static_cast<Wide>(p.at[j]), !kMasked || valid.at[j]);
    }
    if (any_bad) name_bad(pack * kN, pack * kN + kN);
  };
  auto mask_at = [&](int64_t pack) {
    if constexpr (kMasked) return load_pack<bool, kN>(b.valid + pack * kN);
    return Pack<bool, kN>{};
  };
  int64_t i = first;
  for (; i + stride < packs; i += 2 * stride) {
    const auto t0 = load_pack<T, kN>(target + i * kN), t1 = load_pack<T, kN>(target + (i + stride) * kN);
    const auto p0 = load_pack<T, kN>(preds + i * kN), p1 = load_pack<T, kN>(preds + (i + stride) * kN);
    const auto v0 = mask_at(i), v1 = mask_at(i + stride);
    count_pack(i, t0, p0, v0);
    count_pack(i + stride, t1, p1, v1);
  }
  if (i < packs) {
    count_pack(i, load_pack<T, kN>(target + i * kN), load_pack<T, kN>(preds + i * kN), mask_at(i));
  }
  const int64_t rest = packs * kN + first;
  if (rest < samples) {
    if (count(target[rest], preds[rest], !kMasked || b.valid[rest])) name_bad(rest, rest + 1);
  }
  finish(b, s, bad, &sink);
}

// Any types and strides.
template <typename State>
FM_KERNEL labels_strided_kernel(const MulticlassBatch b, const MulticlassCells<State> s, const SharedCells plan) {
  extern __shared__ __align__(16) unsigned char shared[];
  Sink<State> sink(b, s, plan, shared);
  BadOnes bad;
  const int64_t samples = b.layout.samples(), stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < samples; i += stride) {
    int64_t of_preds, of_target;
    b.layout.locate(i, &of_preds, &of_target);
    const int64_t t = label_at(b.target, b.target_type, of_target), p = label_at(b.preds, b.preds_type, of_preds);
    typename Adds<State>::Amount amount;
    if (accept<State>(b, i, t, p, &bad, &amount)) {
      sink.add(group_of(b, i), static_cast<int32_t>(t), static_cast<int32_t>(p), 0, amount);
    }
  }
  finish(b, s, bad, &sink);
}

// The first class of those seen so far, and how many come before the target.
template <typename W, bool kRanks>
struct Scan {
  static constexpr int32_t kNone = INT32_MAX;

  W best = -static_cast<W>(INFINITY);
  int32_t at = kNone;  // also if all were minus infinity
  int32_t rank = 0;
  W own = 0;
  int32_t target = 0;

  __device__ void aim(W score, int32_t of) {
    own = score;
    target = of;
  }

  // In any order of the classes.
  __device__ void see(W x, int32_t c) {
    if (at == kNone ? x > best || x != x : precedes<W>(x, c, best, at)) {
      best = x;
      at = c;
    }
    see_rank(x, c);
  }

  // In ascending order of the classes.
  __device__ void see_next(W x, int32_t c) {
    if (beats<W>(x, best)) {
      best = x;
      at = c;
    }
    see_rank(x, c);
  }

  __device__ void merge(W other, int32_t other_at, int32_t other_rank) {
    if (precedes<W>(other, other_at, best, at)) {
      best = other;
      at = other_at;
    }
    rank += other_rank;
  }

  __device__ int32_t label() const { return at == kNone ? 0 : at; }

 private:
  __device__ void see_rank(W x, int32_t c) {
    if (!kRanks) return;
    if (own != own) {
      rank += x != x && c < target;
    } else {
      rank += c < target ? !(x < own) : !(x <= own);  // true of a NaN
    }
  }
};

// Greatest common divisor with 32 of the number of 4-byte words that a row has: rows that far apart share banks.
__device__ __forceinline__ int rows_without_conflict(int row_bytes) {
  const int words = row_bytes / 4;
  int shared_factor = words == 0 ? 32 : words & -words;
  if (shared_factor > 32) shared_factor = 32;
  return 32 / shared_factor;
}

// Dense rows of at most kTileBytes, 16-byte aligned; a tile of 32 rows a warp.
constexpr int kTileBytes = 128;

template <typename T, bool kRanks>
FM_KERNEL tile_kernel(const MulticlassBatch b, const MulticlassStates s, const SharedCells plan) {
  extern __shared__ __align__(16) unsigned char shared[];
  using W = decltype(widen(T{}));
  const int classes = static_cast<int>(b.classes), row_bytes = classes * static_cast<int>(sizeof(T));
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
  constexpr int kWarps = kThreads / kWarp;
  // tiles first: they need the alignment
  unsigned char* tile = shared + warp * kWarp * row_bytes;
  Sink<int64_t> sink(b, s, plan, shared + kWarps * kWarp * row_bytes);
  BadOnes bad;
  const int64_t samples = b.layout.size[0], tiles = (samples + kWarp - 1) / kWarp;
  const int64_t b_step = b.layout.b_stride[0];
  // lanes whose rows share banks start at different classes
  const int start = lane / rows_without_conflict(row_bytes) % classes;
  const T* row = reinterpret_cast<const T*>(tile + lane * row_bytes);
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kWarps + warp; i < tiles;
       i += static_cast<int64_t>(gridDim.x) * kWarps) {
    const int64_t sample = i * kWarp + lane;
    const unsigned char* from = static_cast<const unsigned char*>(b.preds) + i * kWarp * row_bytes;
    const int64_t left = samples - i * kWarp;
    const int bytes = static_cast<int>(left < kWarp ? left : kWarp) * row_bytes;
    const int64_t t = sample < samples ? label_at(b.target, b.target_type, sample * b_step) : 0;
    __syncwarp();
    for (int at = lane * 16; at + 16 <= bytes; at += kWarp * 16) {
      *reinterpret_cast<Pack<uint32_t, 4>*>(tile + at) =
          load_pack<uint32_t, 4>(reinterpret_cast<const uint32_t*>(from + at));
    }
    for (int at = bytes / 16 * 16 + lane * static_cast<int>(sizeof(T)); at < bytes;
         at += kWarp * static_cast<int>(sizeof(T))) {
      *reinterpret_cast<T*>(tile + at) = *reinterpret_cast<const T*>(from + at);
    }
    __syncwarp();
    uint32_t amount;
    if (sample >= samples || !accept<int64_t>(b, sample, t, 0, &bad, &amount)) continue;
    Scan<W, kRanks> scan;
    if (kRanks) scan.aim(widen(row[t]), static_cast<int32_t>(t));
    int c = start;
    for (int j = 0; j < classes; ++j) {
      scan.see(widen(row[c]), c);
      c = c + 1 == classes ? 0 : c + 1;
    }
    sink.add(group_of(b, sample), static_cast<int32_t>(t), scan.label(), scan.rank, amount);
  }
  finish(b, s, bad, &sink);
}

// Classes of a row that one of kLanes lanes sees, in ascending order.
template <int kLanes, typename T, bool kRanks, typename W>
__device__ __forceinline__ void scan_row(const T* row, int64_t classes, int lane, Scan<W, kRanks>* scan) {
  constexpr int kN = kPerLoad<T>;
  const int64_t past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(row) % 16 / sizeof(T));
  int64_t head = past == 0 ? 0 : kN - past;
  if (head > classes) head = classes;
  for (int64_t c = lane; c < head; c += kLanes) scan->see_next(widen(row[c]), static_cast<int32_t>(c));
  const int64_t packs = (classes - head) / kN;
  auto see_pack = [&](int64_t pack, const Pack<T, kN>& x) {
#pragma unroll
    for (int j = 0; j < kN; ++j) scan->see_next(widen(x.at[j]), static_cast<int32_t>(head + pack * kN + j));
  };
  const T* body = row + head;
  int64_t i = lane;
  for (; i + 3 * kLanes < packs; i += 4 * kLanes) {
    Pack<T, kN> x[4];
#pragma unroll
    for (int u = 0; u < 4; ++u) x[u] = load_pack<T, kN>(body + (i + u * kLanes) * kN);
#pragma unroll
    for (int u = 0; u < 4; ++u) see_pack(i + u * kLanes, x[u]);
  }
  for (; i < packs; i += kLanes) see_pack(i, load_pack<T, kN>(body + i * kN));
  for (int64_t c = head + packs * kN + lane; c < classes; c += kLanes) {
    scan->see_next(widen(row[c]), static_cast<int32_t>(c));
  }
}

// kLanes: 8 or 32, lanes of a row; or kThreads, the block. The classes of a row are neighbours.
template <typename T, int kLanes, bool kRanks, typename State>
FM_KERNEL rows_kernel(const MulticlassBatch b, const MulticlassCells<State> s, const SharedCells plan) {
  extern __shared__ __align__(16) unsigned char shared[];
  using W = decltype(widen(T{}));
  constexpr int kInWarp = kLanes < kWarp ? kLanes : kWarp;
  constexpr int kRows = kThreads / kLanes;  // of a block
  constexpr int kWarps = kThreads / kWarp;
  Sink<State> sink(b, s, plan, shared);
  BadOnes bad;
  __shared__ W best_of_warp[kWarps];
  __shared__ int32_t at_of_warp[kWarps], rank_of_warp[kWarps];
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int64_t samples = b.layout.samples();
  // all lanes of a warp go round together, so that they meet in the shuffles
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * kRows; first < samples;
       first += static_cast<int64_t>(gridDim.x) * kRows) {
    const int64_t sample = first + static_cast<int>(threadIdx.x) / kLanes;
    const bool here = sample < samples;
    int64_t of_preds = 0, of_target = 0, t = 0;
    if (here) {
      b.layout.locate(sample, &of_preds, &of_target);
      t = label_at(b.target, b.target_type, of_target);
    }
    const bool known = here && static_cast<uint64_t>(t) < static_cast<uint64_t>(b.classes);
    Scan<W, kRanks> scan;
    if (known) {
      const T* row = static_cast<const T*>(b.preds) + of_preds;
      if (kRanks) scan.aim(widen(row[t]), static_cast<int32_t>(t));
      scan_row<kLanes>(row, b.classes, lane, &scan);
    }
    for (int offset = kInWarp / 2; offset > 0; offset /= 2) {
      const W best = __shfl_down_sync(kAllLanes, scan.best, offset, kInWarp);
      const int32_t at = __shfl_down_sync(kAllLanes, scan.at, offset, kInWarp);
      const int32_t rank = kRanks ? __shfl_down_sync(kAllLanes, scan.rank, offset, kInWarp) : 0;
      scan.merge(best, at, rank);
    }
    if (kLanes > kWarp) {
      const int warp = static_cast<int>(threadIdx.x) / kWarp;
      __syncthreads();  // the row before has been read
      if (threadIdx.x % kWarp == 0) {
        best_of_warp[warp] = scan.best;
        at_of_warp[warp] = scan.at;
        rank_of_warp[warp] = scan.rank;
      }
      __syncthreads();
      if (threadIdx.x == 0) {
        for (int w = 1; w < kWarps; ++w) scan.merge(best_of_warp[w], at_of_warp[w], rank_of_warp[w]);
      }
    }
    typename Adds<State>::Amount amount;
    if (here && lane == 0 && accept<State>(b, sample, t, 0, &bad, &amount)) {
      sink.add(group_of(b, sample), static_cast<int32_t>(t), scan.label(), scan.rank, amount);
    }
  }
  finish(b, s, bad, &sink);
}

// A thread has kN samples: neighbours in one run, aligned in every plane, if kN > 1; any one sample if kN is 1.
template <typename T, int kN, bool kRanks, typename State>
FM_KERNEL planes_kernel(const MulticlassBatch b, const MulticlassCells<State> s, const SharedCells plan) {
  extern __shared__ __align__(16) unsigned char shared[];
  using W = decltype(widen(T{}));
  Sink<State> sink(b, s, plan, shared);
  BadOnes bad;
  const int64_t packs = b.layout.samples() / kN, stride = static_cast<int64_t>(gridDim.x) * kThreads;
  const int64_t b_step = b.layout.b_stride[b.layout.dims - 1];
  const int32_t classes = static_cast<int32_t>(b.classes);
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < packs; i += stride) {
    int64_t of_preds, of_target;
    b.layout.locate(i * kN, &of_preds, &of_target);
    const T* plane = static_cast<const T*>(b.preds) + of_preds;
    Scan<W, kRanks> scan[kN];
    int64_t t[kN];
    typename Adds<State>::Amount amount[kN];
    bool counted[kN], any = false;
#pragma unroll
    for (int j = 0; j < kN; ++j) {
      t[j] = label_at(b.target, b.target_type, of_target + j * b_step);
      counted[j] = accept<State>(b, i * kN + j, t[j], 0, &bad, &amount[j]);
      any |= counted[j];
      if (kRanks && counted[j]) scan[j].aim(widen(plane[t[j] * b.class_stride + j]), static_cast<int32_t>(t[j]));
    }
    if (!any) continue;
#pragma unroll 4
    for (int32_t c = 0; c < classes; ++c) {
      const Pack<T, kN> x = load_pack<T, kN>(plane + c * b.class_stride);
#pragma unroll
      for (int j = 0; j < kN; ++j) scan[j].see_next(widen(x.at[j]), c);
    }
#pragma unroll
    for (int j = 0; j < kN; ++j) {
      if (!counted[j]) continue;
      sink.add(group_of(b, i * kN + j), static_cast<int32_t>(t[j]), scan[j].label(), scan[j].rank, amount[j]);
    }
  }
  finish(b, s, bad, &sink);
}

}  // namespace fastmetrics
