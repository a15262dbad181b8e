// SPDX-License-Identifier: Apache-2.0

#include "passes/token_rows_cuda.h"

#include "common/cuda.h"
#include "passes/token_rows_arguments.h"

namespace fastmetrics {
namespace {

Tensor token_rows_cuda(const Tensor logits, const Tensor target, bool entropy, bool rank, OptionalTensor own) {
  on_device_of(logits, "token_rows", {&target}, {&own});
  const torch::stable::accelerator::DeviceGuard guard(logits.get_device_index());
  Tensor out = torch::stable::new_empty(logits, {kTokenValues, target.numel()}, torch::headeronly::ScalarType::Double);
  const TokenRowsBatch b = token_rows_batch(logits, target, entropy, rank, own, out);
  Tensor workspace =
      torch::stable::new_empty(logits, {(token_rows_workspace(b) + 7) / 8}, torch::headeronly::ScalarType::Long);
  check("token_rows", launch_token_rows(b, workspace.mutable_data_ptr(), current_stream(logits)));
  return out;
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl("token_rows", TORCH_BOX(&fastmetrics::token_rows_cuda)); }
