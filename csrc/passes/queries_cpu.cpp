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

// Reads documents of a row.
class Reader {
 public:
  Reader(const DocumentRows& b, const DocumentRules& rules, Faults* faults)
      : b_(b), rules_(rules), faults_(faults), targets_(std::min(kChunk, b.documents)) {}

  // Calls add(place in the row, score, relevance, weight, whether it counts) for n of them.
  template <typename F>
  void read(int64_t row, int64_t first, int64_t n, const F& add) {
    const int64_t at = row * b_.preds_row + first * b_.preds_column;
    to_doubles(b_.target, b_.target_type, row * b_.target_row + first * b_.target_column, b_.target_column,
               static_cast<int>(n), targets_.data());
    with_score_type(b_.preds_type, [&](auto t) {
      using T = decltype(t);
      const T* preds = static_cast<const T*>(b_.preds) + at;
      if (b_.valid == nullptr && b_.weights == nullptr && !rules_.has_ignore_index) {
        all<false>(row, first, n, preds, add);
      } else {
        all<true>(row, first, n, preds, add);
      }
    });
  }

 private:
  template <bool kSome, typename T, typename F>
  void all(int64_t row, int64_t first, int64_t n, const T* preds, const F& add) {
    for (int64_t i = 0; i < n; ++i) {
      const float score = static_cast<float>(widen(preds[i * b_.preds_column]));
      const float relevance = static_cast<float>(targets_[i]);
      const int64_t place = row * b_.documents + first + i;
      bool counts = true;
      double weight = 1.0;
      if (kSome) {
        counts = b_.valid == nullptr || b_.valid[row * b_.valid_row + (first + i) * b_.valid_column];
        counts = counts && !(rules_.has_ignore_index && targets_[i] == rules_.ignore_index);
        if (counts && b_.weights != nullptr) {
          weight = b_.weights[row * b_.weights_row + (first + i) * b_.weights_column];
          counts = faults_->check_weight(weight, place) && weight > 0.0;
        }
      }
      if (counts && !(score == score && is_relevance(relevance, rules_.binary))) {
        counts = false;
        if (!is_relevance(relevance, rules_.binary)) faults_->add(kBadTarget, place, bits_of(targets_[i]));
        if (score != score) faults_->add(kBadPreds, place, place);
      }
      add(first + i, score, relevance, weight, counts);
    }
  }

  const DocumentRows& b_;
  const DocumentRules& rules_;
  Faults* faults_;
  std::vector<double> targets_;
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

  void few(const float* scores, const float* relevance, int n, float* to_scores, float* to_relevance) {
    int32_t* keys = few_keys_;
    float* few_scores = few_scores_;
    float* few_relevance = few_relevance_;
    for (int i = 0; i < n; ++i) {
      few_scores[i] = scores[i];
      few_relevance[i] = relevance[i];
      keys[i] = static_cast<int32_t>(place_key(scores[i]) ^ 0x80000000u);
    }
    for (int i = n; i < n + kBlock; ++i) keys[i] = INT32_MAX;
    for (int first = 0; first < n; first += kBlock) {
      const I32s a = load<I32s>(keys + first), b = load<I32s>(keys + first + kLanes);
      const I32s at_a = lane_numbers<I32s>() + first, at_b = at_a + kLanes;
      I32s before_a = {}, before_b = {};  // less how many
      const int middle = std::min(n, first + kBlock);
      for (int j = 0; j < first; ++j) {
        before_a += keys[j] <= a;
        before_b += keys[j] <= b;
      }
      for (int j = first; j < middle; ++j) {
        before_a += (keys[j] < a) | ((keys[j] == a) & (j < at_a));
        before_b += (keys[j] < b) | ((keys[j] == b) & (j < at_b));
      }
      for (int j = middle; j < n; ++j) {
        before_a += keys[j] < a;
        before_b += keys[j] < b;
      }
      int32_t places[kBlock];
      store(-before_a, places);
      store(-before_b, places + kLanes);
      for (int i = first; i < middle; ++i) {
        to_scores[places[i - first]] = few_scores[i];
        to_relevance[places[i - first]] = few_relevance[i];
      }
    }
  }

