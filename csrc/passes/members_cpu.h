// SPDX-License-Identifier: Apache-2.0
//
// How many samples each row of a state has, on the CPU.

#pragma once

#include <algorithm>
#include <mutex>
#include <vector>

#include "passes/sample_rows_cpu.h"

namespace fastmetrics {

// Those that one part of a batch counts, and its groups that are out of range.
class Members {
 public:
  Members() = default;
  explicit Members(const Slicings& rows) : Members(rows, rows.records()) {}
  Members(const Slicings& rows, bool records) : rows_(&rows), records_(records), pitch_(rows.count + 1) {
    // additions to one cell wait for each other: neighbouring samples of few rows go to cells of their own
    cells_.resize(pitch_ * (rows.count <= kFewRows ? kReplicas : 1));
  }
  explicit operator bool() const { return rows_ != nullptr; }

  static constexpr int kMostAtOnce = 1024;

  // Adds n samples from `first` on, at most kMostAtOnce, of a column where these have groups of their own, whose rows
  // were read, [K, pitch]. target: kInvalid for those that do not count; null if all do. place_of(i): of sample i among
  // all of the batch.
  template <typename PlaceOf>
  void add(int64_t first, int n, int64_t pitch, const int32_t* rows, const int32_t* target, int64_t column,
           const PlaceOf& place_of) {
    const int32_t none = static_cast<int32_t>(pitch_ - 1);
    int64_t* table[kReplicas];
    for (size_t r = 0; r < kReplicas; ++r) table[r] = cells_.data() + r * pitch_ % cells_.size();
    for (int64_t k = 0; k < rows_->size(); ++k) {
      const int32_t* row = rows + k * pitch;
      alignas(64) int32_t cell[kMostAtOnce];
      int32_t odd = 0;
      for (int i = 0; i < n; ++i) {
        odd |= row[i];
        cell[i] = row[i] < 0 ? none : row[i];
      }
      for (int i = 0; target != nullptr && i < n; ++i) cell[i] = target[i] == kInvalid ? none : cell[i];
      int i = 0;
      for (; i + 4 <= n; i += 4) {
        ++table[0][cell[i]];
        ++table[1][cell[i + 1]];
        ++table[2][cell[i + 2]];
        ++table[3][cell[i + 3]];
      }
      for (; i < n; ++i) ++table[0][cell[i]];
      for (i = 0; odd < 0 && records_ && i < n; ++i) {
        if (row[i] != kBad || (target != nullptr && target[i] == kInvalid)) continue;
        bad.add(k, place_of(i), rows_->group_at(k, first + i, column));
      }
    }
  }

  // Adds what was counted to members, [S].
  void fold(int64_t* members) const {
    for (size_t at = 0; at < cells_.size(); at += pitch_) {
      for (int64_t i = 0; i + 1 < pitch_; ++i) members[i] += cells_[at + i];
    }
  }

  BadGroups bad;

 private:
  static constexpr int64_t kFewRows = 256;
  static constexpr size_t kReplicas = 4;

  const Slicings* rows_ = nullptr;
  bool records_ = false;
  int64_t pitch_ = 0;
  std::vector<int64_t> cells_;  // [replicas, S + 1]; the last of a replica is of those that are left out
};

// Which samples of a batch are valid, if their mask has the third strides of its layout.
inline GroupsMask mask_of(const bool* valid, const Layout& samples) {
  GroupsMask mask{valid, samples};
  std::copy_n(samples.c_stride, kMaxDims, mask.layout.a_stride);
  return mask;
}

// Those of a whole batch. members: [S]; faults: [kFaults] or null.
inline void count_members(const Slicings& rows, const GroupsMask& mask, int64_t* members, int64_t* faults) {
  constexpr int kBlock = Members::kMostAtOnce;
  const int64_t slicings = rows.size();
  if (slicings == 0) return;
  const int64_t samples = rows.each[0].layout.samples();
  const int threads = threads_for(samples * slicings * 4);
  const bool own = rows.count <= samples / threads;  // cells of a thread's own pay
  std::mutex folding;
  std::vector<BadGroups> found(threads);
  split(samples, threads, [&](int thread, int64_t begin, int64_t end) {
    Members counted = own ? Members(rows, true) : Members();
    std::vector<int32_t> row(slicings * kBlock);
    for (; begin < end; begin += kBlock) {
      const int n = static_cast<int>(std::min<int64_t>(kBlock, end - begin));
      read_rows(rows, begin, n, kBlock, row.data());
      for (int64_t k = 0; mask.valid != nullptr && k < slicings; ++k) {
        for_each_run(mask.layout, mask.layout.a_stride, begin, n, [&](int64_t at, int64_t step, int done, int size) {
          mask_labels(mask.valid, at, step, size, &row[k * kBlock + done]);
        });
      }
      if (own) {
        counted.add(begin, n, kBlock, row.data(), nullptr, 0, [&](int i) { return begin + i; });
        continue;
      }
      for (int64_t k = 0; k < slicings; ++k) {
        for (int i = 0; i < n; ++i) {
          const int32_t at = row[k * kBlock + i];
          if (at >= 0) __atomic_fetch_add(members + at, 1, __ATOMIC_RELAXED);
          if (at == kBad) counted.bad.add(k, begin + i, rows.group_at(k, begin + i));
        }
      }
    }
    found[thread] = counted.bad;
    std::lock_guard<std::mutex> one_at_a_time(folding);
    counted.fold(members);
  });
  BadGroups::record(found, faults);
}

}  // namespace fastmetrics
