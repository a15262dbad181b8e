// SPDX-License-Identifier: Apache-2.0
//
// The multiclass pass over samples of given rows, and over weighted samples, on the CPU; its meaning is multiclass_body
// in fastmetrics/passes/multiclass.py.
//
// Samples of a row for each index of dimension 0 are such, too, but for those with few pairs in many samples, which
// multiclass_cpu.cpp counts a row at a time: by this loop they take 1.4 times as long. A thread has rows of its own.
//
// Blocks are read as in multiclass_cpu.cpp. A pair of target and label of a row is one cell of a table, of which the
// confusion matrix and the counts are made in the end, as long as all cells are fewer than the samples of a thread;
// else the cells of the states are added to. Neighbours are read sixteen at a time for all slicings, and how many
// samples a group has is then known from its pairs, but for samples that do not count. Of weighted samples threads
// reduce a chunk to labels, which is where the bytes are read; then one thread adds their weights in the order of the
// samples, so the same data gives the same bits for any number of threads.

#include <algorithm>
#include <mutex>
#include <vector>

#include "passes/loops_cpu.h"
#include "passes/multiclass_block_cpu.h"
#include "passes/sample_rows_cpu.h"
#include "passes/sixteen_cpu.h"
#include "passes/small_cells_cpu.h"

namespace fastmetrics {
namespace {

// Additions to a cell of a thread's own before it is folded; a cell is uint32.
constexpr int64_t kFoldEvery = int64_t{1} << 30;
// Cells of a table of pairs; more of them miss the caches, so that a sample costs more than it does in the states.
constexpr int64_t kMostPairs = int64_t{1} << 22;
// The same where a thread has rows of its own, whose table it can have again for the next ones.
constexpr int64_t kPlacePairs = int64_t{1} << 16;
// Samples of a row whose scores are read without those of the next one: they are neighbours in each class.
constexpr int64_t kLongRows = 64;
constexpr int64_t kChunk = int64_t{1} << 16;  // samples
constexpr int64_t kMostSlicings = 16;         // whose neighbours are read together

using Batch = MulticlassBatch;
using States = MulticlassStates;

// Rows of as many samples as a vector has lanes, those of number_of_lane(j) in lane j, and which of them are rows of
// the state.
struct FewRows {
  I32s row;
  Mask32 inside;
};

FewRows few_rows(const int64_t* from, int32_t limit) {
  const Longs row = load_longs_mixed(from);
  return {low_halves(row), below(row, limit)};
}
FewRows few_rows(const int32_t* from, int32_t limit) {
  const I32s row = mixed(load<I32s>(from));
  return {row, at_least(row, I32s{}) & ~at_least(row, I32s{} + limit)};
}

// The pairs of target and label in each row, [rows, C, C] and a cell of the samples that do not count; for totals
// whether they are equal, [rows, 2].
class Pairs {
 public:
  static int64_t cells_of_row(int64_t classes, const States& s) { return s.totals != nullptr ? 2 : classes * classes; }

  // members: [rows], or null. lock: of those who add to the states.
  void open(int64_t rows, int64_t classes, const States& s, int64_t* members, std::mutex* lock) {
    classes_ = classes;
    confusion_ = s.confusion;
    counts_ = s.counts;
    totals_ = s.totals;
    members_ = members;
    of_row_ = cells_of_row(classes, s);
    none_ = static_cast<int32_t>(rows * of_row_);
    if (none_ < FewCells::kMost) {
      few_.open(none_ + 1);
    } else {
      many_.open(none_ + 1, lock);
    }
  }
  explicit operator bool() const { return few_ || many_; }

