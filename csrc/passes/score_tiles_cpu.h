// SPDX-License-Identifier: Apache-2.0
//
// Scores at even steps, on the CPU. To find the cells of a tile of scores is arithmetic on vectors, and to count them
// is additions to memory: those of the tile before are counted meanwhile, since a core does both at once.

#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "passes/scores_cpu.h"
#include "passes/steps_cpu.h"

namespace fastmetrics {

// Lanes that do not lie in two lines of memory.
template <typename T>
struct alignas(kRegister) AlignedLanes {
  T lane[kFloats];
};

// What one part counts: cells [columns, 2, number], and one for what does not count. Additions to one cell wait for
// each other: there are several sets, by turns. The last tile is still to be counted.
class alignas(64) TileCells {  // others write to those beside it
 public:
  static constexpr int kSets = 4;

  TileCells() = default;
  TileCells(int64_t columns, int64_t number, bool apart, int64_t vectors)
      : number_(number),
        none_(columns * 2 * number),
        set_(apart ? none_ + 1 : 0),
        vectors_(vectors),
        cells_((apart ? kSets : 1) * (none_ + 1)),
        scores_(2 * vectors),
        tiles_(2 * vectors) {
    std::fill_n(tiles_[0].lane, vectors * kFloats, none());
  }

  int64_t number() const { return number_; }
  int32_t none() const { return static_cast<int32_t>(none_); }
  int64_t elements() const { return vectors_ * kFloats; }  // of a tile
  uint32_t* set(int k) { return cells_.data() + k * set_; }
  float* scores(int tile) { return scores_[tile * vectors_].lane; }
  int32_t* tile(int which) { return tiles_[which * vectors_].lane; }

  int last = 0;      // which tile is still to be counted
  bool odd = false;  // whether a score in it is near a step, or not in [0, 1]
  bool any = false;  // whether this is expected of the next tile

  // Adds what all parts have counted to histogram [columns, number, 2].
  static void fold(std::vector<TileCells>& parts, int64_t* histogram) {
    const int64_t number = parts[0].number_, all = parts[0].none_;
    std::vector<int64_t> sums(all);
    for (TileCells& part : parts) {
      for (int64_t i = 0; i < part.elements(); ++i) ++part.cells_[part.tile(part.last)[i]];
      for (size_t at = 0; at < part.cells_.size(); at += all + 1) {
        const uint32_t* __restrict from = &part.cells_[at];
        int64_t* __restrict to = sums.data();
        for (int64_t i = 0; i < all; ++i) to[i] += from[i];
      }
    }
    for (int64_t i = 0; i < all; i += 2 * number) {
      for (int64_t k = 0; k < number; ++k) {
        histogram[i + 2 * k] += sums[i + k];
        histogram[i + 2 * k + 1] += sums[i + number + k];
      }
    }
  }

 private:
  int64_t number_ = 1, none_ = 0, set_ = 0, vectors_ = 0;
  std::vector<uint32_t> cells_;
  std::vector<AlignedLanes<float>> scores_;
  std::vector<AlignedLanes<int32_t>> tiles_;
};

// Finds the cells of tiles, vector by vector, and counts those of the tile before. All vectors of a tile are found and
// counted, before turn() goes to the next one.
template <bool kInside>  // whether scores are known to be in [0, 1], or NaN
class TileFinder {
 public:
  TileFinder(const Steps<float>& steps, TileCells* cells)
      : even_(steps),
        number_(I32s{} + static_cast<int32_t>(cells->number())),
        to_(cells->tile(1 - cells->last)),
        before_(cells->tile(cells->last)),
        next_(cells->tile(cells->last)),
        all_(cells),
        odd_(cells->odd),
        any_(cells->any) {
    for (int k = 0; k < TileCells::kSets; ++k) cells_[k] = cells->set(k);
  }
  TileFinder(const TileFinder&) = delete;
  ~TileFinder() {
    all_->last = before_ == all_->tile(1);
    all_->odd = odd_;
    all_->any = any_;
  }

