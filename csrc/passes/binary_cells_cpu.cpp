// SPDX-License-Identifier: Apache-2.0
//
// The binary and multilabel pass over weighted elements, over those of given rows and over short rows of places, on the
// CPU; its meaning is binary_body in fastmetrics/passes/binary.py.
//
// A block of elements is read once and added to the rows of each slicing. The elements are cut into parts by sizes
// alone, each part is summed in order and the parts are added in order: sums of weights have the same bits for any
// number of threads. Each outcome has a cell of its own, since a difference of sums would round, and could come out
// below zero. As in binary_cpu.cpp both readings of the scores are counted.

#include <type_traits>
#include <vector>

#include "common/cpu.h"
#include "passes/loops_cpu.h"
#include "passes/sample_rows_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kBlock = 1024;
constexpr int64_t kMostParts = 64;
constexpr int64_t kSmallestPart = 16384;            // samples
constexpr int64_t kMostTallies = int64_t{1} << 16;  // rows and labels of all parts

// Additions to one cell wait for each other: neighbouring samples of few rows go to tables of their own.
constexpr int64_t kFewRows = 256;
int64_t replicas_of(int64_t rows) { return rows <= kFewRows ? 4 : 1; }

// The rows of n elements from `begin` on, which are [K, kBlock], become those of their labels, as one number.
void to_places(const BinaryRows& rows, int64_t slicings, int64_t begin, int n, int32_t* row) {
  if (rows.labels == 1) return;
  const int32_t many = static_cast<int32_t>(rows.labels);
  for (int64_t k = 0; k < slicings; ++k) {
    int32_t* place = row + k * kBlock;
    int64_t left = rows.inner - begin % rows.inner;
    int32_t label = static_cast<int32_t>(begin / rows.inner % many);
    for (int i = 0; i < n; ++i) {
      place[i] = place[i] < 0 ? place[i] : place[i] * many + label;
      if (--left > 0) continue;
      left = rows.inner;
      label = label + 1 == many ? 0 : label + 1;
    }
  }
}

// Where rows are those of places, a part of the elements has whole rows, and their cells alone. Threads write to
// neighbours in a list of them, which must not be in one line of a cache.
template <typename Cell>
struct alignas(128) Part {
  int64_t first = 0;               // of the elements of its row 0
  int64_t places = 0;              // rows and labels
  std::vector<Cell> tally;         // [replicas, places * kCells + 1]; the last is of the elements that do not count
  std::vector<int64_t> uncounted;  // [places], where samples are wanted: valid elements that do not count
  std::vector<int32_t> row;        // [K, kBlock]: of a block in each slicing
  BadGroups bad;
  Faults faults;
  bool outside = false;  // whether there is a score outside [0, 1], which makes all of them logits
};

// A block of samples, in codes.
struct Block {
  int32_t target[kBlock];      // 0, 1, kIgnored, kBad or kInvalid
  int32_t decided[2][kBlock];  // 0 or 1 for each reading, or kBad
};

// Returns whether there was any kBad.
template <typename Cell>
bool decide(const BinaryBatch& b, int64_t begin, int n, Block* block, Part<Cell>* part) {
  bool bad = false;
  for_each_run(b.samples, b.samples.a_stride, begin, n, [&](int64_t at, int64_t step, int done, int length) {
    int32_t *p0 = block->decided[0] + done, *p1 = block->decided[1] + done;
    if (step == 1) fetch(b.preds, b.preds_type, at + kBlock, length);
    if (!is_floating(b.preds_type)) {
      bad |= narrow_labels(b.preds, b.preds_type, at, step, length, 2, nullptr, p0);
      memcpy(p1, p0, length * sizeof(*p0));
      return;
    }
    with_score_type(b.preds_type, [&](auto type) {
      using T = decltype(type);
      using W = decltype(widen(T{}));
      const W probability = static_cast<W>(b.probability), logit = static_cast<W>(b.logit);
      const T* x = static_cast<const T*>(b.preds) + at;
      const int32_t* target = block->target + done;
      const int32_t silent = b.ignored_decide ? kInvalid : kIgnored;
      int32_t outside = 0;
      for (int i = 0; i < length; ++i) {
        const W v = widen(x[i * step]);
        p0[i] = v > probability;
        p1[i] = v > logit;
        outside |= (((v >= W(0)) & (v <= W(1))) ^ 1) & (target[i] != kInvalid) & (target[i] != silent);
      }
      part->outside |= outside != 0;
    });
  });
  return bad;
}

