// SPDX-License-Identifier: Apache-2.0
//
// The pairs pass that adds to rows of its states, on the CPU; its meaning is pairs_rows_body in
// fastmetrics/passes/pairs.py.
//
// A block of pairs is widened, one rule after another makes numbers of it, and these are added to cells: those of the
// row and output of each pair. Where the cells are few beside the batch, it is cut into parts whose number depends on
// sizes alone, each with cells of its own, and the parts are added in order: the same data gives the same bits for any
// number of threads. Where they are many, one thread adds to the states, in the order of the pairs; moments have cells
// of their own all the same.
//
// Cells have moments as distances from a pilot, the first pair that comes to the cell: it is as far from the mean of
// its row as that row's values are, wherever the state and the other rows are, so nothing cancels that counts.

#include <vector>

#include "passes/loops_cpu.h"
#include "passes/pairs_block_cpu.h"
#include "passes/sample_rows_cpu.h"

namespace fastmetrics {
namespace {

constexpr int64_t kMostParts = 64;
constexpr int64_t kSmallestPart = 32768;  // pairs
constexpr int64_t kMostCells = 1 << 18;   // of several parts
// how many pairs are worth a cell beside the states, and a cell in each of several parts
constexpr int64_t kPairsPerCell = 4, kPairsPerCellOfPart = 16;
constexpr int kTogether = 4;  // sums that are added in one go

// Which sums are asked for, and where they are in the states: number i of cell c at to[i][c * step[i]].
struct SumsAt {
  static constexpr int kMost = 1 + kErrorKinds + 3 + 2;
  int count = 0;
  double* to[kMost];
  int64_t step[kMost];

  // In the order in which add_block makes them.
  explicit SumsAt(const PairsStates& s) {
    if (s.moments == nullptr) put(s.count, 1);  // else it is that of the moments
    for (double* of_kind : s.errors) put(of_kind, 1);
    put(s.events, 3);
    put(s.deviance, 2);
  }

 private:
  void put(double* state, int64_t numbers) {
    for (int64_t j = 0; state != nullptr && j < numbers; ++j, ++count) {
      to[count] = state + j;
      step[count] = numbers;
    }
  }
};

// Cells of a part of the batch, [S, D].
struct OwnCells {
  int width;
  std::vector<double> sums;  // [S, D, width]
  std::vector<double> of_extremes;
  std::vector<ShiftedSums> of_moments;

  OwnCells(const PairsStates& s, const SumsAt& at, int64_t cells) : width(at.count), sums(cells * at.count) {
    if (s.extremes != nullptr) of_extremes.resize(3 * cells);
    if (s.moments != nullptr) of_moments.resize(cells);
  }

  double& sum(int64_t cell, int number) { return sums[cell * width + number]; }
  double* extremes(int64_t cell) { return &of_extremes[3 * cell]; }
  void add_moments(int64_t cell, double x, double y, double weight) {
    ShiftedSums& to = of_moments[cell];
    if (to.n == 0.0) to.start(x, y);
    to.add(x, y, weight);
  }
};

// The states themselves.
struct CellsOfStates {
  const PairsStates& s;
  const SumsAt& at;

  double& sum(int64_t cell, int number) { return at.to[number][cell * at.step[number]]; }
  double* extremes(int64_t cell) { return s.extremes + 3 * cell; }
};

// The cells of a block of pairs, [K, kBlock]; negative where a pair is left out.
struct BlockCells {
  explicit BlockCells(const Slicings& rows) : rows(rows), cells(rows.size() * kBlock) {}

  // Those of n pairs of an output from `first` on.
  void read(int64_t first, int n, int64_t output, int64_t outputs) {
    read_rows(rows, first, n, kBlock, cells.data(), output);
    for (int64_t k = 0; outputs > 1 && k < rows.size(); ++k) {
      int32_t* cell = &cells[k * kBlock];
      for (int i = 0; i < n; ++i) {
        cell[i] = cell[i] < 0 ? -1 : cell[i] * static_cast<int32_t>(outputs) + static_cast<int32_t>(output);
      }
    }
  }

