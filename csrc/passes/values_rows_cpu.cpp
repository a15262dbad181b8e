// SPDX-License-Identifier: Apache-2.0
//
// The values pass that adds to rows of its states, on the CPU; its meaning is values_rows_body in
// fastmetrics/passes/values.py. How the batch is cut into parts is as in pairs_rows_cpu.cpp.

#include <vector>

#include "passes/loops_cpu.h"
#include "passes/sample_rows_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kBlock = 512;
constexpr int64_t kMostParts = 64;
constexpr int64_t kSmallestPart = 32768;  // values
constexpr int64_t kMostCells = 1 << 18;   // of several parts
constexpr int64_t kValuesPerCell = 16;    // that are worth a cell in each of several parts

// A block of values: what each adds to the sum and to the weight, and what it is for the least and the greatest.
struct ValuesBlock {
  int n;
  double product[kBlock], weight[kBlock], low[kBlock], high[kBlock];
  int place[kBlock];
  std::vector<int32_t> row;  // [K, kBlock]
};

// What is further than a number that is there takes its place; most are not. NaN is further than any, and stays.
inline void lower(double x, double* least) {
  if (!(x >= *least)) *least = lesser(x, *least);
}
inline void raise(double x, double* greatest) {
  if (!(x <= *greatest)) *greatest = greater(x, *greatest);
}

// The states, where they are given.
struct RowsOfStates {
  const ValuesStates& s;

  void add(int64_t row, double product, double weight) {
    if (s.sum != nullptr) s.sum[row] += product;
    if (s.weight != nullptr) s.weight[row] += weight;
  }
  double* least(int64_t row) { return s.minimum + row; }
  double* greatest(int64_t row) { return s.maximum + row; }
};

// Those of a part of the batch.
struct OwnRows {
  std::vector<Extent> of;

  void add(int64_t row, double product, double weight) {
    of[row].sum += product;
    of[row].weight += weight;
  }
  double* least(int64_t row) { return &of[row].low; }
  double* greatest(int64_t row) { return &of[row].high; }
};

// Makes what each value counts as of the values and weights that the block has; returns how many are NaN.
int64_t apply(const NanRule& rule, ValuesBlock* block) {
  int64_t nans = 0;
  for (int i = 0; i < block->n; ++i) {
    const double x = block->product[i], w = block->weight[i];
    const bool nan = !rule.keep && ((x != x) | (w != w));
    block->product[i] = nan ? rule.product : x * w;
    block->weight[i] = nan ? rule.weight : w;
    block->low[i] = nan ? rule.low : x;
    block->high[i] = nan ? rule.high : x;
    nans += nan ? 1 : 0;
  }
  return nans;
}

// Values [begin, end); returns how many are NaN.
template <typename To>
int64_t add_part(const ValuesBatch& b, const Slicings& rows, const ValuesStates& s, int64_t begin, int64_t end,
                 To* to) {
  const bool sums = s.sum != nullptr || s.weight != nullptr;
  const int last = b.layout.dims - 1;
  const int64_t step = b.layout.a_stride[last], of_weights = b.layout.b_stride[last];
  const int64_t of_valid = b.layout.c_stride[last];
  ValuesBlock block;
  block.row.resize(rows.size() * kBlock);
  int64_t nans = 0;
  while (begin < end) {
    int64_t values_at, weights_at;
    const int64_t left = std::min(b.layout.locate(begin, &values_at, &weights_at), end - begin);
    const int64_t valid_at = b.valid == nullptr ? 0 : b.layout.offset(begin, b.layout.c_stride);
    const int n = static_cast<int>(std::min<int64_t>(kBlock, left));
    to_doubles(b.values, b.values_type, values_at, step, n, block.product);
    if (b.weights != nullptr) {
      to_doubles(b.weights, b.weights_type, weights_at, of_weights, n, block.weight);
    } else {
      std::fill_n(block.weight, n, 1.0);
    }
    block.n = n;
    if (b.valid != nullptr) {  // close the gaps
      block.n = 0;
      for (int i = 0; i < n; ++i) {
        block.product[block.n] = block.product[i];
        block.weight[block.n] = block.weight[i];
        block.place[block.n] = i;
        block.n += b.valid[valid_at + i * of_valid];
      }
    }
    nans += apply(b.nans, &block);
    read_rows(rows, begin, n, kBlock, block.row.data());
    for (int64_t k = 0; k < rows.size(); ++k) {
      int32_t* row = &block.row[k * kBlock];
      if (b.valid != nullptr) {
        for (int i = 0; i < block.n; ++i) row[i] = row[block.place[i]];
      }
      const auto for_each = [&](const auto& f) {
        for (int i = 0; i < block.n; ++i) {
          if (row[i] >= 0) f(row[i], i);
        }
      };
      if (sums) for_each([&](int64_t row, int i) { to->add(row, block.product[i], block.weight[i]); });
      if (s.minimum != nullptr) for_each([&](int64_t row, int i) { lower(block.low[i], to->least(row)); });
      if (s.maximum != nullptr) for_each([&](int64_t row, int i) { raise(block.high[i], to->greatest(row)); });
    }
    begin += n;
  }
  return nans;
}

}  // namespace

void add_values_rows(const ValuesBatch& b, const Slicings& rows, const ValuesStates& s) {
  const int64_t n = b.layout.samples();
  if (n == 0) return;
  const int64_t most = std::min(kMostCells / rows.count, n / (kValuesPerCell * rows.count));
  const Parts parts(n, std::min({kMostParts, most, n / kSmallestPart}));
  RowsOfStates states{s};
  std::vector<int64_t> nans(parts.count);
  if (parts.count == 1) {
    nans[0] = add_part(b, rows, s, 0, n, &states);
  } else {
    std::vector<OwnRows> found(parts.count);
    parts.for_each(threads_for(n), [&](int64_t part, int64_t begin, int64_t end) {
      found[part].of.resize(rows.count);
      nans[part] = add_part(b, rows, s, begin, end, &found[part]);
    });
    split(rows.count, threads_for(rows.count * parts.count), [&](int, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        Extent all;
        for (const OwnRows& of_part : found) all.add(of_part.of[row]);
        states.add(row, all.sum, all.weight);
        if (s.minimum != nullptr) lower(all.low, states.least(row));
        if (s.maximum != nullptr) raise(all.high, states.greatest(row));
      }
    });
  }
  for (const int64_t of_part : nans) {
    if (s.faults != nullptr) s.faults[2 * kBadPreds] += of_part;
  }
}

}  // namespace fastmetrics
