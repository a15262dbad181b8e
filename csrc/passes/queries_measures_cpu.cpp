// SPDX-License-Identifier: Apache-2.0
//
// The measures of queries, and query_values_; see fastmetrics/passes/queries.py for their meaning.
//
// A measure at 1, 2, 3 .. documents, as a curve has it, is a loop over vectors; a measure at a few numbers of documents
// is looked up in sums that all measures share.

#include "passes/queries_measures_cpu.h"

#include <algorithm>
#include <cmath>

#include "common/cpu.h"
#include "common/simd.h"

namespace fastmetrics {
namespace {

constexpr int64_t kFewSums = 4;  // up to which terms are added up for each by itself

// Of four bits, how many are set up to each.
struct BitsUpTo {
  double of[16][4] = {};

  constexpr BitsUpTo() {
    for (int bits = 0; bits < 16; ++bits) {
      for (int j = 0, n = 0; j < 4; ++j) of[bits][j] = n += bits >> j & 1;
    }
  }
};
constexpr BitsUpTo kBitsUpTo;

}  // namespace

Places::Places(int64_t most, const MeasureOptions& options) : inverse(most) {
  for (int64_t i = 0; i < most; ++i) inverse[i] = 1.0 / static_cast<double>(i + 1);
  bool gains = false;
  for (int64_t i = 0; i < options.count; ++i) gains |= options.measures[i] == kNormalizedDCG;
  if (!gains) return;
  discount.resize(most);
  discounts.resize(most + 1);
  for (int64_t i = 0; i < most; ++i) {
    discount[i] = 1.0 / std::log2(static_cast<double>(i + 2));
    discounts[i + 1] = discounts[i] + discount[i];
  }
}

Measures::Measures(const MeasureOptions& options, const Places& places)
    : o_(options),
      places_(places),
      found_(places.most() + 1),
      own_hits_(places.most() + 1),
      terms_(places.most()),
      sums_(places.most() + 1),
      relevant_(kMostUnordered + kFloats),
      relevant_scores_(kMostUnordered + kFloats),
      above_(kMostUnordered + kFloats),
      not_below_(kMostUnordered + kFloats) {
  for (int64_t i = 0; i < o_.count; ++i) {
    const int64_t measure = o_.measures[i];
    if (runs_.empty() || runs_.back().measure != measure) runs_.push_back({measure, i, 0, true});
    Run& run = runs_.back();
    ++run.count;
    run.counts_up &= o_.ks[i] == run.count;
    wanted_ |= int64_t{1} << measure;
  }
  only_gains_ =
      wanted_ == int64_t{1} << kNormalizedDCG && (o_.ties == TieOrder::kDefault || o_.ties == TieOrder::kAverage);
}

double Measures::measure(const float* scores, const float* relevance, int64_t n, double* values) {
  begin(n, scores, relevance);
  if (o_.ties == TieOrder::kLast) relevance_ = last_first(relevance);
  if (wants(kNormalizedDCG) || wants(kAUROC)) find_ties();
  if ((wanted_ & ~(int64_t{1} << kNormalizedDCG)) != 0) {
    count_relevant();
    add_up_relevance();
  }
  for (const Run& run : runs_) {
    double* to = values + run.first;
    switch (run.measure) {
      case kPrecision:
        shares(run, positive_, Whole::kAsked, to);
        break;
      case kAdaptivePrecision:
        shares(run, positive_, Whole::kSeen, to);
        break;
      case kRecall:
        shares(run, positive_, Whole::kTotal, to);
        break;
      case kHitRate:
        each(run, to, [&](int64_t seen) { return hits_[seen] > 0.0 ? 1.0 : 0.0; });
        break;
      case kFallOut:
        each(run, to, [&](int64_t seen) {
          return ratio(static_cast<double>(seen) - hits_[seen], static_cast<double>(n_) - total_);
        });
        break;
      case kAveragePrecision:
        average_precisions(run, to);
        break;
      case kReciprocalRank: {
        int64_t first = 0;  // how many documents come before the first relevant one
        for (int64_t i = 0; i < positive_; ++i) first += found_[i + 1] == 0.0;
        const double inverse = first < positive_ ? places_.inverse[first] : 0.0;
        each(run, to, [&](int64_t seen) { return first < seen ? inverse : 0.0; });
        break;
      }
      case kRPrecision: {
        const double relevant = found_[n_], share = ratio(hits_[static_cast<int64_t>(relevant)], relevant);
        each(run, to, [&](int64_t) { return share; });
        break;
      }
      case kCurvePrecision:
        shares(run, n_, Whole::kAsked, to);
        break;
      case kAdaptiveCurvePrecision:
        shares(run, n_, Whole::kSeen, to);
        break;
      case kCurveRecall:
        shares(run, n_, Whole::kTotal, to);
        break;
      case kNormalizedDCG:
        discounted_gains(run, to);
        break;
      default:
        each(run, to, [&](int64_t seen) {
          return tied_ || o_.max_fpr < 1.0 || !plain_ ? area_of_ties(seen) : area_of_places(seen);
        });
    }
  }
  return total_;
}

void Measures::begin(int64_t n, const float* scores, const float* relevance) {
  n_ = n;
  scores_ = scores;
  relevance_ = relevance;
  int other = 0;
  for (int64_t i = 0; i < n; ++i) other |= (relevance[i] != 0.0f) & (relevance[i] != 1.0f);
  plain_ = other == 0;
  total_ = sum_of(relevance, n);
}

void Measures::find_ties() {
  int equal = 0;
  for (int64_t i = 1; i < n_; ++i) equal |= scores_[i] == scores_[i - 1];
  tied_ = equal != 0;
}

// With the documents of equal scores in reverse.
const float* Measures::last_first(const float* relevance) {
  untied_.assign(relevance, relevance + n_);
  for_ties(n_, [&](int64_t begin, int64_t end) { std::reverse(untied_.begin() + begin, untied_.begin() + end); });
  return untied_.data();
}

// found_ and positive_.
void Measures::count_relevant() {
  double* __restrict found = found_.data() + 1;
  int64_t before = 0, i = 0;
  positive_ = 0;
  for (; i + kFloats <= n_; i += kFloats) {
    positive_ += lanes_in(greater(load<F32s>(scores_ + i), F32s{}));
    uint32_t relevant = bits_of(greater(load<F32s>(relevance_ + i), F32s{}));
    for (int four = 0; four < kFloats; four += 4, relevant >>= 4) {
      const double* up_to = kBitsUpTo.of[relevant & 15];
      for (int j = 0; j < 4; ++j) found[i + four + j] = static_cast<double>(before) + up_to[j];
      before += __builtin_popcount(relevant & 15);
    }
  }
  for (; i < n_; ++i) {
    positive_ += scores_[i] > 0.0f;
    found[i] = static_cast<double>(before += relevance_[i] > 0.0f);
  }
}

// hits_, of which documents with equal scores may have the same share each.
void Measures::add_up_relevance() {
  if (plain_ && o_.ties != TieOrder::kAverage) {
    hits_ = found_.data();
    return;
  }
  double* hits = own_hits_.data();
  hits_ = hits;
  if (o_.ties != TieOrder::kAverage) {
    double sum = 0.0;
    for (int64_t i = 0; i < n_; ++i) hits[i + 1] = sum += relevance_[i];
    return;
  }
  for_ties(n_, [&](int64_t begin, int64_t end) {
    const double sum = sum_of(relevance_ + begin, end - begin), documents = static_cast<double>(end - begin);
    for (int64_t i = begin; i < end; ++i) {
      hits[i + 1] = hits[begin] + sum * (static_cast<double>(i + 1 - begin) / documents);
    }
  });
}

// The relevance of the documents that are seen, of the first `most` at most, relative to `whole`.
void Measures::shares(const Run& run, int64_t most, Whole whole, double* to) const {
  const double* hits = hits_;
  if (!run.counts_up) {
    const int64_t* ks = o_.ks + run.first;
    for (int64_t i = 0; i < run.count; ++i) {
      const int64_t asked = ks[i] == 0 ? n_ : ks[i], seen = std::min(n_, asked);
      const double of = whole == Whole::kTotal ? total_ : static_cast<double>(whole == Whole::kSeen ? seen : asked);
      to[i] = ratio(hits[std::min(seen, most)], of);
    }
    return;
  }
  const int64_t some = std::min(run.count, most), seen = std::min(run.count, n_);
  const double all = hits[most], total = total_ > 0.0 ? total_ : 1.0;
  double* __restrict out = to;
  if (whole == Whole::kTotal) {
    for (int64_t i = 0; i < some; ++i) out[i] = hits[i + 1] / total;
    std::fill(out + some, out + run.count, all / total);
    return;
  }
  for (int64_t i = 0; i < some; ++i) out[i] = hits[i + 1] / static_cast<double>(i + 1);
  for (int64_t i = some; i < run.count; ++i) {
    out[i] = all / static_cast<double>(whole == Whole::kSeen ? std::min(i + 1, seen) : i + 1);
  }
}

// The sums of the terms that are seen, of the first `most` at most.
void Measures::sums_of_terms(const Run& run, int64_t most, double* to) {
  const double* terms = terms_.data();
  if (run.count <= kFewSums) {
    each(run, to, [&](int64_t seen) { return sum_of(terms, std::min(seen, most)); });
    return;
  }
  double sum = 0.0;
  for (int64_t i = 0; i < most; ++i) sums_[i + 1] = sum += terms[i];
  each(run, to, [&](int64_t seen) { return sums_[std::min(seen, most)]; });
}

void Measures::average_precisions(const Run& run, double* to) {
  const double *found = found_.data(), *inverse = places_.inverse.data();
  double* __restrict terms = terms_.data();
  for (int64_t i = 0; i < positive_; ++i) terms[i] = (found[i + 1] - found[i]) * found[i + 1] * inverse[i];
  sums_of_terms(run, positive_, to);
  const int64_t* ks = o_.ks + run.first;
  for (int64_t i = 0; i < run.count; ++i)
    to[i] = ratio(to[i], found[ks[i] == 0 ? positive_ : std::min(positive_, ks[i])]);
}

// The area under the ROC curve of the first documents, of which the relevant ones are those with 1. Without equal
// scores it is how many pairs are in the right order: of the documents that are not relevant, how many before them are.
double Measures::area_of_places(int64_t seen) const {
  const double positives = found_[seen], pairs = sum_of(found_.data(), seen) - 0.5 * positives * (positives - 1.0);
  return ratio(pairs, positives * (static_cast<double>(seen) - positives));
}

double Measures::area_of_ties(int64_t seen) const {
  double positives = 0.0;
  for (int64_t i = 0; i < seen; ++i) positives += relevance_[i] >= 1.0f;
  const double negatives = static_cast<double>(seen) - positives;
  if (positives == 0.0 || negatives == 0.0) return 0.0;
  const double limit = o_.max_fpr * negatives;  // of the false positives that count
  double area = 0.0, tp = 0.0, fp = 0.0;
  for_ties(seen, [&](int64_t begin, int64_t end) {
    double more = 0.0;
    for (int64_t i = begin; i < end; ++i) more += relevance_[i] >= 1.0f;
    const double wide = static_cast<double>(end - begin) - more, taken = std::min(wide, limit - fp);
    if (taken > 0.0) area += taken * (tp + 0.5 * more * taken / wide);
    tp += more;
    fp += wide;
  });
  area /= positives * negatives;
  if (o_.max_fpr == 1.0) return area;
  const double least = 0.5 * o_.max_fpr * o_.max_fpr;
  return 0.5 * (1.0 + (area - least) / (o_.max_fpr - least));
}

void query_values(const Rankings& rankings, const MeasureOptions& options, const QueryValues& to) {
  const Places places(rankings.most(), options);
  const int64_t documents = rankings.queries > 0 ? rankings.starts[rankings.queries] : 0;
  split(rankings.queries, threads_for(documents), [&](int, int64_t first, int64_t last) {
    Measures measures(options, places);
    for (int64_t q = first; q < last; ++q) {
      const int64_t at = rankings.starts[q], n = rankings.starts[q + 1] - at;
      to.totals[q] = static_cast<double>(n);
      to.totals[rankings.queries + q] =
          measures.measure(rankings.scores + at, rankings.relevance + at, n, to.values + q * options.count);
    }
  });
}

}  // namespace fastmetrics
