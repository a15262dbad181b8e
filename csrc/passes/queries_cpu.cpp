// SPDX-License-Identifier: Apache-2.0
//
// keep_documents_, sort_queries_, query_values_ and query_sums_; see fastmetrics/passes/queries.py for their
// meaning.
//
// Few documents are ordered by counting, of each, how many come before it: n² comparisons, a register of them at a
// time, take less time than n log n that depend on each other. More are sorted as integers that hold key and place.

#include "passes/queries.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "common/cpu.h"
#include "common/simd.h"
#include "formulas/sort.h"

namespace fastmetrics {
namespace {

constexpr int64_t kFewDocuments = 256;                        // up to which they are ordered by counting
constexpr int64_t kManyDocuments = 1 << 12;                   // from which on they are sorted by radix
constexpr int64_t kMostParts = 64, kPartDocuments = 1 << 14;  // of what is added up apart
constexpr int64_t kChunk = 4096;                              // documents that are read at a time

// Ascending in the order in which documents are listed: by descending score.
inline uint32_t place_key(float score) { return ~key_of(score); }

// Whether relevance can count.
inline bool is_relevance(float value, bool binary) {
  return value >= 0.0f && value <= (binary ? 1.0f : std::numeric_limits<float>::max());
}

inline int64_t bits_of(double value) {
  int64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

// Reads documents of a row, kChunk of them at most.
class Reader {
 public:
  Reader(const DocumentRows& b, const DocumentRules& rules, Faults* faults)
      : b_(b),
        rules_(rules),
        faults_(faults),
        targets_(std::min(kChunk, b.documents)),
        scores_(targets_.size()),
        relevance_(targets_.size()) {}

  const float* scores() const { return scores_.data(); }
  const float* relevance() const { return relevance_.data(); }

  // Reads n documents; whether it is known that all of them count, with weight 1.
  bool read(int64_t row, int64_t first, int64_t n) {
    to_doubles(b_.target, b_.target_type, row * b_.target_row + first * b_.target_column, b_.target_column,
               static_cast<int>(n), targets_.data());
    with_score_type(b_.preds_type, [&](auto t) {
      const auto* preds = static_cast<const decltype(t)*>(b_.preds) + row * b_.preds_row + first * b_.preds_column;
      if (b_.preds_column == 1) {
        for (int64_t i = 0; i < n; ++i) scores_[i] = static_cast<float>(widen(preds[i]));
      } else {
        for (int64_t i = 0; i < n; ++i) scores_[i] = static_cast<float>(widen(preds[i * b_.preds_column]));
      }
    });
    int bad = 0;
    const float most = rules_.binary ? 1.0f : std::numeric_limits<float>::max();
    for (int64_t i = 0; i < n; ++i) {
      const float score = scores_[i], relevance = static_cast<float>(targets_[i]);
      relevance_[i] = relevance;
      bad |= !(score == score) | !(relevance >= 0.0f) | !(relevance <= most);
    }
    return bad == 0 && b_.valid == nullptr && b_.weights == nullptr && !rules_.has_ignore_index;
  }

  // Of those that were read, calls add(place in the row, score, relevance, weight, whether it counts) for each.
  template <typename F>
  void for_each(int64_t row, int64_t first, int64_t n, const F& add) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t place = row * b_.documents + first + i;
      double weight = 1.0;
      bool counts = b_.valid == nullptr || b_.valid[row * b_.valid_row + (first + i) * b_.valid_column];
      counts = counts && !(rules_.has_ignore_index && targets_[i] == rules_.ignore_index);
      if (counts && b_.weights != nullptr) {
        weight = b_.weights[row * b_.weights_row + (first + i) * b_.weights_column];
        counts = faults_->check_weight(weight, place) && weight > 0.0;
      }
      const bool fits = is_relevance(relevance_[i], rules_.binary), scored = scores_[i] == scores_[i];
      if (counts && !fits) faults_->add(kBadTarget, place, bits_of(targets_[i]));
      if (counts && !scored) faults_->add(kBadPreds, place, place);
      add(first + i, scores_[i], relevance_[i], weight, counts && fits && scored);
    }
  }

