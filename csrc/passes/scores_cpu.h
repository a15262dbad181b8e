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

// What a softmax takes of scores compared as V. NaN stays NaN.
template <typename V>
struct SoftmaxLanes {
  using Lanes = F64s;

  static Lanes exp(Lanes x) { return (Lanes)select(unordered(x, x), (I64s)x, (I64s)FastMath().exp(x)); }
};
template <>
struct SoftmaxLanes<float> {
  using Lanes = F32s;
  static constexpr float kZero = -88.03f;  // whose power of two is 0 already

  static Lanes exp(Lanes x) {
    const ExpFactors found = exp_factors<true>(greater_of(Lanes{} + kZero, x));
    return found.power * found.fraction;
  }
};

template <typename V>
constexpr int kLanesOf = sizeof(typename SoftmaxLanes<V>::Lanes) / sizeof(V);

// The greatest score of as many samples as a vector has lanes; a class begins `pitch` elements after the one before.
template <typename V>
inline typename SoftmaxLanes<V>::Lanes greatest_of_lanes(const V* p, int64_t classes, int64_t pitch) {
  using Lanes = typename SoftmaxLanes<V>::Lanes;
  Lanes most = load<Lanes>(p);
  for (int64_t c = 1; c < classes; ++c) most = greater_of(load<Lanes>(p + c * pitch), most);
  return most;
}

// Makes of those scores what is in proportion to their softmax. Returns the factor, NaN if there is no softmax. after()
// is called for each class. A sum is made of sums of kSum classes.
template <typename V, typename Lanes, typename After>
inline Lanes softmax_of_lanes(V* p, int64_t classes, int64_t pitch, Lanes most, const After& after) {
  constexpr int64_t kSum = 16;
  Lanes sum = {};
  for (int64_t c = 0; c < classes; c += kSum) {
    Lanes part = {};
    for (int64_t d = c; d < std::min(classes, c + kSum); ++d) {
      const Lanes e = SoftmaxLanes<V>::exp(load<Lanes>(p + d * pitch) - most);  // NaN if both are infinite
      part += e;
      store(e, p + d * pitch);
      after();
    }
    sum += part;
  }
  return 1 / sum;
}