  // Leaves those of the pairs that a block has kept.
  void drop(const PairsBlock& block) {
    for (int64_t k = 0; k < rows.size(); ++k) {
      int32_t* cell = &cells[k * kBlock];
      for (int i = 0; i < block.n; ++i) cell[i] = cell[block.place[i]];
    }
  }

  // f(cell, i) for each cell of each of n pairs.
  template <typename F>
  void for_each(int n, const F& f) const {
    for (int64_t k = 0; k < rows.size(); ++k) {
      const int32_t* cell = &cells[k * kBlock];
      for (int i = 0; i < n; ++i) {
        if (cell[i] >= 0) f(cell[i], i);
      }
    }
  }

  const Slicings& rows;
  std::vector<int32_t> cells;
};

// Sums of a block that wait to be added in one go.
template <typename To>
class WaitingSums {
 public:
  WaitingSums(const BlockCells& cells, To* to) : cells_(cells), to_(to) {}

  // The numbers of the pairs of the next sum, [n].
  void add(const double* value, int n, const double* weight) {
    std::copy_n(value, n, values_[waiting_++]);
    if (waiting_ == kTogether) flush(n, weight);
  }
  void add_ones(int n, const double* weight) {
    std::fill_n(values_[waiting_++], n, 1.0);
    if (waiting_ == kTogether) flush(n, weight);
  }
  // weight: null if all are 1.
  void flush(int n, const double* weight) {
    auto add = [&](auto together) {
      cells_.for_each(n, [&](int64_t cell, int i) {
        const double w = weight == nullptr ? 1.0 : weight[i];
        for (int j = 0; j < together; ++j) to_->sum(cell, first_ + j) += w * values_[j][i];
      });
    };
    if (waiting_ == 1) add(std::integral_constant<int, 1>{});
    if (waiting_ == 2) add(std::integral_constant<int, 2>{});
    if (waiting_ == 3) add(std::integral_constant<int, 3>{});
    if (waiting_ == 4) add(std::integral_constant<int, 4>{});
    first_ += waiting_;
    waiting_ = 0;
  }

