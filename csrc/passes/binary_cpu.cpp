// SPDX-License-Identifier: Apache-2.0
//
// The binary and multilabel pass on the CPU; its meaning is binary_body in fastmetrics/passes/binary.py.
//
// Whether the scores of a batch are probabilities or logits is known only when all are read, so both are counted: one
// comparison more for each element, against another read of the batch. Targets of any type are narrowed to int32 codes
// a block at a time; the counting loops then have no branch and vectorise.

#include <type_traits>

#include "common/cpu.h"
#include "common/simd.h"
#include "passes/loops_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kBlock = 1024;

using Batch = BinaryBatch;

// What is counted of one label, as both readings of its scores: probabilities, and logits.
struct Tally {
  int64_t total = 0, actual = 0;
  int64_t predicted[2] = {0, 0}, tp[2] = {0, 0};

  // counts: [4]: tp, fp, tn, fn.
  void add_to(int reading, int64_t* counts) const {
    counts[0] += tp[reading];
    counts[1] += predicted[reading] - tp[reading];
    counts[2] += total - predicted[reading] - actual + tp[reading];
    counts[3] += actual - tp[reading];
  }
};

// Adds n elements of one label, at x[i * step], to its tally; returns whether a score lies outside [0, 1].
template <typename T, typename Step>
bool tally_scores(const T* x, Step step, const int32_t* target, int n, const Batch& b, Tally* tally) {
  using W = decltype(widen(T{}));
  // cutoffs are values of T, so this is exact
  const W probability = static_cast<W>(b.probability), logit = static_cast<W>(b.logit);
  const int32_t decide_from = b.ignored_decide ? kBad : kBad + 2;
  int32_t total = 0, actual = 0, p0 = 0, p1 = 0, tp0 = 0, tp1 = 0, outside = 0;
  for (int i = 0; i < n; ++i) {
    const W v = widen(x[i * step]);
    const int32_t t = target[i];
    const int32_t valid = t >= 0, positive = t > 0;
    const int32_t as_probability = v > probability, as_logit = v > logit;
    const int32_t inside = (v >= W(0)) & (v <= W(1));
    outside |= (inside ^ 1) & ((t >= decide_from) | (t == kBad));
    total += valid;
    actual += positive;
    p0 += valid & as_probability;
    p1 += valid & as_logit;
    tp0 += positive & as_probability;
    tp1 += positive & as_logit;
  }
  tally->total += total;
  tally->actual += actual;
  tally->predicted[0] += p0;
  tally->predicted[1] += p1;
  tally->tp[0] += tp0;
  tally->tp[1] += tp1;
  return outside != 0;
}

void tally_labels(const int32_t* preds, const int32_t* target, int n, Tally* tally) {
  int32_t total = 0, actual = 0, predicted = 0, tp = 0;
  for (int i = 0; i < n; ++i) {
    const int32_t valid = (target[i] >= 0) & (preds[i] >= 0);
    const int32_t positive = valid & (target[i] > 0), as_positive = valid & (preds[i] > 0);
    total += valid;
    actual += positive;
    predicted += as_positive;
    tp += positive & as_positive;
  }
  tally->total += total;
  tally->actual += actual;
  tally->predicted[0] += predicted;
  tally->tp[0] += tp;
}

// Scores of a vector's int32 lanes, and comparisons of them.
template <typename T>
struct FewScores {
  F32s x;

  explicit FewScores(const T* from) : x(widen_floats(from)) {}
  Mask32 above(double cutoff) const { return greater(x, F32s{} + static_cast<float>(cutoff)); }
  Mask32 outside() const { return ~at_least(x, F32s{}) | not_at_most(x, F32s{} + 1.0f); }
};
template <>
struct FewScores<double> {
  F64s x, y;

  explicit FewScores(const double* from) : x(load<F64s>(from)), y(load<F64s>(from + kDoubles)) {}
  Mask32 above(double cutoff) const { return joined(greater(x, F64s{} + cutoff), greater(y, F64s{} + cutoff)); }
  Mask32 outside() const {
    const F64s one = F64s{} + 1.0;
    return joined(~at_least(x, F64s{}) | not_at_most(x, one), ~at_least(y, F64s{}) | not_at_most(y, one));
  }
};

