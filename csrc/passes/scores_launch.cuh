// SPDX-License-Identifier: Apache-2.0
//
// How the kernels of the passes of scores are started: rounds, blocks, and shared memory. A source that starts them
// says what this depends on in a struct Tuning:
//   kBlocksPerMultiprocessor  that share its shared memory
//   kScoresPerThread          that a thread should see before the cells of its block are added to those of the card
//   kFewestForWarp            neighbouring scores of a sample from which a warp has it

#pragma once

#include "common/launch.cuh"
#include "common/scratch.h"
#include "passes/scores_kernels.cuh"

namespace fastmetrics {

// Whether what is nearest to a score is that of the next column.
inline bool columns_are_near(const ScoresBatch& b) {
  return b.columns > 1 && b.a_column < b.rows.a_stride[b.rows.dims - 1];
}

// Calls f(T{}, I{}) with the types of scores and targets that are a line, of which walk_line says what it is; returns
// whether they are. V: what scores are widened to.
template <typename V, typename F>
bool with_line(const ScoresBatch& b, const F& f) {
  const Layout& rows = b.rows;
  const bool flat = b.columns == 1 || (b.inner == 1 && b.a_column == 1 && b.b_column == 1);
  if (b.multiclass || b.valid != nullptr || b.weights != nullptr || rows.dims != 1 || !flat ||
      rows.a_stride[0] != b.columns || rows.b_stride[0] != b.columns || !aligned_16(b.preds, 1) ||
      !aligned_16(b.target, 1) || (b.has_ignore && (b.ignore == 0 || b.ignore == 1))) {
    return false;
  }
  bool found = false;
  auto with_scores = [&](auto i) {
    with_score_type(b.preds_type, [&](auto t) {
      if constexpr (std::is_same<WidenedTo<decltype(t)>, V>::value) {
        f(t, i);
        found = true;
      }
    });
  };
  if (b.target_type == DType::kInt64) with_scores(int64_t{});
  if (b.target_type == DType::kInt32) with_scores(int32_t{});
  if (b.target_type == DType::kInt8) with_scores(int8_t{});
  if (b.target_type == DType::kUInt8 || b.target_type == DType::kBool) with_scores(uint8_t{});
  return found;
}

// Whether the cells of the first round are worth their memory, which is written twice and read once; without them the
// batch is read twice.
inline bool first_round_counts(const ScoresBatch& b, int64_t cells) {
  return 3 * cells * static_cast<int64_t>(sizeof(int64_t)) <= b.rows.samples() * b.columns * size_of(b.preds_type);
}

// What the rounds need for themselves; bins: of a column; rows: of the state.
inline ScratchSize scores_scratch(const ScoresBatch& b, int64_t bins, int64_t rows) {
  if (b.logits != kEither) return {};
  const int64_t cells = rows * b.columns * bins * 2;
  return {kScoresScratch + (first_round_counts(b, cells) ? cells : 0)};
}

// Rounds of so many blocks.
inline ScoresRounds scores_rounds(const ScoresBatch& b, int blocks, int64_t* faults, const Scratch& scratch) {
  const bool either = b.logits == kEither;
  return {
      {either, blocks, 0, either ? scratch.zeros + kScoresTurns : nullptr}, either ? scratch.zeros : nullptr, faults};
}

// cuts: bytes of the copy of a block. rows_of: OneRow, or ColumnRows. state: [rows, columns, finder.number(), 2].
template <typename Tuning, typename V, typename Cell, typename Finder, typename Rows, typename State>
cudaError_t launch_score_cells(const ScoresBatch& b, const Finder& finder, const Rows& rows_of, int64_t cuts,
                               State* state, int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  constexpr bool kOneRow = std::is_same<Rows, OneRow>::value;
  const int64_t rows = b.rows.samples(), elements = rows * b.columns;
  const int64_t cells = count_of(rows_of) * b.columns * finder.number() * 2;
  if (elements == 0) return cudaSuccess;
  Card card;
  const cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  const bool warps = b.multiclass && b.a_column == 1 && b.columns >= Tuning::kFewestForWarp;
  const int64_t per_thread =
      b.multiclass && !warps ? (Tuning::kScoresPerThread + b.columns - 1) / b.columns : Tuning::kScoresPerThread;
  const int64_t work = b.multiclass && !warps ? rows : elements;
  const int blocks = blocks_for(card, work, kThreads * per_thread, Tuning::kBlocksPerMultiprocessor);
  const int cells_at = static_cast<int>((cuts + 15) / 16 * 16);
  // what a block has of the cells: all, or those of a column where many scores may meet
  const int64_t additions = elements * slicings_of(rows_of);
  auto replicas_for = [&](int64_t some) {
    return replicas_of<Cell>(card, some, additions, blocks, Tuning::kBlocksPerMultiprocessor, cells_at);
  };
  int64_t near_first = 0, near = cells;
  int replicas = replicas_for(near);
  if (replicas == 0) {
    near = kOneRow && b.columns == 1 ? std::min(finder.number(), finder.hot()) * 2 : 0;
    near_first = finder.hot_end(b.preds_type) * 2 - near;
    replicas = near > 0 ? replicas_for(near) : 0;
    if (replicas == 0) near = 0;
  }
  const int64_t shared = cells_at + near * replicas * static_cast<int64_t>(sizeof(Cell));
  CellOfCard<Cell>* guess = nullptr;
  if (b.logits == kEither && first_round_counts(b, cells)) {
    guess = reinterpret_cast<CellOfCard<Cell>*>(scratch.zeros + kScoresScratch);
  }
  const CountedRounds<Cell> rounds{scores_rounds(b, blocks, faults, scratch),  near_first, near, replicas,
                                   reinterpret_cast<CellOfCard<Cell>*>(state), guess};
  const dim3 grid(static_cast<unsigned>(rounds.turns.grid()));
  if constexpr (kOneRow && std::is_same<Cell, uint32_t>::value && std::is_same<Finder, CutFinder>::value) {
    cudaError_t started = cudaSuccess;
    const bool wide = b.columns == 1 && near == cells && finder.near && with_line<V>(b, [&](auto t, auto i) {
                        started = launch(score_line_kernel<decltype(t), decltype(i)>, grid, shared, stream, b,
                                         NearCutFinder{finder}, rounds, cells_at);
                      });
    if (wide) return started;
  }
  if (!b.multiclass) {
    return launch(score_elements_kernel<Finder, V, Cell, Rows>, grid, shared, stream, b, finder, rounds, cells_at,
                  columns_are_near(b), rows_of);
  }
  const auto kernel =
      warps ? score_rows_kernel<Finder, V, Cell, kWarp, Rows> : score_rows_kernel<Finder, V, Cell, 1, Rows>;
  return launch(kernel, grid, shared, stream, b, finder, rounds, cells_at, rows_of);
}

// Calls f with the rows as a kernel has them, and returns what it does.
template <typename F>
cudaError_t with_rows(const ColumnRows* rows, const F& f) {
  return rows == nullptr ? f(OneRow{}) : f(*rows);
}

}  // namespace fastmetrics
