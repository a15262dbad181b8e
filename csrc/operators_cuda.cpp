// SPDX-License-Identifier: Apache-2.0
//
// The operators that count and sum, on a GPU: what is given is checked here and goes to launches that know no torch.

#include "common/operator_cuda.h"
#include "passes/amounts_arguments.h"
#include "passes/amounts_cuda.h"
#include "passes/binary_arguments.h"
#include "passes/binary_cells_cuda.h"
#include "passes/binary_cuda.h"
#include "passes/groups_arguments.h"
#include "passes/groups_cuda.h"
#include "passes/multiclass_arguments.h"
#include "passes/multiclass_cuda.h"
#include "passes/multiclass_rows_cuda.h"

namespace fastmetrics {
namespace {

void multiclass(View preds, View target, OptionalView valid, OptionalState confusion, OptionalState counts,
                OptionalState ranks, OptionalState faults, int64_t num_classes, int64_t ignore_index,
                bool has_ignore_index, OptionalState rank_histogram, OptionalView weights, OptionalView rows,
                OptionalState samples, OptionalViews others, OptionalIntegers) {
  require_rows(others);
  const SampleRows r = multiclass_rows(rows, target, confusion, counts, ranks, rank_histogram);
  const MulticlassBatch b =
      multiclass_batch(preds, target, valid, weights, r, num_classes, ignore_index, has_ignore_index);
  int64_t* of_rows = multiclass_samples(r, weights, samples);
  auto add = [&](const auto& states, auto* of_samples, const auto& without_rows) {
    if (!rows.has_value()) return check("multiclass_", without_rows(b, states, current_stream()));
    const ScratchSize size = multiclass_rows_scratch(r, of_samples != nullptr && states.faults != nullptr);
    with_scratch("multiclass_", size, [&](const Scratch& scratch, cudaStream_t stream) {
      return launch_multiclass_rows(b, r, states, of_samples, scratch, stream);
    });
  };
  if (weights.has_value()) {
    const auto states = multiclass_states<double>(b, r, confusion, counts, ranks, rank_histogram, faults);
    add(states, static_cast<double*>(nullptr), launch_multiclass_weighted);
  } else {
    const auto states = multiclass_states<int64_t>(b, r, confusion, counts, ranks, rank_histogram, faults);
    add(states, of_rows, launch_multiclass);
  }
}

void binary(View preds, View target, OptionalView valid, State counts, OptionalState faults, double probability_cutoff,
            double logit_cutoff, int64_t ignore_index, bool has_ignore_index, bool ignored_decide, OptionalView weights,
            OptionalView rows, OptionalState samples, OptionalViews others, OptionalIntegers) {
  require_rows(others);
  const BinaryRows r = binary_rows(rows, target, counts);
  const bool cells = in_cells(weights, rows);
  const BinaryBatch b = binary_batch(preds, target, valid, weights, r, cells, probability_cutoff, logit_cutoff,
                                     ignore_index, has_ignore_index, ignored_decide);
  const BinaryCells c{b, r, binary_samples(r, weights, samples)};
  int64_t* of_faults = faults_data(faults);
  if (!cells) {
    int64_t* const of_counts = binary_counts<int64_t>(r, counts);
    return with_scratch("binary_", binary_scratch(b), [&](const Scratch& scratch, cudaStream_t stream) {
      return launch_binary(b, of_counts, of_faults, scratch, stream);
    });
  }
  auto add = [&](auto* of_counts) {
    with_scratch("binary_", binary_cells_scratch(c), [&](const Scratch& scratch, cudaStream_t stream) {
      return launch_binary_cells(c, of_counts, of_faults, scratch, stream);
    });
  };
  weights.has_value() ? add(binary_counts<double>(r, counts)) : add(binary_counts<int64_t>(r, counts));
}

void count_groups(View rows, OptionalView valid, State counts, OptionalState faults, OptionalViews others,
                  OptionalIntegers) {
  require_rows(others);
  const Groups g = groups_to_count(rows, valid, counts);
  auto add = [&](auto* to) {
    check("count_groups_", launch_count_groups(g.of, g.mask, to, faults_data(faults), current_stream()));
  };
  if (counts.dtype() == DType::kInt64) {
    add(group_counts<int64_t>(g, counts));
  } else {
    add(group_counts<double>(g, counts));
  }
}

void groups_to_rows(View groups, OptionalView valid, State rows, OptionalState faults, int64_t slicing, int64_t start,
                    int64_t size) {
  const Groups g = groups_to_place(groups, valid, rows, slicing, start, size);
  check("place_groups_", launch_place_groups(g.of, g.mask, placed_rows(groups, rows), slicing,
                                             static_cast<int32_t>(start), faults_data(faults), current_stream()));
}

void amounts_to_rows(View amounts, View rows, OptionalView cells, State state) {
  with_amounts(amounts, rows, cells, state,
               [](const auto& a, auto* to) { check("add_amounts_", launch_amounts(a, to, current_stream())); });
}

}  // namespace
}  // namespace fastmetrics

FM_CUDA_OPERATOR("multiclass_", &fastmetrics::multiclass)
FM_CUDA_OPERATOR("binary_", &fastmetrics::binary)
FM_CUDA_OPERATOR("count_groups_", &fastmetrics::count_groups)
FM_CUDA_OPERATOR("place_groups_", &fastmetrics::groups_to_rows)
FM_CUDA_OPERATOR("add_amounts_", &fastmetrics::amounts_to_rows)
