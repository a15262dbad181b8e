// SPDX-License-Identifier: Apache-2.0
//
// A batch of the multiclass pass in blocks that fit the first cache: int32 targets, labels and ranks, by code that is
// written once for each score type and once for each label type. Who counts them knows no type.

#pragma once

#include "common/cpu.h"
#include "passes/argmax.h"
#include "passes/multiclass.h"

namespace fastmetrics {

constexpr int kBlock = 256;

// Where the labels and targets of the blocks to come are. They are brought to the second cache while this block is
// counted, which reads no memory; one block ahead is too late for a machine with slow memory.
struct Ahead {
  const char* a;
  const char* b;
  int64_t a_step, b_step;  // bytes

  // What lies kBlock samples after the next n.
  void fetch(int n) const {
    for (int i = 0; i < n; i += 8) {
      __builtin_prefetch(a + (kBlock + i) * a_step, 0, 2);
      __builtin_prefetch(b + (kBlock + i) * b_step, 0, 2);
    }
  }
};

// Labels, targets and ranks of one block.
struct Block {
  alignas(64) int32_t target[kBlock];
  alignas(64) int32_t labels[kBlock];
  alignas(64) int32_t ranks[kBlock];
};

// Reads n samples of a run to the place `to` of a block.
inline void read_run(const MulticlassBatch& b, int64_t first, int64_t a_at, int64_t a_step, int64_t b_at,
                     int64_t b_step, int n, bool want_ranks, Block* block, int to, Faults* faults) {
  int32_t *target = block->target + to, *labels = block->labels + to;
  bool bad = narrow_labels(b.target, b.target_type, b_at, b_step, n, b.classes, b.ignored(), target);
  if (b.valid != nullptr) {
    mask_labels(b.valid, b.layout.offset(first, b.layout.c_stride), b.layout.c_stride[b.layout.dims - 1], n, target);
  }
  if (b.scores) {
    const char* data = static_cast<const char*>(b.preds) + a_at * size_of(b.preds_type);
    const Scores scores{data, b.preds_type, a_step, b.class_stride, b.classes};
    if (want_ranks) {
      argmax_and_ranks(scores, n, target, labels, block->ranks + to);
    } else {
      argmax(scores, n, labels);
    }
  } else {
    bad |= narrow_labels(b.preds, b.preds_type, a_at, a_step, n, b.classes, nullptr, labels);
  }
  if (!bad) return;
  record_bad({b.target, b.target_type, b_at, b_step}, target, {b.preds, b.preds_type, a_at, a_step}, labels, n, faults,
             [&](int i) { return first + i; });
}

// Calls f(first sample, samples, block, ahead) for each block of [begin, end), of as many runs as fill it; a block has
// one index of dimension 0 if samplewise.
template <typename F>
void for_each_block(const MulticlassBatch& b, int64_t begin, int64_t end, bool want_ranks, Faults* faults, const F& f) {
  const Layout& layout = b.layout;
  const int64_t a_step = layout.a_stride[layout.dims - 1], b_step = layout.b_stride[layout.dims - 1];
  const int64_t a_size = size_of(b.preds_type), b_size = size_of(b.target_type);
  Block block;
  int held = 0;
  while (begin < end) {
    int64_t a_at, b_at;
    int64_t left = std::min(layout.locate(begin, &a_at, &b_at), end - begin);
    while (left > 0) {
      const int n = static_cast<int>(std::min<int64_t>(left, kBlock - held));
      read_run(b, begin, a_at, a_step, b_at, b_step, n, want_ranks, &block, held, faults);
      begin += n;
      left -= n;
      held += n;
      a_at += n * a_step;
      b_at += n * b_step;
      const bool full = held == kBlock || begin == end || (b.samplewise && begin % b.per_sample == 0);
      if (!full) continue;
      const Ahead ahead{static_cast<const char*>(b.preds) + a_at * a_size,
                        static_cast<const char*>(b.target) + b_at * b_size, b.scores ? 0 : a_step * a_size,
                        b_step * b_size};
      f(begin - held, held, block, ahead);
      held = 0;
    }
  }
}

}  // namespace fastmetrics
