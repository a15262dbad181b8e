// SPDX-License-Identifier: Apache-2.0
//
// The ranking pass on the CPU; its meaning is ranking_body in fastmetrics/passes/ranking.py.
//
// Only the relevant labels of a row are sorted; each other label then looks for its place among them. That is
// L log R steps for R relevant ones of L.

#include <utility>

#include "common/operator.h"
#include "passes/rows_arguments.h"
#include "passes/rows_cpu.h"
#include "rules/order.h"

namespace fastmetrics {
namespace {

struct Figures {
  double coverage = 0.0, average_precision = 1.0, ranking_loss = 0.0;
};

// What one thread keeps of a row.
template <typename Key>
struct Row {
  std::vector<int32_t> target;                    // [L]
  std::vector<std::pair<Key, int32_t>> relevant;  // (key, label), ascending
  std::vector<std::pair<Key, int32_t>> irrelevant;
  std::vector<int64_t> reached;  // [R + 1]: irrelevant labels whose score reaches exactly that many relevant ones
};

// From the relevant and irrelevant labels of a row.
template <typename Key>
Figures figures_of(Row<Key>* row) {
  auto& relevant = row->relevant;
  Figures figures;
  if (relevant.empty()) return figures;
  std::sort(relevant.begin(), relevant.end());
  const int64_t r = static_cast<int64_t>(relevant.size());
  row->reached.assign(r + 1, 0);
  int64_t wrong = 0;
  for (const auto& label : row->irrelevant) {
    const auto before = std::lower_bound(relevant.begin(), relevant.end(), label);
    wrong += before - relevant.begin();
    auto reached = before;  // relevant labels of a lower or the same score
    if (reached != relevant.end() && reached->first == label.first) {
      reached = std::upper_bound(reached, relevant.end(), std::pair<Key, int32_t>(label.first, INT32_MAX));
    }
    ++row->reached[reached - relevant.begin()];
  }
  // from the greatest score down: relevant labels from here on are those of at least this score, after its ties
  double precision = 0.0;
  int64_t above = 0;  // irrelevant labels of at least this score
  for (int64_t end = r; end > 0;) {
    int64_t begin = end - 1;
    while (begin > 0 && relevant[begin - 1].first == relevant[begin].first) --begin;
    for (int64_t i = begin; i < end; ++i) above += row->reached[i + 1];
    precision +=
        static_cast<double>(end - begin) * (static_cast<double>(r - begin) / static_cast<double>(r - begin + above));
    end = begin;
  }
  figures.coverage = static_cast<double>(r + above);
  figures.average_precision = precision / static_cast<double>(r);
  const int64_t pairs = r * static_cast<int64_t>(row->irrelevant.size());
  if (pairs > 0) figures.ranking_loss = static_cast<double>(wrong) / static_cast<double>(pairs);
  return figures;
}

// sums: coverage, average precision, ranking loss, count.
template <typename T>
void add_row(const RowsBatch& b, int64_t at, double* sums, RowsPart* part) {
  using Key = decltype(order_key(widen(T{})));
  thread_local Row<Key> row;
  const int labels = static_cast<int>(b.places.size[0]);
  row.target.resize(labels);
  row.relevant.clear();
  row.irrelevant.clear();
  int64_t a_at, b_at;
  b.rows.locate(at, &a_at, &b_at);
  int32_t* target = row.target.data();
  narrow_labels(b.target, b.target_type, b_at, b.places.b_stride[0], labels, 2, b.ignored(), target);
  if (b.valid != nullptr) {
    mask_labels(b.valid, b.rows.offset(at, b.rows.c_stride), b.places.c_stride[0], labels, target);
  }
  const T* x = static_cast<const T*>(b.preds) + a_at;
  bool present = false, bad = false;
  for (int32_t l = 0; l < labels; ++l) {
    present |= target[l] != kInvalid;
    if (target[l] == kBad) {
      bad = true;
      part->faults.add(kBadTarget, b.place_of(at, l, labels),
                       label_at(b.target, b.target_type, b_at + l * b.places.b_stride[0]));
    }
    if (target[l] < 0) continue;
    (target[l] == 1 ? row.relevant : row.irrelevant).emplace_back(order_key(widen(x[l * b.places.a_stride[0]])), l);
  }
  if (!present) return;
  const double weight = b.weights == nullptr ? 1.0 : weight_of(b, at, part);
  if (bad || weight < 0.0) return;
  const Figures figures = figures_of(&row);
  sums[0] += weight * figures.coverage;
  sums[1] += weight * figures.average_precision;
  sums[2] += weight * figures.ranking_loss;
  sums[3] += weight;
}

void ranking_cpu(View preds, View target, OptionalView valid, OptionalView weights, OptionalState coverage,
                 OptionalState average_precision, OptionalState ranking_loss, State count, OptionalState faults,
                 int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = ranking_batch(preds, target, valid, weights, ignore_index, has_ignore_index);
  const RankingSums to = ranking_sums(b, coverage, average_precision, ranking_loss, count);
  sum_rows(
      {b.rows.samples(), 1, b.places.size[0], 4, false}, faults_data(faults),
      [&](int64_t begin, int64_t end, bool, double* sums, RowsPart* part) {
        with_score_type(b.preds_type, [&](auto t) {
          for (int64_t row = begin; row < end; ++row) add_row<decltype(t)>(b, row, sums, part);
        });
      },
      [&](int64_t, const double* sums) {
        to.coverage.add(0, sums[0]);
        to.average_precision.add(0, sums[1]);
        to.ranking_loss.add(0, sums[2]);
        to.count.add(0, sums[3]);
      });
}

}  // namespace
}  // namespace fastmetrics

FM_CPU_OPERATOR("ranking_", &fastmetrics::ranking_cpu)