 private:
  const DocumentRows& b_;
  const DocumentRules& rules_;
  Faults* faults_;
  std::vector<double> targets_;
  std::vector<float> scores_, relevance_;
};

// Orders the documents of a query.
class Order {
 public:
  // scores, relevance: [n], which the sorted ones are written over if `to` is the same.
  void sort(const float* scores, const float* relevance, int64_t n, float* to_scores, float* to_relevance) {
    if (n <= kFewDocuments) {
      few(scores, relevance, static_cast<int>(n), to_scores, to_relevance);
      return;
    }
    take(scores, relevance, n);
    if (n < kManyDocuments) {
      packed_.resize(n);
      for (int64_t i = 0; i < n; ++i) packed_[i] = uint64_t{place_key(scores_[i])} << 32 | static_cast<uint32_t>(i);
      std::sort(packed_.begin(), packed_.end());
      for (int64_t i = 0; i < n; ++i) put(i, static_cast<uint32_t>(packed_[i]), to_scores, to_relevance);
    } else {
      keyed_.resize(n);
      for (int64_t i = 0; i < n; ++i) keyed_[i] = {place_key(scores_[i]), static_cast<uint32_t>(i)};
      radix_sort(&keyed_);
      for (int64_t i = 0; i < n; ++i) put(i, keyed_[i].index, to_scores, to_relevance);
    }
  }

 private:
  static constexpr int kLanes = kRegister / 4, kBlock = 2 * kLanes;

  void take(const float* scores, const float* relevance, int64_t n) {
    scores_.assign(scores, scores + n);
    relevance_.assign(relevance, relevance + n);
  }

  void put(int64_t place, int64_t from, float* to_scores, float* to_relevance) const {
    to_scores[place] = scores_[from];
    to_relevance[place] = relevance_[from];
  }

  // Calls put(place, i) for n documents by their keys: how many come before each one is its place.
  template <typename F>
  void places(int n, const F& put) {
    const int32_t* keys = few_keys_;
    int64_t sum = 0;
    for (int first = 0; first < n; first += kBlock) {
      const I32s a = load<I32s>(keys + first), b = load<I32s>(keys + first + kLanes);
      I32s before_a = {}, before_b = {};
      for (int j = 0; j < n; ++j) {
        before_a = keys[j] < a ? before_a + 1 : before_a;
        before_b = keys[j] < b ? before_b + 1 : before_b;
      }
      store(before_a, few_places_ + first);
      store(before_b, few_places_ + first + kLanes);
    }
    for (int i = 0; i < n; ++i) sum += few_places_[i];
    if (sum != int64_t{n} * (n - 1) / 2) {  // some are equal
      for (int first = 0; first < n; first += kLanes) {
        const I32s a = load<I32s>(keys + first), at = lane_numbers<I32s>() + first;
        I32s places = load<I32s>(few_places_ + first);
        const int last = std::min(n, first + kLanes);
        for (int j = 0; j < last; ++j) places -= (keys[j] == a) & (j < at);
        store(places, few_places_ + first);
      }
    }
    for (int i = 0; i < n; ++i) put(few_places_[i], i);
  }

  void few(const float* scores, const float* relevance, int n, float* to_scores, float* to_relevance) {
    for (int i = 0; i < n; ++i) few_keys_[i] = static_cast<int32_t>(place_key(scores[i]) ^ 0x80000000u);
    for (int i = n; i < n + kBlock; ++i) few_keys_[i] = INT32_MAX;
    if (scores == to_scores) {
      take(scores, relevance, n);
      scores = scores_.data();
      relevance = relevance_.data();
    }
    places(n, [&](int32_t place, int i) {
      to_scores[place] = scores[i];
      to_relevance[place] = relevance[i];
    });
  }

  std::vector<float> scores_, relevance_;
  std::vector<uint64_t> packed_;
  std::vector<Keyed<uint32_t>> keyed_;
  int32_t few_keys_[kFewDocuments + kBlock], few_places_[kFewDocuments + kBlock];
};

double sum_of(const float* values, int64_t n) {
  constexpr int kLanes = 8;
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) lanes[j] += values[i + j];
  }
  double rest = 0.0;
  for (; i < n; ++i) rest += values[i];
  return sum_of_lanes<kLanes>(lanes) + rest;
}