// Neighbouring scores and int64 targets of one label, at most 2^30, 64 at a time until fewer are left; returns how many
// were done. bad(i) is called for each target that is neither 0 nor 1 nor ignored.
template <typename T, typename Bad>
int64_t tally_neighbours(const T* x, const int64_t* target, int64_t n, const Batch& b, Tally* tally, bool* outside,
                         const Bad& bad) {
  constexpr int kStep = 64;
  I32s total = {}, actual = {}, predicted[2] = {}, tp[2] = {};
  Mask32 any_outside = {};
  constexpr int64_t kStreams = sizeof(T) >= sizeof(float) ? 2 : 4;
  const int64_t done = in_streams<kStreams>(n, kStep, [&](int64_t begin) __attribute__((always_inline)) {
    fetch_ahead(target + begin, kStep);
    fetch_ahead(x + begin, kStep);
    Mask32 wrong = {};
    for (int64_t i = begin; i < begin + kStep; i += kFloats) {
      const Longs t = load_longs(target + i);
      const FewScores<T> scores(x + i);
      const Mask32 zero_or_one = below(t, 2), ignored = b.has_ignore ? equal(t, b.ignore) : Mask32{};
      const Mask32 valid = zero_or_one & ~ignored, positive = equal(t, 1) & ~ignored;
      wrong |= ~(zero_or_one | ignored);
      any_outside |= b.ignored_decide ? scores.outside() : scores.outside() & ~ignored;
      total = count(valid, total);
      actual = count(positive, actual);
      const Mask32 above[] = {scores.above(b.probability), scores.above(b.logit)};
      for (int reading = 0; reading < 2; ++reading) {
        predicted[reading] = count(above[reading] & valid, predicted[reading]);
        tp[reading] = count(above[reading] & positive, tp[reading]);
      }
    }
    for (int64_t i = begin; i < begin + kStep && any(wrong); ++i) {
      if (static_cast<uint64_t>(target[i]) > 1 && !(b.has_ignore && target[i] == b.ignore)) bad(i);
    }
  });
  tally->total += sum_of_lanes(total);
  tally->actual += sum_of_lanes(actual);
  for (int reading = 0; reading < 2; ++reading) {
    tally->predicted[reading] += sum_of_lanes(predicted[reading]);
    tally->tp[reading] += sum_of_lanes(tp[reading]);
  }
  *outside |= any(any_outside);
  return done;
}

// A run of label l from sample `first` on: elements a_at + i * a_step and b_at + i * b_step.
bool tally_run(const Batch& b, int64_t first, int64_t l, int64_t a_at, int64_t a_step, int64_t b_at, int64_t b_step,
               int64_t length, Tally* tally, Faults* faults) {
  alignas(64) int32_t target[kBlock], labels[kBlock];
  bool outside = false;
  const Layout& layout = b.samples;
  const int64_t c_step = layout.c_stride[layout.dims - 1];
  const int64_t c_at = b.valid == nullptr ? 0 : layout.offset(first, layout.c_stride) + l * b.c_label;
  int64_t done = 0;
  if (is_floating(b.preds_type) && a_step == 1 && b_step == 1 && b.valid == nullptr && b.target_type == DType::kInt64) {
    with_score_type(b.preds_type, [&](auto type) {
      const auto* x = static_cast<const decltype(type)*>(b.preds) + a_at;
      const int64_t* targets = static_cast<const int64_t*>(b.target) + b_at;
      done = tally_neighbours(x, targets, length, b, tally, &outside,
                              [&](int64_t i) { faults->add(kBadTarget, place_of(b, first + i, l), targets[i]); });
    });
  }
  for (; done < length; done += kBlock) {
    const int n = static_cast<int>(std::min<int64_t>(kBlock, length - done));
    const int64_t a = a_at + done * a_step, t = b_at + done * b_step;
    bool bad = narrow_labels(b.target, b.target_type, t, b_step, n, 2, b.ignored(), target);
    if (b.valid != nullptr) mask_labels(b.valid, c_at + done * c_step, c_step, n, target);
    if (is_floating(b.preds_type)) {
      with_score_type(b.preds_type, [&](auto type) {
        const auto* x = static_cast<const decltype(type)*>(b.preds) + a;
        outside |= a_step == 1 ? tally_scores(x, std::integral_constant<int64_t, 1>{}, target, n, b, tally)
                               : tally_scores(x, a_step, target, n, b, tally);
      });
    } else {
      bad |= narrow_labels(b.preds, b.preds_type, a, a_step, n, 2, nullptr, labels);
      tally_labels(labels, target, n, tally);
    }
    if (!bad) continue;
    record_bad({b.target, b.target_type, t, b_step}, target, {b.preds, b.preds_type, a, a_step},
               is_floating(b.preds_type) ? nullptr : labels, n, faults,
               [&](int i) { return place_of(b, first + done + i, l); });
  }
  return outside;
}