  // As LabelTable::add_neighbours, with the groups of each slicing, at most kMostSlicings. odd(i, few, k, inside,
  // counts) is called where a sample does not count in slicing k: whether its group is there, and counts.
  template <typename Row, typename Labels, typename Odd>
  int64_t add_neighbours(const int64_t* target, const Row* const* group, const Slicings& slicings, const Labels& labels,
                         int64_t n, const int64_t* ignore, const Odd& odd) {
    constexpr int kStep = 64;
    alignas(64) int32_t cell[kStep];
    int held = 0;
    const int32_t c = static_cast<int32_t>(classes_);
    const I32s none = I32s{} + none_;
    const bool totals = totals_ != nullptr;
    const int64_t many = slicings.size();
    int32_t limit[kMostSlicings], start[kMostSlicings];
    for (int64_t k = 0; k < many; ++k) {
      limit[k] = static_cast<int32_t>(slicings.each[k].count);
      start[k] = slicings.first[k];
    }
    auto add = [&](int64_t i, const FewLabels& few, int64_t k, I32s row, Mask32 inside, Mask32 counts)
                   __attribute__((always_inline)) {
                     const Mask32 good = few.good & counts;
                     const I32s right = select(equal(few.target, few.labels), I32s{} + 1, I32s{});
                     const I32s at = totals ? row * 2 + right : (row * c + few.target) * c + few.labels;
                     store(select(good, at, none), cell + held);
                     if (any(~good)) odd(i, few, k, inside, counts);
                     held += kFloats;
                     if (held < kStep) return;
                     count(cell, kStep);
                     held = 0;
                   };
    const int64_t done = for_each_sixteen<4>(target, labels, n, classes_, ignore, [&](int64_t i, const FewLabels& few) {
      if (many == 1) {
        fetch_ahead(group[0] + i, kFloats);
        const FewRows rows = few_rows(group[0] + i, limit[0]);
        return add(i, few, 0, rows.row, rows.inside, rows.inside);
      }
      FewRows found[kMostSlicings];
      Mask32 all = ~Mask32{};
      for (int64_t k = 0; k < many; ++k) {
        fetch_ahead(group[k] + i, kFloats);
        found[k] = few_rows(group[k] + i, limit[k]);
        all = all & found[k].inside;
      }
      for (int64_t k = 0; k < many; ++k) {
        const Mask32 inside = found[k].inside;
        add(i, few, k, found[k].row + start[k], inside, slicings.together ? all : inside);
      }
    });
    count(cell, held);
    return done;
  }

  void add(const int32_t* row, const int32_t* target, const int32_t* label, int n) {
    const int32_t c = static_cast<int32_t>(classes_);
    const bool totals = totals_ != nullptr;
    int32_t cell[kBlock];
    for (int i = 0; i < n; ++i) {
      const int32_t counts = ~(row[i] | target[i] | label[i]) >> 31;  // all bits, if none is negative
      const int32_t at = totals ? row[i] * 2 + (target[i] == label[i]) : (row[i] * c + target[i]) * c + label[i];
      cell[i] = (at & counts) | (none_ & ~counts);
    }
    count(cell, n);
  }

  // Adds to the states what was written down; called under the lock.
  void settle() {
    if (few_) {
      few_left_ = few_.sums();
    } else {
      many_left_ = many_.rest([&](int32_t cell, int64_t samples) { add_pair(cell, samples); });
    }
  }

  // Adds what is left in the rows of [from, to) of all tables, that are settled, to their states.
  static void fold(const std::vector<Pairs>& tables, int64_t from, int64_t to) {
    const Pairs& one = tables[0];
    const int64_t cells = one.of_row_;
    std::vector<int64_t> held(cells + kDoubles);  // room for a vector that begins in the last line
    for (int64_t row = from; row < to; ++row) {
      std::fill_n(held.begin(), cells, 0);
      for (const Pairs& table : tables) {
        if (table.few_) add_cells(table.few_left_ + row * cells, cells, held.data());
        if (table.many_) add_cells(table.many_left_ + row * cells, cells, held.data());
      }
      one.add_row(row, held.data());
    }
  }

 private:
  template <typename Cell>
  static void add_cells(const Cell* from, int64_t n, int64_t* to) {
    for (int64_t i = 0; i < n; ++i) to[i] += from[i];
  }

