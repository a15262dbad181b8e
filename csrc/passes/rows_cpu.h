// SPDX-License-Identifier: Apache-2.0
//
// The loop of the passes that sum a figure of each row, on the CPU.
//
// Sums are float64. The rows are cut into parts by their number alone, each part is summed in order and the parts are
// added in order: the same data gives the same bits for any number of threads.
//
// Scores are taken for probabilities until one says that the batch is logits; then all is done again, as logits. Such
// a score mostly comes among the first, so either way the batch is read about once.

#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include "common/cpu.h"
#include "passes/members_cpu.h"
#include "passes/rows.h"
#include "rules/hinge.h"

namespace fastmetrics {

constexpr int64_t kMostParts = 64;
constexpr int64_t kSmallestPart = 8192;  // scores
constexpr int64_t kMostSums = 1 << 22;   // of all parts
constexpr int kChunk = 256;              // rows

// What one part finds, beside its sums.
struct RowsPart {
  std::vector<double> sums;  // if they are listed
  Faults faults;
  Members members;       // of the rows of states, where they are wanted
  bool outside = false;  // whether there was a score outside [0, 1]
};

// The labels of elements that follow each other.
class LabelsFrom {
 public:
  LabelsFrom(const LabelsOfElements& of, int64_t element)
      : of_(of), label_(of(element)), left_(of.inner - element % of.inner) {}

  int64_t next() {
    const int64_t label = label_;
    if (--left_ == 0) {
      left_ = of_.inner;
      label_ = label + 1 == of_.labels ? 0 : label + 1;
    }
    return label;
  }

