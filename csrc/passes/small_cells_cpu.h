// SPDX-License-Identifier: Apache-2.0
//
// Counts of a thread in one or two bytes each, so that more of them stay in the first caches.

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "passes/multiclass_block_cpu.h"

namespace fastmetrics {

// Few cells of two bytes.
class FewCells {
 public:
  static constexpr int64_t kMost = 128 * 128;  // they stay in a first cache of 32 KB

  void open(int64_t cells) {
    pitch_ = (cells + 63) / 32 * 32;
    replicas_ = cells < 1100 ? kReplicas : 1;
    bins_.assign(pitch_ * replicas_, 0);
    sums_.assign(cells, 0);
  }
  explicit operator bool() const { return !sums_.empty(); }
  bool has_replicas() const { return replicas_ > 1; }

  // n <= kBlock.
  void add(const int32_t* cell, int n) {
    if (replicas_ == kReplicas) {
      increment<kReplicas>(cell, n);
    } else {
      increment<1>(cell, n);
    }
    held_ += n;
    if (held_ > UINT16_MAX - kBlock) widen();
  }
  void add(int64_t cell, int64_t samples) { sums_[cell] += samples; }

  // What all samples are since the last call of clear, [cells].
  const int64_t* sums() {
    widen();
    return sums_.data();
  }
  void clear() { std::fill(sums_.begin(), sums_.end(), 0); }

 private:
  static constexpr int kReplicas = 8;

  void widen() {
    for (int r = 0; r < replicas_; ++r) {
      const uint16_t* bins = bins_.data() + r * pitch_;
      for (size_t i = 0; i < sums_.size(); ++i) sums_[i] += bins[i];
    }
    std::fill(bins_.begin(), bins_.end(), uint16_t{0});
    held_ = 0;
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

  int64_t pitch_ = 0;
  int replicas_ = 1, held_ = 0;
  std::vector<uint16_t> bins_;
  std::vector<int64_t> sums_;
};

// Cells of one byte, which are written down when they wrap. Those who use them say what a state is given: f(cell,
// samples), called by one thread at a time.
class ByteCells {
 public:
  void open(int64_t cells, std::mutex* lock) {
    cells_.reset(new uint8_t[cells]());
    lock_ = lock;
  }
  explicit operator bool() const { return cells_ != nullptr; }

  template <typename F>
  void add(const int32_t* cell, int n, const F& f) {
    uint8_t* cells = cells_.get();  // which stores of bytes might change
    auto add_one = [&](int32_t to) __attribute__((always_inline)) {
      if (__builtin_expect(++cells[to] == 0, 0)) write_down(to, f);
    };
    int i = 0;
    for (; i + 4 <= n; i += 4) {
      for (int j = 0; j < 4; ++j) add_one(cell[i + j]);
    }
    for (; i < n; ++i) add_one(cell[i]);
  }

  // What is left beside what has wrapped, for f is given that; [cells].
  template <typename F>
  uint8_t* rest(const F& f) {
    for (int i = 0; i < wrapped_; ++i) f(wrapped_cells_[i], 256);
    wrapped_ = 0;
    return cells_.get();
  }

 private:
  static constexpr int kMostWrapped = 256;

  template <typename F>
  __attribute__((noinline)) void write_down(int32_t cell, const F& f) {
    if (wrapped_ == kMostWrapped) {
      std::lock_guard<std::mutex> one_at_a_time(*lock_);
      rest(f);
    }
    wrapped_cells_[wrapped_++] = cell;
  }

  std::unique_ptr<uint8_t[]> cells_;  // modulo 256
  std::mutex* lock_ = nullptr;
  int32_t wrapped_cells_[kMostWrapped];  // each stands for 256 samples
  int wrapped_ = 0;
};

}  // namespace fastmetrics
