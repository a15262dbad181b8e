// SPDX-License-Identifier: Apache-2.0
//
// How the passes of scores read a batch on the CPU: blocks of samples, a column at a time.
//
// Scores are taken for probabilities until one says that the batch is logits; then all is done again, as logits. Such
// a score mostly comes among the first, so either way the batch is read about once.

#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <type_traits>
#include <vector>

#include "common/cpu.h"
#include "common/math_cpu.h"
#include "passes/scores.h"

namespace fastmetrics {

constexpr int kMostRows = 512;
constexpr int64_t kBlockBytes = 1 << 16;  // of scores of a block of rows with many columns

struct ScoresPart {
  Faults faults;
  bool outside = false;  // whether there was a score outside [0, 1]
};

// What scores are compared as: 16-bit floats as floats.
template <typename T>
using Wide = decltype(widen(T{}));

// A column of a block: scores x as probabilities, or as logits where no softmax was taken; labels 0 and 1, negative if
// the score does not count; weights, or null.
template <typename V>
struct ScoresColumn {
  int64_t column, first;
  int n;
  const V* x;
  const int32_t* label;
  const int32_t* target;  // of the samples, kInvalid if they are not valid
  const double* weight;
  StepsAhead ahead;  // its part of what is read after the next block
};

// What is done with a column: take(part, logits, column), a call by pointer. The loops that read are compiled once for
// all that take their columns.
template <typename V>
using TakeColumn = std::function<void(int64_t, bool, const ScoresColumn<V>&)>;

// Rows of a block. All columns of a sample are needed for its softmax.
inline int rows_at_once(const ScoresBatch& b) {
  if (!b.multiclass) return kMostRows;
  const int64_t rows = kBlockBytes / (b.columns * static_cast<int64_t>(sizeof(double))) / kFloats * kFloats;
  return static_cast<int>(std::min<int64_t>(kMostRows, std::max<int64_t>(rows, kFloats)));
}

// Scores of a block, and what is made of them.
template <typename V>
struct ScoresScratch {
  std::vector<V> x;  // [columns, rows], of one column unless multiclass
  alignas(64) int32_t target[kMostRows], label[kMostRows];
  alignas(64) double weight[kMostRows];
};

// What a softmax takes of scores compared as V.
template <typename V>
struct SoftmaxLanes {
  using Lanes = F64s;
  static constexpr int kCount = kDoubles;

  static Lanes exp(Lanes x) { return FastMath().exp(x); }
};
template <>
struct SoftmaxLanes<float> {
  using Lanes = F32s;
  static constexpr int kCount = kFloats;
  static constexpr float kLeast = -87.3f;

