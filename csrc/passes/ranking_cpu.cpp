// SPDX-License-Identifier: Apache-2.0
//
// The ranking pass on the CPU; its meaning is ranking_body in fastmetrics/passes/ranking.py.
//
// Each relevant label counts the labels that do not come after it, many at a time: R L steps for R relevant ones of L.
// If they are many they are sorted instead, and each other label looks for its place among them: L log R steps.

#include <utility>

#include "common/simd.h"
#include "passes/loops_cpu.h"
#include "passes/rows_cpu.h"
#include "rules/order.h"

namespace fastmetrics {
namespace {

struct Figures {
  double coverage = 0.0, average_precision = 1.0, ranking_loss = 0.0;
};

constexpr int32_t kFewRelevant = 512;

// A row without the labels that are left out, and room for the figures of it.
template <typename Key>
struct Row {
  using Keys = std::conditional_t<sizeof(Key) == 8, I64s, I32s>;
  static constexpr int kLanes = kRegister / sizeof(Key);

  std::vector<int32_t> target;                     // [L]
  std::vector<Key> key;                            // of each label that stays, in whole vectors
  std::vector<uint32_t> relevant;                  // a bit for each of them, a number for each vector
  std::vector<int32_t> places;                     // of the relevant ones among them
  std::vector<std::pair<Key, int32_t>> ascending;  // relevant labels, if they are many: key and place
  std::vector<int64_t> reached;          // [R + 1]: irrelevant labels whose score reaches just so many of them
  int32_t labels = 0, all_relevant = 0;  // how many stay, and how many of them are relevant

  void clear(int64_t most) {
    target.resize(most);
    key.resize(most + kLanes);
    relevant.assign(most / kLanes + 1, 0);
    places.resize(most);
    labels = all_relevant = 0;
  }
  void add(Key k, bool is_relevant) {
    places[all_relevant] = labels;
    all_relevant += is_relevant;
    relevant[labels / kLanes] |= uint32_t{is_relevant} << (labels % kLanes);
    key[labels++] = k;
  }
  bool is_relevant(int32_t label) const { return (relevant[label / kLanes] >> (label % kLanes)) & 1; }
  // Fills the last vector with what reaches no score.
  void close() { std::fill_n(&key[labels], kLanes, std::numeric_limits<Key>::min()); }
};

Figures figures_of(int64_t relevant, int64_t irrelevant, int64_t most, double precision, int64_t wrong) {
  Figures figures{static_cast<double>(most), precision / static_cast<double>(relevant), 0.0};
  const int64_t pairs = relevant * irrelevant;
  if (pairs > 0) figures.ranking_loss = static_cast<double>(wrong) / static_cast<double>(pairs);
  return figures;
}

template <typename Key>
Figures count_few(const Row<Key>& row) {
  using Keys = typename Row<Key>::Keys;
  constexpr int kLanes = Row<Key>::kLanes;
  int64_t most = 0, wrong = 0;
  double precision = 0.0;
  for (int32_t i = 0; i < row.all_relevant; ++i) {
    const int32_t place = row.places[i];
    const Keys own = Keys{} + row.key[place];
    int64_t n = 0, r = 0, tied = 0;  // labels that reach this score, and irrelevant ones of the same before it
    for (int32_t first = 0; first < row.labels; first += kLanes) {
      const Keys key = load<Keys>(&row.key[first]);
      const uint32_t reaches = bits_of(at_least(key, own)), relevant = row.relevant[first / kLanes];
      n += __builtin_popcount(reaches);
      r += __builtin_popcount(reaches & relevant);
      if (first > place) continue;
      const uint32_t before = place - first < kLanes ? (1u << (place - first)) - 1 : ~0u;
      tied += __builtin_popcount(bits_of(equal(key, own)) & before & ~relevant);
    }
    most = std::max(most, n);
    wrong += n - r - tied;  // of the same score, an irrelevant label comes first if its index is higher
    precision += static_cast<double>(r) / static_cast<double>(n);
  }
  return figures_of(row.all_relevant, row.labels - row.all_relevant, most, precision, wrong);
}

template <typename Key>
Figures sort_many(Row<Key>* row) {
  auto& relevant = row->ascending;
  relevant.clear();
  for (int32_t i = 0; i < row->all_relevant; ++i) relevant.emplace_back(row->key[row->places[i]], row->places[i]);
  std::sort(relevant.begin(), relevant.end());
  const int64_t r = static_cast<int64_t>(relevant.size());
  row->reached.assign(r + 1, 0);
  int64_t wrong = 0;
  for (int32_t i = 0; i < row->labels; ++i) {
    if (row->is_relevant(i)) continue;
    const std::pair<Key, int32_t> label(row->key[i], i);
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
  return figures_of(r, row->labels - r, r + above, precision, wrong);
}

template <typename T>
using LabelsOf = Row<decltype(order_key(widen(T{})))>;

// sums: coverage, average precision, ranking loss, count.
template <typename T>
void add_row(const RowsBatch& b, int64_t at, double* sums, RowsPart* part, LabelsOf<T>* scratch) {
  auto& row = *scratch;
  const int labels = static_cast<int>(b.places.size[0]);
  row.clear(labels);
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
    row.add(order_key(widen(x[l * b.places.a_stride[0]])), target[l] == 1);
  }
  if (!present) return;
  const double weight = b.weights == nullptr ? 1.0 : weight_of(b, at, part);
  if (bad || weight < 0.0) return;
  Figures figures;
  if (row.all_relevant > 0) {
    row.close();
    figures = row.all_relevant <= kFewRelevant ? count_few(row) : sort_many(&row);
  }
  sums[0] += weight * figures.coverage;
  sums[1] += weight * figures.average_precision;
  sums[2] += weight * figures.ranking_loss;
  sums[3] += weight;
}

}  // namespace

void add_ranking(const RowsBatch& b, const RankingSums& to, int64_t* faults) {
  sum_rows(
      {b.rows.samples(), 1, b.places.size[0], 4, false}, faults,
      [&](int64_t begin, int64_t end, bool, double* sums, RowsPart* part) {
        with_score_type(b.preds_type, [&](auto t) {
          using T = decltype(t);
          LabelsOf<T> scratch;
          for (int64_t row = begin; row < end; ++row) add_row<T>(b, row, sums, part, &scratch);
        });
      },
      [&](int64_t, const double* sums) {
        to.coverage.add(0, sums[0]);
        to.average_precision.add(0, sums[1]);
        to.ranking_loss.add(0, sums[2]);
        to.count.add(0, sums[3]);
      });
}

}  // namespace fastmetrics
