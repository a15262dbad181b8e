// SPDX-License-Identifier: Apache-2.0
//
// A batch of the multiclass pass in blocks that fit the first cache: int32 targets, labels and ranks, by code that is
// written once for each score type and once for each label type. Who counts them knows no type.

#pragma once

#include "common/cpu.h"
#include "passes/argmax_cpu.h"
#include "passes/multiclass.h"

namespace fastmetrics {

constexpr int kBlock = 256;

// Where the labels and targets of the blocks to come are. They are brought to the second cache while this block is
// counted, which reads no memory; one block ahead is too late for a machine with slow memory.
struct Ahead {
  const char* a;
  const char* b;
  int64_t a_step, b_step;  // bytes

  // What lies kBlock samples after the eight from i on.
  void fetch(int i) const {
    __builtin_prefetch(a + (kBlock + i) * a_step, 0, 2);
    __builtin_prefetch(b + (kBlock + i) * b_step, 0, 2);
  }
};

// Labels, targets and ranks of one block.
struct Block {
  alignas(64) int32_t target[kBlock];
  alignas(64) int32_t labels[kBlock];
  alignas(64) int32_t ranks[kBlock];
};

// Values out of range go to `faults`; a bad sample keeps a negative target or label. `first` is the first sample.
inline void record_bad(const MulticlassBatch& b, int64_t first, int64_t a_at, int64_t a_step, int64_t b_at,
                       int64_t b_step, int n, const Block& block, Faults* faults) {
  for (int i = 0; i < n; ++i) {
    if (block.target[i] == kBad) {
      faults->add(kBadTarget, first + i, label_at(b.target, b.target_type, b_at + i * b_step));
    }
    if (block.labels[i] == kBad && block.target[i] != kIgnored && block.target[i] != kInvalid) {
      faults->add(kBadPreds, first + i, label_at(b.preds, b.preds_type, a_at + i * a_step));
    }
  }
}

inline void read_block(const MulticlassBatch& b, int64_t first, int64_t a_at, int64_t a_step, int64_t b_at,
                       int64_t b_step, int n, bool want_ranks, Block* block, Faults* faults) {
  bool bad = narrow_labels(b.target, b.target_type, b_at, b_step, n, b.classes, b.ignored(), block->target);
  if (b.valid != nullptr) {
    mask_labels(b.valid, b.layout.offset(first, b.layout.c_stride), b.layout.c_stride[b.layout.dims - 1], n,
                block->target);
  }
  if (b.scores) {
    with_score_type(b.preds_type, [&](auto t) {
      using T = decltype(t);
      const Scores<T> all{static_cast<const T*>(b.preds) + a_at, a_step, b.class_stride, b.classes};
      if (!want_ranks) {
        argmax_block(all, n, block->labels);
        return;
      }
      // a few samples at a time, so that the second look at their scores finds them in the cache
      const int step = b.class_stride == 1 ? static_cast<int>(std::max<int64_t>(1, 4096 / b.classes)) : 64;
      for (int i = 0; i < n; i += step) {
        const int m = std::min(step, n - i);
        const Scores<T> some{all.data + i * a_step, a_step, b.class_stride, b.classes};
        argmax_block(some, m, block->labels + i);
        rank_block(some, m, block->target + i, block->ranks + i);
      }
    });
  } else {
    bad |= narrow_labels(b.preds, b.preds_type, a_at, a_step, n, b.classes, nullptr, block->labels);
  }
  if (bad) record_bad(b, first, a_at, a_step, b_at, b_step, n, *block, faults);
}

// Calls f(first sample, samples, block) for each block of [begin, end); a block has one index of dimension 0 if
// samplewise.
template <typename F>
void for_each_block(const MulticlassBatch& b, int64_t begin, int64_t end, bool want_ranks, Faults* faults, const F& f) {
  const Layout& layout = b.layout;
  const int64_t a_step = layout.a_stride[layout.dims - 1], b_step = layout.b_stride[layout.dims - 1];
  const int64_t a_size = size_of(b.preds_type), b_size = size_of(b.target_type);
  Block block;
  while (begin < end) {
    int64_t a_at, b_at;
    int64_t left = std::min(layout.locate(begin, &a_at, &b_at), end - begin);
    while (left > 0) {
      const int n = static_cast<int>(std::min<int64_t>(left, kBlock));
      read_block(b, begin, a_at, a_step, b_at, b_step, n, want_ranks, &block, faults);
      begin += n;
      left -= n;
      a_at += n * a_step;
      b_at += n * b_step;
      const Ahead ahead{static_cast<const char*>(b.preds) + a_at * a_size,
                        static_cast<const char*>(b.target) + b_at * b_size, b.scores ? 0 : a_step * a_size,
                        b_step * b_size};
      f(begin - n, n, block, ahead);
    }
  }
}

}  // namespace fastmetrics