  // cells: of one row, and readable for a vector behind it.
  void add_row(int64_t row, const int64_t* cells) const {
    if (totals_ != nullptr) return add_totals(row, cells[1], cells[0] + cells[1]);
    const int64_t c = classes_;
    for (int64_t i = 0; confusion_ != nullptr && i < c * c; ++i) confusion_[row * c * c + i] += cells[i];
    if (counts_ == nullptr && members_ == nullptr) return;
    int64_t all = 0;
    int64_t* counts = counts_ == nullptr ? nullptr : counts_ + row * c * 3;
    for (int64_t t = 0; t < c; ++t) {
      int64_t actual = 0;
      for (int64_t p = 0; p < c; ++p) actual += cells[t * c + p];
      all += actual;
      if (counts == nullptr) continue;
      counts[t * 3] += cells[t * c + t];
      counts[t * 3 + 2] += actual;
    }
    if (members_ != nullptr) members_[row] += all;
    for (int64_t p = 0; counts != nullptr && p < c; p += kDoubles) {
      I64s predicted{};
      for (int64_t t = 0; t < c; ++t) predicted += load<I64s>(cells + t * c + p);
      const int some = static_cast<int>(std::min<int64_t>(kDoubles, c - p));
      for (int k = 0; k < some; ++k) counts[(p + k) * 3 + 1] += predicted[k];
    }
  }

  void add_totals(int64_t row, int64_t right, int64_t all) const {
    totals_[row * 3] += right;
    totals_[row * 3 + 1] += all;
    totals_[row * 3 + 2] += all;
    if (members_ != nullptr) members_[row] += all;
  }

  void add_pair(int32_t cell, int64_t samples) const {
    if (cell == none_) return;
    if (totals_ != nullptr) return add_totals(cell / 2, cell % 2 * samples, samples);
    const int64_t c = classes_, p = cell % c, t = cell / c % c, row = cell / c / c;
    if (confusion_ != nullptr) confusion_[cell] += samples;
    if (members_ != nullptr) members_[row] += samples;
    if (counts_ == nullptr) return;
    if (t == p) counts_[(row * c + t) * 3] += samples;
    counts_[(row * c + p) * 3 + 1] += samples;
    counts_[(row * c + t) * 3 + 2] += samples;
  }

  void count(const int32_t* cell, int n) {
    if (few_) return few_.add(cell, n);
    many_.add(cell, n, [&](int32_t of, int64_t samples) { add_pair(of, samples); });
  }

