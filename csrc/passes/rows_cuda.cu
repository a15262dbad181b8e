// SPDX-License-Identifier: Apache-2.0
//
// Which kernel of the hinge, ranking and exact match passes runs, and how many blocks of it. That number depends on the
// sizes alone, because the order of the sums does. The figures of Tuning were chosen from the sizes of current cards,
// not measured.

#include "common/launch.cuh"
#include "passes/exact_match_kernels.cuh"
#include "passes/hinge_kernels.cuh"
#include "passes/ranking_kernels.cuh"
#include "passes/rows_cuda.h"
#include "passes/rows_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int64_t kMostBlocks = 1024;
  // neighbouring scores of a sample, or places of a row, from which a warp has it
  static constexpr int64_t kFewestForWarp = 16;
  // samples of a warp, and all sums, of one-vs-all
  static constexpr int64_t kSamplesPerPart = 16;
  static constexpr int64_t kMostPartials = int64_t{1} << 20;
  // labels up to which a warp has a row
  static constexpr int64_t kMostForWarp = 256;
  // groups of rows up to which the last block adds their sums to the state
  static constexpr int64_t kMostOfLastBlock = 1024;
};

int64_t blocks_of(int64_t work, int64_t per_block) {
  return std::max<int64_t>(1, std::min(Tuning::kMostBlocks, (work + per_block - 1) / per_block));
}

bool warp_for_sample(const RowsBatch& b) { return b.a_score == 1 && b.scores >= Tuning::kFewestForWarp; }
bool warp_for_row(const RowsBatch& b) { return b.places.samples() >= Tuning::kFewestForWarp; }
int64_t rows_of_block(bool warps) { return warps ? kThreads / kWarp : kThreads; }

int64_t parts_of_classes(const RowsBatch& b) {
  const int64_t most = std::min(Tuning::kMostBlocks * (kThreads / kWarp), Tuning::kMostPartials / (2 * b.scores + 1));
  const int64_t wanted = (b.rows.samples() + Tuning::kSamplesPerPart - 1) / Tuning::kSamplesPerPart;
  return std::max<int64_t>(1, std::min(most, wanted));
}

// Sums over all rows, and the addition to the state.
template <typename Pass>
cudaError_t launch_rows(const Pass& pass, bool warps, int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  const int64_t rows = pass.b.rows.samples();
  const dim3 blocks(static_cast<unsigned>(blocks_of(rows, rows_of_block(warps))));
  const auto kernel = warps ? rows_sum_kernel<Pass, kWarp> : rows_sum_kernel<Pass, 1>;
  auto* partial = reinterpret_cast<RowSums<Pass::kSums>*>(scratch.others);
  return launch(kernel, blocks, 0, stream, pass, rows, partial, scratch.zeros, faults);
}

// The same for each group of rows.
template <typename Pass>
cudaError_t launch_rows_apart(const Pass& pass, int64_t groups, bool warps, int64_t* faults, const Scratch& scratch,
                              cudaStream_t stream) {
  auto* partial = reinterpret_cast<RowSums<Pass::kSums>*>(scratch.others);
  const auto kernel = warps ? rows_apart_kernel<Pass, kWarp> : rows_apart_kernel<Pass, 1>;
  Turns turns{false, static_cast<int>(blocks_of(groups, rows_of_block(warps))), 0, nullptr};
  if (groups > Tuning::kMostOfLastBlock) {
    turns.adders = static_cast<int>(blocks_of(groups, kThreads));
    turns.scratch = scratch.zeros + kRowsScratch;
  }
  const dim3 blocks(static_cast<unsigned>(turns.grid()));
  return launch(kernel, blocks, 0, stream, pass, groups, partial, scratch.zeros, turns, faults);
}

cudaError_t launch_hinge_classes(const RowsBatch& b, bool squared, const HingeSums& sums, int64_t* faults,
                                 const Scratch& scratch, cudaStream_t stream) {
  const int64_t parts = parts_of_classes(b);
  const int blocks = static_cast<int>((parts + kThreads / kWarp - 1) / (kThreads / kWarp));
  const Turns turns{false, blocks, static_cast<int>(blocks_of(b.scores + 1, 1)), scratch.zeros + kRowsScratch};
  const HingeClasses of{turns, parts, reinterpret_cast<double*>(scratch.others), scratch.zeros, sums, faults};
  const dim3 grid(static_cast<unsigned>(turns.grid()));
  return launch(hinge_classes_kernel, grid, 0, stream, b, squared, of);
}