  std::vector<float> scores_, relevance_;
  std::vector<uint64_t> packed_;
  std::vector<Keyed<uint32_t>> keyed_;
  int32_t few_keys_[kFewDocuments + kBlock];
  float few_scores_[kFewDocuments], few_relevance_[kFewDocuments];
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

// sums[i]: of the discounts 1 / log2(place + 2) of i places.
std::vector<double> discount_sums(int64_t places) {
  std::vector<double> sums(places + 1);
  for (int64_t i = 0; i < places; ++i) sums[i + 1] = sums[i] + 1.0 / std::log2(static_cast<double>(i + 2));
  return sums;
}

// Where the measures of queries are written.
struct ToValues {
  QueryValues to;
  int64_t queries, ks, q;

  void total(int64_t documents, double relevance) const {
    to.totals[q] = static_cast<double>(documents);
    to.totals[queries + q] = relevance;
  }
  void put(int64_t row, int64_t k, double value) const { to.values[(row * ks + k) * queries + q] = value; }
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
  Walk(const MeasureOptions& options, const std::vector<double>& discounts) : o_(options), discounts_(discounts) {
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
  void put(int measure, int64_t k, double value) {
    if (row_[measure] >= 0) to_.put(row_[measure], k, value);
  }
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
      for (int64_t i = 0; i < n; ++i) hits_[i + 1] = hits_[i] + relevance_[i];
      return;
    }
    for_ties(n_, [&](int64_t begin, int64_t end) {
      const double sum = sum_of(relevance_ + begin, end - begin), documents = static_cast<double>(end - begin);
      for (int64_t i = begin; i < end; ++i) {
        hits_[i + 1] = hits_[begin] + sum * (static_cast<double>(i + 1 - begin) / documents);
      }
    });
  }

  // What is made of the relevance of the first k documents.
  void counts() {
    int64_t relevant = 0;  // documents
    for (int64_t i = 0; i < n_; ++i) relevant += relevance_[i] > 0.0f;
    const int64_t deepest = std::min(n_, std::max(deepest_, wants(kRPrecision) ? relevant : 0));
    int64_t positive = 0;  // documents with a score above 0
    while (positive < n_ && scores_[positive] > 0.0f) ++positive;
    add_up(deepest);
    int64_t first = INT64_MAX;
    for (int64_t i = 0; i < positive && first == INT64_MAX; ++i) {
      if (relevance_[i] > 0.0f) first = i;
    }
    if (wants(kAveragePrecision)) {
      const int64_t last = std::min(deepest, positive);
      precisions_.resize(last + 1);
      precisions_[0] = 0.0;
      found_.resize(last + 1);
      found_[0] = 0;
      for (int64_t i = 0; i < last; ++i) {
        const bool is = relevance_[i] > 0.0f;
        found_[i + 1] = found_[i] + is;
        precisions_[i + 1] =
            precisions_[i] + (is ? static_cast<double>(found_[i + 1]) / static_cast<double>(i + 1) : 0.0);
      }
    }
    const double irrelevant = static_cast<double>(n_) - total_;
    for (int64_t k = 0; k < o_.count; ++k) {
      const int64_t seen = depth(k), scored = std::min(seen, positive);
      const double asked = static_cast<double>(o_.ks[k] == 0 ? n_ : o_.ks[k]), listed = static_cast<double>(seen);
      const double hits = hits_[seen], retrieved = hits_[scored];
      put(kPrecision, k, ratio(retrieved, asked));
      put(kAdaptivePrecision, k, ratio(retrieved, listed));
      put(kRecall, k, ratio(retrieved, total_));
      put(kHitRate, k, hits > 0.0 ? 1.0 : 0.0);
      put(kFallOut, k, ratio(listed - hits, irrelevant));
      put(kReciprocalRank, k, first < seen ? 1.0 / static_cast<double>(first + 1) : 0.0);
      if (wants(kAveragePrecision)) {
        put(kAveragePrecision, k, ratio(precisions_[scored], static_cast<double>(found_[scored])));
      }
      if (wants(kRPrecision)) put(kRPrecision, k, ratio(hits_[relevant], static_cast<double>(relevant)));
      put(kCurvePrecision, k, ratio(hits, asked));
      put(kAdaptiveCurvePrecision, k, ratio(hits, listed));
      put(kCurveRecall, k, ratio(hits, total_));
    }
  }

