// SPDX-License-Identifier: Apache-2.0
//
// The calibration pass on the CPU; its meaning is calibration_body in fastmetrics/passes/calibration.py.
//
// Of probabilities the greatest is found as csrc/passes/argmax.h does; whether they are probabilities is asked of their
// bits while they are in the cache. Of logits the greatest probability is 1 over the sum of the softmax.
//
// Samples that are added to rows of the states have sums of all rows or, where those are more than what a batch adds, a
// list of what was added to which cell.

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "passes/argmax.h"
#include "passes/loops_cpu.h"
#include "passes/rows_cpu.h"
#include "passes/sample_sums_cpu.h"
#include "passes/score_bits.h"
#include "passes/softmax_cpu.h"
#include "passes/steps_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kOfCell = 2;           // sums of a cell: samples, confidences
constexpr int kOfBin = 4;            // of a bin, which has a cell for samples that miss and one for those that hit
constexpr int kTables = 4;           // of sums that samples take turns at, so that one need not wait for the last; 2^k
constexpr int64_t kFewSamples = 64;  // that have one: to add tables up takes longer
using OfCell [[gnu::vector_size(kOfCell * sizeof(double))]] = double;
constexpr int64_t kFewRows = 16, kScoresAtOnce = 1 << 14;
constexpr int64_t kElementsAhead = 1280;  // of those that are fetched
constexpr int64_t kNearBytes = 1 << 14;   // scores that are looked at twice while they are in the first cache