  // Counts n of the tile before.
  template <int n>
  void count() {
#pragma GCC unroll 16
    for (int j = 0; j < n; ++j) ++cells_[j % TileCells::kSets][before_[j]];
    before_ += n;
  }

  // Calls f(any, counts), which finds all cells of the tile, and counts the tile before meanwhile if it is to: a second
  // time if scores were taken for such as are in [0, 1] and near no step, and are not. After two such tiles, more of
  // them are awaited.
  template <typename F>
  void find_all(const F& f) {
    using std::false_type;
    using std::true_type;
    farthest_ = I32s{};
    outside_ = Mask32{};
    any_ ? f(true_type{}, true_type{}) : f(false_type{}, true_type{});
    const bool odd = ::fastmetrics::any(~even_.sure(farthest_) | outside_);
    if (odd && !any_) f(true_type{}, false_type{});
    any_ = odd && odd_;
    odd_ = odd;
  }

  // Vector `at` of the tile, of one column from first_cell on; `positive` are those whose label is 1.
  template <bool kAny>
  void find(int64_t at, F32s score, Mask32 positive, I32s first_cell) {
    if (!kInside) outside_ |= ~(at_least(score, F32s{}) & at_least(F32s{} + 1.0f, score));
    const I32s reached = kAny ? even_.reached_by_any(score, &farthest_) : even_.reached(score, &farthest_);
    const I32s cell = reached + first_cell;
    store(select(positive, cell + number_, cell), to_ + at * kFloats);
  }
  Mask32 outside() const { return outside_; }

  // Those of a vector that do not count.
  void leave_out(int64_t at, Mask32 counted) {
    int32_t* to = to_ + at * kFloats;
    store(select(counted, load<I32s>(to), I32s{} + all_->none()), to);
  }

  void turn() {
    before_ = to_;
    std::swap(to_, next_);
  }