  static double ratio(double part, double whole) { return whole > 0.0 ? part / whole : 0.0; }

  double gain(double relevance) const { return o_.exponential ? std::exp2(relevance) - 1.0 : relevance; }

  // The gain of places [begin, end), of which each has this one, among the first k.
  double discounted(double each, int64_t begin, int64_t end, int64_t k) const {
    return each * (discounts_[std::min(end, k)] - discounts_[std::min(begin, k)]);
  }

  // ideal_: the grades of relevant documents, and how many have each, the best first.
  void grade() {
    ideal_.clear();
    for (int64_t i = 0; i < n_ && ideal_.size() <= kFewGrades; ++i) {
      if (relevance_[i] == 0.0f) continue;
      size_t at = 0;
      while (at < ideal_.size() && ideal_[at].first != relevance_[i]) ++at;
      if (at == ideal_.size()) ideal_.emplace_back(relevance_[i], 0);
      ++ideal_[at].second;
    }
    if (ideal_.size() > kFewGrades) {
      ideal_.clear();
      for (int64_t i = 0; i < n_; ++i) ideal_.emplace_back(relevance_[i], 1);
    }
    std::sort(ideal_.begin(), ideal_.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  }

  void gains() {
    grade();
    const bool averaged = o_.ties == TieOrder::kDefault || o_.ties == TieOrder::kAverage;
    for (int64_t k = 0; k < o_.count; ++k) {
      const int64_t seen = depth(k);
      double found = 0.0;
      if (averaged) {
        for_ties(n_, [&](int64_t begin, int64_t end) {
          if (begin >= seen) return;
          double sum = 0.0;
          for (int64_t i = begin; i < end; ++i) sum += gain(relevance_[i]);
          if (sum != 0.0) found += discounted(sum / static_cast<double>(end - begin), begin, end, seen);
        });
      } else {
        for (int64_t i = 0; i < seen; ++i) {
          if (relevance_[i] != 0.0f) found += discounted(gain(relevance_[i]), i, i + 1, seen);
        }
      }
      double most = 0.0;
      int64_t place = 0;
      for (const auto& [grade, documents] : ideal_) {
        most += discounted(gain(grade), place, place + documents, seen);
        place += documents;
      }
      put(kNormalizedDCG, k, ratio(found, most));
    }
  }

  // The area under the ROC curve of the first k documents, of which the relevant ones are those with 1.
  void areas() {
    for (int64_t k = 0; k < o_.count; ++k) {
      const int64_t seen = depth(k);
      double positives = 0.0;
      for (int64_t i = 0; i < seen; ++i) positives += relevance_[i] >= 1.0f;
      const double negatives = static_cast<double>(seen) - positives;
      double area = 0.0;
      if (positives > 0.0 && negatives > 0.0) {
        const double limit = o_.max_fpr * negatives;  // of the false positives that count
        double tp = 0.0, fp = 0.0;
        for_ties(seen, [&](int64_t begin, int64_t end) {
          double more = 0.0;
          for (int64_t i = begin; i < end; ++i) more += relevance_[i] >= 1.0f;
          const double wide = static_cast<double>(end - begin) - more, taken = std::min(wide, limit - fp);
          if (taken > 0.0) area += taken * (tp + 0.5 * more * taken / wide);
          tp += more;
          fp += wide;
        });
        area /= positives * negatives;
        if (o_.max_fpr < 1.0) {
          const double least = 0.5 * o_.max_fpr * o_.max_fpr;
          area = 0.5 * (1.0 + (area - least) / (o_.max_fpr - least));
        }
      }
      put(kAUROC, k, area);
    }
  }

  static constexpr size_t kFewGrades = 8;

  const MeasureOptions& o_;
  const std::vector<double>& discounts_;
  int64_t row_[kMeasures];
  int64_t deepest_ = 0;
  To to_{};
  int64_t n_ = 0;
  double total_ = 0.0;
  const float* scores_ = nullptr;
  const float* relevance_ = nullptr;
  std::vector<float> untied_;
  std::vector<double> hits_, precisions_;
  std::vector<int64_t> found_;
  std::vector<std::pair<float, int64_t>> ideal_;
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
      reader.read(row, first, step, [&](int64_t i, float score, float relevant, double, bool counts) {
        scores[row * b.documents + i] = counts ? score : std::numeric_limits<float>::quiet_NaN();
        relevance[row * b.documents + i] = counts ? relevant : 0.0f;
      });
    }
  });
  Faults::record(found, faults);
}

