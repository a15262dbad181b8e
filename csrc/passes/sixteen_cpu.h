// SPDX-License-Identifier: Apache-2.0
//
// Samples sixteen at a time, from int64 targets that are neighbours and from labels that are, or rows of scores: so few
// that reading the next ones overlaps with counting these.

#pragma once

#include "common/cpu.h"
#include "passes/argmax_cpu.h"

#ifdef __AVX512F__
namespace fastmetrics {

struct Sixteen {
  __m512i target, labels;  // int32
  __mmask16 good;          // in range and not ignored
  __mmask16 bad;           // out of range and not ignored
};

// Labels as int32; those out of range leave the mask.
inline __m512i narrow_sixteen(const int64_t* labels, int64_t classes, __mmask16* good) {
  const __m512i limit = _mm512_set1_epi64(classes);
  const __m512i a = _mm512_loadu_si512(labels), b = _mm512_loadu_si512(labels + 8);
  *good = _mm512_kand(*good, _mm512_kunpackb(_mm512_cmplt_epu64_mask(b, limit), _mm512_cmplt_epu64_mask(a, limit)));
  const __m512i low = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_epi32(a, low, b);
}

// Calls f(begin, sixteen) for the whole steps of n neighbours, in the order of in_streams; returns how many samples
// they are. labels(i, &mask) gives those from i on, and takes the ones out of range from the mask.
template <typename Labels, typename F>
int64_t for_each_sixteen(const int64_t* target, const Labels& labels, int64_t n, int64_t classes, const int64_t* ignore,
                         const F& f) {
  return in_streams(n, 16, [&](int64_t i) __attribute__((always_inline)) {
    Sixteen s;
    __mmask16 ignored = 0;
    fetch_ahead(target + i, 16);
    s.good = 0xffff;
    s.labels = labels(i, &s.good);
    s.target = narrow_sixteen(target + i, classes, &s.good);
    if (ignore != nullptr) {
      const __m512i skip = _mm512_set1_epi64(*ignore);
      const __mmask8 low = _mm512_cmpeq_epi64_mask(_mm512_loadu_si512(target + i), skip);
      const __mmask8 high = _mm512_cmpeq_epi64_mask(_mm512_loadu_si512(target + i + 8), skip);
      ignored = _mm512_kunpackb(high, low);
      s.good = _mm512_kandn(ignored, s.good);
    }
    s.bad = _mm512_knot(_mm512_kor(s.good, ignored));
    f(i, s);
  });
}

// Whether the functions above can read these: int64 targets that are neighbours, and int64 labels that are or the
// scores of short rows. Longer rows are walked in ranges of a block.
inline bool in_sixteens(DType preds, int64_t preds_step, int64_t class_step, int64_t classes, DType target,
                        int64_t target_step) {
  if (target != DType::kInt64 || target_step != 1) return false;
  if (is_floating(preds)) return class_step == 1 && classes < kLongRow<float>;
  return preds == DType::kInt64 && preds_step == 1;
}

// Calls f(labels) with what for_each_sixteen asks for the labels of preds, from the element `at` on.
template <typename F>
void with_labels(const void* preds, DType type, int64_t at, int64_t step, int64_t classes, const F& f) {
  if (!is_floating(type)) {
    const int64_t* labels = static_cast<const int64_t*>(preds) + at;
    f([labels, classes](int64_t i, __mmask16* good) __attribute__((always_inline)) {
      fetch_ahead(labels + i, 16);
      return narrow_sixteen(labels + i, classes, good);
    });
    return;
  }
  with_score_type(type, [&](auto t) {
    using T = decltype(t);
    const T* scores = static_cast<const T*>(preds) + at;
    f([scores, step, classes](int64_t i, __mmask16*) {
      alignas(64) int32_t labels[16];
      argmax_rows(Scores<T>{scores + i * step, step, 1, classes}, 16, labels);
      return _mm512_load_si512(labels);
    });
  });
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
#endif
