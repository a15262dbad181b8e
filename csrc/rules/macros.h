// SPDX-License-Identifier: Apache-2.0
//
// FM_HD marks what both a CPU loop and a CUDA kernel call.

#pragma once

#ifdef __CUDACC__
#define FM_HD __host__ __device__ __forceinline__
#else
#define FM_HD inline
#endif