void sort_queries(const int64_t* indexes, const float* scores, const float* relevance, int64_t n, int64_t* ids,
                  int64_t* starts, float* sorted_scores, float* sorted_relevance, int64_t* counts) {
  bool sorted = true, whole = true;
  for (int64_t i = 0; i < n; ++i) whole &= scores[i] == scores[i];
  for (int64_t i = 1; i < n; ++i) sorted &= indexes[i - 1] <= indexes[i];
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
  int64_t most = 0;
  for (int64_t q = 0; q < rankings.queries; ++q) {
    most = std::max(most, rankings.starts[q + 1] - rankings.starts[q]);
  }
  const std::vector<double> discounts = discount_sums(options.wanted >> kNormalizedDCG & 1 ? most : 0);
  const int64_t documents = rankings.queries > 0 ? rankings.starts[rankings.queries] : 0;
  split(rankings.queries, threads_for(documents), [&](int, int64_t first, int64_t last) {
    Walk<ToValues> walk(options, discounts);
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

void add_rows(const DocumentRows& b, const DocumentRules& rules, const MeasureOptions& options,
              const std::vector<double>& discounts, const QuerySums& to, int64_t* faults) {
  std::vector<Faults> found(kMostParts);
  add_in_parts(b.queries, b.queries * b.documents, options, to,
               [&](int64_t part, int64_t begin, int64_t end, const QuerySums& sums) {
                 Reader reader(b, rules, &found[part]);
                 Order order;
                 Walk<ToSums> walk(options, discounts);
                 std::vector<float> scores(b.documents), relevance(b.documents);
                 for (int64_t q = begin; q < end; ++q) {
                   int64_t n = 0;
                   double weight = 0.0;
                   auto add = [&](int64_t, float score, float relevant, double of_document, bool counts) {
                     scores[n] = score;
                     relevance[n] = relevant;
                     n += counts;
                     if (counts) weight = std::max(weight, of_document);
                   };
                   for (int64_t at = 0; at < b.documents; at += kChunk) {
                     reader.read(q, at, std::min(kChunk, b.documents - at), add);
                   }
                   if (n == 0) continue;
                   order.sort(scores.data(), relevance.data(), n, scores.data(), relevance.data());
                   walk.query({sums, options.count, weight}, scores.data(), relevance.data(), n);
                 }
               });
  Faults::record(found, faults);
}

}  // namespace

void add_queries(const DocumentRows& b, const int64_t* indexes, const DocumentRules& rules,
                 const MeasureOptions& options, const QuerySums& to, int64_t* faults) {
  const bool gains = options.wanted >> kNormalizedDCG & 1;
  const int64_t n = b.queries * b.documents;
  const std::vector<double> discounts = discount_sums(!gains ? 0 : indexes == nullptr ? b.documents : n);
  if (indexes == nullptr) {
    add_rows(b, rules, options, discounts, to, faults);
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
  add_in_parts(counts[0], counts[1], options, to, [&](int64_t, int64_t begin, int64_t end, const QuerySums& sums) {
    Walk<ToSums> walk(options, discounts);
    for (int64_t q = begin; q < end; ++q) {
      const int64_t at = starts[q];
      // sorted as the documents are, so that the last one of a query has its greatest weight
      const double weight = weights.empty() ? 1.0 : weights[starts[q + 1] - 1].second;
      walk.query({sums, options.count, weight}, sorted_scores.data() + at, sorted_relevance.data() + at,
                 starts[q + 1] - at);
    }
  });
}

}  // namespace fastmetrics