// Tallies of all labels for the samples of [begin, end), tally: [L]. A few samples at a time, so that neighbouring
// labels are found in the cache.
bool tally_range(const Batch& b, int64_t begin, int64_t end, Tally* tally, Faults* faults) {
  const Layout& layout = b.samples;
  const int64_t a_step = layout.a_stride[layout.dims - 1], b_step = layout.b_stride[layout.dims - 1];
  bool outside = false;
  while (begin < end) {
    int64_t a_at, b_at;
    int64_t length = std::min(layout.locate(begin, &a_at, &b_at), end - begin);
    length = std::min(length, b.labels > 1 ? std::max<int64_t>(16, 8192 / b.labels) : int64_t{1} << 30);
    for (int64_t l = 0; l < b.labels; ++l) {
      outside |=
          tally_run(b, begin, l, a_at + l * b.a_label, a_step, b_at + l * b.b_label, b_step, length, tally + l, faults);
    }
    begin += length;
  }
  return outside;
}

// Columns of counters of neighbouring elements, and room for their codes.
struct Columns {
  std::vector<int32_t> cells;
  int32_t *total, *actual, *p0, *p1, *tp0, *tp1, *target, *preds;

  explicit Columns(int64_t width) : cells(8 * width, 0) {
    total = cells.data();
    actual = total + width;
    p0 = actual + width;
    p1 = p0 + width;
    tp0 = p1 + width;
    tp1 = tp0 + width;
    target = tp1 + width;
    preds = target + width;
  }

  // tally: [L]; the columns repeat the labels.
  void flush(int64_t width, int64_t labels, Tally* tally) {
    for (int64_t i = 0; i < width; ++i) {
      Tally* to = tally + i % labels;
      to->total += total[i];
      to->actual += actual[i];
      to->predicted[0] += p0[i];
      to->predicted[1] += p1[i];
      to->tp[0] += tp0[i];
      to->tp[1] += tp1[i];
    }
    std::fill(cells.begin(), cells.end(), 0);
  }
};

// Neighbouring scores; returns whether one lies outside [0, 1].
template <typename T>
bool tally_columns(const T* x, const int32_t* target, int64_t n, const Batch& b, Columns* columns) {
  using W = decltype(widen(T{}));
  const W probability = static_cast<W>(b.probability), logit = static_cast<W>(b.logit);
  const int32_t decide_from = b.ignored_decide ? kBad : kBad + 2;
  int32_t *total = columns->total, *actual = columns->actual, *p0 = columns->p0, *p1 = columns->p1, *tp0 = columns->tp0,
          *tp1 = columns->tp1;
  int32_t outside = 0;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const W v = widen(x[i]);
    const int32_t t = target[i];
    const int32_t valid = t >= 0, positive = t > 0;
    const int32_t as_probability = v > probability, as_logit = v > logit;
    const int32_t inside = (v >= W(0)) & (v <= W(1));
    outside |= (inside ^ 1) & ((t >= decide_from) | (t == kBad));
    total[i] += valid;
    actual[i] += positive;
    p0[i] += valid & as_probability;
    p1[i] += valid & as_logit;
    tp0[i] += positive & as_probability;
    tp1[i] += positive & as_logit;
  }
  return outside != 0;
}

// Neighbouring labels.
void tally_columns(const int32_t* preds, const int32_t* target, int64_t n, Columns* columns) {
  int32_t *total = columns->total, *actual = columns->actual, *p0 = columns->p0, *tp0 = columns->tp0;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const int32_t valid = (target[i] >= 0) & (preds[i] >= 0);
    const int32_t positive = valid & (target[i] > 0), as_positive = valid & (preds[i] > 0);
    total[i] += valid;
    actual[i] += positive;
    p0[i] += as_positive;
    tp0[i] += positive & as_positive;
  }
}

// Whether rows of neighbouring labels follow each other.
bool rows_follow(const Batch& b) {
  const Layout& layout = b.samples;
  return layout.dims == 1 && layout.a_stride[0] == b.labels && layout.b_stride[0] == b.labels &&
         (b.valid == nullptr || (b.c_label == 1 && layout.c_stride[0] == b.labels));
}

