// SPDX-License-Identifier: Apache-2.0
//
// The operators that count and sum: what is given is checked here and goes to loops that know no torch.

#include <vector>

#include "common/cpu.h"
#include "common/operator.h"
#include "formulas/agreement.h"
#include "formulas/average_ratio.h"
#include "formulas/stat_scores.h"
#include "passes/amounts_arguments.h"
#include "passes/binary_arguments.h"
#include "passes/groups_arguments.h"
#include "passes/loops_cpu.h"
#include "passes/multiclass_arguments.h"
#include "passes/sample_rows_cpu.h"

namespace fastmetrics {
namespace {

// Where samples are added of which rows may be given.
Slicings slicings_of(const SampleRows& of, const OptionalView& rows, const OptionalViews& others,
                     const OptionalIntegers& sizes) {
  require(rows.has_value() || !others.has_value(), "groups of several slicings need those of one as rows");
  return rows.has_value() ? slicings_of(of, *rows, others, sizes) : slicings_of(of);
}

// rows: [K, ...], with the shape of target; states: of their own shape, or with S rows; samples: [S]. others: groups
// [...] of more slicings, here and below.
void multiclass(View preds, View target, OptionalView valid, OptionalState confusion, OptionalState counts,
                OptionalState ranks, OptionalState faults, int64_t num_classes, int64_t ignore_index,
                bool has_ignore_index, OptionalState rank_histogram, OptionalView weights, OptionalView rows,
                OptionalState samples, OptionalViews others, OptionalIntegers sizes) {
  const SampleRows r = multiclass_rows(rows, target, confusion, counts, ranks, rank_histogram);
  const MulticlassBatch b =
      multiclass_batch(preds, target, valid, weights, r, num_classes, ignore_index, has_ignore_index);
  int64_t* of_rows = multiclass_samples(r, weights, samples);
  if (weights.has_value()) {
    add_weighted_multiclass(b, slicings_of(r, rows, others, sizes),
                            multiclass_states<double>(b, r, confusion, counts, ranks, rank_histogram, faults));
    return;
  }
  const MulticlassStates s = multiclass_states<int64_t>(b, r, confusion, counts, ranks, rank_histogram, faults);
  if (rows.has_value()) {
    add_multiclass_rows(b, slicings_of(r, *rows, others, sizes), of_rows, s);
  } else {
    add_multiclass(b, s);
  }
}

// rows: [K, ...]; valid: [...]; counts: int64 or float64 [S].
void count_groups(View rows, OptionalView valid, State counts, OptionalState faults, OptionalViews others,
                  OptionalIntegers sizes) {
  const Groups g = groups_to_count(rows, valid, counts);
  const Slicings slicings = slicings_of(g.of, rows, others, sizes);
  if (counts.dtype() == DType::kInt64) {
    add_groups(slicings, g.mask, group_counts<int64_t>(g, counts), faults_data(faults));
    return;
  }
  double* to = group_counts<double>(g, counts);
  std::vector<int64_t> found(g.of.count);
  add_groups(slicings, g.mask, found.data(), faults_data(faults));
  for (int64_t i = 0; i < g.of.count; ++i) to[i] += static_cast<double>(found[i]);
}

// groups, valid: [...]; rows: int32 [K, ...].
void groups_to_rows(View groups, OptionalView valid, State rows, OptionalState faults, int64_t slicing, int64_t start,
                    int64_t size) {
  const Groups g = groups_to_place(groups, valid, rows, slicing, start, size);
  place_groups(g.of, g.mask, placed_rows(groups, rows), slicing, static_cast<int32_t>(start), faults_data(faults));
}

// amounts: [N, numbers], or [N] with cells [N]; rows: [K, N]; state: [S, numbers].
void amounts_to_rows(View amounts, View rows, OptionalView cells, State state) {
  with_amounts(amounts, rows, cells, state, [](const auto& a, auto* to) { add_amounts(a, to); });
}

// Whether rows of places have few elements of each label, but several: then their cells are added to one after another,
// as those of given rows. More of them are counted as a run, which has no cells; and of one there is nothing to add up.
bool has_short_rows(const BinaryRows& rows) {
  constexpr int64_t kShort = 128;
  const int64_t each = rows.of.neighbours / std::max<int64_t>(1, rows.labels);
  return rows.of.data == nullptr && rows.of.count > 1 && each > 1 && each <= kShort;
}

// rows: [K, ...], with the shape of target; counts: [L, 4] or [S, L, 4]; samples: [S].
void binary(View preds, View target, OptionalView valid, State counts, OptionalState faults, double probability_cutoff,
            double logit_cutoff, int64_t ignore_index, bool has_ignore_index, bool ignored_decide, OptionalView weights,
            OptionalView rows, OptionalState samples, OptionalViews others, OptionalIntegers sizes) {
  const BinaryRows r = binary_rows(rows, target, counts);
  const bool cells = in_cells(weights, rows) || has_short_rows(r);
  const BinaryBatch b = binary_batch(preds, target, valid, weights, r, cells, probability_cutoff, logit_cutoff,
                                     ignore_index, has_ignore_index, ignored_decide);
  if (!cells) {
    add_binary(b, binary_counts<int64_t>(r, counts), faults_data(faults));
    return;
  }
  const BinaryCells c{b, r, binary_samples(r, weights, samples)};
  const Slicings slicings = slicings_of(r.of, rows, others, sizes);
  if (weights.has_value()) {
    add_binary_cells(c, slicings, binary_counts<double>(r, counts), faults_data(faults));
  } else {
    add_binary_cells(c, slicings, binary_counts<int64_t>(r, counts), faults_data(faults));
  }
}

// counts: [T, K]; places: [P, K]; seeds: [T]; sizes: [T, D]; sums: [T, D, S].
void resample_tables(View counts, View places, View seeds, OptionalView sizes, int64_t first, State sums) {
  require(counts.dim() == 2 && counts.size(1) <= INT32_MAX / 16, "resample_: counts must be int64 [T, K]");
  require(sums.dim() == 3 && sums.size(0) == counts.size(0) && sums.size(2) < INT32_MAX,
          "resample_: sums must be float64 [T, D, S]");
  require(places.dim() == 2 && places.size(1) == counts.size(1), "resample_: places must be int32 [P, K]");
  const int64_t tables = counts.size(0), cells = counts.size(1), draws = sums.size(1);
  const Resample r{
      in_line<int64_t>(counts, DType::kInt64, tables * cells, "resample_: counts must be int64, contiguous"),
      in_line<int32_t>(places, DType::kInt32, places.size(0) * cells, "resample_: places must be int32, contiguous"),
      in_line<int64_t>(seeds, DType::kInt64, tables, "resample_: seeds must be int64 [T], contiguous"),
      sizes.has_value()
          ? in_line<int64_t>(*sizes, DType::kInt64, tables * draws, "resample_: sizes must be int64 [T, D], contiguous")
          : nullptr,
      tables,
      cells,
      places.size(0),
      draws,
      sums.size(2),
      first};
  resample(r, state_data<double>(sums, DType::kDouble, tables * draws * r.sums, "sums, float64 [T, D, S]"));
}
using torch::headeronly::ScalarType;
using torch::stable::new_empty;

// table: int64 or float64 [..., C, 3] or [..., C, 4], contiguous.
Tables tables_of(const View& table, const char* name) {
  const int64_t dims = table.dim(), columns = dims < 2 ? 0 : table.size(dims - 1);
  require((table.dtype() == DType::kDouble || table.dtype() == DType::kInt64) && (columns == 3 || columns == 4) &&
              table.is_contiguous(),
          name, ": table must be int64 or float64, [..., C, 3] or [..., C, 4]");
  int64_t count = 1;
  for (int64_t d = 0; d < dims - 2; ++d) count *= table.size(d);
  return {table.const_data_ptr(), table.dtype() == DType::kDouble, count, table.size(dims - 2), columns};
}

// The tensor itself, or a contiguous copy.
Tensor in_order(const Tensor& tensor) { return tensor.is_contiguous() ? tensor : torch::stable::contiguous(tensor); }

// A result for each table, [...], or for each class, [..., C]; of `last` numbers, if there is more than one.
Tensor results_of(const Tensor& table, bool of_classes, int64_t last, ScalarType dtype) {
  require(table.dim() >= 2, "table must be [..., C, 3] or [..., C, 4]");
  std::vector<int64_t> shape(table.sizes().begin(), table.sizes().end() - (of_classes ? 1 : 2));
  if (last > 1) shape.push_back(last);
  return new_empty(table, shape, dtype);
}

// ratio: float64 [2, 4]; out: float32 [...] or [..., C]. All contiguous, here and below.
void average_ratio_into(View table, View ratio, int64_t average, double zero_division, int64_t drop, int64_t excluded,
                        double empty, Output out) {
  const Tables tables = tables_of(table, "average_ratio");
  require(ratio.dtype() == DType::kDouble && ratio.numel() == 8 && ratio.is_contiguous(),
          "average_ratio: ratio must be float64 [2, 4]");
  const int64_t numel = tables.count * (average == kNone ? tables.classes : 1);
  average_ratio(tables, static_cast<const double*>(ratio.const_data_ptr()), average, zero_division, drop, excluded,
                empty, state_data<float>(out, DType::kFloat, numel, "out, float32"));
}

Tensor average_ratio_of(const Tensor table, const Tensor ratio, int64_t average, double zero_division, int64_t drop,
                        int64_t excluded, double empty) {
  Tensor out = results_of(table, average == kNone, 1, ScalarType::Float);
  average_ratio_into(in_order(table), ratio, average, zero_division, drop, excluded, empty, out);
  return out;
}

// out: the dtype of the table if the average is counted, else float32; [..., 5] or [..., C, 5].
void stat_scores_into(View table, int64_t average, int64_t excluded, Output out) {
  const Tables tables = tables_of(table, "stat_scores");
  const int64_t numel = tables.count * (average == kNone ? tables.classes : 1) * kScores;
  const DType dtype = is_counted(average) ? table.dtype() : DType::kFloat;
  stat_scores(tables, average, excluded, state_data<char>(out, dtype, numel, "out, [..., 5]"));
}

Tensor stat_scores_of(const Tensor table, int64_t average, int64_t excluded) {
  const auto dtype = is_counted(average) ? table.scalar_type() : ScalarType::Float;
  Tensor out = results_of(table, average == kNone, kScores, dtype);
  stat_scores_into(in_order(table), average, excluded, out);
  return out;
}

// table: [C, 3] or [L, 4]; out: float32 [].
template <double (*formula)(const std::vector<Margins>&)>
void agreement_into(View table, Output out) {
  const Tables tables = tables_of(table, "agreement");
  require(table.dim() == 2, "agreement: table must be [C, 3] or [L, 4]");
  float* to = state_data<float>(out, DType::kFloat, 1, "out, float32 []");
  tables.for_each([&](int64_t, const auto& only) { *to = static_cast<float>(formula(margins_of(only))); });
}

template <double (*formula)(const std::vector<Margins>&)>
Tensor agreement_of(const Tensor table) {
  Tensor out = new_empty(table, {}, ScalarType::Float);
  agreement_into<formula>(in_order(table), out);
  return out;
}

// confusion: int64 or float64 [C, C]; returns float32 [].
Tensor weighted_cohen_kappa(const Tensor confusion, bool quadratic) {
  const Tensor dense = in_order(confusion);
  const View cells = dense;
  require((cells.dtype() == DType::kDouble || cells.dtype() == DType::kInt64) && cells.dim() == 2 &&
              cells.size(0) == cells.size(1),
          "weighted_cohen_kappa: confusion must be int64 or float64, [C, C]");
  const void* data = cells.const_data_ptr();
  Tensor out = new_empty(confusion, {}, ScalarType::Float);
  *static_cast<float*>(out.mutable_data_ptr()) = static_cast<float>(
      cells.dtype() == DType::kDouble ? weighted_kappa_of(static_cast<const double*>(data), cells.size(0), quadratic)
                                      : weighted_kappa_of(static_cast<const int64_t*>(data), cells.size(0), quadratic));
  return out;
}

}  // namespace
}  // namespace fastmetrics

