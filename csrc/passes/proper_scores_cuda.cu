// SPDX-License-Identifier: Apache-2.0
//
// Which kernel of the proper scores pass runs, and how many blocks of it. Without rows that number depends on the sizes
// alone, because the order of the sums does. The figures of Tuning were chosen from the sizes of current cards, not
// measured.

#include "passes/proper_scores_cuda.h"

#include "common/launch.cuh"
#include "passes/proper_scores_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int64_t kMostBlocks = 1024;
  static constexpr int64_t kMostThreads = kMostBlocks * kThreads;
  // samples that a thread should have at least
  static constexpr int64_t kSamplesPerThread = 8;
  // neighbouring scores of a sample from which a warp has it
  static constexpr int64_t kFewestForWarp = 16;
  // with rows: blocks that share the shared memory of a multiprocessor
  static constexpr int kBlocksPerMultiprocessor = 3;
};

int64_t blocks_of(int64_t work, int64_t per_block) {
  return std::max<int64_t>(1, std::min(Tuning::kMostBlocks, (work + per_block - 1) / per_block));
}

ProperLanes lanes_of(const RowsBatch& b, const LabelsOfElements& label, int64_t most_threads = Tuning::kMostThreads) {
  ProperLanes lanes{};
  lanes.labels = label.labels;
  lanes.inner = label.inner;
  lanes.groups = b.rows.samples() / (lanes.labels * lanes.inner);
  lanes.width = std::min(lanes.inner, std::max<int64_t>(1, most_threads / lanes.labels));
  const int64_t of_part = lanes.of_part();
  lanes.units = of_part <= kThreads / 2 ? static_cast<int>(kThreads / of_part) : 0;
  const int64_t most = std::max<int64_t>(1, most_threads / of_part);
  const int64_t wanted = (lanes.groups + Tuning::kSamplesPerThread - 1) / Tuning::kSamplesPerThread;
  lanes.parts = std::max<int64_t>(1, std::min(most, wanted));
  if (lanes.units > 0) lanes.parts = (lanes.parts + lanes.units - 1) / lanes.units * lanes.units;
  return lanes;
}

int64_t blocks_of(const ProperLanes& lanes) {
  return (lanes.parts * lanes.of_part() + lanes.threads() - 1) / lanes.threads();
}

bool warps_for(const RowsBatch& b) { return b.a_score == 1 && b.scores >= Tuning::kFewestForWarp; }

int64_t blocks_of_rows(const RowsBatch& b) {
  return blocks_of(b.rows.samples(), warps_for(b) ? kThreads / kWarp : kThreads);
}

int64_t partials_of(const RowsBatch& b, const ProperScoresOptions& options) {
  return options.multiclass ? blocks_of_rows(b) : lanes_of(b, options.label).partials();
}

// Which round is started, and where its sums go.
template <typename Sink>
struct ProperStart {
  const RowsBatch& b;
  const ProperScoresOptions& options;
  ProperRound round;
  typename Sink::To to;
  int64_t shared;
  cudaStream_t stream;

  template <typename T>
  cudaError_t rows(int64_t blocks) const {
    const auto kernel = warps_for(b) ? proper_rows_kernel<T, kWarp, Sink> : proper_rows_kernel<T, 1, Sink>;
    return launch(kernel, dim3(static_cast<unsigned>(blocks)), shared, stream, b, options, round, to);
  }
  template <typename T, bool kPlain>
  cudaError_t elements(const ProperLanes& lanes) const {
    const dim3 blocks(static_cast<unsigned>(blocks_of(lanes)));
    return launch(proper_elements_kernel<T, kPlain, Sink>, blocks, shared, stream, b, options, lanes, round, to);
  }
};

template <typename T>
cudaError_t launch_round(const ProperStart<ProperOfThread>& start) {
  const RowsBatch& b = start.b;
  if (start.options.multiclass) return start.rows<T>(blocks_of_rows(b));
  const ProperLanes lanes = lanes_of(b, start.options.label);
  const bool plain = b.target_type == DType::kInt64 && b.rows.dims == 1 && b.valid == nullptr && b.weights == nullptr;
  return plain ? start.elements<T, true>(lanes) : start.elements<T, false>(lanes);
}

cudaError_t launch_sums(const RowsBatch& b, const ProperScoresOptions& options, const ProperScoresSums& sums,
                        int64_t* faults, int64_t* workspace, cudaStream_t stream) {
  cudaError_t error = cudaMemsetAsync(workspace, 0, 2 * kRowsScratch * sizeof(int64_t), stream);
  const bool either = options.logits < 0;
  int64_t *outside = workspace + kRowsOutside, *second = workspace + kRowsScratch;
  auto* partial = reinterpret_cast<ProperSums*>(workspace + 2 * kRowsScratch);
  auto start = [&](Round round, int64_t* scratch) {
    const ProperStart<ProperOfThread> started{
        b, options, {round, scratch, outside}, {partial, sums.log_loss.real != nullptr}, 0, stream};
    cudaError_t of_type = cudaSuccess;
    with_score_type(b.preds_type, [&](auto t) { of_type = launch_round<decltype(t)>(started); });
    return of_type;
  };
  if (error == cudaSuccess) error = start(either ? Round::kFirst : Round::kOnly, workspace);
  if (error == cudaSuccess && either) error = start(Round::kSecond, second);
  if (error != cudaSuccess) return error;
  const int64_t labels = options.label.labels, width = options.multiclass ? 1 : lanes_of(b, options.label).width;
  return launch(proper_scores_add_kernel, dim3(static_cast<unsigned>(blocks_of(labels, 1))), 0, stream, b, sums,
                partial, partials_of(b, options) / (labels * width), labels, width, workspace, second,
                either ? outside : nullptr, faults);
}

