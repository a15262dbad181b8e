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

template <typename Pass>
RowSums<Pass::kSums>* partials(int64_t* workspace) {
  return reinterpret_cast<RowSums<Pass::kSums>*>(workspace + kRowsScratch);
}

// Sums over all rows, and the addition to the state.
template <typename Pass>
cudaError_t launch_rows(const Pass& pass, bool warps, int64_t* faults, int64_t* workspace, cudaStream_t stream) {
  const int64_t rows = pass.b.rows.samples(), parts = blocks_of(rows, rows_of_block(warps));
  const dim3 blocks(static_cast<unsigned>(parts));
  auto* partial = partials<Pass>(workspace);
  const cudaError_t error =
      warps ? launch(rows_sum_kernel<Pass, kWarp>, blocks, 0, stream, pass, rows, partial, workspace)
            : launch(rows_sum_kernel<Pass, 1>, blocks, 0, stream, pass, rows, partial, workspace);
  if (error != cudaSuccess) return error;
  return launch(rows_add_kernel<Pass>, dim3(1), 0, stream, pass, partial, parts, workspace, faults);
}

// The same for each group of rows.
template <typename Pass>
cudaError_t launch_rows_apart(const Pass& pass, int64_t groups, bool warps, int64_t* faults, int64_t* workspace,
                              cudaStream_t stream) {
  auto* partial = partials<Pass>(workspace);
  const dim3 blocks(static_cast<unsigned>(blocks_of(groups, rows_of_block(warps))));
  const cudaError_t error =
      warps ? launch(rows_apart_kernel<Pass, kWarp>, blocks, 0, stream, pass, groups, partial, workspace)
            : launch(rows_apart_kernel<Pass, 1>, blocks, 0, stream, pass, groups, partial, workspace);
  if (error != cudaSuccess) return error;
  const dim3 adders(static_cast<unsigned>(blocks_of(groups, kThreads)));
  return launch(rows_apart_add_kernel<Pass>, adders, 0, stream, pass, partial, groups, workspace, faults);
}

cudaError_t clear(int64_t* workspace, cudaStream_t stream) {
  return cudaMemsetAsync(workspace, 0, kRowsScratch * sizeof(int64_t), stream);
}

cudaError_t launch_hinge_classes(const RowsBatch& b, bool squared, const HingeSums& sums, int64_t* faults,
                                 int64_t* workspace, cudaStream_t stream) {
  const int64_t parts = parts_of_classes(b);
  double* partial = reinterpret_cast<double*>(workspace + kRowsScratch);
  const dim3 blocks(static_cast<unsigned>((parts + kThreads / kWarp - 1) / (kThreads / kWarp)));
  const cudaError_t error = launch(hinge_classes_kernel, blocks, 0, stream, b, squared, parts, partial, workspace);
  if (error != cudaSuccess) return error;
  const dim3 adders(static_cast<unsigned>(blocks_of(b.scores + 1, 1)));
  return launch(hinge_classes_add_kernel, adders, 0, stream, b, partial, parts, sums, workspace, faults);
}

template <typename Key, int kLanes>
cudaError_t launch_ranking_lanes(const RowsBatch& b, int64_t* workspace, cudaStream_t stream) {
  Card card;
  cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  constexpr int64_t kRows = kThreads / kLanes;
  const int64_t rows = b.rows.samples(), labels = b.places.size[0];
  const int64_t bytes = (labels * (static_cast<int64_t>(sizeof(Key)) + 1) + 7) / 8 * 8;
  const dim3 blocks(static_cast<unsigned>(blocks_of(rows, kRows)));
  auto* partial = partials<RankingPass>(workspace);
  const RankingRole role{b};
  // besides what the kernel has by itself
  const bool fits = bytes * kRows <= card.shared_of_block - static_cast<int64_t>(sizeof(RowSums<4>)) * kThreads - 1024;
  if (kLanes == kWarp || fits) {
    return launch(ranking_kernel<Key, kLanes, true>, blocks, bytes * kRows, stream, role, rows, static_cast<int>(bytes),
                  partial, workspace);
  }
  if constexpr (kLanes != kWarp) {
    error = launch(ranking_kernel<Key, kLanes, false>, blocks, 0, stream, role, rows, 0, partial, workspace);
  }
  return error;
}

}  // namespace

int64_t hinge_workspace(const RowsBatch& b, const HingeOptions& options) {
  if (options.one_vs_all) return kRowsScratch + parts_of_classes(b) * (2 * b.scores + 1);
  return kRowsScratch + blocks_of(b.rows.samples(), rows_of_block(warp_for_sample(b))) * 3;
}

cudaError_t launch_hinge(const RowsBatch& b, const HingeOptions& options, const HingeSums& sums, int64_t* faults,
                         int64_t* workspace, cudaStream_t stream) {
  if (b.rows.samples() == 0) return cudaSuccess;
  cudaError_t error = clear(workspace, stream);
  if (error != cudaSuccess) return error;
  if (options.one_vs_all) return launch_hinge_classes(b, options.squared, sums, faults, workspace, stream);
  return launch_rows(HingePass{b, options, sums}, warp_for_sample(b), faults, workspace, stream);
}

int64_t ranking_workspace(const RowsBatch& b) {
  const bool warps = b.places.size[0] <= Tuning::kMostForWarp;
  return kRowsScratch + blocks_of(b.rows.samples(), warps ? kThreads / kWarp : 1) * 4;
}

cudaError_t launch_ranking(const RowsBatch& b, const RankingSums& sums, int64_t* faults, int64_t* workspace,
                           cudaStream_t stream) {
  const int64_t rows = b.rows.samples(), labels = b.places.size[0];
  if (rows == 0 || labels == 0) return cudaSuccess;
  cudaError_t error = clear(workspace, stream);
  if (error != cudaSuccess) return error;
  const bool warps = labels <= Tuning::kMostForWarp;
  if (b.preds_type == DType::kDouble) {
    error = warps ? launch_ranking_lanes<int64_t, kWarp>(b, workspace, stream)
                  : launch_ranking_lanes<int64_t, kThreads>(b, workspace, stream);
  } else {
    error = warps ? launch_ranking_lanes<int32_t, kWarp>(b, workspace, stream)
                  : launch_ranking_lanes<int32_t, kThreads>(b, workspace, stream);
  }
  if (error != cudaSuccess) return error;
  const int64_t parts = blocks_of(rows, warps ? kThreads / kWarp : 1);
  const RankingPass pass{b, sums};
  return launch(rows_add_kernel<RankingPass>, dim3(1), 0, stream, pass, partials<RankingPass>(workspace), parts,
                workspace, faults);
}

int64_t exact_match_workspace(const RowsBatch& b, const ExactMatchOptions& options) {
  const int64_t units = options.apart ? options.groups : blocks_of(b.rows.samples(), rows_of_block(warp_for_row(b)));
  return kRowsScratch + units * 3;
}

cudaError_t launch_exact_match(const RowsBatch& b, const ExactMatchOptions& options, const ExactMatchSums& sums,
                               int64_t* faults, int64_t* workspace, cudaStream_t stream) {
  if (b.rows.samples() == 0 || b.places.samples() == 0) return cudaSuccess;
  cudaError_t error = clear(workspace, stream);
  if (error != cudaSuccess) return error;
  const ExactMatchPass pass{b, options, sums};
  if (options.apart) return launch_rows_apart(pass, options.groups, warp_for_row(b), faults, workspace, stream);
  return launch_rows(pass, warp_for_row(b), faults, workspace, stream);
}

}  // namespace fastmetrics