double sum_of_products(const double* a, const double* b, int64_t n) {
  constexpr int kLanes = 8;
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  double rest = 0.0;
  for (; i < n; ++i) rest += a[i] * b[i];
  return sum_of_lanes<kLanes>(lanes) + rest;
}

// Of each place the discount 1 / log2(place + 2), the sum of all before it, and 1 / (place + 1).
struct Places {
  std::vector<double> discount, discounts, inverse;

  Places(int64_t n, int64_t wanted) {
    if (wanted >> kNormalizedDCG & 1) {
      discount.resize(n);
      discounts.resize(n + 1);
      for (int64_t i = 0; i < n; ++i) {
        discount[i] = 1.0 / std::log2(static_cast<double>(i + 2));
        discounts[i + 1] = discounts[i] + discount[i];
      }
    }
    if (wanted >> kAveragePrecision & 1) {
      inverse.resize(n);
      for (int64_t i = 0; i < n; ++i) inverse[i] = 1.0 / static_cast<double>(i + 1);
    }
  }
};

// Where the measures of queries are written.
struct ToValues {
  QueryValues to;
  int64_t queries, ks, q;

  void total(int64_t documents, double relevance) const {
    to.totals[q] = static_cast<double>(documents);
    to.totals[queries + q] = relevance;
  }
  void put(int64_t row, int64_t k, double value) const { to.values[(row * queries + q) * ks + k] = value; }
};

// Where they are added up.
struct ToSums {
  QuerySums to;
  int64_t ks;
  double weight;

  void total(int64_t documents, double relevance) const {
    to.counts[0] += weight;
    if (relevance == 0.0) to.counts[1] += weight;
    if (relevance == static_cast<double>(documents)) to.counts[2] += weight;
  }
  void put(int64_t row, int64_t k, double value) const { to.sums[row * ks + k] += weight * value; }
};

// The measures of one query after the other.
template <typename To>
class Walk {
 public:
  Walk(const MeasureOptions& options, const Places& places) : o_(options), places_(places) {
    int rows = 0;
    for (int m = 0; m < kMeasures; ++m) row_[m] = wants(m) ? rows++ : -1;
    for (int64_t i = 0; i < o_.count; ++i) deepest_ = std::max(deepest_, o_.ks[i] == 0 ? INT64_MAX : o_.ks[i]);
  }

  // scores, relevance: [n], sorted.
  void query(const To& to, const float* scores, const float* relevance, int64_t n) {
    to_ = to;
    n_ = n;
    scores_ = scores;
    total_ = sum_of(relevance, n);
    to_.total(n, total_);
    relevance_ = o_.ties == TieOrder::kLast ? last_first(relevance) : relevance;
    if ((o_.wanted & kCounted) != 0) counts();
    if (wants(kNormalizedDCG)) gains();
    if (wants(kAUROC)) areas();
  }

 private:
  static constexpr int64_t kCounted = (int64_t{1} << kNormalizedDCG) - 1;

  bool wants(int measure) const { return o_.wanted >> measure & 1; }
  int64_t depth(int64_t k) const { return o_.ks[k] == 0 ? n_ : std::min(n_, o_.ks[k]); }

  // Calls f(begin, end) for the runs of equal scores.
  template <typename F>
  void for_ties(int64_t n, const F& f) const {
    for (int64_t begin = 0, end; begin < n; begin = end) {
      for (end = begin + 1; end < n && scores_[end] == scores_[begin];) ++end;
      f(begin, end);
    }
  }

  // With the documents of equal scores in reverse.
  const float* last_first(const float* relevance) {
    untied_.assign(relevance, relevance + n_);
    for_ties(n_, [&](int64_t begin, int64_t end) { std::reverse(untied_.begin() + begin, untied_.begin() + end); });
    return untied_.data();
  }

  // hits_[i]: the relevance of the first i documents, of n.
  void add_up(int64_t n) {
    hits_.resize(n_ + 1);
    hits_[0] = 0.0;
    if (o_.ties != TieOrder::kAverage) {
      double sum = 0.0;
      for (int64_t i = 0; i < n; ++i) hits_[i + 1] = sum += relevance_[i];
      return;
    }
    for_ties(n_, [&](int64_t begin, int64_t end) {
      const double sum = sum_of(relevance_ + begin, end - begin), documents = static_cast<double>(end - begin);
      for (int64_t i = begin; i < end; ++i) {
        hits_[i + 1] = hits_[begin] + sum * (static_cast<double>(i + 1 - begin) / documents);
      }
    });
  }