  int64_t classes_ = 0, of_row_ = 0;
  int32_t none_ = 0;
  int64_t *confusion_ = nullptr, *counts_ = nullptr, *totals_ = nullptr, *members_ = nullptr;
  FewCells few_;
  ByteCells many_;
  const int64_t* few_left_ = nullptr;  // what is in them, once they are settled
  const uint8_t* many_left_ = nullptr;
};

// What one of the threads that share the states adds for the samples of [begin, end), about `mine` of them. samples:
// [rows], or null. What is in the pairs in the end is left to be folded.
void add_range(const Batch& b, const Slicings& rows, const States& s, int64_t* samples, int64_t begin, int64_t end,
               int64_t mine, bool shared, std::mutex* lock, Faults* faults, BadGroups* bad, Pairs* to_pairs) {
  const int64_t c = b.classes, k = s.k;
  Pairs& pairs = *to_pairs;
  RowCells confusion, counts, totals, ranks, rank_histogram, members;
  const bool wanted = s.confusion != nullptr || s.counts != nullptr || s.totals != nullptr;
  // whether so many cells of a row, of the thread's own, pay; rows that come one after another need none
  auto own = [&](int64_t cells) { return rows.each[0].data != nullptr && cells <= mine / rows.count; };
  const int64_t most = std::min(mine, kMostPairs);
  if (wanted && Pairs::cells_of_row(c, s) <= most / rows.count) {
    pairs.open(rows.count, c, s, samples, lock);
  } else {
    totals.open(s.totals, rows.count * 3, own(3), shared);
    confusion.open(s.confusion, rows.count * c * c, own(c * c), shared);
    counts.open(s.counts, rows.count * c * 3, own(c * 3), shared);
  }
  members.open(samples, rows.count, rows.count <= mine, shared);
  ranks.open(s.ranks, rows.count * c * k * 2, own(c * k * 2), shared);
  rank_histogram.open(s.rank_histogram, rows.count * c, own(c), shared);

  // The samples of groups that the pairs do not tell.
  auto add_members = [&](int64_t first, const Block& block, int64_t slicing, const int32_t* row, int n) {
    int32_t odd = pairs ? 0 : -1;
    for (int i = 0; i < n; ++i) odd |= block.target[i] | block.labels[i] | row[i];
    if (odd >= 0) return;
    for (int i = 0; i < n; ++i) {
      if (block.target[i] == kInvalid) continue;
      if (row[i] == kBad) {
        bad->add(slicing, first + i, rows.group_at(slicing, first + i));
      } else if (row[i] >= 0 && (!pairs || block.target[i] < 0 || block.labels[i] < 0)) {
        members.add(row[i]);
      }
    }
  };

  auto add = [&](int64_t first, const Block& block, int64_t slicing, const int32_t* row, int n) {
    if (pairs) pairs.add(row, block.target, block.labels, n);
    if (members) add_members(first, block, slicing, row, n);
    if (!confusion && !counts && !totals && !s.want_ranks()) return;
    if (!confusion && !totals && !rank_histogram) {
      counts.with_add([&](auto add_count) {
        ranks.with_add([&](auto add_rank) {
          for (int i = 0; i < n; ++i) {
            const int64_t t = block.target[i], p = block.labels[i], at = row[i] * c;
            if ((block.target[i] | block.labels[i] | row[i]) < 0) continue;
            if (t == p) add_count((at + t) * 3);
            add_count((at + p) * 3 + 1);
            add_count((at + t) * 3 + 2);
            if (s.ranks == nullptr || block.ranks[i] >= k) continue;
            add_rank(((at + t) * k + block.ranks[i]) * 2);
            add_rank(((at + p) * k + block.ranks[i]) * 2 + 1);
          }
        });
      });
      return;
    }
    for (int i = 0; i < n; ++i) {
      const int64_t t = block.target[i], p = block.labels[i], at = row[i] * c;
      if (t < 0 || p < 0 || row[i] < 0) continue;
      if (confusion) confusion.add((at + t) * c + p);
      if (counts) {
        if (t == p) counts.add((at + t) * 3);
        counts.add((at + p) * 3 + 1);
        counts.add((at + t) * 3 + 2);
      }
      if (totals) {
        if (t == p) totals.add(int64_t{row[i]} * 3);
        totals.add(int64_t{row[i]} * 3 + 1);
        totals.add(int64_t{row[i]} * 3 + 2);
      }
      if (rank_histogram) rank_histogram.add(at + block.ranks[i]);
      if (ranks && block.ranks[i] < k) {
        ranks.add(((at + t) * k + block.ranks[i]) * 2);
        ranks.add(((at + p) * k + block.ranks[i]) * 2 + 1);
      }
    }
  };

  std::vector<int32_t> rows_of_block(rows.size() * kBlock);
  auto add_blocks = [&](int64_t from, int64_t to) {
    for_each_block(b, from, to, s.want_ranks(), faults,
                   [&](int64_t first, int n, const Block& block, const Ahead& ahead) {
                     ahead.fetch(n);
                     read_rows(rows, first, n, kBlock, rows_of_block.data());
                     for (int64_t slicing = 0; slicing < rows.size(); ++slicing) {
                       add(first, block, slicing, &rows_of_block[slicing * kBlock], n);
                     }
                   });
  };

  const int run = b.layout.dims - 1;
  const DType type = rows.each[0].type;
  bool groups_are_neighbours = rows.size() <= kMostSlicings && (type == DType::kInt64 || type == DType::kInt32);
  for (const SampleRows& one : rows.each) {
    groups_are_neighbours &= one.type == type && one.layout.dims == 1 && one.layout.a_stride[0] == 1;
  }
  const bool neighbours =
      pairs && !s.want_ranks() && b.valid == nullptr && groups_are_neighbours &&
      in_sixteens(b.preds_type, b.layout.a_stride[run], b.class_stride, c, b.target_type, b.layout.b_stride[run]);
  // The groups are of the type of `zero`.
  auto add_neighbours = [&](auto zero, int64_t first, int64_t a_at, int64_t b_at, int64_t n) {
    const decltype(zero)* group[kMostSlicings];
    for (int64_t k = 0; k < rows.size(); ++k) group[k] = static_cast<const decltype(zero)*>(rows.each[k].data) + first;
    const int64_t* target = static_cast<const int64_t*>(b.target) + b_at;
    const int64_t a_step = b.layout.a_stride[run];
    int64_t done = 0;
    with_labels(b.preds, b.preds_type, a_at, a_step, c, [&](const auto& labels) {
      auto odd = [&](int64_t i, const FewLabels& few, int64_t slicing, Mask32 inside, Mask32 counts) {
        if (slicing == 0) {
          for_each_bad(i, few, [&](int64_t j) {
            record_bad(b.preds, b.preds_type, a_at + j * a_step, target[j], c, first + j, faults);
          });
        }
        if (!members) return;
        const uint32_t of_group = bits_of(inside), of_row = bits_of(counts), counted = bits_of(few.good);
        for (int j = 0; j < kFloats; ++j) {
          const int64_t at = i + number_of_lane(j);
          if ((of_group >> j & 1) == 0) {
            bad->add(slicing, first + at, rows.group_at(slicing, first + at));
          } else if ((of_row & ~counted) >> j & 1) {
            members.add(group[slicing][at] + rows.first[slicing]);
          }
        }
      };
      done = pairs.add_neighbours(target, group, rows, labels, n, b.ignored(), odd);
    });
    return done;
  };

  while (begin < end) {
    const int64_t to = std::min(end, begin + kFoldEvery / rows.size());
    while (neighbours && begin < to) {
      int64_t a_at, b_at;
      const int64_t n = std::min(b.layout.locate(begin, &a_at, &b_at), to - begin);
      const int64_t done = type == DType::kInt64 ? add_neighbours(int64_t{0}, begin, a_at, b_at, n)
                                                 : add_neighbours(int32_t{0}, begin, a_at, b_at, n);
      add_blocks(begin + done, begin + n);
      begin += n;
    }
    add_blocks(begin, to);
    std::lock_guard<std::mutex> one_at_a_time(*lock);
    members.fold();
    confusion.fold();
    counts.fold();
    totals.fold();
    ranks.fold();
    rank_histogram.fold();
    begin = to;
  }
  std::lock_guard<std::mutex> one_at_a_time(*lock);
  if (pairs) pairs.settle();
}

// What a thread adds to the rows [begin, end) of places, which are its own: as many at a time as have few pairs.
void add_places(const Batch& b, const SampleRows& places, const States& s, int64_t begin, int64_t end, Faults* faults) {
  const int64_t each = places.neighbours, cells = Pairs::cells_of_row(b.classes, s);
  const int64_t at_once = cells <= each ? std::max<int64_t>(1, kPlacePairs / cells) : end - begin;
  for (int64_t row = begin; row < end; row += at_once) {
    const int64_t n = std::min(at_once, end - row);
    const Slicings rows{{places}, {static_cast<int32_t>(-row)}, {}, n, false};
    States of_rows = s;
    if (s.counts != nullptr) of_rows.counts += row * b.classes * 3;
    if (s.ranks != nullptr) of_rows.ranks += row * b.classes * s.k * 2;
    BadGroups none;
    std::mutex lock;
    std::vector<Pairs> pairs(1);
    add_range(b, rows, of_rows, nullptr, row * each, (row + n) * each, n * each, false, &lock, faults, &none,
              &pairs[0]);
    if (pairs[0]) Pairs::fold(pairs, 0, n);
  }
}

// A sample as it is counted.
struct Sample {
  int32_t target, label, rank;  // target or label are negative if it is not
  double weight;
};

void add_sample(const Batch& b, const MulticlassCells<double>& s, int64_t row, const Sample& sample) {
  const int64_t c = b.classes, k = s.k, at = row * c, t = at + sample.target, p = at + sample.label;
  if (s.confusion != nullptr) s.confusion[t * c + sample.label] += sample.weight;
  if (s.counts != nullptr) {
    if (t == p) s.counts[t * 3] += sample.weight;
    s.counts[p * 3 + 1] += sample.weight;
    s.counts[t * 3 + 2] += sample.weight;
  }
  if (s.totals != nullptr) {
    if (t == p) s.totals[row * 3] += sample.weight;
    s.totals[row * 3 + 1] += sample.weight;
    s.totals[row * 3 + 2] += sample.weight;
  }
  if (s.rank_histogram != nullptr) s.rank_histogram[at + sample.rank] += sample.weight;
  if (s.ranks != nullptr && sample.rank < k) {
    s.ranks[(t * k + sample.rank) * 2] += sample.weight;
    s.ranks[(p * k + sample.rank) * 2 + 1] += sample.weight;
  }
}

// The same of n samples in their order where all have one row: the sums stay in registers.
void add_totals(const Sample* samples, int64_t n, double* totals) {
  double right = totals[0], predicted = totals[1], actual = totals[2];
  for (int64_t i = 0; i < n; ++i) {
    const Sample& sample = samples[i];
    if (sample.target < 0 || sample.label < 0) continue;
    if (sample.target == sample.label) right += sample.weight;
    predicted += sample.weight;
    actual += sample.weight;
  }
  totals[0] = right;
  totals[1] = predicted;
  totals[2] = actual;
}

}  // namespace

void add_multiclass_rows(const Batch& b, const Slicings& rows, int64_t* members, const States& s) {
  const int64_t samples = b.layout.samples();
  if (samples == 0 || rows.size() == 0) return;
  const int threads = threads_for(samples * (b.scores ? b.classes : 4));
  std::vector<Faults> faults(threads);
  std::vector<BadGroups> bad(threads);
  std::vector<Pairs> pairs(threads);
  std::mutex lock;
  split(samples, threads, [&](int thread, int64_t begin, int64_t end) {
    add_range(b, rows, s, members, begin, end, samples / threads, threads > 1, &lock, &faults[thread], &bad[thread],
              &pairs[thread]);
  });
  if (pairs[0]) {  // a thread folds its rows of all threads, so that only one of them writes to a line of the states
    split(rows.count, threads, [&](int, int64_t begin, int64_t end) { Pairs::fold(pairs, begin, end); });
  }
  Faults::record(faults, s.faults);
  if (rows.together || rows.size() == 1) BadGroups::record(bad, s.faults);
}

void add_multiclass_places(const Batch& samplewise, const States& s) {
  Batch b = samplewise;
  const int64_t samples = b.layout.samples();
  if (samples == 0) return;
  b.samplewise = b.scores && b.per_sample >= kLongRows;  // blocks end with rows
  b.layout.collapse(0);
  const SampleRows places{nullptr, DType::kOther, 1, 0, {}, samples / b.per_sample, b.per_sample};
  const int threads = threads_for(samples * (b.scores ? b.classes : 4));
  std::vector<Faults> faults(threads);
  split(places.count, threads,
        [&](int thread, int64_t begin, int64_t end) { add_places(b, places, s, begin, end, &faults[thread]); });
  Faults::record(faults, s.faults);
}

void add_weighted_multiclass(const Batch& b, const Slicings& rows, const MulticlassCells<double>& s) {
  const int64_t samples = b.layout.samples();
  const int64_t chunk = std::max<int64_t>(kBlock, std::min(kChunk, samples));
  std::vector<Sample> read(chunk);
  std::vector<int32_t> row(chunk * rows.size());
  std::vector<Faults> faults(threads_for(chunk * (b.scores ? b.classes : 4)));
  for (int64_t from = 0; from < samples; from += chunk) {
    const int64_t n = std::min(chunk, samples - from);
    split(n, static_cast<int>(faults.size()), [&](int thread, int64_t begin, int64_t end) {
      for_each_block(b, from + begin, from + end, s.want_ranks(), &faults[thread],
                     [&](int64_t first, int size, const Block& block, const Ahead&) {
                       read_rows(rows, first, size, chunk, row.data() + first - from);
                       for (int i = 0; i < size; ++i) {
                         Sample& sample = read[first - from + i];
                         sample = {block.target[i], block.labels[i], block.ranks[i], 0.0};
                         if (sample.target == kIgnored || sample.target == kInvalid) continue;
                         sample.weight = b.weights[b.layout.offset(first + i, b.layout.d_stride)];
                         if (!faults[thread].check_weight(sample.weight, first + i)) sample.target = kBad;
                       }
                     });
    });
    if (s.totals != nullptr && rows.size() == 1 && rows.each[0].data == nullptr) {
      add_totals(read.data(), n, s.totals);
      continue;
    }
    for (int64_t slicing = 0; slicing < rows.size(); ++slicing) {
      for (int64_t i = 0; i < n; ++i) {
        const int32_t of = row[slicing * chunk + i];
        if (read[i].target >= 0 && read[i].label >= 0 && of >= 0) add_sample(b, s, of, read[i]);
      }
    }
  }
  Faults::record(faults, s.faults);
}

}  // namespace fastmetrics