// Whether any of n scores `step` apart lies outside [0, 1]: the bits of those inside are the least unsigned numbers,
// but for -0.
template <typename T>
bool any_outside(const T* scores, int64_t step, int64_t n) {
  using B = ScoreBits<T>;
  using Bits = typename B::type;
  auto bits_at = [&](int64_t i) {
    Bits bits;
    memcpy(&bits, scores + i, sizeof(bits));
    return bits;
  };
  Bits most = 0;
  if (step == 1) {
    for (int64_t i = 0; i < n; ++i) most = std::max(most, bits_at(i));
  } else {
    for (int64_t i = 0; i < n; ++i) most = std::max(most, bits_at(i * step));
  }
  if (most <= B::kOne) return false;
  for (int64_t i = 0; i < n; ++i) {
    const Bits bits = bits_at(i * step);
    if (bits > B::kOne && bits != B::kMinusZero) return true;
  }
  return false;
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

// Which bin has a confidence in [0, 1]: the last one whose edge is not above it.
class Bins {
 public:
  explicit Bins(const CalibrationOptions& options) : edges_(steps_at<double>(options.edges, options.bins, true)) {}

  int64_t operator()(double confidence) const { return edges_->reached(confidence) - 1; }

  void find(const double* confidence, int n, int32_t* bin) const {
    edges_->find(confidence, n, bin);
    for (int i = 0; i < n; ++i) --bin[i];
  }

 private:
  std::shared_ptr<const Steps<double>> edges_;
};

// What a part adds to, and how.
struct Target {
  const CalibrationOptions& options;
  const Bins& bins;
  double* sums;  // [tables, bins, 2, kOfCell], [columns, bins, 2, kOfCell], or with rows of samples see `rows`
  RowsPart* part;
  int tables;                 // 1 or kTables
  SampleSums<kOfCell>* rows;  // cells [S, columns, bins, 2]; null: all samples are added to the same sums

  int64_t cells_of_row() const { return std::max<int64_t>(1, options.columns) * options.bins * 2; }

  double rounded(double x) const { return options.rounds ? static_cast<double>(static_cast<float>(x)) : x; }

  // The probability of a column of sample i of a run, at `place`.
  void add(int i, int64_t column, double x, double weight, bool hit, int64_t place) const {
    const double confidence = rounded(x);
    if (is_outside(confidence)) {
      part->faults.add(kBadPreds, place, place);
      return;
    }
    const int64_t of_row = (column * options.bins + bins(confidence)) * 2 + hit;
    if (rows != nullptr) {
      rows->add(i, cells_of_row(), of_row, {weight, weight * confidence});
      return;
    }
    double* cell = sums + of_row * kOfCell;
    cell[0] += weight;
    cell[1] += weight * confidence;
  }
};

// One run of samples, at most kChunk.
template <typename T>
struct Run {
  const RowsBatch& b;
  const Target& to;
  const T* scores;
  int64_t first, step, b_at;  // of its samples: number, distance; where its targets begin
  int n;
  bool all;     // count
  bool logits;  // for certain
  alignas(64) int32_t target[kChunk], label[kChunk];
  alignas(64) double weight[kChunk], x[kChunk];

  // What later runs read.
  StepsAhead ahead() const {
    const int64_t row = step * static_cast<int64_t>(sizeof(T)), size = size_of(b.target_type);
    const bool rows = (b.a_score == 1 || b.scores == 1) && step == b.scores && row * n <= kNearBytes;
    const bool targets = b.rows.b_stride[b.rows.dims - 1] == 1;
    return {reinterpret_cast<const char*>(scores + std::max<int64_t>(n * step, kElementsAhead)),
            static_cast<const char*>(b.target) + (b_at + 2 * kChunk) * size, rows ? row : 0, targets ? size : 0};
  }

  bool undecided() const { return to.options.logits < 0 && !logits; }

  // Whether an undecided batch turns out to be logits, and all will be done again.
  bool ends(bool outside) {
    to.part->outside |= outside && undecided();
    return to.part->outside && !logits;
  }

  // Calls of_row(i, p, scale), of whole rows, or of_group(i, group, p, scale) with the probabilities of samples, p
  // times scale. room: [C + kDoubles] doubles, or [C] vectors.
  template <typename OfRow, typename OfGroup>
  void probabilities(double* room, const OfRow& of_row, const OfGroup& of_group) {
    const int64_t c = b.scores;
    if (b.a_score == 1 && c >= kFewClasses) {
      for (int i = 0; i < n; ++i) {
        if (weight[i] == kLeftOut) continue;
        if (ends(widen_scores(scores + i * step, 1, c, room))) return;
        std::fill(room + c, room + whole_vectors(c), -kInfinity);
        of_row(i, room, logits ? softmax(room, whole_vectors(c)) : 1.0);
      }
      return;
    }
    Doubles* columns = reinterpret_cast<Doubles*>(room);
    for (int i = 0; i < n; i += kDoubles) {
      const Group group(target + i, weight + i, std::min(kDoubles, n - i));
      if (ends(widen_columns(scores + i * step, step, b.a_score, c, group, columns))) return;
      of_group(i, group, columns, logits ? softmax_of_lanes(columns, c) : Doubles{} + 1.0);
    }
  }

  // Of each class.
  void add_columns(double* room) {
    auto add = [&](int i, int64_t c, double p) {
      to.add(i, c, p, weight[i], target[i] == c, (first + i) * b.scores + c);
    };
    probabilities(
        room,
        [&](int i, const double* p, double scale) {
          for (int64_t c = 0; c < b.scores; ++c) add(i, c, p[c] * scale);
        },
        [&](int i, const Group& group, const Doubles* p, Doubles scale) {
          for (int64_t c = 0; c < b.scores; ++c) {
            const Doubles probability = p[c] * scale;
            for (int j = 0; j < group.samples; ++j) {
              if (group.counted[j]) add(i + j, c, probability[j]);
            }
          }
        });
  }

  // Leaves out samples whose probability is none; they go to the faults.
  void leave_out_outside() {
    uint64_t outside = 0;
    for (int i = 0; i < n; ++i) outside |= is_outside(x[i]);
    for (int i = 0; i < n && outside != 0; ++i) {
      if (!is_outside(x[i])) continue;
      to.part->faults.add(kBadPreds, first + i, first + i);
      weight[i] = x[i] = 0.0;
    }
  }

  // One probability of each sample; `inside` if all are known to be in [0, 1].
  void add_confidences(bool inside) {
    alignas(64) int32_t cell[kChunk];
    for (int i = 0; i < n && !all; ++i) {
      x[i] = weight[i] == kLeftOut ? 0.0 : x[i];
      weight[i] = std::max(weight[i], 0.0);
    }
    if (to.options.rounds && (logits || std::is_same_v<T, double>)) {
      for (int i = 0; i < n; ++i) x[i] = static_cast<double>(static_cast<float>(x[i]));
    }
    if (!inside) leave_out_outside();
    to.bins.find(x, n, cell);
    if (to.rows != nullptr) {
      to.rows->add_all(
          n, weight, to.cells_of_row(), [&](int i) { return cell[i] * 2 + (target[i] == label[i]); },
          [&](int i) { return std::array<double, kOfCell>{weight[i], weight[i] * x[i]}; });
      return;
    }
    const int32_t bins = static_cast<int32_t>(to.options.bins), last = to.tables - 1;
    for (int i = 0; i < n; ++i) {
      cell[i] = kOfBin * ((i & last) * bins + cell[i]) + kOfCell * (target[i] == label[i]);
    }
    double* sums = to.sums;
    auto add = [&](int at) __attribute__((always_inline)) {  // without a branch, which nobody could foretell
      store(load<OfCell>(sums + cell[at]) + OfCell{weight[at], weight[at] * x[at]}, sums + cell[at]);
    };
    const StepsAhead next = ahead();
    int i = 0;
    for (; i + kFetchStep <= n; i += kFetchStep) {
      next.fetch_rows(i);
      for (int j = 0; j < kFetchStep; ++j) add(i + j);
    }
    for (; i < n; ++i) add(i);
  }

  // Of the class of the greatest score.
  void add_greatest(double* room) {
    const int at_once =
        static_cast<int>(std::clamp<int64_t>(kNearBytes / (b.scores * sizeof(T)) / kFewRows * kFewRows, 4, kChunk));
    for (int i = 0, m; i < n; i += m) {
      m = std::min(at_once, n - i);
      const T* some = scores + i * step;
      const Scores of{some, b.preds_type, step, b.a_score, b.scores};
      if (logits) {
        argmax(of, m, label + i);
      } else if (!argmax_and_greatest(of, m, label + i, x + i) && undecided() &&
                 ends(any_outside(b, some, step, m, all, weight + i))) {
        return;
      }
    }
    if (logits) {
      probabilities(
          room, [&](int i, const double*, double scale) { x[i] = scale; },
          [&](int i, const Group& group, const Doubles*, Doubles scale) {
            for (int j = 0; j < group.samples; ++j) x[i + j] = scale[j];
          });
    }
    add_confidences(undecided());  // of which none was outside
  }

  // Of binary scores, or of several labels.
  void add_elements() {
    bool outside = widen_scores(scores, step, n, x);
    for (int i = 0; i < n && !all; ++i) x[i] = weight[i] == kLeftOut ? 0.0 : x[i];
    if (outside && !all) outside = std::any_of(x, x + n, [](double score) { return is_outside(score); });
    if (ends(outside)) return;
    if (logits) {
      alignas(64) double score[kChunk];
      std::copy_n(x, n, score);
      compute(score, score, n, x, [](auto of, auto, auto& math) { return 1.0 / (1.0 + math.exp(-of)); });
    }
    std::fill_n(label, n, 1);
    if (to.options.columns == 0) return add_confidences(!outside);
    LabelsFrom labels(to.options.label, first);
    for (int i = 0; i < n; ++i) {
      const int64_t of_label = labels.next();
      if (weight[i] != kLeftOut) to.add(i, of_label, x[i], weight[i], target[i] == 1, first + i);
    }
  }
};

template <typename T>
void add_run(const RowsBatch& b, const Target& to, int64_t first, int n, bool logits, double* room) {
  int64_t a_at, b_at;
  b.rows.locate(first, &a_at, &b_at);
  const int64_t a_step = b.rows.a_stride[b.rows.dims - 1];
  Run<T> run{b, to,    static_cast<const T*>(b.preds) + a_at, first, a_step, b_at,
             n, false, logits || to.options.logits > 0};
  run.all = read_samples(b, first, b_at, n, run.target, run.weight, to.part);
  if (to.rows != nullptr) to.rows->read(first, n, run.target);
  if (!to.options.multiclass) {
    run.add_elements();
  } else if (to.options.columns > 0) {
    run.add_columns(room);
  } else {
    run.add_greatest(room);
  }
}

}  // namespace

