// SPDX-License-Identifier: Apache-2.0
//
// The confusion matrix and the counts of classes that are many, as one thread counts them.
//
// Cells of the matrix are bytes, so that those of 1000 classes stay in the second cache, and are written down when they
// wrap; where even so they are too many for the batch, samples are kept while the lines of the states that they go to
// are fetched: an atomic addition waits for its line. A sample whose label is right has one cell of the counts, and any
// other two: its true positive, or its false negative and false positive. A pair that takes a good part of the samples
// is counted by comparing sixteen at a time instead: additions to one cell wait for each other.

#pragma once

#include <algorithm>
#include <memory>
#include <mutex>

#include "common/cpu.h"
#include "common/simd.h"
#include "passes/multiclass_block_cpu.h"

namespace fastmetrics {

class LabelTable {
 public:
  // confusion: [C, C] or null, counts: [C, 3] or null. few: whether cells of this thread's own pay. shared: other
  // threads add to the same states, what they hold in cells of their own under the lock.
  void open(int64_t classes, int64_t* confusion, bool few_pairs, int64_t* counts, bool few_counts, bool shared,
            std::mutex* lock) {
    classes_ = static_cast<int32_t>(classes);
    confusion_ = confusion;
    counts_ = counts;
    shared_ = shared;
    lock_ = lock;
    const int64_t pairs = classes * classes;
    if (confusion != nullptr && few_pairs && pairs <= INT32_MAX) pairs_.reset(new uint8_t[pairs]());
    if (counts != nullptr && few_counts) cells_.reset(new uint32_t[classes * 3]());
  }
  explicit operator bool() const { return confusion_ != nullptr || counts_ != nullptr; }

  // n <= kBlock samples; one with a negative target or label does not count. What follows them is fetched meanwhile.
  void add(const int32_t* target, const int32_t* labels, int n, const Ahead& ahead) {
    alignas(64) int32_t kept_t[kBlock + kLanes], kept_p[kBlock + kLanes], cells[kBlock];
    ahead.fetch(n);
    look_for_common(target, labels, n);
    int32_t bad = 0;
    for (int i = 0; i < n; ++i) bad |= target[i] | labels[i];
    int left = n;
    if (is_common_ || bad < 0) {
      left = remove(target, labels, n, kept_t, kept_p);
      target = kept_t;
      labels = kept_p;
    }
    if (pairs_) {
      for (int i = 0; i < left; ++i) cells[i] = target[i] * classes_ + labels[i];
      for (int i = 0; i < left; ++i) {
        if (++pairs_[cells[i]] == 0) write_down(cells[i]);
      }
    }
    if (cells_) count(target, labels, left);
    if ((pairs_ || confusion_ == nullptr) && (cells_ || counts_ == nullptr)) return;
    if (kept_ + left > kMostKept) add_kept();
    keep(target, labels, left);
  }

  // What is held goes to the states. The lock is held; at most 2^31 samples come between two calls.
  void fold() {
    add_wrapped();
    add_common();
    add_kept();
    for (int64_t i = 0, all = pairs_ ? int64_t{classes_} * classes_ : 0; i < all; i += 8) {
      const int m = static_cast<int>(std::min<int64_t>(8, all - i));
      uint64_t eight = 0;
      memcpy(&eight, pairs_.get() + i, m);
      if (eight == 0) continue;
      for (int j = 0; j < m; ++j) confusion_[i + j] += pairs_[i + j];
      memset(pairs_.get() + i, 0, m);
    }
    if (!cells_) return;
    const uint32_t *tp = cells_.get(), *fp = tp + classes_, *fn = fp + classes_;
    for (int64_t c = 0; c < classes_; ++c) {
      counts_[c * 3] += tp[c];
      counts_[c * 3 + 1] += int64_t{tp[c]} + fp[c];
      counts_[c * 3 + 2] += int64_t{tp[c]} + fn[c];
    }
    memset(cells_.get(), 0, classes_ * 3 * sizeof(uint32_t));
  }

 private:
  static constexpr int kLanes = 16;
  static constexpr int kMostWrapped = 256;
  static constexpr int kMostKept = 1024;

  void write_down(int32_t cell) {
    if (wrapped_ == kMostWrapped) {
      std::lock_guard<std::mutex> one_at_a_time(*lock_);
      add_wrapped();
    }
    wrapped_cells_[wrapped_++] = cell;
  }

  void add_wrapped() {
    for (int i = 0; i < wrapped_; ++i) confusion_[wrapped_cells_[i]] += 256;
    wrapped_ = 0;
  }

  void add_common() {
    if (of_common_ != 0) add_to_states(confusion_, counts_, common_target_, common_label_, of_common_);
    of_common_ = 0;
  }

