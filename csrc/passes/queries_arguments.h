// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operators to what the loops are given; checks everything that they rely on.

#pragma once

#include "common/view.h"
#include "passes/queries.h"

namespace fastmetrics {

// preds, target, valid, weights: [Q, K].
inline DocumentRows document_rows(const char* name, const View& preds, const View& target, const OptionalView& valid,
                                  const OptionalView& weights) {
  require(is_floating(preds.dtype()) && preds.dim() == 2, name, ": preds must be scores, [Q, K]");
  require(target.dtype() != DType::kOther && target.dim() == 2 && target.size(0) == preds.size(0) &&
              target.size(1) == preds.size(1),
          name, ": target must be real, of the shape of preds");
  check_per_sample(valid, target, DType::kBool, "valid must be bool, of the shape of target");
  check_per_sample(weights, target, DType::kDouble, "weights must be float64, of the shape of target");
  DocumentRows b{};
  b.preds = preds.const_data_ptr();
  b.preds_type = preds.dtype();
  b.target = target.const_data_ptr();
  b.target_type = target.dtype();
  b.queries = preds.size(0);
  b.documents = preds.size(1);
  b.preds_row = preds.stride(0);
  b.preds_column = preds.stride(1);
  b.target_row = target.stride(0);
  b.target_column = target.stride(1);
  if (valid.has_value()) {
    b.valid = static_cast<const bool*>(valid->const_data_ptr());
    b.valid_row = valid->stride(0);
    b.valid_column = valid->stride(1);
  }
  if (weights.has_value()) {
    b.weights = static_cast<const double*>(weights->const_data_ptr());
    b.weights_row = weights->stride(0);
    b.weights_column = weights->stride(1);
  }
  return b;
}

// scores, relevance: float32 [N]; starts: int64 [Q + 1].
inline Rankings rankings_of(const View& scores, const View& relevance, const View& starts) {
  const int64_t n = scores.numel(), queries = starts.numel() - 1;
  require(queries >= 0, "query_values_: starts must be int64, [Q + 1]");
  const Rankings rankings{
      in_line<float>(scores, DType::kFloat, n, "query_values_: scores must be float32, [N]"),
      in_line<float>(relevance, DType::kFloat, n, "query_values_: relevance must be float32, [N]"),
      in_line<int64_t>(starts, DType::kInt64, queries + 1, "query_values_: starts must be int64, [Q + 1]"), queries};
  bool ascending = rankings.starts[0] >= 0 && rankings.starts[queries] <= n;
  for (int64_t q = 0; q < queries; ++q) ascending &= rankings.starts[q] <= rankings.starts[q + 1];
  require(ascending, "query_values_: starts must ascend in [0, N]");
  return rankings;
}

// measures, ks: int64 [R].
inline MeasureOptions measure_options(const char* name, const View& measures, const View& ks, int64_t ties,
                                      bool exponential, double max_fpr) {
  require(measures.dtype() == DType::kInt64 && measures.is_contiguous(), name, ": measures must be int64, [R]");
  require(ks.dtype() == DType::kInt64 && ks.is_contiguous() && ks.numel() == measures.numel(), name,
          ": ks must be int64, [R]");
  require(ties >= 0 && ties <= static_cast<int64_t>(TieOrder::kAverage), name, ": ties must be an order");
  const int64_t *m = static_cast<const int64_t*>(measures.const_data_ptr()),
                *k = static_cast<const int64_t*>(ks.const_data_ptr());
  for (int64_t i = 0; i < ks.numel(); ++i) {
    require(m[i] >= 0 && m[i] < kMeasures, name, ": measures must be numbers of those that there are");
    require(k[i] >= 0, name, ": ks must be at least 0");
  }
  return {m, k, ks.numel(), static_cast<TieOrder>(ties), exponential, max_fpr};
}

// values: float64 [Q, R]; totals: float64 [2, Q].
inline QueryValues values_of(const MeasureOptions& options, int64_t queries, const State& values, const State& totals) {
  return {state_data<double>(values, DType::kDouble, queries * options.count, "values, float64 [Q, R]"),
          state_data<double>(totals, DType::kDouble, 2 * queries, "totals, float64 [2, Q]")};
}

// sums: float64 [R]; counts: float64 [3].
inline QuerySums sums_of(const MeasureOptions& options, const State& sums, const State& counts) {
  return {state_data<double>(sums, DType::kDouble, options.count, "sums, float64 [R]"),
          state_data<double>(counts, DType::kDouble, 3, "counts, float64 [3]")};
}

}  // namespace fastmetrics
