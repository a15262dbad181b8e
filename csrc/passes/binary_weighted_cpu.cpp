// SPDX-License-Identifier: Apache-2.0
//
// The binary and multilabel pass over weighted elements on the CPU; its meaning is binary_weighted_body in
// fastmetrics/passes/binary.py.
//
// Sums are float64. The samples are cut into parts by their number alone, each part is summed in order and the parts
// are added in order: the same data gives the same bits for any number of threads. Each outcome has a sum of its own,
// since a difference of sums would round, and could come out below zero.

#include <vector>

#include "common/cpu.h"
#include "passes/loops_cpu.h"

namespace fastmetrics {
namespace {

constexpr int64_t kMostParts = 64;
constexpr int64_t kSmallestPart = 16384;  // elements

// Sums of the weights of one label, as both readings of its scores.
struct Tally {
  double of[2][4] = {};  // [reading][tp, fp, tn, fn]

  void add(int reading, bool positive, bool actual, double weight) {
    of[reading][positive ? (actual ? 0 : 1) : (actual ? 3 : 2)] += weight;
  }
};

// Whether there is a score outside [0, 1], which makes all of them logits.
struct Part {
  std::vector<Tally> tally;  // [L], or one for each index of dimension 0 and label
  Faults faults;
  bool outside = false;
};

template <typename T>
void add_element(const BinaryBatch& b, int64_t sample, int64_t l, Tally* tally, Part* part) {
  if (!b.is_valid(sample, l)) return;
  int64_t a_at, b_at;
  b.samples.locate(sample, &a_at, &b_at);
  a_at += l * b.a_label;
  const int64_t target = label_at(b.target, b.target_type, b_at + l * b.b_label);
  const bool ignored = b.has_ignore && target == b.ignore;
  constexpr bool kScores = !std::is_same<T, int64_t>::value;
  bool as_probability = false, as_logit = false, good_pred = true;
  int64_t label = 0;
  if constexpr (kScores) {
    const auto x = widen(static_cast<const T*>(b.preds)[a_at]);
    if (!(x >= 0 && x <= 1) && (b.ignored_decide || !ignored)) part->outside = true;
    as_probability = x > b.probability;
    as_logit = x > b.logit;
  } else {
    label = label_at(b.preds, b.preds_type, a_at);
    good_pred = label == 0 || label == 1;
    as_probability = label == 1;
  }
  if (ignored) return;
  const double weight = b.weights[b.samples.offset(sample, b.samples.d_stride) + l * b.d_label];
  const bool good_target = target == 0 || target == 1;
  const int64_t place = place_of(b, sample, l);
  if (!good_target) part->faults.add(kBadTarget, place, target);
  if (!good_pred) part->faults.add(kBadPreds, place, label);
  const bool good_weight = part->faults.check_weight(weight, place);
  if (!good_target || !good_pred || !good_weight) return;
  tally->add(0, as_probability, target == 1, weight);
  if (kScores) tally->add(1, as_logit, target == 1, weight);
}

template <typename T>
void add_part(const BinaryBatch& b, int64_t begin, int64_t end, Part* part) {
  const int64_t first_group = begin / b.per_sample;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t group = b.samplewise ? i / b.per_sample - first_group : 0;
    for (int64_t l = 0; l < b.labels; ++l) add_element<T>(b, i, l, &part->tally[group * b.labels + l], part);
  }
}

}  // namespace

void add_weighted_binary(const BinaryBatch& b, double* counts, int64_t* faults) {
  const int64_t samples = b.samples.samples(), labels = b.labels;
  if (samples == 0 || labels == 0) return;
  const int64_t unit = b.samplewise ? b.per_sample : 1, units = samples / unit;  // a part has whole units
  const int64_t wanted = std::min({kMostParts, units, samples * labels / kSmallestPart});
  const Parts parts(units, wanted);
  std::vector<Part> part(parts.count);
  parts.for_each(threads_for(samples * labels), [&](int64_t p, int64_t begin, int64_t end) {
    part[p].tally.resize((b.samplewise ? end - begin : 1) * labels);
    if (is_floating(b.preds_type)) {
      with_score_type(b.preds_type, [&](auto t) { add_part<decltype(t)>(b, begin * unit, end * unit, &part[p]); });
    } else {
      add_part<int64_t>(b, begin * unit, end * unit, &part[p]);
    }
  });
  bool logits = false;
  for (const Part& p : part) logits |= p.outside;
  std::vector<Faults> found;
  for (int64_t p = 0; p < parts.count; ++p) {
    double* to = counts + (b.samplewise ? p * parts.size * labels * 4 : 0);
    for (size_t i = 0; i < part[p].tally.size(); ++i) {
      for (int outcome = 0; outcome < 4; ++outcome) to[i * 4 + outcome] += part[p].tally[i].of[logits][outcome];
    }
    found.push_back(part[p].faults);
  }
  Faults::record(found, faults);
}

}  // namespace fastmetrics
