// SPDX-License-Identifier: Apache-2.0
//
// Tensors that are walked together, in as few dimensions as their strides allow.

#pragma once

#include <cstdint>

#include "rules/macros.h"

namespace fastmetrics {

constexpr int kMaxDims = 16;

// Dimensions of the samples, outermost first; the last one is the run that inner loops walk. Strides count elements.
// Any number of samples has one of these forms; contiguous inputs have one dimension.
struct Layout {
  int dims = 0;
  int64_t size[kMaxDims];
  int64_t a_stride[kMaxDims];  // of preds
  int64_t b_stride[kMaxDims];  // of target
  int64_t c_stride[kMaxDims];  // of the mask of valid samples, if there is one
  int64_t d_stride[kMaxDims];  // of the weights, if there are any

  void push(int64_t n, int64_t a, int64_t b, int64_t c = 0, int64_t d = 0) {
    size[dims] = n;
    a_stride[dims] = a;
    b_stride[dims] = b;
    c_stride[dims] = c;
    d_stride[dims] = d;
    ++dims;
  }

  FM_HD int64_t samples() const {
    int64_t n = 1;
    for (int d = 0; d < dims; ++d) n *= size[d];
    return n;
  }

  // Merge neighbours that one stride can walk, keeping the first `keep` dimensions as they are, and leave at least one
  // more than that. The order of the samples does not change.
  void collapse(int keep) {
    int to = keep;
    for (int d = keep; d < dims; ++d) {
      if (size[d] == 1) continue;
      const bool walks_on = to > keep && a_stride[to - 1] == a_stride[d] * size[d] &&
                            b_stride[to - 1] == b_stride[d] * size[d] && c_stride[to - 1] == c_stride[d] * size[d] &&
                            d_stride[to - 1] == d_stride[d] * size[d];
      if (walks_on) {
        size[to - 1] *= size[d];
      } else {
        size[to++] = size[d];
      }
      a_stride[to - 1] = a_stride[d];
      b_stride[to - 1] = b_stride[d];
      c_stride[to - 1] = c_stride[d];
      d_stride[to - 1] = d_stride[d];
    }
    dims = to;
    if (dims == keep) push(1, 0, 0);
  }

  // Offsets of sample `i` in preds and target, and how many samples of its run follow, itself included.
  FM_HD int64_t locate(int64_t i, int64_t* a, int64_t* b) const {
    *a = *b = 0;
    int64_t left = size[0] - i;
#ifdef __CUDA_ARCH__
#pragma unroll 1
#endif
    for (int d = dims - 1; d > 0; --d) {
      const int64_t at = i % size[d];
      i /= size[d];
      if (d == dims - 1) left = size[d] - at;
      *a += at * a_stride[d];
      *b += at * b_stride[d];
    }
    *a += i * a_stride[0];  // what is left is the index there: one dimension takes no division
    *b += i * b_stride[0];
    return left;
  }

  // Offset of sample `i` in the tensor with these strides.
  FM_HD int64_t offset(int64_t i, const int64_t* stride) const {
    int64_t at = 0;
#ifdef __CUDA_ARCH__
#pragma unroll 1
#endif
    for (int d = dims - 1; d > 0; --d) {
      at += i % size[d] * stride[d];
      i /= size[d];
    }
    return at + i * stride[0];
  }
};

}  // namespace fastmetrics
