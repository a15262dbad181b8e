// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operator to what the loops are given; checks everything that they rely on.

#pragma once

#include "common/view.h"
#include "passes/token_rows.h"

namespace fastmetrics {

// logits: [..., V]; target: int64 [N]; own: float64 [N]; out: float64 [kTokenValues, N].
inline TokenRowsBatch token_rows_batch(const View& logits, const View& target, bool entropy, bool rank,
                                       const OptionalView& own, const View& out) {
  TokenRowsBatch b{};
  b.type = dtype_of(logits);
  const int64_t dims = logits.dim() - 1;
  require(is_floating(b.type) && dims >= 0 && dims < kMaxDims, "token_rows: logits must be floats, [..., V]");
  require(dtype_of(target) == DType::kInt64 && target.dim() == 1 && target.is_contiguous(),
          "token_rows: target must be int64, [N], contiguous");
  for (int64_t d = 0; d < dims; ++d) b.tokens.push(logits.size(d), logits.stride(d), 0);
  b.tokens.collapse(0);
  require(b.tokens.samples() == target.numel(), "token_rows: there must be as many targets as tokens");
  b.logits = logits.const_data_ptr();
  b.vocabulary = logits.size(dims);
  require(b.vocabulary < INT32_MAX, "token_rows: the vocabulary is too large");
  b.a_logit = logits.stride(dims);
  b.target = static_cast<const int64_t*>(target.const_data_ptr());
  b.entropy = entropy;
  b.rank = rank;
  if (own.has_value()) {
    require(own->dtype() == DType::kDouble && own->numel() == target.numel() && own->is_contiguous(),
            "token_rows: own must be float64, [N], contiguous");
    b.own = static_cast<const double*>(own->const_data_ptr());
  }
  b.out = static_cast<double*>(out.mutable_data_ptr());
  return b;
}

}  // namespace fastmetrics
