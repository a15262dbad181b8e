// SPDX-License-Identifier: Apache-2.0
//
// The confusion matrix and the counts of classes, as one thread counts them.
//
// Where the pairs (target, label) are few they have cells of two bytes, so that those of 100 classes stay in a first
// cache of 32 KB, widened before they can overflow; very few have replicas: an addition waits for the one before it if
// both are to the same cell. Else cells are bytes, so that those of the pairs of 1000 classes stay in the second cache,
// and are written down when they wrap. For the counts a sample whose label is right has one cell, and any other two:
// its true positive, or its false negative and false positive. Where even so there are too many cells for the batch,
// samples are kept while the lines of the states that they go to are fetched: an atomic addition waits for its line.
//
// A pair that takes a good part of the samples is counted by comparing vectors instead, and what is left of a block is
// set aside until there is enough for a loop of one length.

#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "common/cpu.h"
#include "passes/multiclass_block_cpu.h"
#include "passes/sixteen_cpu.h"
#include "passes/small_cells_cpu.h"

namespace fastmetrics {

// Samples of K numbers each, of which none is negative if they count. One that takes a good part of them is counted by
// comparing as many as a vector has lanes, and the others go on in steps of one length.
template <int K>
class Samples {
 public:
  using Arrays = const std::array<const int32_t*, K>&;
  using Numbers = std::array<int32_t, K>;

  // share: of the samples, that makes one common.
  void open(double share) { enough_ = static_cast<int>(share * kLook); }

  // n <= kBlock samples in arrays of whole vectors. odd: whether there may be some that do not count. Calls
  // to->count(arrays, n) for those that do, but for the common ones; to->count_common(numbers, n) if there are others.
  template <typename To>
  void add(Arrays from, int n, bool odd, To* to) {
    until_look_ -= n;
    if (until_look_ <= 0 && n >= kLook) look(from, to);
    if (!is_common_ && !odd) {
      to->count(from, n);
      return;
    }
    I32s common_number[K];
    for (int k = 0; k < K; ++k) common_number[k] = I32s{} + common_[k];
    auto are_common = [&](int i) {
      Mask32 common = ~Mask32{};
      for (int k = 0; k < K; ++k) common = common & equal(load<I32s>(from[k] + i), common_number[k]);
      return !any(~common);
    };
    int i = 0;
    while (i + kFloats <= n && is_common_ && are_common(i)) i += kFloats;
    int held = held_;
    int64_t same = i;
    for (; i < n; i += kFloats) {
      I32s number[K], any_of = {};
      Mask32 common = ~Mask32{};
      for (int k = 0; k < K; ++k) {
        number[k] = load<I32s>(from[k] + i);
        any_of |= number[k];
        common = common & equal(number[k], common_number[k]);
      }
      Mask32 good = at_least(any_of, I32s{});
      if (i + kFloats > n) good = good & first_lanes(n - i);
      const Mask32 rest = good & ~common;
      int more = 0;
      for (int k = 0; k < K; ++k) more = compress(rest, number[k], held_numbers_[k] + kFloats + held);
      same += (odd ? lanes_in(good) : std::min(kFloats, n - i)) - more;
      held += more;
      if (held < kStep) continue;
      to->count(held_arrays(), kStep);
      held -= kStep;
      for (int k = 0; k < K; ++k) compress(rest, number[k], held_numbers_[k] + kFloats + held - more);
    }
    held_ = held;
    of_common_ += same;
  }

  // What is held and what is common goes there too.
  template <typename To>
  void finish(To* to) {
    if (held_ > 0) to->count(held_arrays(), held_);
    held_ = 0;
    finish_common(to);
  }

  static constexpr int kStep = K == 1 ? 64 : 128;

 private:
  static constexpr int kLook = 64;
  static constexpr int kBetweenLooks = 1024;

  template <typename To>
  void finish_common(To* to) {
    if (of_common_ > 0) to->count_common(common_, of_common_);
    of_common_ = 0;
  }

