// SPDX-License-Identifier: Apache-2.0
//
// The record of values out of range, int64 [kFaults]; FAULTS in fastmetrics/passes/faults.py.

#pragma once

#include <cstdint>

namespace fastmetrics {

constexpr int64_t kFaults = 15;

// faults[2 * which] counts the bad values, faults[2 * which + 1] is the first of them; of a weight, its bits. Groups
// are recorded by the pass that counts them alone.
enum { kBadTarget = 0, kBadPreds = 1, kBadWeight = 2, kKindsOfFault = 3, kBadGroup = 3 };

// Scratch of the CUDA kernels, zero between calls: of each kind, how many are bad in this batch and where the first is,
// as kNoPlace - place; and how many blocks have finished.
enum { kScratchCount = 8, kScratchPlace = 11, kScratchBlocks = 14 };

}  // namespace fastmetrics
