// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the binary and multilabel pass.
//
// Whether the scores of a batch are probabilities or logits is known only when all are read. So both are counted, into
// totals beside the state, and the block that comes last takes those that are meant and adds them to the state.

#pragma once

#include <type_traits>

#include "common/device.cuh"
#include "passes/binary.h"

namespace fastmetrics {

// What is counted of a label, as both readings: elements, positive targets, positive predictions and both positive as
// probabilities, the same as logits.
enum { kTotal, kActual, kPredicted, kTruePositive, kPredictedLogit, kTruePositiveLogit, kTotals };

template <typename T>
struct Tally {
  uint32_t of[kTotals] = {};
  bool outside = false;

  // One element.
  __device__ void add(const BinaryBatch& b, BadOnes* bad, int64_t sample, int64_t label, int64_t target, T score) {
    if (b.is_valid(sample, label)) add(b, bad, target, score, [&] { return place_of(b, sample, label); });
  }

  // One that is valid; `place` says where it is.
  template <typename Place>
  __device__ void add(const BinaryBatch& b, BadOnes* bad, int64_t target, T score, const Place& place) {
    using W = decltype(widen(T{}));
    const W x = widen(score);
    const bool ignored = b.has_ignore && target == b.ignore;
    const bool valid = !ignored && (target == 0 || target == 1);
    if (!valid && !ignored) bad->add(kBadTarget, place());
    if (!(x >= W(0) && x <= W(1)) && (b.ignored_decide || !ignored)) outside = true;
    if (!valid) return;
    // cutoffs are values of T, so this is exact
    const uint32_t p0 = x > static_cast<W>(b.probability), p1 = x > static_cast<W>(b.logit);
    const uint32_t positive = target != 0;
    ++of[kTotal];
    of[kActual] += positive;
    of[kPredicted] += p0;
    of[kTruePositive] += p0 & positive;
    of[kPredictedLogit] += p1;
    of[kTruePositiveLogit] += p1 & positive;
  }
};

template <>
struct Tally<Label> {
  uint32_t of[kTotals] = {};
  bool outside = false;

  __device__ void add(const BinaryBatch& b, BadOnes* bad, int64_t sample, int64_t label, int64_t target, int64_t pred) {
    if (!b.is_valid(sample, label) || (b.has_ignore && target == b.ignore)) return;
    const bool good_target = target == 0 || target == 1, good_pred = pred == 0 || pred == 1;
    if (!good_target) bad->add(kBadTarget, place_of(b, sample, label));
    if (!good_pred) bad->add(kBadPreds, place_of(b, sample, label));
    if (!good_target || !good_pred) return;
    ++of[kTotal];
    of[kActual] += target != 0;
    of[kPredicted] += pred != 0;
    of[kTruePositive] += target != 0 && pred != 0;
  }
};

// Adds what the threads of a block have of one label to its totals [kTotals], in shared memory.
template <typename T>
__device__ __forceinline__ void add_to_block(const Tally<T>& tally, uint32_t* of_block) {
  for (int k = 0; k < kTotals; ++k) {
    const uint32_t sum = sum_of_warp(tally.of[k]);
    if (threadIdx.x % kWarp == 0 && sum != 0) atomicAdd(of_block + k, sum);
  }
}

// Records what is bad of a batch, when all of it is in the scratch of faults; one thread.
__device__ __forceinline__ void record_binary(const BinaryBatch& b, int64_t* faults) {
  record_faults(faults, [&](int which, int64_t place) {
    const int64_t label = place / b.per_sample % b.labels;
    const int64_t sample = place / b.per_sample / b.labels * b.per_sample + place % b.per_sample;
    int64_t of_preds, of_target;
    b.samples.locate(sample, &of_preds, &of_target);
    return which == kBadTarget ? label_at(b.target, b.target_type, of_target + label * b.b_label)
                               : label_at(b.preds, b.preds_type, of_preds + label * b.a_label);
  });
}

// Where the blocks count. All of it is zero before and after an update, but for the state.
struct BinaryTotals {
  int64_t* of;       // [groups, L, kTotals]
  int64_t* outside;  // whether a score lies outside [0, 1]
  int64_t* ticket;   // see comes_last; null where a kernel of its own chooses
  int64_t* counts;   // the state, [groups, L, 4]
  int64_t* faults;   // [kFaults] or null