  // found_[i]: how many of the first i documents, of n, are relevant; precisions_[i]: the sum of the shares of relevant
  // documents up to each of them.
  void add_up_precisions(int64_t n) {
    found_.resize(n + 1);
    precisions_.resize(n + 1);
    found_[0] = precisions_[0] = 0.0;
    double found = 0.0, sum = 0.0;
    for (int64_t i = 0; i < n; ++i) {
      const double is = relevance_[i] > 0.0f ? 1.0 : 0.0;
      found_[i + 1] = found += is;
      precisions_[i + 1] = sum += is * found * places_.inverse[i];
    }
  }

  // Writes a measure, if it is wanted: value(k, how many documents are looked at).
  template <typename F>
  void each(int measure, const F& value) {
    const int row = row_[measure];
    if (row < 0) return;
    for (int64_t k = 0; k < o_.count; ++k) to_.put(row, k, value(k, depth(k)));
  }

  // What is made of the relevance of the first k documents.
  void counts() {
    int64_t relevant = 0;  // documents
    for (int64_t i = 0; i < n_; ++i) relevant += relevance_[i] > 0.0f;
    const int64_t deepest = std::min(n_, std::max(deepest_, wants(kRPrecision) ? relevant : 0));
    int64_t positive = 0;  // documents with a score above 0
    while (positive < n_ && scores_[positive] > 0.0f) ++positive;
    int64_t first = 0;
    while (first < positive && !(relevance_[first] > 0.0f)) ++first;
    add_up(deepest);
    if (wants(kAveragePrecision)) add_up_precisions(std::min(deepest, positive));
    auto asked = [&](int64_t k) { return static_cast<double>(o_.ks[k] == 0 ? n_ : o_.ks[k]); };
    auto scored = [&](int64_t seen) { return std::min(seen, positive); };
    const double whole = static_cast<double>(n_);
    each(kPrecision, [&](int64_t k, int64_t n) { return ratio(hits_[scored(n)], asked(k)); });
    each(kAdaptivePrecision, [&](int64_t, int64_t n) { return ratio(hits_[scored(n)], static_cast<double>(n)); });
    each(kRecall, [&](int64_t, int64_t n) { return ratio(hits_[scored(n)], total_); });
    each(kHitRate, [&](int64_t, int64_t n) { return hits_[n] > 0.0 ? 1.0 : 0.0; });
    each(kFallOut, [&](int64_t, int64_t n) { return ratio(static_cast<double>(n) - hits_[n], whole - total_); });
    each(kAveragePrecision, [&](int64_t, int64_t n) { return ratio(precisions_[scored(n)], found_[scored(n)]); });
    each(kReciprocalRank,
         [&](int64_t, int64_t n) { return first < scored(n) ? 1.0 / static_cast<double>(first + 1) : 0.0; });
    each(kRPrecision, [&](int64_t, int64_t) { return ratio(hits_[relevant], static_cast<double>(relevant)); });
    each(kCurvePrecision, [&](int64_t k, int64_t n) { return ratio(hits_[n], asked(k)); });
    each(kAdaptiveCurvePrecision, [&](int64_t, int64_t n) { return ratio(hits_[n], static_cast<double>(n)); });
    each(kCurveRecall, [&](int64_t, int64_t n) { return ratio(hits_[n], total_); });
  }

  static double ratio(double part, double whole) { return whole > 0.0 ? part / whole : 0.0; }

  // Calls f(grade, how many documents have it) for the grades above 0, the best first.
  template <typename F>
  void for_grades(const F& f) {
    int other = 0;
    for (int64_t i = 0; i < n_; ++i) {
      other |= (relevance_[i] != 0.0f) & (relevance_[i] != 1.0f);
    }
    if (other == 0) {
      f(1.0, static_cast<int64_t>(total_));
      return;
    }
    int few = 1;
    for (int64_t i = 0; i < n_; ++i) {
      few &= (relevance_[i] < kFewGrades) & (relevance_[i] == std::floor(relevance_[i]));
    }
    if (few != 0) {
      int64_t documents[2][kFewGrades] = {};
      for (int64_t i = 0; i < n_; ++i) ++documents[i % 2][static_cast<int>(relevance_[i])];
      for (int grade = kFewGrades - 1; grade > 0; --grade) f(grade, documents[0][grade] + documents[1][grade]);
      return;
    }
    best_.assign(relevance_, relevance_ + n_);
    std::sort(best_.begin(), best_.end(), [](float a, float b) { return a > b; });
    for (int64_t i = 0; i < n_ && best_[i] > 0.0f; ++i) f(best_[i], 1);
  }