 private:
  const EvenSteps even_;
  const I32s number_;
  I32s farthest_ = {};
  Mask32 outside_ = {};
  uint32_t* cells_[TileCells::kSets];
  int32_t* to_;
  const int32_t* before_;
  int32_t* next_;
  TileCells* const all_;
  bool odd_, any_;
};

inline Mask32 counted_labels(I32s label) { return at_least(label, I32s{}); }
// Those that decide whether scores of classes are logits.
inline Mask32 deciding_labels(I32s label) {
  return ~(equal(label, I32s{} + kInvalid) | equal(label, I32s{} + kIgnored));
}

// Adds n rows of one run, of classes that are neighbours; a tile is as many rows as a vector has lanes.
template <typename T, bool kLogits>
void count_rows(const ScoresBatch& b, const Steps<float>& steps, int64_t first, int n, TileCells* cells,
                ScoresPart* part) {
  constexpr int kAhead = 4096;  // bytes
  const int64_t a_step = b.rows.a_stride[b.rows.dims - 1], classes = b.columns;
  int64_t a_at, b_at;
  b.rows.locate(first, &a_at, &b_at);
  const int64_t c_at = b.valid == nullptr ? 0 : b.rows.offset(first, b.rows.c_stride);
  const T* scores = static_cast<const T*>(b.preds) + a_at;
  alignas(64) int32_t target[kMostRows + kFloats];
  read_targets(b, first, n, 0, b_at, c_at, part, target);
  std::fill_n(target + n, kFloats, kInvalid);
  const I32s of_column = I32s{} + static_cast<int32_t>(2 * cells->number());
  // what it returns is for a softmax
  auto turn = [&](int i, float* to) {
    const T* from = scores + i * a_step;
    if (a_step == classes) fetch_ahead<kAhead>(from, kFloats * classes);
    if (i + kFloats <= n && classes >= kPieceOf<T>) return turn_lanes(from, a_step, classes, kFloats, to);
    turn_rows(from, a_step, classes, std::min(kFloats, n - i), kFloats, to);
    return greatest_of_lanes(to, classes, kFloats);
  };
  float *x = cells->scores(0), *next = cells->scores(1);
  TileFinder<kLogits> finder(steps, cells);
  F32s most = turn(0, x);
  for (int i = 0; i < n; i += kFloats, std::swap(x, next)) {
    const I32s label = load<I32s>(target + i);
    F32s scale = {};
    if (kLogits) scale = softmax_of_lanes(x, classes, kFloats, most, [&] { finder.template count<kFloats / 2>(); });
    if (i + kFloats < n) most = turn(i + kFloats, next);  // before anything waits for the scale
    auto score = [&](int64_t c) {
      F32s p = load<F32s>(x + c * kFloats);
      if (!kLogits) return p;
      p *= scale;
      if constexpr (sizeof(T) == 2) {  // as torch, which rounds it
        for (int j = 0; j < kFloats; ++j) {
          T rounded;
          narrow(p[j], &rounded);
          p[j] = widen(rounded);
        }
      }
      return p;
    };
    finder.find_all([&](auto any, auto counts) {
      I32s first_cell = {}, column = {};
      for (int64_t c = 0; c < classes; ++c) {
        finder.template find<any>(c, score(c), equal(label, column), first_cell);
        first_cell += of_column;
        column += 1;
        if (counts) finder.template count<kLogits ? kFloats / 2 : kFloats>();
      }
    });
    if (!kLogits && b.logits == kEither) part->outside |= any(finder.outside() & deciding_labels(label));
    const Mask32 counted = counted_labels(label);
    if (any(~counted)) {
      for (int64_t c = 0; c < classes; ++c) finder.leave_out(c, counted);
    }
    finder.turn();
    if (part->outside) return;
  }
}

// Adds n samples of one run, each column for itself.
constexpr int kTileVectors = 8;
template <typename T>
void count_columns(const ScoresBatch& b, const Steps<float>& steps, int64_t first, int n, TileCells* cells,
                   ScoresPart* part) {
  constexpr int kTile = kTileVectors * kFloats;
  int64_t a_at, b_at;
  b.rows.locate(first, &a_at, &b_at);
  const int64_t c_at = b.valid == nullptr ? 0 : b.rows.offset(first, b.rows.c_stride);
  const T* scores = static_cast<const T*>(b.preds) + a_at;
  alignas(64) int32_t target[kMostRows + kTile];
  alignas(64) float wide[kMostRows + kTile], rest[kTile] = {};
  TileFinder<false> finder(steps, cells);
  for (int64_t column = 0; column < b.columns; ++column) {
    read_targets(b, first, n, column, b_at, c_at, part, target);
    std::fill_n(target + n, kTile, kInvalid);
    const float* x = widened(scores + column * b.a_column, b.rows.a_stride[b.rows.dims - 1], n, wide);
    const StepsAhead next = after_blocks(b, scores, n, b_at, column);
    const I32s first_cell = I32s{} + static_cast<int32_t>(column * 2 * cells->number());
    for (int i = 0; i < n; i += kTile) {
      const float* from = x + i;
      if (i + kTile > n) from = std::copy(from, x + n, rest) - (n - i);
      Mask32 left_out = {};
      finder.find_all([&](auto any, auto counts) {
        for (int k = 0; k < kTileVectors; ++k) {
          const I32s label = load<I32s>(target + i + k * kFloats);
          finder.template find<any>(k, load<F32s>(from + k * kFloats), greater(label, I32s{}), first_cell);
          if (!counts) continue;
          left_out |= ~counted_labels(label);
          for (int j = 0; j < kFloats; j += kFetchStep) next.fetch(i + k * kFloats + j);
          finder.template count<kFloats>();
        }
      });
      if (b.logits == kEither && any(finder.outside())) {
        part->outside |= any_outside(from, target + i, kTile, b.ignored_decide ? kInvalid : kIgnored);
      }
      if (any(left_out)) {
        for (int k = 0; k < kTileVectors; ++k) {
          finder.leave_out(k, counted_labels(load<I32s>(target + i + k * kFloats)));
        }
      }
      finder.turn();
      if (part->outside) return;
    }
  }
}

}  // namespace fastmetrics
