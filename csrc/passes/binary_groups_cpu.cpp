// SPDX-License-Identifier: Apache-2.0
//
// The binary pass over samples that belong to groups, on the CPU; its meaning is binary_groups_body in
// fastmetrics/passes/binary_groups.py.
//
// The samples are cut into parts by sizes alone, each part is summed in order and the parts are added in order: sums of
// weights have the same bits for any number of threads. As in binary_cpu.cpp both readings of the scores are counted.

#include <vector>

#include "common/cpu.h"
#include "passes/loops_cpu.h"
#include "passes/sample_rows_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kBlock = 1024;
constexpr int64_t kMostParts = 64;
constexpr int64_t kSmallestPart = 16384;            // samples
constexpr int64_t kMostTallies = int64_t{1} << 16;  // groups of all parts

// Additions to one cell wait for each other: neighbouring samples of few groups go to tables of their own.
constexpr int64_t kFewGroups = 256;
int64_t replicas_of(int64_t groups) { return groups <= kFewGroups ? 4 : 1; }

template <typename Cell>
struct Part {
  std::vector<Cell> tally;  // [replicas, G * kCells + 1]; the last is of the samples that do not count
  Faults faults;
  bool outside = false;  // whether there is a score outside [0, 1], which makes all of them logits
};

// A block of samples, in codes.
struct Block {
  int32_t target[kBlock];      // 0, 1, kIgnored, kBad or kInvalid
  int32_t group[kBlock];       // or kBad
  int32_t decided[2][kBlock];  // 0 or 1 for each reading, or kBad
};

template <typename Cell>
void decide(const BinaryBatch& b, int64_t begin, int n, Block* block, Part<Cell>* part) {
  for_each_run(b.samples, b.samples.a_stride, begin, n, [&](int64_t at, int64_t step, int done, int length) {
    int32_t *p0 = block->decided[0] + done, *p1 = block->decided[1] + done;
    if (!is_floating(b.preds_type)) {
      narrow_labels(b.preds, b.preds_type, at, step, length, 2, nullptr, p0);
      memcpy(p1, p0, length * sizeof(*p0));
      return;
    }
    with_score_type(b.preds_type, [&](auto type) {
      using T = decltype(type);
      using W = decltype(widen(T{}));
      const W probability = static_cast<W>(b.probability), logit = static_cast<W>(b.logit);
      const T* x = static_cast<const T*>(b.preds) + at;
      const int32_t* target = block->target + done;
      int32_t outside = 0;
      for (int i = 0; i < length; ++i) {
        const W v = widen(x[i * step]);
        p0[i] = v > probability;
        p1[i] = v > logit;
        outside |= (((v >= W(0)) & (v <= W(1))) ^ 1) & (target[i] != kInvalid);
      }
      part->outside |= outside != 0;
    });
  });
}

// Values out of range of a block.
void record_bad(const BinaryBatch& b, int64_t begin, int n, const Block& block, Faults* faults) {
  for (int i = 0; i < n; ++i) {
    const int32_t target = block.target[i];
    if (target == kIgnored || target == kInvalid) continue;
    if (target == kBad) {
      const int64_t at = b.samples.offset(begin + i, b.samples.b_stride);
      faults->add(kBadTarget, begin + i, label_at(b.target, b.target_type, at));
    }
    if (block.decided[0][i] == kBad) {
      const int64_t at = b.samples.offset(begin + i, b.samples.a_stride);
      faults->add(kBadPreds, begin + i, label_at(b.preds, b.preds_type, at));
    }
  }
}

// What the samples of a block count. One whose weight is out of range goes to the cell `none`.
void read_weights(const BinaryBatch& b, int64_t begin, int n, const int32_t* target, int32_t none, int32_t* cell,
                  double* amount, Faults* faults) {
  for (int i = 0; i < n; ++i) {
    amount[i] = 0.0;
    if (target[i] == kIgnored || target[i] == kInvalid) continue;
    const double weight = b.weights[b.samples.offset(begin + i, b.samples.d_stride)];
    if (faults->check_weight(weight, begin + i)) {
      amount[i] = weight;
    } else {
      cell[i] = none;
    }
  }
}

