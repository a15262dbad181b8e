// SPDX-License-Identifier: Apache-2.0
//
// The multiclass pass on the CPU; its meaning is multiclass_body in fastmetrics/passes/multiclass.py.
//
// Samples go by in blocks that fit the first cache. A block is reduced to int32 labels, targets and ranks, by code that
// is written once for each score type and once for each label type, and then counted by code that knows no type.
//
// Counts are private to a thread, uint32 and folded into the int64 states at the end, as long as they are few for the
// batch; otherwise states are added to with relaxed atomics, so that memory never grows with C² or with the threads.
// The cells of one batch may be one cell: replicas of small tables keep its additions from waiting for each other.

#include <array>
#include <memory>
#include <mutex>

#include "passes/multiclass_arguments.h"
#include "passes/multiclass_block_cpu.h"

namespace fastmetrics {
namespace {

// Additions to a private cell before it is folded; a cell is uint32.
constexpr int64_t kFoldEvery = int64_t{1} << 30;

using Batch = MulticlassBatch;
using States = MulticlassStates;

// The cells of one statistic as one thread sees them.
class Cells {
 public:
  // few: private cells pay. shared: other threads add to the same state.
  void open(int64_t* state, int64_t size, bool few, bool shared) {
    state_ = state;
    shared_ = shared;
    if (state != nullptr && few) {
      size_ = size;
      bins_.reset(new uint32_t[size]());
    }
  }
  explicit operator bool() const { return state_ != nullptr; }
  void add(int64_t cell) {
    if (bins_) {
      ++bins_[cell];
    } else if (shared_) {
      __atomic_fetch_add(state_ + cell, 1, __ATOMIC_RELAXED);
    } else {
      ++state_[cell];
    }
  }
  // Called by one thread at a time.
  void fold() {
    if (!bins_) return;
    for (int64_t i = 0; i < size_; ++i) state_[i] += bins_[i];
    memset(bins_.get(), 0, size_ * sizeof(uint32_t));
  }

 private:
  int64_t* state_ = nullptr;
  bool shared_ = false;
  int64_t size_ = 0;
  std::unique_ptr<uint32_t[]> bins_;
};

// Removes the elements equal to `value`; the others keep their order. Returns how many are left.
inline int remove_equal(int32_t* cell, int n, int32_t value, const Ahead& ahead) {
  int left = 0, i = 0;
#ifdef __AVX512F__
  const __m512i common = _mm512_set1_epi32(value);
  for (; i + 16 <= n; i += 16) {
    ahead.fetch(i);
    ahead.fetch(i + 8);
    const __m512i v = _mm512_loadu_si512(cell + i);
    const __mmask16 other = _mm512_cmpneq_epi32_mask(v, common);
    // a compressed register is stored whole: what it overwrites has been read
    _mm512_storeu_si512(cell + left, _mm512_maskz_compress_epi32(other, v));
    left += __builtin_popcount(other);
  }
#endif
  for (; i < n; ++i) {
    if (i % 8 == 0) ahead.fetch(i);
    const int32_t at = cell[i];
    cell[left] = at;
    left += at != value;
  }
  return left;
}

// All pairs (target, label) of few classes. The last cell takes the pairs that do not count.
//
// Cells are uint16, so that those of 100 classes stay in a first cache of 32 KB, and are widened before they can
// overflow. Very few cells have replicas: an addition waits for the one before it if both are to the same cell.
class PairTable {
 public:
  static constexpr int64_t kMostCells = 128 * 128;

  void open(int64_t classes) {
    classes_ = classes;
    cells_ = classes * classes + 1;
    pitch_ = (cells_ + 63) / 32 * 32;
    replicas_ = cells_ <= 1100 ? 8 : 1;
    bins_.assign(pitch_ * replicas_, 0);
    sums_.assign(cells_, 0);
  }

  void add(const int32_t* target, const int32_t* labels, int n, const Ahead& ahead) {
    alignas(64) int32_t cell[kBlock];
    const int32_t classes = static_cast<int32_t>(classes_), none = static_cast<int32_t>(cells_ - 1);
    for (int i = 0; i < n; ++i) {
      cell[i] = (target[i] | labels[i]) < 0 ? none : target[i] * classes + labels[i];
    }
    const int left = take_common(cell, n, ahead);
    if (replicas_ == 8) {
      count<8>(cell, left, left == n, ahead);
    } else {
      count<1>(cell, left, left == n, ahead);
    }
    held_ += n;
    if (held_ > UINT16_MAX - kBlock) widen_bins();
  }

  void fold(int64_t* confusion, int64_t* counts) {
    widen_bins();
    for (int64_t t = 0; t < classes_; ++t) {
      for (int64_t p = 0; p < classes_; ++p) {
        const int64_t sum = sums_[t * classes_ + p];
        if (sum == 0) continue;
        if (confusion != nullptr) confusion[t * classes_ + p] += sum;
        if (counts != nullptr) {
          if (t == p) counts[t * 3] += sum;
          counts[p * 3 + 1] += sum;
          counts[t * 3 + 2] += sum;
        }
      }
    }
    std::fill(sums_.begin(), sums_.end(), 0);
  }

 private:
  void widen_bins() {
    for (int r = 0; r < replicas_; ++r) {
      const uint16_t* bins = bins_.data() + r * pitch_;
      for (int64_t i = 0; i < cells_; ++i) sums_[i] += bins[i];
    }
    std::fill(bins_.begin(), bins_.end(), uint16_t{0});
    held_ = 0;
  }

