// SPDX-License-Identifier: Apache-2.0
//
// The operators of documents, rankings of them and the tokens that they are of: what is given is checked here and goes
// to loops that know no torch.

#include "common/cpu.h"
#include "common/operator.h"
#include "passes/loops_cpu.h"
#include "passes/queries_arguments.h"
#include "passes/token_rows_arguments.h"

namespace fastmetrics {
namespace {

void keep_query_documents(View preds, View target, OptionalView valid, OptionalView weights, State scores,
                          State relevance, OptionalState faults, int64_t ignore_index, bool has_ignore_index,
                          bool binary) {
  const DocumentRows b = document_rows("keep_documents_", preds, target, valid, weights);
  const int64_t n = b.queries * b.documents;
  keep_documents(b, {static_cast<double>(ignore_index), has_ignore_index, binary},
                 state_data<float>(scores, DType::kFloat, n, "scores, float32 [N]"),
                 state_data<float>(relevance, DType::kFloat, n, "relevance, float32 [N]"), faults_data(faults));
}

void sort_of_queries(View indexes, View scores, View relevance, State ids, State starts, State sorted_scores,
                     State sorted_relevance, State counts) {
  const int64_t n = indexes.numel();
  require(n < UINT32_MAX, "sort_queries_: at most 2^32 documents");
  sort_queries(in_line<int64_t>(indexes, DType::kInt64, n, "sort_queries_: indexes must be int64, [N]"),
               in_line<float>(scores, DType::kFloat, n, "sort_queries_: scores must be float32, [N]"),
               in_line<float>(relevance, DType::kFloat, n, "sort_queries_: relevance must be float32, [N]"), n,
               state_data<int64_t>(ids, DType::kInt64, n, "ids, int64 [N]"),
               state_data<int64_t>(starts, DType::kInt64, n + 1, "starts, int64 [N + 1]"),
               state_data<float>(sorted_scores, DType::kFloat, n, "sorted_scores, float32 [N]"),
               state_data<float>(sorted_relevance, DType::kFloat, n, "sorted_relevance, float32 [N]"),
               state_data<int64_t>(counts, DType::kInt64, 2, "counts, int64 [2]"));
}

void values_of_queries(View scores, View relevance, View starts, View measures, View ks, State values, State totals,
                       int64_t ties, bool exponential, double max_fpr) {
  const MeasureOptions options = measure_options("query_values_", measures, ks, ties, exponential, max_fpr);
  const Rankings rankings = rankings_of(scores, relevance, starts);
  query_values(rankings, options, values_of(options, rankings.queries, values, totals));
}

void sums_of_rankings(View scores, View relevance, View starts, OptionalView weights, View measures, View ks,
                      State sums, State counts, int64_t ties, bool exponential, double max_fpr) {
  const MeasureOptions options = measure_options("ranking_sums_", measures, ks, ties, exponential, max_fpr);
  const Rankings rankings = rankings_of(scores, relevance, starts);
  const double* of_queries = nullptr;
  if (weights.has_value()) {
    of_queries =
        in_line<double>(*weights, DType::kDouble, rankings.queries, "ranking_sums_: weights must be float64, [Q]");
  }
  add_rankings(rankings, of_queries, options, sums_of(options, sums, counts));
}

void sums_of_queries(View preds, View target, OptionalView indexes, OptionalView valid, OptionalView weights,
                     View measures, View ks, State sums, State counts, OptionalState faults, int64_t ties,
                     bool exponential, double max_fpr, int64_t ignore_index, bool has_ignore_index, bool binary) {
  const MeasureOptions options = measure_options("query_sums_", measures, ks, ties, exponential, max_fpr);
  const DocumentRows b = document_rows("query_sums_", preds, target, valid, weights);
  const int64_t n = b.queries * b.documents;
  require(!indexes.has_value() || n < UINT32_MAX, "query_sums_: at most 2^32 documents with indexes");
  add_queries(b,
              indexes.has_value()
                  ? in_line<int64_t>(*indexes, DType::kInt64, n, "query_sums_: indexes must be int64, as many as preds")
                  : nullptr,
              {static_cast<double>(ignore_index), has_ignore_index, binary}, options, sums_of(options, sums, counts),
              faults_data(faults));
}

using torch::headeronly::ScalarType;
using torch::stable::new_empty;

void token_rows_into(View logits, View target, bool entropy, bool rank, OptionalView own, Output out) {
  require(out.dtype() == DType::kDouble && out.is_contiguous() && out.numel() == kTokenValues * target.numel(),
          "token_rows: out must be float64, [5, N]");
  compute_token_rows(token_rows_batch(logits, target, entropy, rank, own, out));
}

Tensor token_rows(const Tensor logits, const Tensor target, bool entropy, bool rank, const OptionalTensor own) {
  Tensor out = new_empty(logits, {kTokenValues, target.numel()}, ScalarType::Double);
  token_rows_into(logits, target, entropy, rank, own.has_value() ? OptionalView(*own) : OptionalView(), out);
  return out;
}

}  // namespace
}  // namespace fastmetrics

FM_CPU_OPERATOR("keep_documents_", &fastmetrics::keep_query_documents)
FM_CPU_OPERATOR("sort_queries_", &fastmetrics::sort_of_queries)
FM_CPU_OPERATOR("query_values_", &fastmetrics::values_of_queries)
FM_CPU_OPERATOR("ranking_sums_", &fastmetrics::sums_of_rankings)
FM_CPU_OPERATOR("query_sums_", &fastmetrics::sums_of_queries)

// This returns a new tensor; a direct call is given the one to write.
STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) { m.impl("token_rows", TORCH_BOX(&fastmetrics::token_rows)); }
FM_DIRECT_CALL("token_rows", &fastmetrics::token_rows_into)
