// SPDX-License-Identifier: Apache-2.0
//
// The exact match pass on the CPU; its meaning is exact_match_body in fastmetrics/passes/exact_match.py.
//
// Places go by in the order of the rows, some hundred at a time whatever the length of a row is: they are reduced to
// int32 targets and labels, and then to a byte each by code that knows no type; a row is the bytes of its places.

#include "passes/argmax.h"
#include "passes/loops_cpu.h"
#include "passes/rows_cpu.h"
#include "passes/sixteen_cpu.h"

namespace fastmetrics {
namespace {

// All places of all rows, in order.
Layout places_of_rows(const RowsBatch& b) {
  Layout all;
  for (const Layout* part : {&b.rows, &b.places}) {
    for (int d = 0; d < part->dims; ++d) {
      all.push(part->size[d], part->a_stride[d], part->b_stride[d], part->c_stride[d]);
    }
  }
  all.collapse(0);
  return all;
}

// Scores of labels as labels; returns whether one of a valid place lies outside [0, 1]. No branch, so that the loop
// vectorises.
template <typename T, typename Step>
bool cut_scores(const T* x, Step step, double cutoff, const int32_t* target, int n, int32_t* labels) {
  using W = decltype(widen(T{}));
  const W least = static_cast<W>(cutoff);  // a value of T, so this is exact
  int32_t outside = 0;
  for (int i = 0; i < n; ++i) {
    const W v = widen(x[i * step]);
    const int32_t inside = (v >= W(0)) & (v <= W(1));
    outside |= (inside ^ 1) & (target[i] != kInvalid);
    labels[i] = v > least;
  }
  return outside != 0;
}

// The labels of a run, as narrow_labels gives them; returns whether there was any kBad.
bool read_labels(const RowsBatch& b, const ExactMatchOptions& options, int64_t a_at, int64_t a_step, int n, bool logits,
                 const int32_t* target, int32_t* labels, RowsPart* part) {
  if (!is_floating(b.preds_type)) {
    const int64_t classes = options.classes > 0 ? options.classes : 2;
    return narrow_labels(b.preds, b.preds_type, a_at, a_step, n, classes, nullptr, labels);
  }
  if (options.classes > 0) {
    const char* data = static_cast<const char*>(b.preds) + a_at * size_of(b.preds_type);
    argmax({data, b.preds_type, a_step, b.a_score, b.scores}, n, labels);
    return false;
  }
  with_score_type(b.preds_type, [&](auto type) {
    using T = decltype(type);
    const T* x = static_cast<const T*>(b.preds) + a_at;
    const double cutoff = logits ? options.logit : options.probability;
    part->outside |= a_step == 1 ? cut_scores(x, std::integral_constant<int64_t, 1>{}, cutoff, target, n, labels)
                                 : cut_scores(x, a_step, cutoff, target, n, labels);
  });
  return false;
}

// What is known of a place, or of all places of a row so far.
enum : uint8_t { kPresent = 1, kWrong = 2, kOutOfRange = 4 };

void compare(const int32_t* target, const int32_t* labels, int n, uint8_t* codes) {
  for (int i = 0; i < n; ++i) {
    const int32_t t = target[i], p = labels[i];
    const int32_t wrong = (t >= 0) & (t != p), counted = (t >= 0) | (t == kBad);
    const int32_t bad = (t == kBad) | ((p == kBad) & counted);
    codes[i] = static_cast<uint8_t>((t != kInvalid ? kPresent : 0) | (wrong ? kWrong : 0) | (bad ? kOutOfRange : 0));
  }
}

// The codes of n places together; eight codes are read even if fewer are left.
uint8_t together(const uint8_t* codes, int64_t n) {
  uint64_t all = 0, eight;
  for (; n > 0; n -= 8, codes += 8) {
    memcpy(&eight, codes, sizeof(eight));
    all |= n < 8 ? eight & ((uint64_t{1} << (8 * n)) - 1) : eight;
  }
  all |= all >> 32;
  all |= all >> 16;
  return static_cast<uint8_t>(all | all >> 8);
}

// A row of these codes. sums: matched, count.
void add_row(const RowsBatch& b, int64_t row, uint8_t codes, double* sums, RowsPart* part) {
  if ((codes & kPresent) == 0) return;
  const double weight = b.weights == nullptr ? 1.0 : weight_of(b, row, part);
  if ((codes & kOutOfRange) != 0 || weight < 0.0) return;
  if ((codes & kWrong) == 0) sums[0] += weight;
  sums[1] += weight;
}

// Rows of one place each, without weights.
void count_rows(const uint8_t* codes, int n, double* sums) {
  int32_t matched = 0, count = 0;
  for (int i = 0; i < n; ++i) {
    matched += codes[i] == kPresent;
    count += (codes[i] & ~kWrong) == kPresent;
  }
  sums[0] += matched;
  sums[1] += count;
}

// Whether all rows are of one place, and for_each_sixteen can read them.
bool are_neighbours(const RowsBatch& b, const ExactMatchOptions& options, const Layout& all) {
  return options.classes > 0 && b.valid == nullptr && b.weights == nullptr && b.places.samples() == 1 &&
         all.dims == 1 &&
         in_sixteens(b.preds_type, all.a_stride[0], b.a_score, options.classes, b.target_type, all.b_stride[0]);
}

// Rows of one place each; returns how many were done. One whose target is ignored is not wrong.
int64_t add_neighbours(const RowsBatch& b, int64_t classes, int64_t a_step, int64_t begin, int64_t end, double* sums,
                       RowsPart* part) {
  const int64_t* target = static_cast<const int64_t*>(b.target) + begin;
  int64_t wrong = 0, bad = 0, done = 0;
  with_labels(b.preds, b.preds_type, begin * a_step, a_step, classes, [&](const auto& labels) {
    constexpr int64_t kStreams = std::decay_t<decltype(labels)>::kStreams;
    done = for_each_sixteen<kStreams>(
        target, labels, end - begin, classes, b.ignored(), [&](int64_t i, const FewLabels& few) {
          wrong += lanes_in(few.good & ~equal(few.target, few.labels));
          for_each_bad(i, few, [&](int64_t at) {
            ++bad;
            record_bad(b.preds, b.preds_type, (begin + at) * a_step, target[at], classes, begin + at, &part->faults);
          });
        });
  });
  sums[0] += static_cast<double>(done - bad - wrong);
  sums[1] += static_cast<double>(done - bad);
  return done;
}

// Rows [begin, end). sums: matched, count.
void add_rows(const RowsBatch& b, const ExactMatchOptions& options, const Layout& all, int64_t begin, int64_t end,
              bool logits, double* sums, RowsPart* part) {
  alignas(64) int32_t target[kChunk], labels[kChunk];
  uint8_t codes[kChunk + 8];
  const int64_t places = b.places.samples(), classes = options.classes > 0 ? options.classes : 2;
  const int run = all.dims - 1;
  const int64_t a_step = all.a_stride[run], b_step = all.b_stride[run], c_step = all.c_stride[run];
  if (are_neighbours(b, options, all)) begin += add_neighbours(b, classes, a_step, begin, end, sums, part);
  int64_t row = begin, left_of_row = places;
  uint8_t of_row = 0;  // so far
  for (int64_t at = begin * places; at < end * places;) {
    int64_t a_at, b_at;
    int64_t left = std::min(all.locate(at, &a_at, &b_at), end * places - at);
    while (left > 0) {
      const int n = static_cast<int>(std::min<int64_t>(left, kChunk));
      bool bad = narrow_labels(b.target, b.target_type, b_at, b_step, n, classes, b.ignored(), target);
      if (b.valid != nullptr) mask_labels(b.valid, all.offset(at, all.c_stride), c_step, n, target);
      bad |= read_labels(b, options, a_at, a_step, n, logits, target, labels, part);
      if (part->outside && !logits) return;  // all will be done again
      if (bad) {
        record_bad({b.target, b.target_type, b_at, b_step}, target, {b.preds, b.preds_type, a_at, a_step}, labels, n,
                   &part->faults, [&](int i) { return b.place_of((at + i) / places, (at + i) % places, places); });
      }
      if (b_step == 1) fetch(b.target, b.target_type, b_at + 2 * n, n);
      if (a_step == 1 && b.scores == 1) fetch(b.preds, b.preds_type, a_at + 2 * n, n);
      compare(target, labels, n, codes);
      if (places == 1 && b.weights == nullptr) {
        count_rows(codes, n, sums);
      } else {
        for (int i = 0; i < n;) {
          const int64_t m = std::min<int64_t>(left_of_row, n - i);
          of_row |= together(codes + i, m);
          i += static_cast<int>(m);
          left_of_row -= m;
          if (left_of_row > 0) continue;
          add_row(b, row++, of_row, sums, part);
          of_row = 0;
          left_of_row = places;
        }
      }
      at += n;
      left -= n;
      a_at += n * a_step;
      b_at += n * b_step;
    }
  }
}

}  // namespace

void add_exact_match(const RowsBatch& b, const ExactMatchOptions& options, const ExactMatchSums& to, int64_t* faults) {
  const Layout all = places_of_rows(b);
  const int64_t of_unit = options.apart ? b.inner : 1;
  // of labels, that need no look at the scores first, as many rows as there are
  const int64_t most = options.classes > 0 ? b.rows.samples() : kChunk;
  if (b.rows.samples() == 0) return;
  sum_rows(
      {b.rows.samples() / of_unit, of_unit, b.places.samples() * b.scores, 2, options.apart, most}, faults,
      [&](int64_t begin, int64_t end, bool logits, double* sums, RowsPart* part) {
        add_rows(b, options, all, begin, end, logits, sums, part);
      },
      [&](int64_t group, const double* sums) {
        to.matched.add(group, sums[0]);
        to.count.add(group, sums[1]);
      });
}

}  // namespace fastmetrics