 private:
  const LabelsOfElements& of_;
  int64_t label_, left_;
};

// Units of rows that stay together; those of a unit have sums of their own if `apart`.
struct RowsPlan {
  int64_t units, rows_of_unit;
  int64_t width;  // scores of a row
  int64_t sums;
  bool apart;
  int64_t most = kChunk;  // units at a time, where they do not stay apart
  bool listed = false;    // what is added is a list of `sums` numbers each, which grows as it is added
};

// add(first row, end, logits, sums, part) adds rows to sums [plan.sums]; at most plan.most at a time, unless `apart`.
// If `listed`, it appends to part->sums instead. done(unit, sums) takes what was added, in order; `unit` is 0 unless
// `apart`, and has no meaning for each addition of those that are `listed`. members: [S], where add counts those of
// each part.
template <typename Add, typename Done>
void sum_rows(const RowsPlan& plan, int64_t* faults, const Add& add, const Done& done, int64_t* members = nullptr) {
  const int64_t work = plan.units * plan.rows_of_unit * plan.width;
  if (work == 0) return;
  int64_t wanted = std::min({kMostParts, plan.units, work / kSmallestPart});
  if (!plan.apart && !plan.listed) {  // making sums takes longer than adding to them
    wanted = std::min(wanted, std::max<int64_t>(1, std::min(kMostSums, work / 4) / plan.sums));
  }
  const Parts parts(plan.units, wanted);
  // one block, which an allocator keeps at hand for the next batch; of many it gives some back each time
  constexpr int64_t kApart = 16;  // what two threads write must not be in one line of a cache
  const int64_t each = plan.listed ? 0 : (plan.apart ? parts.size : 1) * plan.sums;
  const int64_t of_part = (each + kApart - 1) / kApart * kApart;
  const std::unique_ptr<double[]> all_sums(new double[parts.count * of_part]);
  std::vector<RowsPart> found;
  std::atomic<bool> outside{false};
  for (const bool logits : {false, true}) {
    found.assign(parts.count, RowsPart{});
    parts.for_each(threads_for(work), [&](int64_t p, int64_t begin, int64_t end) {
      RowsPart* part = &found[p];
      double* const of_units = all_sums.get() + p * of_part;
      std::fill_n(of_units, of_part, 0.0);
      for (int64_t u = begin; u < end && (logits || !outside.load(std::memory_order_relaxed));) {
        const int64_t next = u + (plan.apart ? 1 : std::min(end - u, plan.most));
        add(u * plan.rows_of_unit, next * plan.rows_of_unit, logits,
            of_units + (plan.apart ? u - begin : 0) * plan.sums, part);
        if (part->outside) outside.store(true, std::memory_order_relaxed);
        u = next;
      }
    });
    if (!outside.load()) break;
  }
  std::vector<Faults> all;
  std::vector<BadGroups> bad;
  for (int64_t p = 0; p < parts.count; ++p) {
    if (found[p].members) found[p].members.fold(members);
    bad.push_back(found[p].members.bad);
    const std::vector<double>& listed = found[p].sums;
    const double* sums = plan.listed ? listed.data() : all_sums.get() + p * of_part;
    const int64_t first = plan.apart ? p * parts.size : 0;
    const int64_t apart = std::clamp<int64_t>(parts.n - first, 0, parts.size);
    const int64_t many = plan.listed ? static_cast<int64_t>(listed.size()) / plan.sums : plan.apart ? apart : 1;
    for (int64_t i = 0; i < many; ++i) done(first + i, sums + i * plan.sums);
    all.push_back(found[p].faults);
  }
  Faults::record(all, faults);
  BadGroups::record(bad, faults);
}

// The weight of a row, or a fault and a negative number.
inline double weight_of(const RowsBatch& b, int64_t row, RowsPart* part) {
  const double weight = b.weight(row);
  return part->faults.check_weight(weight, row) ? weight : -1.0;
}

constexpr double kLeftOut = -1.0;

// Scores `step` apart as doubles; returns whether one lies outside [0, 1].
template <typename T>
bool widen_scores(const T* from, int64_t step, int64_t n, double* to) {
  uint64_t outside = 0;
  auto widen_all = [&](auto distance) {
    for (int64_t i = 0; i < n; ++i) {
      to[i] = widen(from[i * distance]);
      outside |= is_outside(to[i]);
    }
  };
  if (step == 1) {
    widen_all(std::integral_constant<int64_t, 1>{});
  } else {
    widen_all(step);
  }
  return outside != 0;
}

// What samples count: kLeftOut for those that are left out, whose values out of range go to the faults.
inline void read_weights(const RowsBatch& b, int64_t first, int64_t b_at, int64_t b_step, int n, const int32_t* target,
                         double* weight, RowsPart* part) {
  for (int i = 0; i < n; ++i) {
    weight[i] = kLeftOut;
    if (target[i] == kIgnored || target[i] == kInvalid) continue;
    if (target[i] == kBad) {
      part->faults.add(kBadTarget, first + i, label_at(b.target, b.target_type, b_at + i * b_step));
    }
    const double given = b.weights == nullptr ? 1.0 : weight_of(b, first + i, part);
    if (target[i] >= 0 && given >= 0.0) weight[i] = given;
  }
}

// Targets, as narrow_labels has them, and weights of n samples of one run; returns whether all count, as 1.
inline bool read_samples(const RowsBatch& b, int64_t first, int64_t b_at, int n, int32_t* target, double* weight,
                         RowsPart* part) {
  const int run = b.rows.dims - 1;
  const int64_t step = b.rows.b_stride[run];
  narrow_labels(b.target, b.target_type, b_at, step, n, std::max<int64_t>(2, b.scores), b.ignored(), target);
  if (b.valid != nullptr) mask_labels(b.valid, b.rows.offset(first, b.rows.c_stride), b.rows.c_stride[run], n, target);
  const bool all = b.weights == nullptr && *std::min_element(target, target + n) >= 0;
  if (all) {
    std::fill_n(weight, n, 1.0);
  } else {
    read_weights(b, first, b_at, step, n, target, weight, part);
  }
  return all;
}

}  // namespace fastmetrics
