// SPDX-License-Identifier: Apache-2.0
//
// The calibration pass on the CPU; its meaning is calibration_body in fastmetrics/passes/calibration.py.
//
// Of probabilities the argmax is the pass of csrc/passes/argmax.h; whether they are probabilities is asked of their
// bits while they are in the cache. Of logits each row is widened, and the confidence is 1 over the sum of the softmax.

#include <algorithm>
#include <type_traits>

#include "passes/argmax.h"
#include "passes/loops_cpu.h"
#include "passes/rows_cpu.h"
#include "passes/softmax_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kOfBin = 3;  // sums of a bin: samples, confidences, hits

// The bits of a score, and those of 1 and of -0.
template <typename T>
struct ScoreBits;
template <>
struct ScoreBits<Half> {
  using type = uint16_t;
  static constexpr type kOne = 0x3c00, kMinusZero = 0x8000;
};
template <>
struct ScoreBits<BFloat16> {
  using type = uint16_t;
  static constexpr type kOne = 0x3f80, kMinusZero = 0x8000;
};
template <>
struct ScoreBits<float> {
  using type = uint32_t;
  static constexpr type kOne = 0x3f800000u, kMinusZero = 0x80000000u;
};
template <>
struct ScoreBits<double> {
  using type = uint64_t;
  static constexpr type kOne = 0x3ff0000000000000u, kMinusZero = 0x8000000000000000u;
};

// Whether any of n scores `step` apart lies outside [0, 1]: the bits of those inside are the least unsigned numbers.
template <typename T>
bool any_outside(const T* scores, int64_t step, int64_t n) {
  using B = ScoreBits<T>;
  using Bits = typename B::type;
  Bits outside = 0;
  auto look = [&](auto distance) {
    for (int64_t i = 0; i < n; ++i) {
      Bits bits;
      memcpy(&bits, scores + i * distance, sizeof(bits));
      outside |= static_cast<Bits>((bits > B::kOne) & (bits != B::kMinusZero));
    }
  };
  if (step == 1) {
    look(std::integral_constant<int64_t, 1>{});
  } else {
    look(step);
  }
  return outside != 0;
}

// Of the samples that count, in the order in which their scores lie.
template <typename T>
bool any_outside(const RowsBatch& b, const T* scores, int64_t a_step, int n, bool all, const double* weight) {
  if (all && b.a_score == 1 && a_step == b.scores) return any_outside(scores, 1, n * b.scores);
  if (all && a_step < b.a_score) {
    for (int64_t c = 0; c < b.scores; ++c) {
      if (any_outside(scores + c * b.a_score, a_step, n)) return true;
    }
    return false;
  }
  for (int i = 0; i < n; ++i) {
    if (weight[i] != kLeftOut && any_outside(scores + i * a_step, b.a_score, b.scores)) return true;
  }
  return false;
}

// The last bin whose edge is not above a confidence in [0, 1].
int64_t bin_of(double confidence, const CalibrationOptions& options) {
  const double* edges = options.edges;
  const int64_t last = options.bins - 1;
  int64_t bin = static_cast<int64_t>(confidence * static_cast<double>(last));
  while (bin < last && edges[bin + 1] <= confidence) ++bin;
  while (edges[bin] > confidence) --bin;
  return bin;
}

// The samples of one run, at most kChunk. p: room for the scores of a sample. sums: [bins, kOfBin].
template <typename T>
void add_run(const RowsBatch& b, const CalibrationOptions& options, int64_t first, int n, bool logits, double* p,
             double* sums, RowsPart* part) {
  alignas(64) int32_t target[kChunk], label[kChunk];
  alignas(64) double weight[kChunk], x[kChunk];
  const int run = b.rows.dims - 1;
  int64_t a_at, b_at;
  b.rows.locate(first, &a_at, &b_at);
  const int64_t a_step = b.rows.a_stride[run], b_step = b.rows.b_stride[run];
  narrow_labels(b.target, b.target_type, b_at, b_step, n, std::max<int64_t>(2, b.scores), b.ignored(), target);
  if (b.valid != nullptr) mask_labels(b.valid, b.rows.offset(first, b.rows.c_stride), b.rows.c_stride[run], n, target);
  const bool all = b.weights == nullptr && *std::min_element(target, target + n) >= 0;
  if (all) {
    std::fill_n(weight, n, 1.0);
  } else {
    read_weights(b, first, b_at, b_step, n, target, weight, part);
  }
  const T* scores = static_cast<const T*>(b.preds) + a_at;
  if (options.logits < 0 && !logits && any_outside(b, scores, a_step, n, all, weight)) {
    part->outside = true;  // all will be done again
    return;
  }
  if (options.multiclass) argmax({scores, b.preds_type, a_step, b.a_score, b.scores}, n, label);
  if (!options.multiclass) {
    widen_scores(scores, a_step, n, x);
    std::fill_n(label, n, 1);
    for (int i = 0; i < n && !all; ++i) x[i] = weight[i] == kLeftOut ? 0.0 : x[i];
    if (logits) compute(x, x, n, x, [](auto score, auto, auto& math) { return 1.0 / (1.0 + math.exp(-score)); });
  } else if (!logits) {
    for (int i = 0; i < n; ++i) x[i] = widen(scores[i * a_step + label[i] * b.a_score]);
  } else {
    for (int i = 0; i < n; ++i) {
      if (weight[i] == kLeftOut) continue;
      widen_scores(scores + i * a_step, b.a_score, b.scores, p);
      std::fill(p + b.scores, p + whole_vectors(b.scores), -kInfinity);
      x[i] = softmax(p, whole_vectors(b.scores));
    }
  }
  for (int i = 0; i < n; ++i) {
    if (weight[i] == kLeftOut) continue;
    const double confidence = options.rounds ? static_cast<double>(static_cast<float>(x[i])) : x[i];
    if (is_outside(confidence)) {
      part->faults.add(kBadPreds, first + i, static_cast<int64_t>(bits_of(confidence)));
      continue;
    }
    double* of_bin = sums + bin_of(confidence, options) * kOfBin;
    of_bin[0] += weight[i];
    of_bin[1] += weight[i] * confidence;
    of_bin[2] += target[i] == label[i] ? weight[i] : 0.0;
  }
}

}  // namespace

void add_calibration(const RowsBatch& b, const CalibrationOptions& options, const CalibrationSums& to,
                     int64_t* faults) {
  sum_rows(
      {b.rows.samples(), 1, b.scores, options.bins * kOfBin, false}, faults,
      [&](int64_t begin, int64_t end, bool logits, double* sums, RowsPart* part) {
        thread_local std::vector<Doubles> p;  // the scores of a sample
        p.resize(b.scores / kDoubles + 1);
        while (begin < end && (logits || !part->outside)) {
          int64_t a_at, b_at;
          const int64_t n = std::min(b.rows.locate(begin, &a_at, &b_at), end - begin);
          with_score_type(b.preds_type, [&](auto t) {
            add_run<decltype(t)>(b, options, begin, static_cast<int>(n), logits || options.logits > 0,
                                 reinterpret_cast<double*>(p.data()), sums, part);
          });
          begin += n;
        }
      },
      [&](int64_t, const double* sums) {
        for (int64_t bin = 0; bin < options.bins; ++bin) {
          to.counts.add(bin, sums[bin * kOfBin]);
          to.confidences.add(bin, sums[bin * kOfBin + 1]);
          to.hits.add(bin, sums[bin * kOfBin + 2]);
        }
      });
}

}  // namespace fastmetrics