FM_CPU_OPERATOR("multiclass_", &fastmetrics::multiclass)
FM_CPU_OPERATOR("count_groups_", &fastmetrics::count_groups)
FM_CPU_OPERATOR("place_groups_", &fastmetrics::groups_to_rows)
FM_CPU_OPERATOR("add_amounts_", &fastmetrics::amounts_to_rows)
FM_CPU_OPERATOR("binary_", &fastmetrics::binary)
FM_CPU_OPERATOR("resample_", &fastmetrics::resample_tables)

// These return a new tensor; a direct call is given the one to write.
STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) {
  m.impl("average_ratio", TORCH_BOX(&fastmetrics::average_ratio_of));
  m.impl("stat_scores", TORCH_BOX(&fastmetrics::stat_scores_of));
  m.impl("cohen_kappa", TORCH_BOX(&fastmetrics::agreement_of<fastmetrics::kappa_of>));
  m.impl("matthews_corrcoef", TORCH_BOX(&fastmetrics::agreement_of<fastmetrics::matthews_of>));
  m.impl("weighted_cohen_kappa", TORCH_BOX(&fastmetrics::weighted_cohen_kappa));
}
FM_DIRECT_CALL("average_ratio", &fastmetrics::average_ratio_into)
FM_DIRECT_CALL("stat_scores", &fastmetrics::stat_scores_into)
FM_DIRECT_CALL("cohen_kappa", &fastmetrics::agreement_into<fastmetrics::kappa_of>)
FM_DIRECT_CALL("matthews_corrcoef", &fastmetrics::agreement_into<fastmetrics::matthews_of>)