template <typename Key, int kLanes>
cudaError_t launch_ranking_lanes(const RowsBatch& b, const RankingSums& sums, int64_t* faults, const Scratch& scratch,
                                 cudaStream_t stream) {
  Card card;
  cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  constexpr int64_t kRows = kThreads / kLanes;
  const int64_t rows = b.rows.samples(), labels = b.places.size[0];
  const int64_t bytes = (labels * (static_cast<int64_t>(sizeof(Key)) + 1) + 7) / 8 * 8;
  const dim3 blocks(static_cast<unsigned>(blocks_of(rows, kRows)));
  auto* partial = reinterpret_cast<RowSums<4>*>(scratch.others);
  const RankingRole role{b};
  // besides what the kernel has by itself
  const bool fits = bytes * kRows <= card.shared_of_block - static_cast<int64_t>(sizeof(RowSums<4>)) * kThreads - 1024;
  if (kLanes == kWarp || fits) {
    return launch(ranking_kernel<Key, kLanes, true>, blocks, bytes * kRows, stream, role, sums, rows,
                  static_cast<int>(bytes), partial, scratch.zeros, faults);
  }
  if constexpr (kLanes != kWarp) {
    error = launch(ranking_kernel<Key, kLanes, false>, blocks, 0, stream, role, sums, rows, 0, partial, scratch.zeros,
                   faults);
  }
  return error;
}

}  // namespace

ScratchSize hinge_scratch(const RowsBatch& b, const HingeOptions& options) {
  if (options.one_vs_all) return {kRowsScratch + kTurnsScratch, parts_of_classes(b) * (2 * b.scores + 1)};
  return {kRowsScratch, blocks_of(b.rows.samples(), rows_of_block(warp_for_sample(b))) * HingePass::kSums};
}

cudaError_t launch_hinge(const RowsBatch& b, const HingeOptions& options, const HingeSums& sums, int64_t* faults,
                         const Scratch& scratch, cudaStream_t stream) {
  if (b.rows.samples() == 0) return cudaSuccess;
  if (options.one_vs_all) return launch_hinge_classes(b, options.squared, sums, faults, scratch, stream);
  return launch_rows(HingePass{b, options, sums}, warp_for_sample(b), faults, scratch, stream);
}

ScratchSize ranking_scratch(const RowsBatch& b) {
  const bool warps = b.places.size[0] <= Tuning::kMostForWarp;
  return {kRowsScratch, blocks_of(b.rows.samples(), warps ? kThreads / kWarp : 1) * 4};
}

cudaError_t launch_ranking(const RowsBatch& b, const RankingSums& sums, int64_t* faults, const Scratch& scratch,
                           cudaStream_t stream) {
  const int64_t labels = b.places.size[0];
  if (b.rows.samples() == 0 || labels == 0) return cudaSuccess;
  const bool warps = labels <= Tuning::kMostForWarp;
  if (b.preds_type == DType::kDouble) {
    return warps ? launch_ranking_lanes<int64_t, kWarp>(b, sums, faults, scratch, stream)
                 : launch_ranking_lanes<int64_t, kThreads>(b, sums, faults, scratch, stream);
  }
  return warps ? launch_ranking_lanes<int32_t, kWarp>(b, sums, faults, scratch, stream)
               : launch_ranking_lanes<int32_t, kThreads>(b, sums, faults, scratch, stream);
}

ScratchSize exact_match_scratch(const RowsBatch& b, const ExactMatchOptions& options) {
  const int64_t units = options.apart ? options.groups : blocks_of(b.rows.samples(), rows_of_block(warp_for_row(b)));
  return {kRowsScratch + (options.apart ? kTurnsScratch : 0), units * ExactMatchPass::kSums};
}

cudaError_t launch_exact_match(const RowsBatch& b, const ExactMatchOptions& options, const ExactMatchSums& sums,
                               int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  if (b.rows.samples() == 0 || b.places.samples() == 0) return cudaSuccess;
  const ExactMatchPass pass{b, options, sums};
  if (options.apart) return launch_rows_apart(pass, options.groups, warp_for_row(b), faults, scratch, stream);
  return launch_rows(pass, warp_for_row(b), faults, scratch, stream);
}

}  // namespace fastmetrics