  // 0 where it is less than the least normal number.
  static Lanes exp(Lanes x) {
    const Lanes least = Lanes{} + kLeast;
    const ExpFactors found = exp_factors<true>(greater_of(x, least));
    return (Lanes)select(greater(least, x), I32s{}, (I32s)(found.power * found.fraction));
  }
};

// Makes the softmax over columns of p [columns, rows], a sample a lane. A sum is made of sums of kSum columns.
template <typename V>
void softmax_of_columns(V* p, int64_t columns, int64_t rows) {
  using L = SoftmaxLanes<V>;
  using Lanes = typename L::Lanes;
  constexpr int64_t kSum = 16;
  constexpr V kInfinity = std::numeric_limits<V>::infinity();
  for (int64_t row = 0; row < rows; row += L::kCount) {
    Lanes most = load<Lanes>(p + row), sum = {};
    auto nan = unordered(most, most);
    for (int64_t c = 1; c < columns; ++c) {
      const Lanes x = load<Lanes>(p + c * rows + row);
      nan |= unordered(x, x);
      most = greater_of(x, most);
    }
    for (int64_t c = 0; c < columns; c += kSum) {
      Lanes part = {};
      for (int64_t d = c; d < std::min(columns, c + kSum); ++d) {
        const Lanes e = L::exp(load<Lanes>(p + d * rows + row) - most);
        part += e;
        store(e, p + d * rows + row);
      }
      sum += part;
    }
    const auto finite = ~nan & greater(Lanes{} + kInfinity, most) & greater(most, Lanes{} - kInfinity);
    Lanes scale = 1 / sum;
    if (any(~finite)) {
      using I = std::conditional_t<sizeof(V) == 4, I32s, I64s>;
      scale = (Lanes)select(finite, (I)scale, (I)(Lanes{} + std::numeric_limits<V>::quiet_NaN()));
    }
    for (int64_t c = 0; c < columns; ++c) store(load<Lanes>(p + c * rows + row) * scale, p + c * rows + row);
  }
}

// Whether one of n scores lies outside [0, 1], of those whose label is neither kInvalid nor `skipped`.
template <typename V>
bool any_outside(const V* __restrict x, const int32_t* __restrict label, int n, int32_t skipped) {
  int32_t outside = 0;
  for (int i = 0; i < n; ++i) {
    const int32_t within = (x[i] >= V(0) ? 1 : 0) & (x[i] <= V(1) ? 1 : 0);
    outside |= (within ^ 1) & (label[i] != kInvalid ? 1 : 0) & (label[i] != skipped ? 1 : 0);
  }
  return outside != 0;
}

template <typename T, typename V>
void widen_all(const T* from, int64_t step, int n, V* to) {
  if (step == 1) {
    for (int i = 0; i < n; ++i) to[i] = widen(from[i]);
  } else {
    for (int i = 0; i < n; ++i) to[i] = widen(from[i * step]);
  }
}

// Writes n rows of neighbours as columns that begin `pitch` elements from each other.
template <typename T>
void turn_rows(const T* from, int64_t step, int64_t columns, int n, int64_t pitch, Wide<T>* to) {
  using V = std::conditional_t<sizeof(T) == 8, F64s, F32s>;
  constexpr int kCount = sizeof(V) / sizeof(Wide<T>), kPiece = sizeof(T) == 8 ? 2 : 4;  // of load_columns
  int i = 0;
  for (; columns >= kPiece && i + kCount <= n; i += kCount) {
    for (int64_t done = 0; done < columns; done += kPiece) {
      const int64_t c = std::min(done, columns - kPiece);  // the last ones again, whatever part of them was written
      V column[kPiece];
      load_columns(from + i * step + c, step, column);
      for (int k = 0; k < kPiece; ++k) store(column[k], to + (c + k) * pitch + i);
    }
  }
  for (; i < n; ++i) {
    for (int64_t c = 0; c < columns; ++c) to[c * pitch + i] = widen(from[i * step + c]);
  }
}

// Reads n samples of one run, and hands their columns to `take`. Bad values go to the part.
template <typename T>
void read_block(const ScoresBatch& b, int64_t first, int n, bool logits, ScoresScratch<Wide<T>>* s, ScoresPart* part,
                int64_t p, const TakeColumn<Wide<T>>& take) {
  using V = Wide<T>;
  const int run = b.rows.dims - 1;
  int64_t a_at, b_at;
  b.rows.locate(first, &a_at, &b_at);
  const int64_t a_step = b.rows.a_stride[run], b_step = b.rows.b_stride[run], c_step = b.rows.c_stride[run];
  const int64_t c_at = b.valid == nullptr ? 0 : b.rows.offset(first, b.rows.c_stride);
  const int64_t d_at = b.weights == nullptr ? 0 : b.rows.offset(first, b.rows.d_stride);
  const T* scores = static_cast<const T*>(b.preds) + a_at;
  int32_t* target = s->target;
  const int64_t of_target = b.multiclass ? 1 : b.columns;  // a sample's elements

  // targets, and what is wrong with them and with weights
  auto read_targets = [&](int64_t column) {
    const int64_t at = b_at + column * b.b_column;
    const bool bad =
        narrow_labels(b.target, b.target_type, at, b_step, n, b.multiclass ? b.columns : 2, b.ignored(), target);
    if (b.valid != nullptr) mask_labels(b.valid, c_at + column * b.c_column, c_step, n, target);
    if (bad) {
      for (int i = 0; i < n; ++i) {
        if (target[i] != kBad) continue;
        part->faults.add(kBadTarget, b.place_of(first + i, column), label_at(b.target, b.target_type, at + i * b_step));
      }
    }
  };
  auto read_weights = [&](int64_t column) {
    if (b.weights == nullptr) return;
    const double* from = b.weights + d_at + column * b.d_column;
    for (int i = 0; i < n; ++i) {
      s->weight[i] = from[i * b.rows.d_stride[run]];
      if (target[i] == kIgnored || target[i] == kInvalid) continue;
      if (!part->faults.check_weight(s->weight[i], b.place_of(first + i, column))) target[i] = kBad;
    }
  };
  auto ahead = [&](int64_t column) {
    const int64_t blocks = b.columns == 1 ? 2 : 1, size = size_of(b.target_type);
    const bool targets = b_step == of_target && column < of_target;
    return StepsAhead{reinterpret_cast<const char*>(scores + (blocks * b.columns + column) * n),
                      static_cast<const char*>(b.target) + (b_at + (2 * of_target + column) * n) * size,
                      a_step == b.columns ? static_cast<int64_t>(sizeof(T)) : 0, targets ? size : 0};
  };
  const bool looks = !logits && b.logits == kEither;
  const double* weight = b.weights == nullptr ? nullptr : s->weight;

  if (!b.multiclass) {
    s->x.resize(kMostRows);
    for (int64_t column = 0; column < b.columns; ++column) {
      read_targets(column);
      const V* x = s->x.data();
      const T* from = scores + column * b.a_column;
      if constexpr (std::is_same_v<T, V>) {
        if (a_step == 1) x = from;
      }
      if (x == s->x.data()) widen_all(from, a_step, n, s->x.data());
      if (looks) part->outside |= any_outside(x, target, n, b.ignored_decide ? kInvalid : kIgnored);
      read_weights(column);
      take(p, logits, ScoresColumn<V>{column, first, n, x, target, target, weight, ahead(column)});
    }
    return;
  }

  read_targets(0);
  const int64_t rows = (n + kFloats - 1) / kFloats * kFloats;
  s->x.resize(b.columns * rows);
  for (int64_t column = 0; column < b.columns; ++column) {
    V* to = s->x.data() + column * rows;
    if (b.a_column != 1) widen_all(scores + column * b.a_column, a_step, n, to);
  }
  if (b.a_column == 1) turn_rows(scores, a_step, b.columns, n, rows, s->x.data());
  if (looks) {
    for (int64_t column = 0; column < b.columns; ++column) {
      part->outside |= any_outside(s->x.data() + column * rows, target, n, kIgnored);
    }
  }
  read_weights(0);
  if (logits) {
    softmax_of_columns(s->x.data(), b.columns, rows);
    if constexpr (sizeof(T) == 2) {  // as torch, which rounds it
      for (int64_t i = 0; i < b.columns * rows; ++i) {
        T rounded;
        narrow(s->x[i], &rounded);
        s->x[i] = widen(rounded);
      }
    }
  }
  for (int64_t column = 0; column < b.columns; ++column) {
    for (int i = 0; i < n; ++i) s->label[i] = target[i] < 0 ? -1 : target[i] == column;
    const V* x = s->x.data() + column * rows;
    take(p, logits, ScoresColumn<V>{column, first, n, x, s->label, target, weight, ahead(column)});
  }
}

// Reads all samples in parts. A column goes to one of the takes; begin(part, logits) is called before the first of a
// part, and again if what it has taken is to be forgotten.
inline void read_scores(const ScoresBatch& b, const Parts& parts, int64_t* faults,
                        const std::function<void(int64_t, bool)>& begin, const TakeColumn<float>& take_floats,
                        const TakeColumn<double>& take_doubles) {
  const int at_once = rows_at_once(b);
  std::vector<ScoresPart> found;
  std::atomic<bool> outside{b.logits == kLogits};
  for (const bool logits : {false, true}) {
    if (logits != outside.load()) continue;
    found.assign(parts.count, ScoresPart{});
    parts.for_each(threads_for(parts.n * b.columns), [&](int64_t p, int64_t at, int64_t end) {
      begin(p, logits);
      with_score_type(b.preds_type, [&](auto t) {
        using T = decltype(t);
        thread_local ScoresScratch<Wide<T>> scratch;
        while (at < end && (logits || !outside.load(std::memory_order_relaxed))) {
          int64_t a_at, b_at;
          const int64_t n = std::min<int64_t>({b.rows.locate(at, &a_at, &b_at), end - at, at_once});
          if constexpr (std::is_same_v<Wide<T>, float>) {
            read_block<T>(b, at, static_cast<int>(n), logits, &scratch, &found[p], p, take_floats);
          } else {
            read_block<T>(b, at, static_cast<int>(n), logits, &scratch, &found[p], p, take_doubles);
          }
          if (found[p].outside) outside.store(true, std::memory_order_relaxed);
          at += n;
        }
      });
    });
    if (logits == outside.load()) break;
  }
  std::vector<Faults> all;
  for (const ScoresPart& part : found) all.push_back(part.faults);
  Faults::record(all, faults);
}

// The same, with take(part, logits, column) for columns of either type.
template <typename Begin, typename Take>
void read_scores(const ScoresBatch& b, const Parts& parts, int64_t* faults, const Begin& begin, const Take& take) {
  // by reference, for which nothing is allocated
  read_scores(b, parts, faults, std::cref(begin), std::cref(take), std::cref(take));
}

}  // namespace fastmetrics