  // Find a common one, if there is any.
  template <typename To>
  void look(Arrays from, To* to) {
    until_look_ = kBetweenLooks;
    auto takes_much = [&](const Numbers& number) {
      int same = 0;
      for (int i = 0; i < kLook; ++i) {
        bool equal = true;
        for (int k = 0; k < K; ++k) equal &= from[k][i] == number[k];
        same += equal;
      }
      bool counts = true;
      for (int k = 0; k < K; ++k) counts &= number[k] >= 0;
      return counts && same >= enough_;
    };
    is_common_ = takes_much(common_);
    for (int i = 0; i < kLook && !is_common_; i += kLook / 4) {
      Numbers number;
      for (int k = 0; k < K; ++k) number[k] = from[k][i];
      is_common_ = takes_much(number);
      if (!is_common_) continue;
      finish_common(to);
      common_ = number;
    }
  }

  std::array<const int32_t*, K> held_arrays() const {
    std::array<const int32_t*, K> arrays;
    for (int k = 0; k < K; ++k) arrays[k] = held_numbers_[k] + kFloats;
    return arrays;
  }

  alignas(64) int32_t held_numbers_[K][kStep + 2 * kFloats];  // behind room for a vector
  int enough_ = kLook, held_ = 0, until_look_ = 0;
  bool is_common_ = false;  // whether there is one now
  Numbers common_{};
  int64_t of_common_ = 0;
};

class LabelTable {
 public:
  // Whether there are few pairs, for so many samples between two calls of fold.
  static bool has_few_pairs(int64_t classes, int64_t samples) {
    return classes * classes < FewCells::kMost && samples > classes * classes;
  }

  // confusion: [C, C] or null, counts: [C, 3] or null. samples: of this thread, between two calls of fold. shared:
  // other threads add to the same states, what they hold in cells of their own under the lock.
  void open(int64_t classes, int64_t* confusion, int64_t* counts, int64_t samples, bool shared, std::mutex* lock) {
    classes_ = static_cast<int32_t>(classes);
    confusion_ = confusion;
    counts_ = counts;
    shared_ = shared;
    lock_ = lock;
    if (confusion == nullptr && counts == nullptr) return;
    const int64_t pairs = classes * classes;
    if (has_few_pairs(classes, samples)) {
      few_.open(pairs + 1);
      pairs_.open(few_.has_replicas() ? 0.5 : 0.25);
      return;
    }
    samples_.open(0.25);
    // a pair has a byte, and additions to the states themselves are slow
    if (confusion != nullptr && pairs <= INT32_MAX && pairs / 4 <= samples) many_.open(pairs, lock);
    if (counts != nullptr && classes * 12 <= samples) outcomes_.open(classes * 3, lock);
    keeps_ = (confusion != nullptr && !many_) || (counts != nullptr && !outcomes_);
  }
  explicit operator bool() const { return confusion_ != nullptr || counts_ != nullptr; }

  // n <= kBlock samples; one with a negative target or label does not count. What follows them is fetched meanwhile.
  void add(const int32_t* target, const int32_t* labels, int n, const Ahead& ahead) {
    ahead.fetch(n);
    if (few_) {
      alignas(64) int32_t pair[kBlock];
      const I32s none = I32s{} + classes_ * classes_;  // the last cell: not to be taken out costs less
      for (int i = 0; i < n; i += kFloats) {           // arrays have whole vectors
        const I32s t = load<I32s>(target + i), p = load<I32s>(labels + i);
        store(select(at_least(t | p, I32s{}), pair_of(t, p), none), pair + i);
      }
      pairs_.add({pair}, n, false, this);
    } else {
      int32_t any_of = 0;
      for (int i = 0; i < n; ++i) any_of |= target[i] | labels[i];
      samples_.add({target, labels}, n, any_of < 0, this);
    }
  }

  // Arguments and result as for_each_sixteen. bad(i) is called for each sample that is neither in range nor ignored.
  template <typename Labels, typename Bad>
  int64_t add_neighbours(const int64_t* target, const Labels& labels, int64_t n, const int64_t* ignore,
                         const Bad& bad) {
    if (few_) return add_neighbours<1>(target, labels, n, ignore, bad);
    return add_neighbours<2>(target, labels, n, ignore, bad);
  }

