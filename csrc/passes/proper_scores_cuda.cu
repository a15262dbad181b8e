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

// What is started, and where its sums go.
template <typename Sink>
struct ProperStart {
  const RowsBatch& b;
  const ProperScoresOptions& options;
  const ProperRounds& rounds;
  const typename Sink::To& to;
  int64_t shared;
  cudaStream_t stream;

  dim3 grid() const { return dim3(static_cast<unsigned>(rounds.turns.grid())); }
  template <typename T>
  cudaError_t rows() const {
    const auto kernel = warps_for(b) ? proper_rows_kernel<T, kWarp, Sink> : proper_rows_kernel<T, 1, Sink>;
    return launch(kernel, grid(), shared, stream, b, options, rounds, to);
  }
  template <typename T, bool kPlain>
  cudaError_t elements(const ProperLanes& lanes) const {
    return launch(proper_elements_kernel<T, kPlain, Sink>, grid(), shared, stream, b, options, lanes, rounds, to);
  }
};

ProperRounds rounds_of(const ProperScoresOptions& options, int64_t blocks, int64_t adders, int64_t* first,
                       int64_t* second, int64_t* faults, const Scratch& scratch) {
  return {
      {options.logits < 0, static_cast<int>(blocks), static_cast<int>(adders), scratch.zeros}, first, second, faults};
}

cudaError_t launch_sums(const RowsBatch& b, const ProperScoresOptions& options, const ProperScoresSums& sums,
                        int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  const ProperLanes lanes = options.multiclass ? ProperLanes{} : lanes_of(b, options.label);
  const int64_t labels = options.label.labels, width = options.multiclass ? 1 : lanes.width;
  int64_t* const first = scratch.zeros + kTurnsScratch;
  const ProperRounds rounds = rounds_of(options, options.multiclass ? blocks_of_rows(b) : blocks_of(lanes),
                                        blocks_of(labels, 1), first, first + kRowsScratch, faults, scratch);
  const ProperOfThread::To to{sums, reinterpret_cast<ProperSums*>(scratch.others),
                              partials_of(b, options) / (labels * width), labels, width};
  const ProperStart<ProperOfThread> start{b, options, rounds, to, 0, stream};
  const bool plain = b.target_type == DType::kInt64 && b.rows.dims == 1 && b.valid == nullptr && b.weights == nullptr;
  cudaError_t error = cudaSuccess;
  with_score_type(b.preds_type, [&](auto t) {
    using T = decltype(t);
    error = options.multiclass ? start.rows<T>()
            : plain            ? start.elements<T, true>(lanes)
                               : start.elements<T, false>(lanes);
  });
  return error;
}

template <typename Cell>
int64_t scratch_of(const SampleRows& rows, const ProperScoresOptions& options) {
  const int64_t cells = rows.count * options.label.labels * kCellsOfProper<Cell>;
  return kTurnsScratch + RoundFound<Cell>::words(cells) * (options.logits < 0 ? 2 : 1);
}

template <typename Cell>
cudaError_t launch_rows(const RowsBatch& b, const SampleRows& rows, const ProperScoresOptions& options,
                        const ProperScoresSums& sums, int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  constexpr bool kWeighted = std::is_same<Cell, double>::value;
  Card card;
  const cudaError_t error = current_card(&card);
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
  int64_t* const of_rounds = scratch.zeros + kTurnsScratch;
  const auto first = RoundFound<Cell>::at(of_rounds);
  const auto second = options.logits < 0 ? RoundFound<Cell>::at(of_rounds + RoundFound<Cell>::words(cells)) : first;
  const int adders = blocks_for(card, places, kThreads, Tuning::kBlocksPerMultiprocessor);
  const ProperRounds rounds = rounds_of(options, blocks, adders, first.scratch, second.scratch, faults, scratch);
  using Sink = ProperOfRows<Cell>;
  const typename Sink::To to{rows, sums, options.label.labels, replicas, first.cells, second.cells};
  const ProperStart<Sink> start{b, options, rounds, to, shared, stream};
  return options.multiclass ? start.template rows<void>() : start.template elements<void, false>(lanes);
}

}  // namespace

ScratchSize proper_scores_scratch(const RowsBatch& b, const SampleRows* rows, const ProperScoresOptions& options) {
  if (b.rows.samples() == 0) return {};
  if (rows != nullptr) {
    return {b.weights != nullptr ? scratch_of<double>(*rows, options) : scratch_of<uint32_t>(*rows, options)};
  }
  return {kTurnsScratch + 2 * kRowsScratch,
          partials_of(b, options) * static_cast<int64_t>(sizeof(ProperSums) / sizeof(int64_t))};
}

cudaError_t launch_proper_scores(const RowsBatch& b, const SampleRows* rows, const ProperScoresOptions& options,
                                 const ProperScoresSums& sums, int64_t* faults, const Scratch& scratch,
                                 cudaStream_t stream) {
  if (b.rows.samples() == 0) return cudaSuccess;
  if (rows == nullptr) return launch_sums(b, options, sums, faults, scratch, stream);
  return b.weights != nullptr ? launch_rows<double>(b, *rows, options, sums, faults, scratch, stream)
                              : launch_rows<uint32_t>(b, *rows, options, sums, faults, scratch, stream);
}

}  // namespace fastmetrics