  double gain(double relevance) const { return o_.exponential ? std::exp2(relevance) - 1.0 : relevance; }

  // gains_: of the documents by their places; those of equal scores may have the mean of all.
  void take_gains() {
    gains_.resize(n_);
    if (o_.exponential) {
      for (int64_t i = 0; i < n_; ++i) gains_[i] = relevance_[i] == 0.0f ? 0.0 : gain(relevance_[i]);
    } else {
      for (int64_t i = 0; i < n_; ++i) gains_[i] = relevance_[i];
    }
    if (o_.ties != TieOrder::kDefault && o_.ties != TieOrder::kAverage) return;
    int equal = 0;
    for (int64_t i = 1; i < n_; ++i) equal |= scores_[i] == scores_[i - 1];
    if (equal == 0) return;
    for_ties(n_, [&](int64_t begin, int64_t end) {
      if (end - begin == 1) return;
      double sum = 0.0;
      for (int64_t i = begin; i < end; ++i) sum += gains_[i];
      std::fill(gains_.begin() + begin, gains_.begin() + end, sum / static_cast<double>(end - begin));
    });
  }

  void gains() {
    take_gains();
    ideal_.clear();
    for_grades([&](double grade, int64_t documents) { ideal_.emplace_back(gain(grade), documents); });
    const double* sums = places_.discounts.data();
    each(kNormalizedDCG, [&](int64_t, int64_t seen) {
      double most = 0.0;
      int64_t place = 0;
      for (const auto& [gain, documents] : ideal_) {
        most += gain * (sums[std::min(place + documents, seen)] - sums[std::min(place, seen)]);
        place += documents;
      }
      return ratio(sum_of_products(gains_.data(), places_.discount.data(), seen), most);
    });
  }

  // The area under the ROC curve of the first k documents, of which the relevant ones are those with 1.
  void areas() {
    int equal = o_.max_fpr < 1.0;
    for (int64_t i = 1; i < n_; ++i) equal |= scores_[i] == scores_[i - 1];
    each(kAUROC, [&](int64_t, int64_t seen) { return equal ? area_of_ties(seen) : area_of_places(seen); });
  }

  // Without equal scores: how many pairs are in the right order.
  double area_of_places(int64_t seen) const {
    int64_t positives = 0, pairs = 0;
    for (int64_t i = 0; i < seen; ++i) {
      const int64_t positive = relevance_[i] >= 1.0f;
      pairs += positives & (positive - 1);
      positives += positive;
    }
    return ratio(static_cast<double>(pairs), static_cast<double>(positives) * static_cast<double>(seen - positives));
  }

  double area_of_ties(int64_t seen) const {
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

  static constexpr int kFewGrades = 32;

  const MeasureOptions& o_;
  const Places& places_;
  int64_t row_[kMeasures];
  int64_t deepest_ = 0;
  To to_{};
  int64_t n_ = 0;
  double total_ = 0.0;
  const float* scores_ = nullptr;
  const float* relevance_ = nullptr;
  std::vector<float> untied_;
  std::vector<float> best_;
  std::vector<double> hits_, found_, precisions_, gains_;
  std::vector<std::pair<double, int64_t>> ideal_;  // gains, and how many documents have them, the best first
};

}  // namespace

