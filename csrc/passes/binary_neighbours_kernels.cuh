// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the binary and multilabel pass for scores that are neighbours, as are their targets.

#pragma once

#include <type_traits>

#include "passes/binary_totals.cuh"

namespace fastmetrics {

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

  // Writes the two totals from 2 * `pair` on to a place of 16 bytes.
  __device__ __forceinline__ void write(int pair, int64_t* to) const {
    const uint32_t both = pair == 0 ? seen : pair == 1 ? as_probability : as_logit;
    *reinterpret_cast<Pack<int64_t, 2>*>(to) = {{both & 0xffff, both >> 16}};
  }
};

// What the kernels of neighbours compare with. The cutoffs are those of the batch: narrowing them on the card would be
// repeated for every pack.
template <typename T, typename I>
struct Cutoffs {
  WidenedTo<T> probability, logit;
  I ignore;  // where targets are ignored at all, and then neither 0 nor 1
};

// Adds to a sum if x is above a cutoff: two instructions, for which the compiler takes two and a half.
__device__ __forceinline__ void add_above(float x, float cutoff, uint32_t amount, uint32_t* sum) {
#ifdef __CUDA_ARCH__
  asm("{ .reg .pred above; setp.gt.f32 above, %1, %2; @above add.u32 %0, %0, %3; }"
      : "+r"(*sum)
      : "f"(x), "f"(cutoff), "r"(amount));
#else
  if (x > cutoff) *sum += amount;
#endif
}
__device__ __forceinline__ void add_above(double x, double cutoff, uint32_t amount, uint32_t* sum) {
  if (x > cutoff) *sum += amount;
}

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
    add_above(score, than.probability, one, &to.as_probability);
    add_above(score, than.logit, one, &to.as_logit);
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
  const Turn turn = kSlots == 1 ? to.turns.take() : Turn{Round::kOnly, static_cast<int>(blockIdx.x)};  // labels are few
  if (turn.round == Round::kSums) return to.add(b);
  __shared__ uint32_t of_block[kSlots == 1 ? kTotals : kMostLabels * kTotals];
  const int labels = kSlots == 1 ? 1 : static_cast<int>(b.labels);
  for (int k = threadIdx.x; k < labels * kTotals; k += kThreads) of_block[k] = 0;
  __syncthreads();
  constexpr int kN = kPerLoad<T>, kPacks = kN < 8 || sizeof(I) == 1 ? 4 : 2;
  const int64_t line = kSlots == 1 ? turn.block / chunks : 0, sample = line / b.labels, label = line % b.labels;
  const T* preds = static_cast<const T*>(b.preds) + sample * b.samples.a_stride[0] + label * b.a_label;
  const I* target = static_cast<const I*>(b.target) + sample * b.samples.b_stride[0] + label * b.b_label;
  const int64_t packs = length / kN, place = kSlots == 1 ? place_of(b, sample * length, label) : 0;
  const int64_t first = static_cast<int64_t>(turn.block % chunks) * kThreads + threadIdx.x;
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
// one, of fewer than 2^16 elements. They are fewer than 2^32. `of` is 16-byte aligned.
template <typename T, typename I, bool kIgnores, int kLanes>
FM_KERNEL binary_lines_kernel(const BinaryBatch b, const Cutoffs<T, I> than, const BinaryTotals to) {
  const Turn turn = to.turns.take();
  if (turn.round == Round::kSums) return to.add(b);
  constexpr int kLines = kThreads / kLanes, kAtOnce = sizeof(T) < 4 || sizeof(T) + sizeof(I) < 8 ? 8 : 4,
                kStep = kAtOnce * kLanes;
  const int lane = static_cast<int>(threadIdx.x) % kLanes, length = static_cast<int>(b.per_sample);
  const uint32_t in_block = threadIdx.x / kLanes, labels = static_cast<uint32_t>(b.labels);
  const uint32_t lines = static_cast<uint32_t>(b.groups) * labels, stride = to.turns.blocks * kLines;
  const uint32_t first = turn.block * kLines + in_block, label_step = stride % labels;
  // from where this lane is behind a line to the next one of it, and what is added if its sample is one more
  const int64_t behind = (length - lane + kLanes - 1) / kLanes * kLanes;
  auto step_of = [&](int64_t of_sample, int64_t of_label) {
    return kept(stride / labels * of_sample + label_step * of_label - behind);
  };
  auto more_of = [&](int64_t of_sample, int64_t of_label) { return kept(of_sample - labels * of_label); };
  const int64_t preds_step = step_of(b.samples.a_stride[0], b.a_label),
                preds_more = more_of(b.samples.a_stride[0], b.a_label);
  const int64_t target_step = step_of(b.samples.b_stride[0], b.b_label),
                target_more = more_of(b.samples.b_stride[0], b.b_label);
  uint32_t label = first % labels;
  const int64_t sample = first / labels;
  const T* preds = static_cast<const T*>(b.preds) + sample * b.samples.a_stride[0] + label * b.a_label + lane;
  const I* target = static_cast<const I*>(b.target) + sample * b.samples.b_stride[0] + label * b.b_label + lane;
  int64_t* of_line = to.of + first * int64_t{kTotals} + 2 * lane;
  bool outside = false;
  BadOnes bad;
  // all lanes of a warp go round together, so that they meet in the shuffles
  for (uint32_t left = lines - turn.block * kLines;; left -= stride) {
    int unseen = in_block < left ? length - lane : 0;  // from the next element of this lane on
    Halves of[1];
    auto one_by_one = [&](int times) {  // what is rare
#pragma unroll 1
      for (int u = 0; u < times * kLanes; u += kLanes) {
        Tally<T> tally;
        const int64_t line = lines - left + in_block, i = length - unseen + u;
        tally.add(b, &bad, label_at(target, b.target_type, u), preds[u], [&] { return line * length + i; });
        of[0].add(tally);
        outside |= tally.outside;
      }
    };
    for (; unseen > kStep - kLanes; unseen -= kStep, preds += kStep, target += kStep) {
      Pack<T, kAtOnce> x;
      Pack<I, kAtOnce> t;
#pragma unroll
      for (int u = 0; u < kAtOnce; ++u) {
        x.at[u] = preds[u * kLanes];
        t.at[u] = target[u * kLanes];
      }
      load_before();
      if (!count_pack<kIgnores>(b, than, x, t, of, &outside)) one_by_one(kAtOnce);
    }
#pragma unroll 1
    for (; unseen > 0; unseen -= kLanes, preds += kLanes, target += kLanes) {
      const Pack<T, 1> x{{*preds}};
      const Pack<I, 1> t{{*target}};
      if (!count_pack<kIgnores>(b, than, x, t, of, &outside)) one_by_one(1);
    }
#pragma unroll
    for (int offset = kLanes / 2; offset > 0; offset /= 2) {
      of[0].seen += __shfl_xor_sync(kAllLanes, of[0].seen, offset);
      of[0].as_probability += __shfl_xor_sync(kAllLanes, of[0].as_probability, offset);
      of[0].as_logit += __shfl_xor_sync(kAllLanes, of[0].as_logit, offset);
    }
    if (lane < kTotals / 2 && in_block < left) of[0].write(lane, of_line);
    if (left <= stride) break;
    of_line += stride * int64_t{kTotals};
    preds += preds_step;
    target += target_step;
    label += label_step;
    if (label >= labels) {
      label -= labels;
      preds += preds_more;
      target += target_more;
    }
  }
  to.mark_outside(outside);
  bad.close(to.faults);
  to.close(b);
}

}  // namespace fastmetrics
