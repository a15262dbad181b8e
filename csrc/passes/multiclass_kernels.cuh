// SPDX-License-Identifier: Apache-2.0
//
// What the kernels of the multiclass pass share, and those for labels: neighbours of one type, 16 bytes of each input a
// load and two of each in flight; anything else one by one. Those that take any layout also take weights: State is
// int64_t, or double for weighted samples.

#pragma once

#include <type_traits>

#include "passes/multiclass_sink.cuh"

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

}  // namespace fastmetrics
