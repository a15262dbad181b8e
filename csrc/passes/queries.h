// SPDX-License-Identifier: Apache-2.0
//
// Documents that were scored for queries, and the values of every query. The meaning is in
// fastmetrics/passes/queries.py.

#pragma once

#include "common/dtype.h"

namespace fastmetrics {

// Which documents count, and what they may be.
struct DocumentRules {
  double ignore_index;
  bool has_ignore_index;
  bool binary;  // relevance is at most 1
};

// Scores and relevance, [queries, documents]; strides count elements. valid: null if all are; weights: null for ones.
struct DocumentRows {
  const void* preds;
  DType preds_type;
  const void* target;
  DType target_type;
  const bool* valid;
  const double* weights;
  int64_t queries, documents;
  int64_t preds_row, preds_column, target_row, target_column, valid_row, valid_column, weights_row, weights_column;
};

// Documents sorted by query, and by descending scores; those of query q are in [starts[q], starts[q + 1]).
struct Rankings {
  const float* scores;
  const float* relevance;
  const int64_t* starts;
  int64_t queries;

  // The most documents of a query.
  int64_t most() const {
    int64_t n = 0;
    for (int64_t q = 0; q < queries; ++q) n = starts[q + 1] - starts[q] > n ? starts[q + 1] - starts[q] : n;
    return n;
  }
};

// The numbers of the measures.
enum Measure {
  kPrecision,
  kAdaptivePrecision,
  kRecall,
  kHitRate,
  kFallOut,
  kAveragePrecision,
  kReciprocalRank,
  kRPrecision,
  kCurvePrecision,
  kAdaptiveCurvePrecision,
  kCurveRecall,
  kNormalizedDCG,
  kAUROC,
  kMeasures,
};

// How documents of equal scores are ordered: as they came, but nDCG takes the mean of all orders; as they came; the
// last one first; or all take the mean of all orders.
enum class TieOrder : int64_t { kDefault, kFirst, kLast, kAverage };

// Which measures are wanted: measures[i], a Measure, of the first ks[i] documents, 0 for all.
struct MeasureOptions {
  const int64_t* measures;  // [count]
  const int64_t* ks;        // [count]
  int64_t count;
  TieOrder ties;
  bool exponential;  // gains are 2^relevance - 1
  double max_fpr;
};

// values: [queries, count]; totals: [2, queries]: how many documents there are, and the sum of their relevance.
struct QueryValues {
  double* values;
  double* totals;
};

// To which queries are added. sums: [count]; counts: [3], how many queries there are, without relevant documents, and
// without others.
struct QuerySums {
  double* sums;
  double* counts;
};

// Writes the scores, NaN for what does not count, and the relevance of all documents, row after row.
void keep_documents(const DocumentRows& b, const DocumentRules& rules, float* scores, float* relevance,
                    int64_t* faults);

// indexes, scores, relevance: [n], as keep_documents wrote them. ids: [n], of which the first `counts[0]` are written;
// starts: [n + 1], likewise; sorted_scores, sorted_relevance: [n], of which counts[1] are.
void sort_queries(const int64_t* indexes, const float* scores, const float* relevance, int64_t n, int64_t* ids,
                  int64_t* starts, float* sorted_scores, float* sorted_relevance, int64_t* counts);

void query_values(const Rankings& rankings, const MeasureOptions& options, const QueryValues& to);

// weights: [queries], or null for ones.
void add_rankings(const Rankings& rankings, const double* weights, const MeasureOptions& options, const QuerySums& to);

// Adds queries whose documents are all here: those of a row, or those of the same index, [queries * documents].
void add_queries(const DocumentRows& b, const int64_t* indexes, const DocumentRules& rules,
                 const MeasureOptions& options, const QuerySums& to, int64_t* faults);

}  // namespace fastmetrics
