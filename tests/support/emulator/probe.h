// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

namespace fastmetrics {

// out: int64 [256].
cudaError_t launch_warp_probe(int what, int64_t* out);
cudaError_t launch_wrong_probe(int what, int64_t* out);
// in, out: int64 [256].
cudaError_t launch_copy_probe(int what, const int64_t* in, int64_t* out);
// out: int64 [blocks]; finished, sum: int64 [1].
cudaError_t launch_last_probe(int fences, int64_t blocks, int64_t* out, int64_t* finished, int64_t* sum);

}  // namespace fastmetrics