  // When one cell takes a good part of the block, count it by comparing, and leave the others packed to the front.
  int take_common(int32_t* cell, int n, const Ahead& ahead) {
    constexpr int kSample = 64;
    if (n < 2 * kSample) return n;
    int common = share(cell, kSample, common_);
    if (common < kSample / 4) {
      for (int i = 0; i < 4; ++i) {
        const int seen = share(cell, kSample, cell[i]);
        if (seen > common) {
          common = seen;
          common_ = cell[i];
        }
      }
      if (common < kSample / 4) return n;
    }
    const int left = remove_equal(cell, n, common_, ahead);
    sums_[common_] += n - left;
    return left;
  }

  static int share(const int32_t* cell, int n, int32_t of) {
    int same = 0;
    for (int i = 0; i < n; ++i) same += cell[i] == of;
    return same;
  }

  template <int R>
  void count(const int32_t* cell, int n, bool fetch, const Ahead& ahead) {
    uint16_t* bins[R];
    for (int r = 0; r < R; ++r) bins[r] = bins_.data() + r * pitch_;
    int i = 0;
    for (; i + 8 <= n; i += 8) {
      if (fetch) ahead.fetch(i);
      for (int r = 0; r < 8; ++r) ++bins[r % R][cell[i + r]];
    }
    for (; i < n; ++i) ++bins[0][cell[i]];
  }

  int64_t classes_ = 0, cells_ = 0, pitch_ = 0;
  int replicas_ = 1, held_ = 0;
  int32_t common_ = 0;
  std::vector<uint16_t> bins_;
  std::vector<int64_t> sums_;
};

// What one thread adds for the samples of [begin, end).
void add_range(const Batch& b, const States& s, int64_t begin, int64_t end, bool alone, std::mutex* folding,
               Faults* faults) {
  const int64_t c = b.classes, k = s.k, samples = end - begin;
  const bool pairs = c * c < PairTable::kMostCells && (b.samplewise ? b.per_sample : samples) > c * c &&
                     (s.confusion != nullptr || s.counts != nullptr);
  PairTable table;
  int64_t table_row = 0;  // of counts, that the table is for
  Cells confusion, counts, ranks;
  const bool shared = !alone && !b.samplewise;
  auto few = [&](int64_t cells) { return !b.samplewise && cells * 4 <= samples; };
  if (pairs) {
    table.open(c);
  } else {
    confusion.open(s.confusion, c * c, few(c * c), shared);
    counts.open(s.counts, c * 3, few(c * 3), shared);
  }
  ranks.open(s.ranks, c * k * 2, few(c * k * 2), shared);

  auto fold = [&] {
    std::lock_guard<std::mutex> one_at_a_time(*folding);
    if (pairs) table.fold(s.confusion, s.counts == nullptr ? nullptr : s.counts + table_row * 3);
    confusion.fold();
    counts.fold();
    ranks.fold();
  };

  for (int64_t from = begin; from < end; from += kFoldEvery) {
    for_each_block(b, from, std::min(end, from + kFoldEvery), s.ranks != nullptr, faults,
                   [&](int64_t first, int n, const Block& block, const Ahead& ahead) {
                     const int64_t row = b.samplewise ? first / b.per_sample * c : 0;
                     if (pairs && row != table_row) fold(), table_row = row;
                     if (pairs) table.add(block.target, block.labels, n, ahead);
                     if (pairs && !ranks) return;
                     for (int i = 0; i < n; ++i) {
                       const int64_t t = block.target[i], p = block.labels[i];
                       if (t < 0 || p < 0) continue;
                       if (confusion) confusion.add(t * c + p);
                       if (counts) {
                         if (t == p) counts.add((row + t) * 3);
                         counts.add((row + p) * 3 + 1);
                         counts.add((row + t) * 3 + 2);
                       }
                       if (ranks && block.ranks[i] < k) {
                         ranks.add(((row + t) * k + block.ranks[i]) * 2);
                         ranks.add(((row + p) * k + block.ranks[i]) * 2 + 1);
                       }
                     }
                   });
    fold();
  }
}

void multiclass(const Batch& b, const States& s) {
  const int64_t samples = b.layout.samples();
  if (samples == 0) return;
  // samplewise states belong to the thread that has the sample
  const int64_t unit = b.samplewise ? b.per_sample : 1;
  const int threads = threads_for(samples * (b.scores ? b.classes : 4));
  std::vector<Faults> faults(threads);
  std::mutex folding;
  split(samples / unit, threads, [&](int thread, int64_t begin, int64_t end) {
    add_range(b, s, begin * unit, end * unit, threads == 1, &folding, &faults[thread]);
  });
  Faults::record(faults, s.faults);
}

void multiclass_cpu(const Tensor preds, const Tensor target, OptionalTensor valid, OptionalTensor confusion,
                    OptionalTensor counts, OptionalTensor ranks, OptionalTensor faults, int64_t num_classes,
                    int64_t ignore_index, bool has_ignore_index) {
  const Batch b = multiclass_batch(preds, target, valid, std::nullopt, confusion, counts, ranks, num_classes,
                                   ignore_index, has_ignore_index);
  multiclass(b, multiclass_states<int64_t>(b, target, confusion, counts, ranks, faults));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) { m.impl("multiclass_", TORCH_BOX(&fastmetrics::multiclass_cpu)); }