  void keep(const int32_t* t, const int32_t* p, int n) {
    for (int i = 0; i < n; ++i) {
      kept_t_[kept_ + i] = t[i];
      kept_p_[kept_ + i] = p[i];
      if (!pairs_ && confusion_ != nullptr) __builtin_prefetch(confusion_ + int64_t{t[i]} * classes_ + p[i], 1, 2);
      if (cells_ || counts_ == nullptr) continue;
      __builtin_prefetch(counts_ + int64_t{t[i]} * 3, 1, 2);
      __builtin_prefetch(counts_ + int64_t{p[i]} * 3, 1, 2);
    }
    kept_ += n;
  }

  void add_kept() {
    int64_t* confusion = pairs_ ? nullptr : confusion_;
    int64_t* counts = cells_ ? nullptr : counts_;
    for (int i = 0; i < kept_; ++i) add_to_states(confusion, counts, kept_t_[i], kept_p_[i], 1);
    kept_ = 0;
  }

  // Each may be null.
  void add_to_states(int64_t* confusion, int64_t* counts, int64_t t, int64_t p, int64_t samples) const {
    if (confusion != nullptr) add_to(confusion + t * classes_ + p, samples);
    if (counts == nullptr) return;
    if (t == p) add_to(counts + t * 3, samples);
    add_to(counts + p * 3 + 1, samples);
    add_to(counts + t * 3 + 2, samples);
  }

  void add_to(int64_t* cell, int64_t samples) const {
    if (shared_) {
      __atomic_fetch_add(cell, samples, __ATOMIC_RELAXED);
    } else {
      *cell += samples;
    }
  }

  // Find the pair that takes a quarter of the samples, if there is one.
  void look_for_common(const int32_t* target, const int32_t* labels, int n) {
    if (blocks_++ % kBlocksPerLook != 0 || n < kLook) return;
    auto is_common = [&](int32_t t, int32_t p) {
      int same = 0;
      for (int i = 0; i < kLook; ++i) same += (target[i] == t) & (labels[i] == p);
      return t >= 0 && p >= 0 && same >= kLook / 4;
    };
    is_common_ = is_common(common_target_, common_label_);
    for (int i = 0; i < kLook && !is_common_; i += kLook / 4) {
      is_common_ = is_common(target[i], labels[i]);
      if (!is_common_) continue;
      std::lock_guard<std::mutex> one_at_a_time(*lock_);
      add_common();
      common_target_ = target[i];
      common_label_ = labels[i];
    }
  }

  // The samples that count and are not of the common pair, in their order; returns how many.
  int remove(const int32_t* target, const int32_t* labels, int n, int32_t* t, int32_t* p) {
    int left = 0;
    int64_t same = 0;
    const I32s common_t = I32s{} + common_target_, common_p = I32s{} + common_label_;
    for (int i = 0; i < n; i += kFloats) {  // arrays have whole vectors
      const I32s of_t = load<I32s>(target + i), of_p = load<I32s>(labels + i);
      const Mask32 good = at_least(of_t | of_p, I32s{}) & first_lanes(n - i);
      const Mask32 common = equal(of_t, common_t) & equal(of_p, common_p) & good;
      compress(good & ~common, of_t, t + left);
      left += compress(good & ~common, of_p, p + left);
      same += lanes_in(common);
    }
    of_common_ += same;
    return left;
  }

  // Adds n samples to their cells.
  void count(const int32_t* t, const int32_t* p, int n) {
    const int32_t fp = classes_, fn = 2 * classes_;
    int32_t cells[2 * kBlock + kLanes];
    int found = 0;
    for (int i = 0; i < n; i += kFloats) {
      const I32s of_t = load<I32s>(t + i), of_p = load<I32s>(p + i);
      const Mask32 wrong = ~equal(of_t, of_p);
      store(select(wrong, of_t + fn, of_t), cells + found);
      found += std::min(kFloats, n - i);
      found += compress(wrong & first_lanes(n - i), of_p + fp, cells + found);
    }
    for (int j = 0; j < found; ++j) ++cells_[cells[j]];
  }

  static constexpr int kLook = 64;
  static constexpr int kBlocksPerLook = 4;

  int32_t classes_ = 0;
  int64_t *confusion_ = nullptr, *counts_ = nullptr;
  bool shared_ = false;
  std::mutex* lock_ = nullptr;
  std::unique_ptr<uint8_t[]> pairs_;     // [C, C], modulo 256
  std::unique_ptr<uint32_t[]> cells_;    // [3, C]: true positives, false positives, false negatives
  int32_t wrapped_cells_[kMostWrapped];  // of pairs_, each stands for 256 samples
  int wrapped_ = 0;
  int32_t kept_t_[kMostKept], kept_p_[kMostKept];  // samples for the states themselves
  int kept_ = 0;
  bool is_common_ = false;  // whether there is such a pair now
  int32_t common_target_ = -1, common_label_ = -1;
  int64_t of_common_ = 0, blocks_ = 0;
};

}  // namespace fastmetrics