int64_t workspace_of(const RowsBatch& b, const SampleRows& rows, const ProperScoresOptions& options) {
  const int64_t sums = rows.count * options.label.labels;
  const int64_t of_round = b.weights != nullptr ? RoundFound<double>::words(sums * kCellsOfProper<double>)
                                                : RoundFound<uint32_t>::words(sums * kCellsOfProper<uint32_t>);
  return of_round * (options.logits < 0 ? 2 : 1);
}

template <typename Cell>
cudaError_t launch_rows(const RowsBatch& b, const SampleRows& rows, const ProperScoresOptions& options,
                        const ProperScoresSums& sums, int64_t* faults, int64_t* workspace, cudaStream_t stream) {
  constexpr bool kWeighted = std::is_same<Cell, double>::value;
  Card card;
  cudaError_t error = current_card(&card);
  if (error == cudaSuccess) {
    error = cudaMemsetAsync(workspace, 0, workspace_of(b, rows, options) * sizeof(int64_t), stream);
  }
  if (error != cudaSuccess) return error;
  const int64_t samples = b.rows.samples(), added = samples * rows.slicings;
  const int64_t places = rows.count * options.label.labels, cells = places * kCellsOfProper<Cell>;
  // so many blocks that what one of them adds fits the parts, if its threads have about as many samples
  const int64_t fill = int64_t{card.multiprocessors} * Tuning::kBlocksPerMultiprocessor;
  const int64_t most = std::max(fill, (added + kMostOfParts / 2 - 1) / (kMostOfParts / 2));
  const ProperLanes lanes = lanes_of(b, options.label, most * kThreads);
  const int64_t at_once = kThreads / (warps_for(b) ? kWarp : 1), wanted = at_once * Tuning::kSamplesPerThread;
  const int64_t blocks =
      options.multiclass ? std::max<int64_t>(1, std::min(most, (samples + wanted - 1) / wanted)) : blocks_of(lanes);
  const int64_t of_block = options.multiclass ? (samples + blocks * at_once - 1) / (blocks * at_once) * at_once
                                              : lanes.samples_of_thread() * lanes.threads();
  int replicas = 0;
  if (kWeighted || of_block * rows.slicings <= kMostOfParts) {
    replicas = replicas_of<Cell>(card, cells, added, static_cast<int>(blocks), Tuning::kBlocksPerMultiprocessor, 0);
  }
  const int64_t shared = cells * replicas * static_cast<int64_t>(sizeof(Cell));
  auto start = [&](Round round, const RoundFound<Cell>& found) {
    using Sink = ProperOfRows<Cell>;
    const ProperRound given{round, found.scratch, workspace + kRowsOutside};
    const typename Sink::To to{
        rows, options.label.labels, sums.brier.real != nullptr, sums.log_loss.real != nullptr, replicas, found.cells};
    const ProperStart<Sink> started{b, options, given, to, shared, stream};
    return options.multiclass ? started.template rows<void>(blocks) : started.template elements<void, false>(lanes);
  };
  const bool either = options.logits < 0;
  const auto first = RoundFound<Cell>::at(workspace);
  const auto second = either ? RoundFound<Cell>::at(workspace + RoundFound<Cell>::words(cells)) : first;
  error = start(either ? Round::kFirst : Round::kOnly, first);
  if (error == cudaSuccess && either) error = start(Round::kSecond, second);
  if (error != cudaSuccess) return error;
  const dim3 adders(blocks_for(card, places, kThreads, Tuning::kBlocksPerMultiprocessor));
  return launch(proper_rows_close_kernel<Cell>, adders, 0, stream, b, places, sums, first, second,
                either ? workspace + kRowsOutside : nullptr, faults);
}

}  // namespace

int64_t proper_scores_workspace(const RowsBatch& b, const SampleRows* rows, const ProperScoresOptions& options) {
  if (b.rows.samples() == 0) return 0;
  if (rows != nullptr) return workspace_of(b, *rows, options);
  return 2 * kRowsScratch + partials_of(b, options) * static_cast<int64_t>(sizeof(ProperSums) / sizeof(int64_t));
}

cudaError_t launch_proper_scores(const RowsBatch& b, const SampleRows* rows, const ProperScoresOptions& options,
                                 const ProperScoresSums& sums, int64_t* faults, int64_t* workspace,
                                 cudaStream_t stream) {
  if (b.rows.samples() == 0) return cudaSuccess;
  if (rows == nullptr) return launch_sums(b, options, sums, faults, workspace, stream);
  return b.weights != nullptr ? launch_rows<double>(b, *rows, options, sums, faults, workspace, stream)
                              : launch_rows<uint32_t>(b, *rows, options, sums, faults, workspace, stream);
}

}  // namespace fastmetrics
