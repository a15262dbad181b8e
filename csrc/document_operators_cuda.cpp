// SPDX-License-Identifier: Apache-2.0
//
// The operators of documents and the tokens in them, on a GPU: what is given is checked here and goes to launches that
// know no torch.

#include "common/operator_cuda.h"
#include "passes/token_rows_arguments.h"
#include "passes/token_rows_cuda.h"

namespace fastmetrics {
namespace {

Tensor token_rows(const Tensor logits, const Tensor target, bool entropy, bool rank, OptionalTensor own) {
  const OptionalTensor tensors[] = {logits, target, own};
  const Target::Guard guard(Target::device_of(tensors, 3));
  Tensor out = torch::stable::new_empty(logits, {kTokenValues, target.numel()}, torch::headeronly::ScalarType::Double);
  const TokenRowsBatch b = token_rows_batch(logits, target, entropy, rank, own, out);
  with_scratch("token_rows", token_rows_scratch(b),
               [&](const Scratch& scratch, cudaStream_t stream) { return launch_token_rows(b, scratch, stream); });
  return out;
}

}  // namespace
}  // namespace fastmetrics

// This returns a new tensor.
STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl("token_rows", TORCH_BOX(&fastmetrics::token_rows)); }
