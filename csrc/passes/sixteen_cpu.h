// SPDX-License-Identifier: Apache-2.0
//
// Samples sixteen at a time, from int64 targets that are neighbours and from labels that are, or rows of scores: so few
// that reading the next ones overlaps with counting these.

#pragma once

#include "common/cpu.h"
#include "common/simd.h"
#include "passes/argmax.h"

namespace fastmetrics {

// As many of the sixteen as a vector has lanes; in lane j is number_of_lane(j).
struct FewLabels {
  I32s target, labels;
  Mask32 good;  // in range and not ignored
  Mask32 bad;   // out of range and not ignored
};

// Sixteen labels that are neighbours, from the i-th on, and which of them are in range.
struct NeighbouringLabels {
  static constexpr int64_t kStreams = 4;

  const int64_t* labels;
  int32_t limit;

  __attribute__((always_inline)) void operator()(int64_t i, FewLabels* to) const {
    fetch_ahead(labels + i, 16);
#pragma GCC unroll 4
    for (int k = 0; k < 16 / kFloats; ++k) {
      const Longs few = load_longs_mixed(labels + i + k * kFloats);
      to[k].labels = low_halves(few);
      to[k].good = below(few, limit);
    }
  }
};

// The labels of sixteen rows of scores.
struct LabelsOfRows {
  static constexpr int64_t kStreams = 2;

  const char* scores;
  int64_t step, bytes;  // from row to row in elements and in bytes
  int32_t classes;
  ArgmaxOfSixteen* find;

  void operator()(int64_t i, FewLabels* to) const {
    alignas(64) int32_t labels[16];
    find(scores + i * bytes, step, classes, labels);
#pragma GCC unroll 4
    for (int k = 0; k < 16 / kFloats; ++k) {
      to[k].labels = mixed(load<I32s>(labels + k * kFloats));
      to[k].good = ~Mask32{};
    }
  }
};

// Calls f(begin, few) for the whole steps of n neighbours, sixteen in the order of in_streams; returns how many samples
// they are. labels: one of the above.
template <int64_t kStreams, typename Labels, typename F>
int64_t for_each_sixteen(const int64_t* target, const Labels& labels, int64_t n, int64_t classes, const int64_t* ignore,
                         const F& f) {
  const int32_t limit = static_cast<int32_t>(classes);
  return in_streams<kStreams>(n, 16, [&](int64_t i) __attribute__((always_inline)) {
    FewLabels few[16 / kFloats];
    fetch_ahead(target + i, 16);
    labels(i, few);
#pragma GCC unroll 4
    for (int k = 0; k < 16 / kFloats; ++k) {
      const Longs t = load_longs_mixed(target + i + k * kFloats);
      const Mask32 good = few[k].good & below(t, limit);
      const Mask32 ignored = ignore == nullptr ? Mask32{} : equal(t, *ignore);
      few[k].target = low_halves(t);
      few[k].good = good & ~ignored;
      few[k].bad = ~(good | ignored);
      f(i + k * kFloats, few[k]);
    }
  });
}

// Calls f(i) for the samples from `begin` on that are out of range.
template <typename F>
inline void for_each_bad(int64_t begin, const FewLabels& few, const F& f) {
  if (!any(few.bad)) return;
  for (uint32_t left = bits_of(few.bad); left != 0; left &= left - 1) f(begin + number_of_lane(__builtin_ctz(left)));
}

// Whether the functions above can read these: int64 targets that are neighbours, and int64 labels that are or the
// scores of short rows. Longer rows are walked in ranges of a block.
inline bool in_sixteens(DType preds, int64_t preds_step, int64_t class_step, int64_t classes, DType target,
                        int64_t target_step) {
  if (target != DType::kInt64 || target_step != 1) return false;
  if (is_floating(preds)) return class_step == 1 && classes < kLongRow;
  return preds == DType::kInt64 && preds_step == 1;
}

// Calls f(labels) with what for_each_sixteen asks for the labels of preds, from the element `at` on.
template <typename F>
void with_labels(const void* preds, DType type, int64_t at, int64_t step, int64_t classes, const F& f) {
  if (!is_floating(type)) {
    f(NeighbouringLabels{static_cast<const int64_t*>(preds) + at, static_cast<int32_t>(classes)});
    return;
  }
  const int64_t size = size_of(type);
  f(LabelsOfRows{static_cast<const char*>(preds) + at * size, step, step * size, static_cast<int32_t>(classes),
                 argmax_of_sixteen(type)});
}

// Records what is out of range in a sample that is not ignored. preds: at the element `at`.
inline void record_bad(const void* preds, DType type, int64_t at, int64_t target, int64_t classes, int64_t place,
                       Faults* faults) {
  const uint64_t limit = static_cast<uint64_t>(classes);
  if (static_cast<uint64_t>(target) >= limit) faults->add(kBadTarget, place, target);
  if (is_floating(type)) return;
  const int64_t label = label_at(preds, type, at);
  if (static_cast<uint64_t>(label) >= limit) faults->add(kBadPreds, place, label);
}

}  // namespace fastmetrics
