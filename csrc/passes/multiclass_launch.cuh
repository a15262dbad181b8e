// SPDX-License-Identifier: Apache-2.0
//
// How the multiclass kernels are started, with counts and with weights. Each source that does so has the figures that
// this depends on in a struct Tuning:
//   kBlocksPerMultiprocessor
//   kSamplesPerCell  samples that a block should have for each of its cells in shared memory, which it adds up at the
//                    end
//   kReplicas        of the cells, at most
//   kReplicaBytes    that they may have together; one replica may have more

#pragma once

#include "common/launch.cuh"
#include "passes/multiclass_sink.cuh"

namespace fastmetrics {

// Cells in shared memory beside `other` bytes, and at most how many blocks then pay (0: any).
template <typename Tuning, typename State>
SharedCells shared_cells(const Card& card, const MulticlassBatch& b, const MulticlassCells<State>& s, int64_t other,
                         int64_t* most_blocks) {
  constexpr int64_t kCell = sizeof(typename Adds<State>::Amount);
  SharedCells plan;
  *most_blocks = 0;
  if (b.samplewise) return plan;
  if (b.valid == nullptr && !Adds<State>::kWeights) plan.limit = static_cast<uint32_t>(b.classes);
  if (b.has_ignore && b.ignore >= 0 && b.ignore < b.classes) plan.ignored = static_cast<uint32_t>(b.ignore);
  if (s.totals != nullptr) {
    plan.totals = 2;
    plan.replicas = Tuning::kReplicas;
    return plan;
  }
  const int64_t samples = b.layout.samples(), c = b.classes;
  // two blocks a multiprocessor, each with a kilobyte for the system
  const int64_t bytes = std::min<int64_t>(card.shared_of_block, card.shared_of_multiprocessor / 2 - 1024) - other;
  auto pays = [&](int64_t cells) {
    return cells > 0 && (plan.of_replica() + cells) * kCell <= bytes &&
           samples >= cells * Tuning::kSamplesPerCell * std::max(1, card.multiprocessors / 2);
  };
  // counts of scores take one addition so, in place of three
  const bool of_pairs = s.confusion != nullptr || (b.scores && s.counts != nullptr);
  if (of_pairs && pays(c * c)) plan.pairs = static_cast<int>(c * c);
  if (plan.pairs == 0) {
    if ((s.confusion != nullptr || s.counts != nullptr) && pays(c)) plan.diagonal = static_cast<int>(c);
    if (s.counts != nullptr && pays(c * 2)) plan.margins = static_cast<int>(c * 2);
  }
  if (s.ranks != nullptr && pays(c * s.k * 2)) plan.ranks = static_cast<int>(c * s.k * 2);
  if (s.rank_histogram != nullptr && pays(c)) plan.rank_histogram = static_cast<int>(c);
  if (plan.of_replica() == 0) return plan;
  const bool pairs = plan.pairs > 0 || (s.confusion == nullptr && (s.counts == nullptr || plan.of_counts() == c * 3));
  plan.all =
      pairs && (s.ranks == nullptr) == (plan.ranks == 0) && (s.rank_histogram == nullptr) == (plan.rank_histogram == 0);
  const int64_t fit = std::min<int64_t>(bytes, Tuning::kReplicaBytes) / (plan.of_replica() * kCell);
  plan.replicas = static_cast<int>(std::max<int64_t>(1, std::min<int64_t>(Tuning::kReplicas, fit)));
  *most_blocks = samples / (int64_t{Tuning::kSamplesPerCell} * plan.of_replica());
  return plan;
}

template <typename Tuning, typename State>
struct MulticlassStart {
  const Card& card;
  const MulticlassBatch& b;
  const MulticlassCells<State>& s;
  cudaStream_t stream;

  // A kernel whose blocks take `per_block` of `work` items at a time and use `other` bytes of shared memory.
  template <typename Kernel>
  cudaError_t operator()(Kernel kernel, int64_t work, int64_t per_block, int64_t other = 0) const {
    int64_t most = 0;
    const SharedCells plan = shared_cells<Tuning>(card, b, s, other, &most);
    int blocks = blocks_for(card, work, per_block, Tuning::kBlocksPerMultiprocessor);
    if (most > 0) blocks = static_cast<int>(std::min<int64_t>(blocks, most));
    const int64_t bytes = other + int64_t{sizeof(typename Adds<State>::Amount)} * plan.cells();
    return launch(kernel, dim3(blocks), bytes, stream, b, s, plan);
  }
};

// What a block keeps of scores, beside `other` bytes.
template <typename Tuning, typename State>
Kept kept_of_scores(const MulticlassStart<Tuning, State>& start, int64_t other) {
  if (start.s.want_ranks()) return kRanked;
  int64_t most = 0;
  const SharedCells plan = shared_cells<Tuning>(start.card, start.b, start.s, other, &most);
  return plan.all && plan.pairs > 0 ? kPairs : kRest;
}

// launch(T{}), with the type of the scores.
template <typename F>
cudaError_t with_scores(const MulticlassBatch& b, const F& launch) {
  cudaError_t error = cudaSuccess;
  with_score_type(b.preds_type, [&](auto t) { error = launch(t); });
  return error;
}

// What launch_multiclass does with scores. Each is a source of its own, of which compilers can have one each: short
// rows, if they fit into tiles; other rows; scores whose classes are far apart.
bool multiclass_fits_tiles(const Card& card, const MulticlassBatch& b);
cudaError_t launch_multiclass_tiles(const Card& card, const MulticlassBatch& b, const MulticlassStates& s,
                                    cudaStream_t stream);
cudaError_t launch_multiclass_score_rows(const Card& card, const MulticlassBatch& b, const MulticlassStates& s,
                                         cudaStream_t stream);
cudaError_t launch_multiclass_planes(const Card& card, const MulticlassBatch& b, const MulticlassStates& s,
                                     cudaStream_t stream);

}  // namespace fastmetrics