template <typename Cell>
void add_block(const BinaryBatch& b, const BinaryGroups& groups, int64_t begin, int n, Part<Cell>* part) {
  alignas(64) Block block;
  for_each_run(b.samples, b.samples.b_stride, begin, n, [&](int64_t at, int64_t step, int done, int length) {
    narrow_labels(b.target, b.target_type, at, step, length, 2, b.ignored(), block.target + done);
  });
  if (b.valid != nullptr) {
    for_each_run(b.samples, b.samples.c_stride, begin, n, [&](int64_t at, int64_t step, int done, int length) {
      mask_labels(b.valid, at, step, length, block.target + done);
    });
  }
  for_each_run(groups.layout, groups.layout.a_stride, begin, n, [&](int64_t at, int64_t step, int done, int length) {
    narrow_labels(groups.data, groups.type, at, step, length, groups.count, nullptr, block.group + done);
  });
  decide(b, begin, n, &block, part);
  const int32_t none = static_cast<int32_t>(groups.count * kCells);
  const int32_t *target = block.target, *group = block.group, *p0 = block.decided[0], *p1 = block.decided[1];
  int32_t cell[kBlock], wrong = 0;
  for (int i = 0; i < n; ++i) {
    const int32_t counts = ~(target[i] | group[i] | p0[i]) >> 31;  // all bits, if none is negative
    const int32_t of = group[i] * kCells + cell_of(target[i], p0[i], p1[i]);
    cell[i] = (of & counts) | (none & ~counts);
    wrong |= ~counts & -static_cast<int32_t>((target[i] != kIgnored) & (target[i] != kInvalid));
  }
  double amount[kBlock];
  if (b.weights != nullptr) read_weights(b, begin, n, block.target, none, cell, amount, &part->faults);
  Cell* table[4];
  for (int64_t r = 0; r < 4; ++r) table[r] = part->tally.data() + r % replicas_of(groups.count) * (none + 1);
  if (b.weights == nullptr) {
    for (int i = 0; i < n; ++i) ++table[i % 4][cell[i]];
  } else {
    for (int i = 0; i < n; ++i) table[i % 4][cell[i]] += static_cast<Cell>(amount[i]);
  }
  if (wrong != 0) record_bad(b, begin, n, block, &part->faults);
}

template <typename Cell>
void add_batch(const BinaryBatch& b, const BinaryGroups& groups, Cell* counts, int64_t* faults) {
  const int64_t samples = b.samples.samples();
  if (samples == 0 || groups.count == 0) return;
  const int64_t wanted = std::min({kMostParts, samples / kSmallestPart, kMostTallies / groups.count});
  const Parts parts(samples, wanted);
  const int64_t replicas = replicas_of(groups.count), pitch = groups.count * kCells + 1;
  std::vector<Part<Cell>> part(parts.count);
  parts.for_each(threads_for(samples), [&](int64_t p, int64_t begin, int64_t end) {
    part[p].tally.resize(replicas * pitch);
    for (int64_t i = begin; i < end; i += kBlock) {
      add_block(b, groups, i, static_cast<int>(std::min<int64_t>(kBlock, end - i)), &part[p]);
    }
  });
  bool logits = false;
  for (const Part<Cell>& p : part) logits |= p.outside;
  std::vector<Faults> found;
  for (const Part<Cell>& p : part) {
    for (int64_t cell = 0; cell < pitch - 1; ++cell) {
      Cell sum = 0;
      for (size_t at = cell; at < p.tally.size(); at += pitch) sum += p.tally[at];
      counts[cell / kCells * 4 + outcome_of(static_cast<int>(cell % kCells), logits)] += sum;
    }
    found.push_back(p.faults);
  }
  Faults::record(found, faults);
}

}  // namespace

void add_binary_groups(const BinaryBatch& b, const BinaryGroups& groups, int64_t* counts, int64_t* faults) {
  add_batch(b, groups, counts, faults);
}

void add_binary_groups(const BinaryBatch& b, const BinaryGroups& groups, double* counts, int64_t* faults) {
  add_batch(b, groups, counts, faults);
}

}  // namespace fastmetrics