// Makes the softmax over columns of p [columns, rows], a sample a lane.
template <typename V>
void softmax_of_columns(V* p, int64_t columns, int64_t rows) {
  using Lanes = typename SoftmaxLanes<V>::Lanes;
  for (int64_t row = 0; row < rows; row += kLanesOf<V>) {
    const Lanes most = greatest_of_lanes(p + row, columns, rows);
    const Lanes scale = softmax_of_lanes(p + row, columns, rows, most, [] {});
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

// n scores as they are compared: where they lie, or else written to `to`.
template <typename T>
const Wide<T>* widened(const T* from, int64_t step, int n, Wide<T>* to) {
  if constexpr (std::is_same_v<T, Wide<T>>) {
    if (step == 1) return from;
  }
  widen_all(from, step, n, to);
  return to;
}

template <typename T>
constexpr int kPieceOf = sizeof(T) == 8 ? 2 : 4;  // columns of load_columns

// Writes as many rows of neighbours as a vector has lanes as columns that begin `pitch` elements from each other.
// Returns the greatest score of each row but for NaN. `columns` are at least kPieceOf<T>.
template <typename T>
typename SoftmaxLanes<Wide<T>>::Lanes turn_lanes(const T* from, int64_t step, int64_t columns, int64_t pitch,
                                                 Wide<T>* to) {
  using Lanes = typename SoftmaxLanes<Wide<T>>::Lanes;
  constexpr int kPiece = kPieceOf<T>;
  Lanes most = Lanes{} - std::numeric_limits<Wide<T>>::infinity();
  for (int64_t done = 0; done < columns; done += kPiece) {
    const int64_t c = std::min(done, columns - kPiece);  // the last ones again, whatever part of them was written
    Lanes column[kPiece];
    load_columns(from + c, step, column);
    for (int k = 0; k < kPiece; ++k) {
      store(column[k], to + (c + k) * pitch);
      most = greater_of(column[k], most);
    }
  }
  return most;
}

// The same of n rows.
template <typename T>
void turn_rows(const T* from, int64_t step, int64_t columns, int n, int64_t pitch, Wide<T>* to) {
  constexpr int kLanes = kLanesOf<Wide<T>>;
  int i = 0;
  for (; columns >= kPieceOf<T> && i + kLanes <= n; i += kLanes) {
    turn_lanes(from + i * step, step, columns, pitch, to + i);
  }
  for (; i < n; ++i) {
    for (int64_t c = 0; c < columns; ++c) to[c * pitch + i] = widen(from[i * step + c]);
  }
}

// Narrows n targets of a column, from `at` in target and `valid_at` in valid. Bad ones go to the part.
inline void read_targets(const ScoresBatch& b, int64_t first, int n, int64_t column, int64_t at, int64_t valid_at,
                         ScoresPart* part, int32_t* target) {
  const int64_t step = b.rows.b_stride[b.rows.dims - 1];
  at += column * b.b_column;
  const bool bad =
      narrow_labels(b.target, b.target_type, at, step, n, b.multiclass ? b.columns : 2, b.ignored(), target);
  if (b.valid != nullptr) {
    mask_labels(b.valid, valid_at + column * b.c_column, b.rows.c_stride[b.rows.dims - 1], n, target);
  }
  if (!bad) return;
  for (int i = 0; i < n; ++i) {
    if (target[i] != kBad) continue;
    part->faults.add(kBadTarget, b.place_of(first + i, column), label_at(b.target, b.target_type, at + i * step));
  }
}

// What is read after the next block, of which a column is a part, if a block is n samples: of one whose scores are
// here, and whose targets are from target_at on.
template <typename T>
StepsAhead after_blocks(const ScoresBatch& b, const T* scores, int n, int64_t target_at, int64_t column) {
  const int run = b.rows.dims - 1;
  const int64_t blocks = b.columns == 1 ? 2 : 1, size = size_of(b.target_type);
  const int64_t of_target = b.multiclass ? 1 : b.columns;  // a sample's elements
  const bool targets = b.rows.b_stride[run] == of_target && column < of_target;
  return StepsAhead{reinterpret_cast<const char*>(scores + (blocks * b.columns + column) * n),
                    static_cast<const char*>(b.target) + (target_at + (2 * of_target + column) * n) * size,
                    b.rows.a_stride[run] == b.columns ? static_cast<int64_t>(sizeof(T)) : 0, targets ? size : 0};
}

// Reads n samples of one run, and hands their columns to `take`. Bad values go to the part.
template <typename T>
void read_block(const ScoresBatch& b, int64_t first, int n, bool logits, ScoresScratch<Wide<T>>* s, ScoresPart* part,
                int64_t p, const TakeColumn<Wide<T>>& take) {
  using V = Wide<T>;
  const int run = b.rows.dims - 1;
  int64_t a_at, b_at;
  b.rows.locate(first, &a_at, &b_at);
  const int64_t a_step = b.rows.a_stride[run];
  const int64_t c_at = b.valid == nullptr ? 0 : b.rows.offset(first, b.rows.c_stride);
  const int64_t d_at = b.weights == nullptr ? 0 : b.rows.offset(first, b.rows.d_stride);
  const T* scores = static_cast<const T*>(b.preds) + a_at;
  int32_t* target = s->target;
  auto read_weights = [&](int64_t column) {
    if (b.weights == nullptr) return;
    const double* from = b.weights + d_at + column * b.d_column;
    for (int i = 0; i < n; ++i) {
      s->weight[i] = from[i * b.rows.d_stride[run]];
      if (target[i] == kIgnored || target[i] == kInvalid) continue;
      if (!part->faults.check_weight(s->weight[i], b.place_of(first + i, column))) target[i] = kBad;
    }
  };
  auto ahead = [&](int64_t column) { return after_blocks(b, scores, n, b_at, column); };
  const bool looks = !logits && b.logits == kEither;
  const double* weight = b.weights == nullptr ? nullptr : s->weight;

  if (!b.multiclass) {
    s->x.resize(kMostRows);
    for (int64_t column = 0; column < b.columns; ++column) {
      read_targets(b, first, n, column, b_at, c_at, part, target);
      const V* x = widened(scores + column * b.a_column, a_step, n, s->x.data());
      if (looks) part->outside |= any_outside(x, target, n, b.ignored_decide ? kInvalid : kIgnored);
      read_weights(column);
      take(p, logits, ScoresColumn<V>{column, first, n, x, target, target, weight, ahead(column)});
    }
    return;
  }

  read_targets(b, first, n, 0, b_at, c_at, part, target);
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

// Reads all samples in parts, in blocks of at most at_once: block(t, first, n, logits, part, &found), which finds bad
// values, and whether a score says that the batch is logits. begin(part, logits) is called before the first block of a
// part, and again if what it has taken is to be forgotten.
template <typename Begin, typename Block>
void read_blocks(const ScoresBatch& b, const Parts& parts, int64_t at_once, int64_t* faults, const Begin& begin,
                 const Block& block) {
  std::vector<ScoresPart> found;
  std::atomic<bool> outside{b.logits == kLogits};
  for (const bool logits : {false, true}) {
    if (logits != outside.load()) continue;
    found.assign(parts.count, ScoresPart{});
    parts.for_each(threads_for(parts.n * b.columns), [&](int64_t p, int64_t at, int64_t end) {
      begin(p, logits);
      with_score_type(b.preds_type, [&](auto t) {
        while (at < end && (logits || !outside.load(std::memory_order_relaxed))) {
          int64_t a_at, b_at;
          const int64_t n = std::min<int64_t>({b.rows.locate(at, &a_at, &b_at), end - at, at_once});
          block(t, at, static_cast<int>(n), logits, p, &found[p]);
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

// Reads all samples in parts. A column goes to one of the takes.
inline void read_scores(const ScoresBatch& b, const Parts& parts, int64_t* faults,
                        const std::function<void(int64_t, bool)>& begin, const TakeColumn<float>& take_floats,
                        const TakeColumn<double>& take_doubles) {
  read_blocks(b, parts, rows_at_once(b), faults, begin,
              [&](auto t, int64_t first, int n, bool logits, int64_t p, ScoresPart* found) {
                using T = decltype(t);
                thread_local ScoresScratch<Wide<T>> scratch;
                if constexpr (std::is_same_v<Wide<T>, float>) {
                  read_block<T>(b, first, n, logits, &scratch, found, p, take_floats);
                } else {
                  read_block<T>(b, first, n, logits, &scratch, found, p, take_doubles);
                }
              });
}

// The same, with take(part, logits, column) for columns of either type.
template <typename Begin, typename Take>
void read_scores(const ScoresBatch& b, const Parts& parts, int64_t* faults, const Begin& begin, const Take& take) {
  // by reference, for which nothing is allocated
  read_scores(b, parts, faults, std::cref(begin), std::cref(take), std::cref(take));
}

}  // namespace fastmetrics