  // Marks the batch as logits if any thread met a score outside [0, 1]; a barrier of the block.
  __device__ __forceinline__ void mark_outside(bool is_outside) const {
    if (__syncthreads_or(is_outside) && threadIdx.x == 0) atomicMax(as_count(outside), Count{1});
  }

  // Adds the totals that are meant to the state, from unit `first` on.
  __device__ __forceinline__ void choose(int64_t units, int64_t first, int64_t stride) const {
    const int shift = *outside != 0 ? kPredictedLogit - kPredicted : 0;
#pragma unroll 1
    for (int64_t i = first; i < units; i += stride) {
      int64_t* from = of + i * kTotals;
      const int64_t total = from[kTotal], actual = from[kActual];
      const int64_t predicted = from[kPredicted + shift], tp = from[kTruePositive + shift];
#pragma unroll
      for (int k = 0; k < kTotals; ++k) from[k] = 0;
      int64_t* to = counts + i * 4;
      to[0] += tp;
      to[1] += predicted - tp;
      to[2] += total - predicted - actual + tp;
      to[3] += actual - tp;
    }
  }

  // What the block that comes last does; all threads of all blocks call it, when they have counted.
  __device__ __forceinline__ void close(const BinaryBatch& b) const {
    if (ticket == nullptr || !comes_last(gridDim.x, ticket)) return;
    choose(b.groups * b.labels, threadIdx.x, kThreads);
    __syncthreads();  // `outside` has been read
    if (threadIdx.x != 0) return;
    *outside = 0;
    if (faults != nullptr) record_binary(b, faults);
  }
};

// Totals of the whole batch. A block is `columns` labels (a power of two) by kThreads / columns samples; `chunks`
// blocks in a row have all labels. kN neighbouring samples a thread; more than one if they are in one run, and aligned.
template <typename T, int kN>
FM_KERNEL binary_kernel(const BinaryBatch b, int columns, int64_t chunks, const BinaryTotals to) {
  __shared__ uint32_t of_block[kThreads * kTotals];  // [columns, kTotals]
  for (int i = threadIdx.x; i < columns * kTotals; i += kThreads) of_block[i] = 0;
  __syncthreads();
  const int column = static_cast<int>(threadIdx.x) % columns, rows = kThreads / columns;
  const int64_t first_label = blockIdx.x % chunks * columns, label = first_label + column;
  const int64_t packs = b.samples.samples() / kN, stride = gridDim.x / chunks * rows;
  const int64_t b_step = b.samples.b_stride[b.samples.dims - 1];
  Tally<T> tally;
  BadOnes bad;
  if (label < b.labels) {
    for (int64_t i = blockIdx.x / chunks * rows + static_cast<int>(threadIdx.x) / columns; i < packs; i += stride) {
      int64_t of_preds, of_target;
      b.samples.locate(i * kN, &of_preds, &of_target);
      of_preds += label * b.a_label;
      of_target += label * b.b_label;
      if constexpr (kN == 1) {
        const int64_t target = label_at(b.target, b.target_type, of_target);
        tally.add(b, &bad, i, label, target, element(b, T{}, of_preds));
      } else {
        const auto x = load_pack<T, kN>(static_cast<const T*>(b.preds) + of_preds);
        int64_t target[kN];
#pragma unroll
        for (int j = 0; j < kN; ++j) target[j] = label_at(b.target, b.target_type, of_target + j * b_step);
#pragma unroll
        for (int j = 0; j < kN; ++j) tally.add(b, &bad, i * kN + j, label, target[j], x.at[j]);
      }
    }
  }
  if (columns == 1) {
    add_to_block(tally, of_block);
  } else {
    for (int k = 0; k < kTotals; ++k) {
      if (tally.of[k] != 0) atomicAdd(of_block + column * kTotals + k, tally.of[k]);
    }
  }
  to.mark_outside(tally.outside);
  for (int i = threadIdx.x; i < columns * kTotals; i += kThreads) {
    if (of_block[i] != 0) atomicAdd(as_count(to.of + first_label * kTotals + i), Count{of_block[i]});
  }
  bad.close(to.faults);
  to.close(b);
}

// Bytes 4 * j to 4 * j + 3 of a pack.
template <typename I, int kN>
__device__ __forceinline__ uint32_t word_of(const Pack<I, kN>& pack, int j) {
  return reinterpret_cast<const uint32_t*>(&pack)[j];
}

// Labels of which a block has the totals in shared memory.
constexpr int kMostLabels = kThreads;

// Of the elements of one label that a thread sees: how many, and from bit 16 how many with a target of 1.
struct Halves {
  uint32_t seen = 0, as_probability = 0, as_logit = 0;