  // What is held goes to the states, under the lock.
  void fold() {
    pairs_.finish(this);
    samples_.finish(this);
    std::lock_guard<std::mutex> one_at_a_time(*lock_);
    add_kept();
    if (few_) fold_few();
    if (many_) fold_many();
    if (outcomes_) fold_outcomes();
  }

  // As fold; what comes is of other counts.
  void fold_and_go_to(int64_t* counts) {
    fold();
    counts_ = counts;
  }

 private:
  template <int K>
  friend class Samples;

  static constexpr int kMostKept = 1024;

  // K: how many numbers a sample is, of few pairs one.
  template <int K, typename Labels, typename Bad>
  int64_t add_neighbours(const int64_t* target, const Labels& labels, int64_t n, const int64_t* ignore,
                         const Bad& bad) {
    constexpr int kStep = Samples<K>::kStep;
    alignas(64) int32_t number[K][kStep];
    int held = 0;
    Mask32 good = ~Mask32{};
    auto add = [&](int samples) {
      const bool odd = any(~good);
      if constexpr (K == 1) pairs_.add({number[0]}, samples, odd, this);
      if constexpr (K == 2) samples_.add({number[0], number[1]}, samples, odd, this);
      held = 0;
      good = ~Mask32{};
    };
    const int64_t done =
        for_each_sixteen<Labels::kStreams>(target, labels, n, classes_, ignore, [&](int64_t i, const FewLabels& few) {
          const I32s first = K == 1 ? pair_of(few.target, few.labels) : few.target;
          store(select(few.good, first, I32s{} - 1), number[0] + held);
          if constexpr (K == 2) store(few.labels, number[1] + held);
          good = good & few.good;
          for_each_bad(i, few, bad);
          held += kFloats;
          if (held == kStep) add(kStep);
        });
    add(held);
    return done;
  }

  // Of few pairs.
  I32s pair_of(I32s t, I32s p) const {
    using I16s = int16_t __attribute__((vector_size(kRegister)));
    // a product below 2^15 is that of the low halves of its factors
    return (I32s)((I16s)t * (I16s)(I32s{} + classes_)) + p;
  }

  // Of few pairs, and of samples (target, label).
  void count(const std::array<const int32_t*, 1>& from, int n) { few_.add(from[0], n); }
  void count_common(const std::array<int32_t, 1>& pair, int64_t samples) { few_.add(pair[0], samples); }
  void count_common(const std::array<int32_t, 2>& sample, int64_t samples) {
    std::lock_guard<std::mutex> one_at_a_time(*lock_);
    add_to_states(confusion_, counts_, sample[0], sample[1], samples);
  }

  void count(const std::array<const int32_t*, 2>& from, int n) {
    if (many_) add_many(from[0], from[1], n);
    if (outcomes_) add_outcomes(from[0], from[1], n);
    if (keeps_) keep(from[0], from[1], n);
  }

  void add_to_outcome(int64_t cell, int64_t samples) {
    const int64_t outcome = (cell >= classes_) + (cell >= 2 * int64_t{classes_});
    int64_t* counts = counts_ + (cell - outcome * classes_) * 3;
    if (outcome == 0) counts[0] += samples;
    if (outcome != 2) counts[1] += samples;
    if (outcome != 1) counts[2] += samples;
  }

  void add_many(const int32_t* target, const int32_t* labels, int n) {
    alignas(64) int32_t cell[kBlock];
    for (int i = 0; i < n; ++i) cell[i] = target[i] * classes_ + labels[i];
    many_.add(cell, n, [&](int64_t of, int64_t samples) { confusion_[of] += samples; });
  }

