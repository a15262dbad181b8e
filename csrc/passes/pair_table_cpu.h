// SPDX-License-Identifier: Apache-2.0
//
// All pairs (target, label) of few classes, as one thread counts them.
//
// Cells are uint16, so that those of 100 classes stay in a first cache of 32 KB, and are widened before they can
// overflow. Very few cells have replicas: an addition waits for the one before it if both are to the same cell. A cell
// that takes a good part of the samples is counted by comparing sixteen at a time instead.

#pragma once

#include <algorithm>
#include <vector>

#include "common/cpu.h"
#include "passes/multiclass_block_cpu.h"
#include "passes/sixteen_cpu.h"

namespace fastmetrics {

class PairTable {
 public:
  static constexpr int64_t kMostCells = 128 * 128;

  void open(int64_t classes) {
    classes_ = static_cast<int32_t>(classes);
    none_ = classes_ * classes_;
    pitch_ = (none_ + 64) / 32 * 32;
    replicas_ = none_ < 1100 ? kReplicas : 1;
    bins_.assign(pitch_ * replicas_, 0);
    sums_.assign(none_ + 1, 0);
  }

  // n <= kBlock samples; one with a negative target or label does not count. What follows them is fetched meanwhile.
  void add(const int32_t* target, const int32_t* labels, int n, const Ahead& ahead) {
    alignas(64) int32_t cell[kBlock];
    ahead.fetch(n);
    for (int i = 0; i < n; ++i) {
      cell[i] = (target[i] | labels[i]) < 0 ? none_ : target[i] * classes_ + labels[i];
    }
    look_for_common(cell, n);
    count(cell, n);
  }

  // Arguments and result as for_each_sixteen. bad(i) is called for each sample that is neither in range nor ignored.
  template <typename Labels, typename Bad>
  int64_t add_neighbours(const int64_t* target, const Labels& labels, int64_t n, const int64_t* ignore,
                         const Bad& bad) {
    using I16s = int16_t __attribute__((vector_size(kRegister)));
    alignas(64) int32_t cell[kStep];
    int held = 0;
    const I32s none = I32s{} + none_;
    const I16s classes = (I16s)(I32s{} + classes_);
    const int64_t done = for_each_sixteen(target, labels, n, classes_, ignore, [&](int64_t i, const FewLabels& few) {
      // a product below 2^15 is that of the low halves of its factors
      const I32s at = (I32s)((I16s)few.target * classes) + few.labels;
      store(select(few.good, at, none), cell + held);
      for_each_bad(i, few, bad);
      held += kFloats;
      if (held < kStep) return;
      look_for_common(cell, kStep);
      count(cell, kStep);
      held = 0;
    });
    count(cell, held);
    return done;
  }

  // confusion: [C, C] or null, counts: [C, 3] or null.
  void fold(int64_t* confusion, int64_t* counts) {
    widen_bins();
    for (int64_t t = 0; t < classes_; ++t) {
      for (int64_t p = 0; p < classes_; ++p) {
        const int64_t sum = sums_[t * classes_ + p];
        if (sum == 0) continue;
        if (confusion != nullptr) confusion[t * classes_ + p] += sum;
        if (counts != nullptr) {
          if (t == p) counts[t * 3] += sum;
          counts[p * 3 + 1] += sum;
          counts[t * 3 + 2] += sum;
        }
      }
    }
    std::fill(sums_.begin(), sums_.end(), 0);
  }

 private:
  static constexpr int kReplicas = 8;
  static constexpr int kStep = 64;

  void widen_bins() {
    for (int r = 0; r < replicas_; ++r) {
      const uint16_t* bins = bins_.data() + r * pitch_;
      for (int32_t i = 0; i <= none_; ++i) sums_[i] += bins[i];
    }
    std::fill(bins_.begin(), bins_.end(), uint16_t{0});
    held_ = 0;
  }

  // Find the cell that takes three of eight samples, if there is one. Fewer are counted as quickly one by one.
  void look_for_common(const int32_t* cell, int n) {
    if (n < kStep) return;
    constexpr int kEnough = kStep * 3 / 8;
    is_common_ = share(cell, common_) >= kEnough;
    if (is_common_) return;
    common_ = cell[0];
    is_common_ = share(cell, common_) >= kEnough;
  }

  static int share(const int32_t* cell, int32_t of) {
    int same = 0;
    for (int i = 0; i < kStep; ++i) same += cell[i] == of;
    return same;
  }

  void count(int32_t* cell, int n) {
    int left = n;
    if (is_common_) {
      left = remove_common(cell, n);
      sums_[common_] += n - left;
    }
    if (replicas_ == kReplicas) {
      increment<kReplicas>(cell, left);
    } else {
      increment<1>(cell, left);
    }
    held_ += left;
    if (held_ > UINT16_MAX - kBlock) widen_bins();
  }

  // Leaves the other cells at the front, in their order; returns how many.
  int remove_common(int32_t* cell, int n) const {
    int left = 0;
    const I32s common = I32s{} + common_;
    for (int i = 0; i < n; i += kFloats) {  // what is overwritten has been read
      const I32s v = load<I32s>(cell + i);
      left += compress(~equal(v, common) & first_lanes(n - i), v, cell + left);
    }
    return left;
  }

  template <int R>
  void increment(const int32_t* cell, int n) {
    uint16_t* bins[R];
    for (int r = 0; r < R; ++r) bins[r] = bins_.data() + r * pitch_;
    int i = 0;
    for (; i + 8 <= n; i += 8) {
      for (int r = 0; r < 8; ++r) ++bins[r % R][cell[i + r]];
    }
    for (; i < n; ++i) ++bins[0][cell[i]];
  }

  int32_t classes_ = 0, none_ = 0;  // none_: the last cell, of the pairs that do not count
  int64_t pitch_ = 0;
  int replicas_ = 1, held_ = 0;
  int32_t common_ = 0;
  bool is_common_ = false;
  std::vector<uint16_t> bins_;
  std::vector<int64_t> sums_;
};

}  // namespace fastmetrics