  template <typename T>
  __device__ __forceinline__ void add(const Tally<T>& tally) {
    seen += tally.of[kTotal] + (tally.of[kActual] << 16);
    as_probability += tally.of[kPredicted] + (tally.of[kTruePositive] << 16);
    as_logit += tally.of[kPredictedLogit] + (tally.of[kTruePositiveLogit] << 16);
  }

  // Calls add(k, amount) for all totals, and begins again.
  template <typename Add>
  __device__ __forceinline__ void take(const Add& add) {
    constexpr uint32_t kLow = 0xffff;
    add(kTotal, seen & kLow);
    add(kActual, seen >> 16);
    add(kPredicted, as_probability & kLow);
    add(kTruePositive, as_probability >> 16);
    add(kPredictedLogit, as_logit & kLow);
    add(kTruePositiveLogit, as_logit >> 16);
    seen = as_probability = as_logit = 0;
  }
};

// What the kernels of neighbours compare with. The cutoffs are those of the batch: narrowing them on the card would be
// repeated for every pack.
template <typename T, typename I>
struct Cutoffs {
  WidenedTo<T> probability, logit;
  I ignore;  // where targets are ignored at all, and then neither 0 nor 1
};

// Counts neighbours, whose labels are those of the slots in turn. Whether all targets are 0, 1 or ignored; else nothing
// was counted. I: of the size of a target.
template <bool kIgnores, typename T, typename I, int kN, int kSlots>
__device__ __forceinline__ bool count_pack(const BinaryBatch& b, const Cutoffs<T, I>& than, const Pack<T, kN>& x,
                                           const Pack<I, kN>& t, Halves (&of)[kSlots], bool* outside) {
  using W = WidenedTo<T>;
  constexpr bool kWords = sizeof(I) == 1 && kN % 4 == 0;  // four targets are taken at once
  std::conditional_t<kWords && !kIgnores, uint32_t, I> other =
      0;  // not zero if a target is neither 0 nor 1, nor ignored
  if constexpr (kWords && !kIgnores) {
#pragma unroll
    for (int j = 0; j < kN / 4; ++j) other |= word_of(t, j) & 0xfefefefeu;
  } else {
#pragma unroll
    for (int j = 0; j < kN; ++j) {
      if (kIgnores && t.at[j] == than.ignore) continue;
      other |= t.at[j] & static_cast<I>(~I(1));
    }
  }
  if (other != 0) return false;
  uint32_t most = 0;  // bits of a score, which are greater than those of 1 outside
#pragma unroll
  for (int j = 0; j < kN; ++j) {
    Halves& to = of[j % kSlots];
    const W score = widen(x.at[j]);
    const bool ignored = kIgnores && t.at[j] != I(0) && t.at[j] != I(1);
    uint32_t one;
    if constexpr (kWords) {
      one = __byte_perm(word_of(t, j / 4), 1, 0x5054 | j % 4 << 8);  // byte 2 is the target, byte 0 is 1
    } else {
      one = 1 + (static_cast<uint32_t>(t.at[j]) << 16);
    }
    if (ignored) one = 0;
    to.seen += one;
    if (score > than.probability) to.as_probability += one;
    if (score > than.logit) to.as_logit += one;
    if (!ignored || b.ignored_decide) {
      if constexpr (sizeof(W) == sizeof(uint32_t)) {
        const uint32_t bits = __float_as_uint(score);
        most = bits > most ? bits : most;
      } else {
        *outside |= !(score >= W(0) && score <= W(1));
      }
    }
  }
  if (most > 0x3f800000u && !*outside) {  // or a zero has a sign
#pragma unroll
    for (int j = 0; j < kN; ++j) {
      const W score = widen(x.at[j]);
      const bool ignored = kIgnores && t.at[j] != I(0) && t.at[j] != I(1);
      if (!ignored || b.ignored_decide) *outside |= !(score >= W(0) && score <= W(1));
    }
  }
  return true;
}

// Totals of lines of neighbouring scores and targets of types T and I, 16-byte aligned, without a mask.
// kSlots: 1 where a line has `length` elements of one label; `chunks` blocks have one. Else kN, and the line is the
// whole batch, of which the labels of a sample are neighbours. A thread's step, `stride` packs, is a multiple of them
// then, so that each neighbour that it reads always has the same label; it has fewer than 2^16 packs.
// kIgnores: whether there is an ignored target, which is neither 0 nor 1.
template <typename T, typename I, bool kIgnores, int kSlots>
FM_KERNEL binary_wide_kernel(const BinaryBatch b, const Cutoffs<T, I> than, int64_t length, int chunks, int64_t stride,
                             const BinaryTotals to) {
  __shared__ uint32_t of_block[kSlots == 1 ? kTotals : kMostLabels * kTotals];
  const int labels = kSlots == 1 ? 1 : static_cast<int>(b.labels);
  for (int k = threadIdx.x; k < labels * kTotals; k += kThreads) of_block[k] = 0;
  __syncthreads();
  constexpr int kN = kPerLoad<T>, kPacks = kN < 8 || sizeof(I) == 1 ? 4 : 2;
  const int64_t line = kSlots == 1 ? blockIdx.x / chunks : 0, sample = line / b.labels, label = line % b.labels;
  const T* preds = static_cast<const T*>(b.preds) + sample * b.samples.a_stride[0] + label * b.a_label;
  const I* target = static_cast<const I*>(b.target) + sample * b.samples.b_stride[0] + label * b.b_label;
  const int64_t packs = length / kN, place = kSlots == 1 ? place_of(b, sample * length, label) : 0;
  const int64_t first = static_cast<int64_t>(blockIdx.x % chunks) * kThreads + threadIdx.x;
  Halves of[kSlots];
  Tally<T> tally;  // of one label
  BadOnes bad;
  auto add_to_label = [&](int64_t at, int k, uint32_t amount) {
    if (amount != 0) atomicAdd(of_block + at * kTotals + k, amount);
  };
  // what is rare
  auto one_by_one = [&](int64_t from, int64_t to) {
#pragma unroll 1
    for (int64_t i = from; i < to; ++i) {
      const int64_t value = label_at(target, b.target_type, i);
      if constexpr (kSlots == 1) {
        tally.add(b, &bad, value, preds[i], [&] { return place + i; });
      } else {
        tally.add(b, &bad, value, preds[i], [&] { return place_of(b, i / labels, i % labels); });
        for (int k = 0; k < kTotals; ++k) {
          add_to_label(i % labels, k, tally.of[k]);
          tally.of[k] = 0;
        }
      }
    }
  };
  auto take = [&] {
#pragma unroll
    for (int j = 0; j < kSlots; ++j) {
      if constexpr (kSlots == 1) {
        of[j].take([&](int k, uint32_t amount) { tally.of[k] += amount; });
      } else {
        const uint32_t at = (static_cast<uint32_t>(first) * kN + j) % static_cast<uint32_t>(labels);
        of[j].take([&](int k, uint32_t amount) { add_to_label(at, k, amount); });
      }
    }
  };
  int64_t i = first < stride ? first : packs;  // threads beyond the step have nothing to do but to meet the others
  for (; i + (kPacks - 1) * stride < packs; i += kPacks * stride) {
    Pack<T, kN> x[kPacks];
    Pack<I, kN> t[kPacks];
#pragma unroll
    for (int u = 0; u < kPacks; ++u) {
      x[u] = load_pack<T, kN>(preds + (i + u * stride) * kN);
      t[u] = load_pack<I, kN>(target + (i + u * stride) * kN);
    }
    uint32_t others = 0;  // packs, a bit each
#pragma unroll
    for (int u = 0; u < kPacks; ++u) {
      others |= count_pack<kIgnores>(b, than, x[u], t[u], of, &tally.outside) ? 0 : 1u << u;
    }
    if (others != 0) {
#pragma unroll 1
      for (int u = 0; u < kPacks; ++u) {
        if (others >> u & 1) one_by_one((i + u * stride) * kN, (i + u * stride) * kN + kN);
      }
    }
    if (kSlots == 1) take();
  }
  for (; i < packs; i += stride) {
    const Pack<T, kN> x = load_pack<T, kN>(preds + i * kN);
    const Pack<I, kN> t = load_pack<I, kN>(target + i * kN);
    if (!count_pack<kIgnores>(b, than, x, t, of, &tally.outside)) one_by_one(i * kN, i * kN + kN);
  }
  take();
  const int64_t rest = packs * kN + first;
  if (rest < length) one_by_one(rest, rest + 1);
  if (kSlots == 1) add_to_block(tally, of_block);
  to.mark_outside(tally.outside);
  int64_t* of_line = to.of + (b.groups > 1 ? line : label) * kTotals;
  for (int k = threadIdx.x; k < labels * kTotals; k += kThreads) {
    if (of_block[k] != 0) atomicAdd(as_count(of_line + k), Count{of_block[k]});
  }
  bad.close(to.faults);
  to.close(b);
}

// Totals of short lines, one for each index of dimension 0 and label, whose elements are neighbours: kLanes lanes have
// one, of fewer than 2^16 elements. They are fewer than 2^32.
template <typename T, typename I, bool kIgnores, int kLanes>
FM_KERNEL binary_lines_kernel(const BinaryBatch b, const Cutoffs<T, I> than, const BinaryTotals to) {
  constexpr int kLines = kThreads / kLanes, kAtOnce = 4;
  const int lane = static_cast<int>(threadIdx.x) % kLanes, length = static_cast<int>(b.per_sample);
  const int64_t lines = b.groups * b.labels;
  bool outside = false;
  BadOnes bad;
  // all lanes of a warp go round together, so that they meet in the shuffles
  for (int64_t begin = static_cast<int64_t>(blockIdx.x) * kLines; begin < lines;
       begin += static_cast<int64_t>(gridDim.x) * kLines) {
    const int64_t line = begin + static_cast<int>(threadIdx.x) / kLanes;
    const int64_t sample = b.labels == 1 ? line : static_cast<uint32_t>(line) / static_cast<uint32_t>(b.labels);
    const int64_t label = line - sample * b.labels;
    const T* preds = static_cast<const T*>(b.preds) + sample * b.samples.a_stride[0] + label * b.a_label;
    const I* target = static_cast<const I*>(b.target) + sample * b.samples.b_stride[0] + label * b.b_label;
    Halves of[1];
    auto one = [&](int i) {  // what is rare
      Tally<T> tally;
      tally.add(b, &bad, label_at(target, b.target_type, i), preds[i], [&] { return line * length + i; });
      of[0].add(tally);
      outside |= tally.outside;
    };
    int i = line < lines ? lane : length;
    for (; i + (kAtOnce - 1) * kLanes < length; i += kAtOnce * kLanes) {
      Pack<T, kAtOnce> x;
      Pack<I, kAtOnce> t;
#pragma unroll
      for (int u = 0; u < kAtOnce; ++u) {
        x.at[u] = preds[i + u * kLanes];
        t.at[u] = target[i + u * kLanes];
      }
      if (!count_pack<kIgnores>(b, than, x, t, of, &outside)) {
#pragma unroll 1
        for (int u = 0; u < kAtOnce; ++u) one(i + u * kLanes);
      }
    }
    for (; i < length; i += kLanes) {
      const Pack<T, 1> x{{preds[i]}};
      const Pack<I, 1> t{{target[i]}};
      if (!count_pack<kIgnores>(b, than, x, t, of, &outside)) one(i);
    }
#pragma unroll
    for (int offset = kLanes / 2; offset > 0; offset /= 2) {
      of[0].seen += __shfl_down_sync(kAllLanes, of[0].seen, offset);
      of[0].as_probability += __shfl_down_sync(kAllLanes, of[0].as_probability, offset);
      of[0].as_logit += __shfl_down_sync(kAllLanes, of[0].as_logit, offset);
    }
    if (lane == 0 && line < lines) {
      of[0].take([&](int k, uint32_t amount) { to.of[line * kTotals + k] = amount; });
    }
  }
  to.mark_outside(outside);
  bad.close(to.faults);
  to.close(b);
}

// Totals of each index of dimension 0: kLanes lanes have the elements of one index and one label.
template <typename T, int kLanes>
FM_KERNEL binary_groups_kernel(const BinaryBatch b, const BinaryTotals to) {
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  constexpr int kUnits = kThreads / kLanes;
  const int64_t units = b.groups * b.labels;
  bool outside = false;
  BadOnes bad;
  // all lanes of a warp go round together, so that they meet in the shuffles
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * kUnits; first < units;
       first += static_cast<int64_t>(gridDim.x) * kUnits) {
    const int64_t unit = first + static_cast<int>(threadIdx.x) / kLanes;
    const int64_t group = unit / b.labels, label = unit % b.labels;
    Tally<T> tally;
    if (unit < units) {
      for (int64_t i = lane; i < b.per_sample; i += kLanes) {
        int64_t of_preds, of_target;
        const int64_t sample = group * b.per_sample + i;
        b.samples.locate(sample, &of_preds, &of_target);
        const int64_t target = label_at(b.target, b.target_type, of_target + label * b.b_label);
        tally.add(b, &bad, sample, label, target, element(b, T{}, of_preds + label * b.a_label));
      }
    }
    outside |= tally.outside;
    for (int k = 0; k < kTotals; ++k) {
      const uint32_t sum = kLanes == kWarp ? sum_of_warp(tally.of[k]) : tally.of[k];
      if (lane == 0 && unit < units) to.of[unit * kTotals + k] = sum;
    }
  }
  to.mark_outside(outside);
  bad.close(to.faults);
  to.close(b);
}

// Adds the totals that are meant to the state, where they are many.
FM_KERNEL binary_choose_kernel(const BinaryBatch b, const BinaryTotals to) {
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  to.choose(b.groups * b.labels, first, static_cast<int64_t>(gridDim.x) * kThreads);
  if (to.faults != nullptr && blockIdx.x == 0 && threadIdx.x == 0) record_binary(b, to.faults);
}

}  // namespace fastmetrics
