// SPDX-License-Identifier: Apache-2.0
//
// The rows of a block of samples as int32, those out of range, and cells that one thread adds to.

#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "common/cpu.h"
#include "passes/sample_rows.h"
#include "passes/slicings.h"

namespace fastmetrics {

// Neighbours in memory of a block of samples from `begin` on: f(offset, stride, place in the block, how many).
template <typename F>
inline void for_each_run(const Layout& layout, const int64_t* stride, int64_t begin, int n, const F& f) {
  int64_t unused;
  for (int done = 0; done < n;) {
    const int64_t left = layout.locate(begin + done, &unused, &unused);
    const int length = static_cast<int>(std::min<int64_t>(left, n - done));
    f(layout.offset(begin + done, stride), stride[layout.dims - 1], done, length);
    done += length;
  }
}

// The rows of n samples from `begin` on, of which each `each` neighbours have row_of(i), i from 0 on.
template <typename F>
inline void fill_neighbours(int64_t begin, int n, int64_t each, int32_t* to, const F& row_of) {
  int64_t left = each - begin % each;
  for (int done = 0, i = 0; done < n; left = each, ++i) {
    const int length = static_cast<int>(std::min<int64_t>(left, n - done));
    std::fill(to + done, to + done + length, row_of(i));
    done += length;
  }
}

// The rows of n samples from `begin` on in slicing k; negative where a sample is left out. Those that follow are
// fetched while these are counted.
inline void read_rows(const SampleRows& rows, int64_t k, int64_t begin, int n, int32_t* to) {
  const Layout& layout = rows.layout;
  if (rows.data == nullptr) {
    const int64_t first = begin / rows.neighbours;
    fill_neighbours(begin, n, rows.neighbours, to, [&](int64_t i) { return static_cast<int32_t>(first + i); });
    return;
  }
  if (layout.dims == 2 && layout.a_stride[1] == 0) {
    const int64_t each = layout.size[1], first = begin / each, last = (begin + n - 1) / each;
    const int many = static_cast<int>(last - first + 1);
    int32_t* of_each = to + n - many;  // what is not filled yet
    narrow_labels(rows.data, rows.type, rows.slicing(k) + first * layout.a_stride[0], layout.a_stride[0], many,
                  rows.count, nullptr, of_each);
    fill_neighbours(begin, n, each, to, [&](int64_t i) { return of_each[i]; });
    return;
  }
  const int64_t size = size_of(rows.type);
  for_each_run(layout, layout.a_stride, begin, n, [&](int64_t at, int64_t step, int done, int length) {
    const char* next = static_cast<const char*>(rows.data) + (rows.slicing(k) + at + length * step) * size;
    for (int i = 0; i < length; i += 8) __builtin_prefetch(next + i * step * size, 0, 2);
    narrow_labels(rows.data, rows.type, rows.slicing(k) + at, step, length, rows.count, nullptr, to + done);
  });
}

// The rows of n samples from `begin` on, [K, pitch], where a column has its own those of this one; negative where a
// sample is left out, kBad for a group out of range.
inline void read_rows(const Slicings& slicings, int64_t begin, int n, int64_t pitch, int32_t* to, int64_t column = 0) {
  const int64_t count = slicings.size();
  for (int64_t k = 0; k < count; ++k) {
    if (column == 0 || slicings.a_column.empty()) {
      read_rows(slicings.each[k], 0, begin, n, to + k * pitch);
      continue;
    }
    SampleRows of_column = slicings.each[k];
    const int64_t at = column * slicings.a_column[k] * size_of(of_column.type);
    of_column.data = static_cast<const char*>(of_column.data) + at;
    read_rows(of_column, 0, begin, n, to + k * pitch);
  }
  if (!slicings.together) {
    for (int64_t k = 0; k < count; ++k) {
      const int32_t first = slicings.first[k];
      int32_t* row = to + k * pitch;
      for (int i = 0; first != 0 && i < n; ++i) row[i] = row[i] < 0 ? row[i] : row[i] + first;
    }
    return;
  }
  int32_t odd = 0;
  for (int64_t k = 0; k < count; ++k) {
    const int32_t* row = to + k * pitch;
    for (int i = 0; i < n; ++i) odd |= row[i];
  }
  for (int i = 0; odd < 0 && i < n; ++i) {
    int32_t all = 0;
    for (int64_t k = 0; k < count; ++k) all |= to[k * pitch + i];
    for (int64_t k = 0; all < 0 && k < count; ++k) {
      if (to[k * pitch + i] >= 0) to[k * pitch + i] = kInvalid;
    }
  }
  for (int64_t k = 1; k < count; ++k) {
    const int32_t first = slicings.first[k];
    int32_t* row = to + k * pitch;
    for (int i = 0; i < n; ++i) row[i] += row[i] < 0 ? 0 : first;
  }
}

// Groups out of range that one thread met, of which the first is that of the first slicing that has any.
struct BadGroups {
  int64_t count = 0, first = 0, slicing = INT64_MAX, place = INT64_MAX;

  void add(int64_t k, int64_t at, int64_t group) {
    ++count;
    if (k > slicing || (k == slicing && at >= place)) return;
    slicing = k;
    place = at;
    first = group;
  }

  // What all threads met, to a record of faults, if any is kept.
  static void record(const std::vector<BadGroups>& found, int64_t* faults) {
    if (faults == nullptr) return;
    BadGroups all;
    for (const BadGroups& of_thread : found) {
      if (of_thread.count == 0) continue;
      const int64_t count = all.count + of_thread.count;
      all.add(of_thread.slicing, of_thread.place, of_thread.first);
      all.count = count;
    }
    if (all.count == 0) return;
    if (faults[2 * kBadGroup] == 0) faults[2 * kBadGroup + 1] = all.first;
    faults[2 * kBadGroup] += all.count;
  }
};

// Cells of a state as one thread sees them: its own, folded into the state in the end, or those of the state.
class RowCells {
 public:
  // own: cells of the thread's own pay; shared: other threads add to the same state.
  void open(int64_t* state, int64_t size, bool own, bool shared) {
    state_ = state;
    shared_ = shared;
    if (state != nullptr && own) {
      size_ = size;
      cells_.reset(new uint32_t[size]());
    }
  }
  explicit operator bool() const { return state_ != nullptr; }
  void add(int64_t cell) {
    if (cells_) {
      ++cells_[cell];
    } else if (shared_) {
      __atomic_fetch_add(state_ + cell, 1, __ATOMIC_RELAXED);
    } else {
      ++state_[cell];
    }
  }
  // f(add) with what add(cell) is for all cells, so that a loop in f does not ask for each; nothing if there is no
  // state.
  template <typename F>
  void with_add(const F& f) {
    if (state_ == nullptr) return f([](int64_t) {});
    if (cells_) return f([cells = cells_.get()](int64_t cell) { ++cells[cell]; });
    if (shared_) return f([to = state_](int64_t cell) { __atomic_fetch_add(to + cell, 1, __ATOMIC_RELAXED); });
    f([to = state_](int64_t cell) { ++to[cell]; });
  }
  // Called by one thread at a time.
  void fold() {
    for (int64_t i = 0; cells_ && i < size_; ++i) state_[i] += cells_[i];
    if (cells_) std::fill_n(cells_.get(), size_, 0);
  }

 private:
  int64_t* state_ = nullptr;
  bool shared_ = false;
  int64_t size_ = 0;
  std::unique_ptr<uint32_t[]> cells_;
};

}  // namespace fastmetrics