void add_calibration(const RowsBatch& b, const Slicings* rows, const CalibrationOptions& options,
                     const CalibrationSums& to, int64_t* members, int64_t* faults) {
  const Bins bins(options);
  const int64_t columns = std::max<int64_t>(1, options.columns);
  const int64_t states = (rows == nullptr ? 1 : rows->count) * columns * options.bins * kOfBin;
  const bool one = options.columns > 0 || rows != nullptr || b.rows.samples() <= kFewSamples;
  const int64_t tables = one ? 1 : kTables;
  const int64_t most = std::min<int64_t>(kChunk, std::max(kFewRows, kScoresAtOnce / b.scores));
  const int64_t probabilities = b.rows.samples() * (options.multiclass ? columns : 1);
  const bool listed = SampleSums<kOfCell>::listed(rows, probabilities, states);
  const bool in_pass = members != nullptr && !listed;
  if (members != nullptr && listed) {
    count_members(*rows, mask_of(b.valid, b.rows), members, rows->records() ? faults : nullptr);
  }
  auto add = [&](int64_t cell, const double* of_cell) {
    to.counts.add(cell / 2, of_cell[0]);
    to.confidences.add(cell / 2, of_cell[1]);
    if (cell % 2 == 1) to.hits.add(cell / 2, of_cell[0]);
  };
  sum_rows(
      {b.rows.samples(), 1, b.scores, listed ? SampleSums<kOfCell>::kListed : tables * states, false, most, listed},
      faults,
      [&](int64_t begin, int64_t end, bool logits, double* sums, RowsPart* part) {
        thread_local std::vector<Doubles> room;  // the scores of samples
        room.resize(b.scores + 1);
        if (in_pass && !part->members) part->members = Members(*rows);
        SampleSums<kOfCell> of_rows(rows, sums, listed ? &part->sums : nullptr, &part->members);
        const Target target{options, bins, sums, part, static_cast<int>(tables), rows == nullptr ? nullptr : &of_rows};
        while (begin < end && (logits || !part->outside)) {
          int64_t a_at, b_at;
          const int64_t n = std::min(b.rows.locate(begin, &a_at, &b_at), end - begin);
          with_score_type(b.preds_type, [&](auto t) {
            add_run<decltype(t)>(b, target, begin, static_cast<int>(n), logits, reinterpret_cast<double*>(room.data()));
          });
          begin += n;
        }
      },
      [&](int64_t, const double* sums) {
        if (listed) return add(static_cast<int64_t>(sums[0]), sums + 1);
        for (int64_t i = 0; i < tables * states / kOfBin; ++i) {
          const int64_t bin = i % (states / kOfBin);
          const double* miss = sums + i * kOfBin;
          const double* hit = miss + kOfCell;
          to.counts.add(bin, miss[0] + hit[0]);
          to.confidences.add(bin, miss[1] + hit[1]);
          to.hits.add(bin, hit[0]);
        }
      },
      members);
}

}  // namespace fastmetrics