 private:
  const BlockCells& cells_;
  To* to_;
  int first_ = 0, waiting_ = 0;
  double values_[kTogether][kBlock];
};

// A block with some pairs; `outside` is that of find_deviances.
template <typename To, typename F>
void add_block(const PairsBatch& b, const PairsStates& s, const BlockCells& cells, PairsBlock* block, To* to,
               const F& outside) {
  const int n = block->n;
  const double *x = block->x, *y = block->y, *weight = b.weights == nullptr ? nullptr : block->weight;
  if constexpr (std::is_same_v<To, OwnCells>) {
    if (s.moments != nullptr) {
      cells.for_each(
          n, [&](int64_t cell, int i) { to->add_moments(cell, x[i], y[i], weight == nullptr ? 1.0 : weight[i]); });
    }
  }
  if (s.extremes != nullptr) {
    cells.for_each(n, [&](int64_t cell, int i) {
      double* at = to->extremes(cell);
      if (at[0] != 0.0 && at[1] <= y[i] && y[i] <= at[2]) return;  // as most are
      const double here[] = {1.0, y[i], y[i]};
      add_extremes(here, at);
    });
  }
  WaitingSums<To> waiting(cells, to);
  if (s.count != nullptr && s.moments == nullptr) waiting.add_ones(n, weight);
  for (int kind = 0; kind < kErrorKinds; ++kind) {
    if (s.errors[kind] == nullptr) continue;
    find_errors(kind, b.p, block);
    waiting.add(block->value, n, weight);
  }
  for (int which = 0; s.events != nullptr && which < 3; ++which) {
    find_events(which, b.preds_threshold, b.target_threshold, block);
    waiting.add(block->value, n, weight);
  }
  waiting.flush(n, weight);
  if (s.deviance == nullptr) return;
  find_deviances(b, block, outside);
  waiting.add(block->value, n, block->weight);
  waiting.add_ones(n, block->weight);
  waiting.flush(n, block->weight);
}

// Pairs [begin, end) of every output.
template <typename To>
void add_part(const PairsBatch& b, const Slicings& rows, const PairsStates& s, int64_t begin, int64_t end, To* to,
              Faults* faults) {
  const bool all = b.valid == nullptr && b.weights == nullptr;
  PairsBlock block;
  BlockCells cells(rows);
  for_each_run(b, begin, end, [&](const PairsRun& run, int64_t first, int64_t n, int64_t output) {
    for (int64_t i = 0; i < n; i += kBlock) {
      block.n = static_cast<int>(std::min<int64_t>(kBlock, n - i));
      to_doubles(b.preds, b.preds_type, run.a + i * run.a_step, run.a_step, block.n, block.x);
      to_doubles(b.target, b.target_type, run.b + i * run.b_step, run.b_step, block.n, block.y);
      cells.read(first + i, block.n, output, b.outputs);
      auto place_of = [&](int j) { return (first + i + j) * b.outputs + output; };
      if (!all) {
        drop(b, run, i, &block, faults, place_of);
        cells.drop(block);
      }
      if (block.n == 0) continue;
      add_block(b, s, cells, &block, to, [&](int j, bool bad_x, bool bad_y) {
        const int64_t place = place_of(all ? j : block.place[j]);
        if (bad_x) faults->add(kBadPreds, place, static_cast<int64_t>(bits_of(block.x[j])));
        if (bad_y) faults->add(kBadTarget, place, static_cast<int64_t>(bits_of(block.y[j])));
      });
    }
  });
}

// Adds a cell of all parts to the states, in order.
void fold(std::vector<OwnCells>* parts, const PairsStates& s, const SumsAt& at, int64_t cell) {
  for (int number = 0; number < at.count; ++number) {
    double sum = 0.0;
    for (OwnCells& of_part : *parts) sum += of_part.sum(cell, number);
    at.to[number][cell * at.step[number]] += sum;
  }
  for (OwnCells& of_part : *parts) {
    if (s.extremes != nullptr) add_extremes(of_part.extremes(cell), s.extremes + 3 * cell);
  }
  if (s.moments == nullptr) return;
  Moments all;
  for (OwnCells& of_part : *parts) all = merged(all, of_part.of_moments[cell].moments_or_nan());
  double* to = s.moments + 6 * cell;
  store(merged(moments_at(to), all), to);
  if (s.count != nullptr) s.count[cell] += all.n;
}

}  // namespace

void add_pairs_rows(const PairsBatch& b, const Slicings& rows, const PairsStates& s) {
  const int64_t n = b.layout.samples(), pairs = n * b.outputs, cells = rows.count * b.outputs;
  if (pairs == 0) return;
  const SumsAt at(s);
  std::vector<Faults> faults(1);
  if (s.moments == nullptr && cells * kPairsPerCell > pairs) {
    CellsOfStates states{s, at};
    add_part(b, rows, s, 0, n, &states, faults.data());
  } else {
    const int64_t most = std::min(kMostCells / cells, pairs / (kPairsPerCellOfPart * cells));
    const Parts parts(n, std::min({kMostParts, most, pairs / kSmallestPart, n}));
    std::vector<OwnCells> found(parts.count, OwnCells(s, at, cells));
    faults.resize(parts.count);
    parts.for_each(threads_for(pairs), [&](int64_t part, int64_t begin, int64_t end) {
      add_part(b, rows, s, begin, end, &found[part], &faults[part]);
    });
    split(cells, threads_for(cells * parts.count), [&](int, int64_t begin, int64_t end) {
      for (int64_t cell = begin; cell < end; ++cell) fold(&found, s, at, cell);
    });
  }
  Faults::record(faults, s.faults);
}

}  // namespace fastmetrics
