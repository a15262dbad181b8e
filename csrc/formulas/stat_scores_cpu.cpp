// SPDX-License-Identifier: Apache-2.0
//
// stat_scores: the counts of classes, or their averages. See fastmetrics/formulas/counts.py for its meaning.

#include "formulas/counts.h"

namespace fastmetrics {
namespace {

constexpr int kScores = 5;  // tp, fp, tn, fn, support

template <typename Cell>
void store(const Counts<Cell>& c, Cell* out) {
  out[0] = c.tp;
  out[1] = c.fp;
  out[2] = c.tn;
  out[3] = c.fn;
  out[4] = c.tp + c.fn;
}

// out: [5].
template <typename Cell>
void mean_of_classes(const Table<Cell>& table, int64_t average, int64_t excluded, float* out) {
  auto weight_of = [&](int64_t c, const Counts<Cell>& counts) {
    return c == excluded ? 0.0 : average == kMacro ? 1.0 : static_cast<double>(counts.tp + counts.fn);
  };
  double weights = 0.0, sums[kScores] = {};
  for (int64_t c = 0; c < table.classes; ++c) weights += weight_of(c, table.of_class(c));
  for (int64_t c = 0; c < table.classes; ++c) {
    const Counts<Cell> counts = table.of_class(c);
    const double share = weight_of(c, counts) / weights;  // NaN where there is no weight
    Cell scores[kScores];
    store(counts, scores);
    for (int i = 0; i < kScores; ++i) sums[i] += static_cast<double>(scores[i]) * share;
  }
  for (int i = 0; i < kScores; ++i) out[i] = static_cast<float>(sums[i]);
}

// Whether scores have the dtype of the table, and not float32.
bool counted(int64_t average) { return average == kNone || average == kMicro; }

// table: int64 or float64 [..., C, 3 or 4]; out: its dtype [..., C, 5] for kNone and [..., 5] for kMicro, else float32
// [..., 5]. Both contiguous.
void stat_scores_into(View table, int64_t average, int64_t excluded, Output out) {
  const Tables tables(table, "stat_scores");
  const int64_t rows = tables.count * (average == kNone ? tables.classes : 1);
  const DType dtype = counted(average) ? table.dtype() : DType::kFloat;
  void* to = state_data<char>(out, dtype, rows * kScores, "out, [..., 5]");
  tables.for_each([&](int64_t i, const auto& of_one) {
    if (!counted(average)) return mean_of_classes(of_one, average, excluded, static_cast<float*>(to) + i * kScores);
    using Cell = std::decay_t<decltype(of_one.samples)>;
    auto* cells = static_cast<Cell*>(to);
    if (average == kMicro) return store(of_one.of_all(excluded), cells + i * kScores);
    for (int64_t c = 0; c < of_one.classes; ++c) {
      store(of_one.of_class(c), cells + (i * of_one.classes + c) * kScores);
    }
  });
}

Tensor stat_scores(const Tensor table, int64_t average, int64_t excluded) {
  const Tensor dense = in_order(table);
  const Tables tables(dense, "stat_scores");
  std::vector<int64_t> shape = tables.leading;
  if (average == kNone) shape.push_back(tables.classes);
  shape.push_back(kScores);
  const auto dtype = counted(average) ? table.scalar_type() : torch::headeronly::ScalarType::Float;
  Tensor out = torch::stable::new_empty(table, shape, dtype);
  stat_scores_into(dense, average, excluded, out);
  return out;
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) { m.impl("stat_scores", TORCH_BOX(&fastmetrics::stat_scores)); }
FM_DIRECT_CALL("stat_scores", &fastmetrics::stat_scores_into)