  void add_outcomes(const int32_t* target, const int32_t* labels, int n) {
    const int32_t fp = classes_, fn = 2 * classes_;
    int32_t cell[2 * kBlock + kFloats];
    int found = 0;
    for (int i = 0; i < n; i += kFloats) {
      const I32s t = load<I32s>(target + i), p = load<I32s>(labels + i);
      const Mask32 wrong = ~equal(t, p);
      store(select(wrong, t + fn, t), cell + found);
      found += std::min(kFloats, n - i);
      found += compress(wrong & first_lanes(n - i), p + fp, cell + found);
    }
    outcomes_.add(cell, found, [&](int64_t of, int64_t samples) { add_to_outcome(of, samples); });
  }

  void keep(const int32_t* t, const int32_t* p, int n) {
    if (kept_ + n > kMostKept) add_kept();
    for (int i = 0; i < n; ++i) {
      kept_t_[kept_ + i] = t[i];
      kept_p_[kept_ + i] = p[i];
      if (confusion_ != nullptr && !many_) __builtin_prefetch(confusion_ + int64_t{t[i]} * classes_ + p[i], 1, 2);
      if (counts_ == nullptr || outcomes_) continue;
      __builtin_prefetch(counts_ + int64_t{t[i]} * 3, 1, 2);
      __builtin_prefetch(counts_ + int64_t{p[i]} * 3, 1, 2);
    }
    kept_ += n;
  }

  void add_kept() {
    int64_t* confusion = many_ ? nullptr : confusion_;
    int64_t* counts = outcomes_ ? nullptr : counts_;
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

  // Without a branch for each cell, of which no one knows which are zero.
  void fold_few() {
    const int64_t* pairs = few_.sums();
    const int64_t all = int64_t{classes_} * classes_;
    for (int64_t i = 0; confusion_ != nullptr && i < all; ++i) confusion_[i] += pairs[i];
    if (counts_ != nullptr) {
      predicted_.assign(classes_, 0);
      int64_t* predicted = predicted_.data();
      for (int64_t t = 0; t < classes_; ++t) {
        const int64_t* row = pairs + t * classes_;
        int64_t actual = 0;
        for (int64_t p = 0; p < classes_; ++p) {
          actual += row[p];
          predicted[p] += row[p];
        }
        counts_[t * 3] += row[t];
        counts_[t * 3 + 2] += actual;
      }
      for (int64_t p = 0; p < classes_; ++p) counts_[p * 3 + 1] += predicted[p];
    }
    few_.clear();
  }

  void fold_many() {
    uint8_t* cells = many_.rest([&](int64_t of, int64_t samples) { confusion_[of] += samples; });
    for (int64_t i = 0, all = int64_t{classes_} * classes_; i < all; i += 8) {
      const int m = static_cast<int>(std::min<int64_t>(8, all - i));
      uint64_t eight = 0;
      memcpy(&eight, cells + i, m);
      if (eight == 0) continue;
      for (int j = 0; j < m; ++j) confusion_[i + j] += cells[i + j];
      memset(cells + i, 0, m);
    }
  }

  void fold_outcomes() {
    uint8_t* tp = outcomes_.rest([&](int64_t of, int64_t samples) { add_to_outcome(of, samples); });
    const uint8_t *fp = tp + classes_, *fn = fp + classes_;
    for (int64_t c = 0; c < classes_; ++c) {
      counts_[c * 3] += tp[c];
      counts_[c * 3 + 1] += tp[c] + fp[c];
      counts_[c * 3 + 2] += tp[c] + fn[c];
    }
    memset(tp, 0, int64_t{classes_} * 3);
  }

  int32_t classes_ = 0;
  int64_t *confusion_ = nullptr, *counts_ = nullptr;
  bool shared_ = false;
  std::mutex* lock_ = nullptr;
  FewCells few_;                                   // [C, C]
  std::vector<int64_t> predicted_;                 // [C], its sums
  ByteCells many_;                                 // [C, C]
  ByteCells outcomes_;                             // [3, C]: true positives, false positives, false negatives
  bool keeps_ = false;                             // whether a state has no cells here
  int32_t kept_t_[kMostKept], kept_p_[kMostKept];  // samples for the states themselves
  int kept_ = 0;
  Samples<1> pairs_;  // few
  Samples<2> samples_;
};

}  // namespace fastmetrics
