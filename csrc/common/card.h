// SPDX-License-Identifier: Apache-2.0
//
// What launches depend on.

#pragma once

#include <cuda_runtime_api.h>

namespace fastmetrics {

struct Card {
  int device = -1;
  int multiprocessors = 1;
  int shared_of_block = 0;           // bytes that a block may ask for
  int shared_of_multiprocessor = 0;  // bytes
};

// Of the current device, which is asked once. The source that registers the operators has it, so that those of kernels
// need no header of the standard library that takes long to read.
cudaError_t current_card(Card* card);

}  // namespace fastmetrics
