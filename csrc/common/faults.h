// SPDX-License-Identifier: Apache-2.0
//
// The record of values out of range, int64 [kFaults]; FAULTS in fastmetrics/passes/operator.py.

#pragma once

#include <cstdint>

namespace fastmetrics {

constexpr int64_t kFaults = 9;

// faults[2 * which] counts the bad values, faults[2 * which + 1] is the first of them.
enum { kBadTarget = 0, kBadPreds = 1 };

// Scratch of the CUDA kernels, zero between calls: how many are bad in this batch and where the first is, as
// kNoPlace - place; and how many blocks have finished.
enum { kScratchCount = 4, kScratchPlace = 6, kScratchBlocks = 8 };

}  // namespace fastmetrics