// Values out of range of a block that has some.
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

// What the samples of a block count. One whose weight is out of range is as one whose target is.
void read_weights(const BinaryBatch& b, int64_t begin, int n, Block* block, double* amount, Faults* faults) {
  for (int i = 0; i < n; ++i) {
    amount[i] = 0.0;
    if (block->target[i] == kIgnored || block->target[i] == kInvalid) continue;
    const double weight = b.weights[b.samples.offset(begin + i, b.samples.d_stride)];
    if (faults->check_weight(weight, begin + i)) {
      amount[i] = weight;
    } else {
      block->target[i] = kBad;
    }
  }
}

// Adds a block to the rows of slicing k, which were read.
template <typename Cell>
void add_to_rows(const Slicings& slicings, int64_t k, int64_t begin, int n, const Block& block, const double* amount,
                 Part<Cell>* part) {
  const int32_t none = static_cast<int32_t>(part->places * kCells);
  const int32_t *target = block.target, *row = &part->row[k * kBlock], *p0 = block.decided[0], *p1 = block.decided[1];
  int32_t cell[kBlock], odd = 0;
  for (int i = 0; i < n; ++i) {
    const int32_t counts = ~(target[i] | row[i] | p0[i]) >> 31;  // all bits, if none is negative
    const int32_t of = row[i] * kCells + cell_of(target[i], p0[i], p1[i]);
    cell[i] = (of & counts) | (none & ~counts);
    odd |= ~counts;
  }
  Cell* table[4];
  for (int64_t r = 0; r < 4; ++r) table[r] = part->tally.data() + r % replicas_of(part->places) * (none + 1);
  if (amount == nullptr) {
    Cell *t0 = table[0], *t1 = table[1], *t2 = table[2], *t3 = table[3];
    int i = 0;
    for (; i + 4 <= n; i += 4) {
      ++t0[cell[i]];
      ++t1[cell[i + 1]];
      ++t2[cell[i + 2]];
      ++t3[cell[i + 3]];
    }
    for (; i < n; ++i) ++table[i % 4][cell[i]];
  } else {
    for (int i = 0; i < n; ++i) table[i % 4][cell[i]] += static_cast<Cell>(amount[i]);
  }
  if (odd == 0 || part->uncounted.empty()) return;
  for (int i = 0; i < n; ++i) {
    if (cell[i] != none || target[i] == kInvalid) continue;
    if (row[i] == kBad) {
      part->bad.add(k, begin + i, slicings.group_at(k, begin + i));
    } else if (row[i] >= 0) {
      ++part->uncounted[row[i]];
    }
  }
}

template <typename Cell>
void add_block(const BinaryCells& c, const Slicings& slicings, int64_t begin, int n, Part<Cell>* part) {
  const BinaryBatch& b = c.batch;
  alignas(64) Block block;
  bool bad = false;
  for_each_run(b.samples, b.samples.b_stride, begin, n, [&](int64_t at, int64_t step, int done, int length) {
    if (step == 1) fetch(b.target, b.target_type, at + kBlock, length);
    bad |= narrow_labels(b.target, b.target_type, at, step, length, 2, b.ignored(), block.target + done);
  });
  if (b.valid != nullptr) {
    for_each_run(b.samples, b.samples.c_stride, begin, n, [&](int64_t at, int64_t step, int done, int length) {
      mask_labels(b.valid, at, step, length, block.target + done);
    });
  }
  bad |= decide(b, begin, n, &block, part);
  if (bad) record_bad(b, begin, n, block, &part->faults);
  double amount[kBlock];
  if (b.weights != nullptr) read_weights(b, begin, n, &block, amount, &part->faults);
  read_rows(slicings, begin - part->first, n, kBlock, part->row.data());
  to_places(c.rows, slicings.size(), begin - part->first, n, part->row.data());
  for (int64_t k = 0; k < slicings.size(); ++k) {
    add_to_rows(slicings, k, begin, n, block, b.weights == nullptr ? nullptr : amount, part);
  }
}