void keep_documents(const DocumentRows& b, const DocumentRules& rules, float* scores, float* relevance,
                    int64_t* faults) {
  const int64_t n = b.queries * b.documents;
  const int threads = threads_for(n);
  std::vector<Faults> found(threads);
  split(n, threads, [&](int thread, int64_t begin, int64_t end) {
    Reader reader(b, rules, &found[thread]);
    for (int64_t at = begin, step; at < end; at += step) {
      const int64_t row = at / b.documents, first = at % b.documents;
      step = std::min({kChunk, b.documents - first, end - at});
      reader.read(row, first, step);
      reader.for_each(row, first, step, [&](int64_t i, float score, float relevant, double, bool counts) {
        scores[row * b.documents + i] = counts ? score : std::numeric_limits<float>::quiet_NaN();
        relevance[row * b.documents + i] = counts ? relevant : 0.0f;
      });
    }
  });
  Faults::record(found, faults);
}

void sort_queries(const int64_t* indexes, const float* scores, const float* relevance, int64_t n, int64_t* ids,
                  int64_t* starts, float* sorted_scores, float* sorted_relevance, int64_t* counts) {
  int missing = 0, descends = 0;
  for (int64_t i = 0; i < n; ++i) missing |= scores[i] != scores[i];
  for (int64_t i = 1; i < n; ++i) descends |= indexes[i - 1] > indexes[i];
  const bool sorted = descends == 0, whole = missing == 0;
  const float *from_scores = scores, *from_relevance = relevance;
  int64_t queries = 0, m = 0;
  auto begin_at = [&](int64_t id) {
    if (m > 0 && ids[queries - 1] == id) return;
    ids[queries] = id;
    starts[queries++] = m;
  };
  if (sorted && whole) {
    for (; m < n; ++m) begin_at(indexes[m]);
  } else {
    std::vector<Keyed<uint64_t>> keyed;
    keyed.reserve(n);
    for (int64_t i = 0; i < n; ++i) {
      if (scores[i] == scores[i]) keyed.push_back({key_of(indexes[i]), static_cast<uint32_t>(i)});
    }
    if (!sorted) radix_sort(&keyed);
    for (const auto& one : keyed) {
      begin_at(indexes[one.index]);
      sorted_scores[m] = scores[one.index];
      sorted_relevance[m++] = relevance[one.index];
    }
    from_scores = sorted_scores;
    from_relevance = sorted_relevance;
  }
  starts[queries] = m;
  counts[0] = queries;
  counts[1] = m;
  split(queries, threads_for(m), [&](int, int64_t first, int64_t last) {
    Order order;
    for (int64_t q = first; q < last; ++q) {
      const int64_t at = starts[q];
      order.sort(from_scores + at, from_relevance + at, starts[q + 1] - at, sorted_scores + at, sorted_relevance + at);
    }
  });
}

void query_values(const Rankings& rankings, const MeasureOptions& options, const QueryValues& to) {
  const Places places(rankings.most(), options.wanted);
  const int64_t documents = rankings.queries > 0 ? rankings.starts[rankings.queries] : 0;
  split(rankings.queries, threads_for(documents), [&](int, int64_t first, int64_t last) {
    Walk<ToValues> walk(options, places);
    for (int64_t q = first; q < last; ++q) {
      const int64_t at = rankings.starts[q];
      walk.query({to, rankings.queries, options.count, q}, rankings.scores + at, rankings.relevance + at,
                 rankings.starts[q + 1] - at);
    }
  });
}