// Rows of labels that are neighbours, as many at once as make whole vectors if the rows follow each other.
bool tally_rows(const Batch& b, int64_t begin, int64_t end, Tally* tally, Faults* faults) {
  constexpr int64_t kWidth = 512;  // elements
  const Layout& layout = b.samples;
  const int64_t labels = b.labels;
  int64_t at_once = rows_follow(b) ? std::max<int64_t>(1, kWidth / labels) : 1;
  if (at_once > 16) at_once = at_once / 16 * 16;
  at_once = std::min(at_once, end - begin);
  const int64_t width = at_once * labels;
  Columns columns(width);
  int32_t *target = columns.target, *preds = columns.preds;
  const bool scores = is_floating(b.preds_type);
  bool outside = false;
  int64_t held = 0;
  for (int64_t i = begin; i < end;) {
    int64_t a_at, b_at;
    layout.locate(i, &a_at, &b_at);
    const int64_t rows = std::min(at_once, end - i);
    const int n = static_cast<int>(rows * labels);
    fetch(b.target, b.target_type, b_at + 2 * n, n);
    fetch(b.preds, b.preds_type, a_at + 2 * n, n);
    bool bad = narrow_labels(b.target, b.target_type, b_at, 1, n, 2, b.ignored(), target);
    if (b.valid != nullptr) mask_labels(b.valid, layout.offset(i, layout.c_stride), b.c_label, n, target);
    if (scores) {
      with_score_type(b.preds_type, [&](auto type) {
        const auto* x = static_cast<const decltype(type)*>(b.preds) + a_at;
        outside |= tally_columns(x, target, n, b, &columns);
      });
    } else {
      bad |= narrow_labels(b.preds, b.preds_type, a_at, 1, n, 2, nullptr, preds);
      tally_columns(preds, target, n, &columns);
    }
    if (bad) {
      record_bad({b.target, b.target_type, b_at, 1}, target, {b.preds, b.preds_type, a_at, 1}, scores ? nullptr : preds,
                 n, faults, [&](int j) { return place_of(b, i + j / labels, j % labels); });
    }
    i += rows;
    if (++held < int64_t{1} << 30) continue;
    columns.flush(width, labels, tally);
    held = 0;
  }
  columns.flush(width, labels, tally);
  return outside;
}

bool tally_part(const Batch& b, int64_t begin, int64_t end, Tally* tally, Faults* faults) {
  const bool rows =
      b.a_label == 1 && b.b_label == 1 && (b.labels >= 8 || (b.labels > 1 && end - begin >= 256 && rows_follow(b)));
  return rows ? tally_rows(b, begin, end, tally, faults) : tally_range(b, begin, end, tally, faults);
}

}  // namespace

void add_binary(const BinaryBatch& b, int64_t* counts, int64_t* faults) {
  const int64_t samples = b.samples.samples(), labels = b.labels;
  if (samples == 0) return;
  const int64_t unit = b.groups > 1 ? b.per_sample : 1;
  const int threads = threads_for(samples * labels);
  std::vector<Faults> found(threads);
  std::vector<char> outside(threads, 0);
  if (b.groups == 1) {
    std::vector<Tally> tally(threads * labels);
    split(samples, threads, [&](int thread, int64_t begin, int64_t end) {
      outside[thread] = tally_part(b, begin, end, &tally[thread * labels], &found[thread]);
    });
    const int logits = std::any_of(outside.begin(), outside.end(), [](char o) { return o != 0; });
    for (int64_t i = 0; i < threads * labels; ++i) tally[i].add_to(logits, counts + i % labels * 4);
  } else {
    // each sample has its own counts, so the reading of scores must be known before they are added to
    std::vector<Tally> tally(threads * labels);
    split(is_floating(b.preds_type) ? samples / unit : 0, threads, [&](int thread, int64_t begin, int64_t end) {
      Faults again;
      outside[thread] = tally_part(b, begin * unit, end * unit, &tally[thread * labels], &again);
    });
    const int logits = std::any_of(outside.begin(), outside.end(), [](char o) { return o != 0; });
    split(samples / unit, threads, [&](int thread, int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        Tally* mine = &tally[thread * labels];
        std::fill(mine, mine + labels, Tally{});
        tally_part(b, n * unit, (n + 1) * unit, mine, &found[thread]);
        for (int64_t l = 0; l < labels; ++l) mine[l].add_to(logits, counts + (n * labels + l) * 4);
      }
    });
  }
  Faults::record(found, faults);
}

}  // namespace fastmetrics