template <typename Cell, typename Count>
void add_batch(const BinaryCells& c, const Slicings& slicings, Count* counts, int64_t* faults) {
  const BinaryRows& rows = c.rows;
  const int64_t elements = c.elements(), labels = rows.labels;
  if (elements == 0 || slicings.size() == 0) return;
  const bool own = rows.of.data == nullptr && rows.of.count > 1;
  const int64_t unit = own ? rows.of.neighbours : 1;
  const int threads = threads_for(elements);
  // sums of whole numbers are the same for any parts: a thread needs one
  const int64_t most = own || !std::is_integral<Cell>::value ? kMostParts : threads;
  const int64_t tallies = own ? most : kMostTallies / rows.count();
  const int64_t least = std::is_integral<Cell>::value ? elements >> 31 : 0;  // a cell is 32 bits wide
  const Parts parts(elements / unit, std::max(least, std::min({most, elements / kSmallestPart, tallies})));
  std::vector<Part<Cell>> part(parts.count);
  parts.for_each(threads, [&](int64_t p, int64_t begin, int64_t end) {
    Part<Cell>& mine = part[p];
    mine.first = own ? begin * unit : 0;
    mine.places = own ? (end - begin) * labels : rows.count();
    mine.tally.resize(replicas_of(mine.places) * (mine.places * kCells + 1));
    mine.row.resize(slicings.size() * kBlock);
    if (c.samples != nullptr) mine.uncounted.resize(mine.places);
    for (int64_t i = begin * unit; i < end * unit; i += kBlock) {
      add_block(c, slicings, i, static_cast<int>(std::min<int64_t>(kBlock, end * unit - i)), &mine);
    }
  });
  bool logits = false;
  for (const Part<Cell>& p : part) logits |= p.outside;
  std::vector<Faults> found;
  std::vector<BadGroups> bad;
  for (const Part<Cell>& p : part) {
    const int64_t pitch = p.places * kCells + 1;
    const size_t size = p.tally.size();
    Count* to = counts + p.first / unit * labels * 4;
    for (int64_t place = 0; place < p.places; ++place, to += 4) {
      Count sum[kCells] = {}, all = 0;
      for (size_t at = place * kCells; at < size; at += pitch) {
        for (int cell = 0; cell < kCells; ++cell) sum[cell] += p.tally[at + cell];
      }
      for (int cell = 0; cell < kCells; ++cell) {
        to[outcome_of(cell, logits)] += sum[cell];
        all += sum[cell];
      }
      if (c.samples != nullptr) c.samples[place / labels] += static_cast<int64_t>(all);
    }
    for (size_t place = 0; place < p.uncounted.size(); ++place) c.samples[place / labels] += p.uncounted[place];
    found.push_back(p.faults);
    bad.push_back(p.bad);
  }
  Faults::record(found, faults);
  if (slicings.together || slicings.size() == 1) BadGroups::record(bad, faults);
}

}  // namespace

void add_binary_cells(const BinaryCells& c, const Slicings& slicings, int64_t* counts, int64_t* faults) {
  add_batch<uint32_t>(c, slicings, counts, faults);
}
void add_binary_cells(const BinaryCells& c, const Slicings& slicings, double* counts, int64_t* faults) {
  add_batch<double>(c, slicings, counts, faults);
}

}  // namespace fastmetrics