namespace {

// Calls f(part, begin, end, sums) for parts of the queries whose number depends on sizes alone, each with sums of its
// own, which are added in order.
template <typename F>
void add_in_parts(int64_t queries, int64_t documents, const MeasureOptions& o, const QuerySums& to, const F& f) {
  const Parts parts(queries, std::min({kMostParts, queries, documents / kPartDocuments}));
  int64_t rows = 0;
  for (int m = 0; m < kMeasures; ++m) rows += o.wanted >> m & 1;
  const int64_t size = rows * o.count, step = (size + 3 + 7) / 8 * 8;  // no two threads write to one line
  std::vector<double> all(step * (parts.count + 1));
  parts.for_each(threads_for(documents), [&](int64_t part, int64_t begin, int64_t end) {
    double* sums = all.data() + step * part;
    f(part, begin, end, QuerySums{sums, sums + size});
  });
  for (int64_t part = 0; part < parts.count; ++part) {
    const double* sums = all.data() + step * part;
    for (int64_t i = 0; i < size; ++i) to.sums[i] += sums[i];
    for (int64_t i = 0; i < 3; ++i) to.counts[i] += sums[size + i];
  }
}

void add_rows(const DocumentRows& b, const DocumentRules& rules, const MeasureOptions& options, const Places& places,
              const QuerySums& to, int64_t* faults) {
  std::vector<Faults> found(kMostParts);
  add_in_parts(b.queries, b.queries * b.documents, options, to,
               [&](int64_t part, int64_t begin, int64_t end, const QuerySums& sums) {
                 Reader reader(b, rules, &found[part]);
                 Order order;
                 Walk<ToSums> walk(options, places);
                 const int64_t d = b.documents;
                 std::vector<float> scores(d), relevance(d), sorted_scores(d), sorted_relevance(d);
                 for (int64_t q = begin; q < end; ++q) {
                   int64_t n = 0;
                   double weight = 0.0;
                   for (int64_t at = 0; at < d; at += kChunk) {
                     const int64_t step = std::min(kChunk, d - at);
                     if (reader.read(q, at, step)) {
                       std::copy(reader.scores(), reader.scores() + step, scores.data() + n);
                       std::copy(reader.relevance(), reader.relevance() + step, relevance.data() + n);
                       weight = std::max(weight, 1.0);
                       n += step;
                       continue;
                     }
                     reader.for_each(q, at, step, [&](int64_t, float score, float relevant, double own, bool counts) {
                       scores[n] = score;
                       relevance[n] = relevant;
                       n += counts;
                       if (counts) weight = std::max(weight, own);
                     });
                   }
                   if (n == 0) continue;
                   order.sort(scores.data(), relevance.data(), n, sorted_scores.data(), sorted_relevance.data());
                   walk.query({sums, options.count, weight}, sorted_scores.data(), sorted_relevance.data(), n);
                 }
               });
  Faults::record(found, faults);
}

}  // namespace

void add_rankings(const Rankings& rankings, const double* weights, const MeasureOptions& options, const QuerySums& to) {
  const int64_t documents = rankings.queries > 0 ? rankings.starts[rankings.queries] : 0;
  const Places places(rankings.most(), options.wanted);
  add_in_parts(rankings.queries, documents, options, to,
               [&](int64_t, int64_t begin, int64_t end, const QuerySums& sums) {
                 Walk<ToSums> walk(options, places);
                 for (int64_t q = begin; q < end; ++q) {
                   const int64_t at = rankings.starts[q], n = rankings.starts[q + 1] - at;
                   const double weight = weights == nullptr ? 1.0 : weights[q];
                   if (n > 0)
                     walk.query({sums, options.count, weight}, rankings.scores + at, rankings.relevance + at, n);
                 }
               });
}

void add_queries(const DocumentRows& b, const int64_t* indexes, const DocumentRules& rules,
                 const MeasureOptions& options, const QuerySums& to, int64_t* faults) {
  const int64_t n = b.queries * b.documents;
  if (indexes == nullptr) {
    add_rows(b, rules, options, Places(b.documents, options.wanted), to, faults);
    return;
  }
  std::vector<float> scores(n), relevance(n), sorted_scores(n), sorted_relevance(n);
  std::vector<int64_t> ids(n), starts(n + 1);
  int64_t counts[2];
  keep_documents(b, rules, scores.data(), relevance.data(), faults);
  std::vector<std::pair<int64_t, double>> weights;  // of documents that count, by query
  if (b.weights != nullptr) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = i / b.documents * b.weights_row + i % b.documents * b.weights_column;
      if (scores[i] == scores[i]) weights.emplace_back(indexes[i], b.weights[at]);
    }
    std::sort(weights.begin(), weights.end());
  }
  sort_queries(indexes, scores.data(), relevance.data(), n, ids.data(), starts.data(), sorted_scores.data(),
               sorted_relevance.data(), counts);
  std::vector<double> of_queries;
  for (int64_t q = 0; q < counts[0] && b.weights != nullptr; ++q) {
    // sorted as the documents are, so that the last one of a query has its greatest weight
    of_queries.push_back(weights[starts[q + 1] - 1].second);
  }
  add_rankings({sorted_scores.data(), sorted_relevance.data(), starts.data(), counts[0]},
               b.weights == nullptr ? nullptr : of_queries.data(), options, to);
}

}  // namespace fastmetrics
