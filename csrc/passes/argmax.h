// SPDX-License-Identifier: Apache-2.0
//
// Argmax of samples, and the ranks of their targets, in the order of rules/order.h.

#pragma once

#include "common/dtype.h"

namespace fastmetrics {

// Sample i has the score of its class c at data[i * sample + c * klass].
struct Scores {
  const void* data;
  DType type;
  int64_t sample, klass, classes;
};

// labels: [n].
void argmax(const Scores& s, int n, int32_t* labels);

// The greatest scores, too, [n]. Returns whether it is known that all scores lie in [0, 1].
bool argmax_and_greatest(const Scores& s, int n, int32_t* labels, double* greatest);

// Ranks of the targets in [0, classes), too; the others are left as they are. target and ranks: [n].
void argmax_and_ranks(const Scores& s, int n, const int32_t* target, int32_t* labels, int32_t* ranks);

// Of sixteen rows, whose scores are neighbours, of fewer than kLongRow classes; for who calls it again and again.
using ArgmaxOfSixteen = void(const void* data, int64_t sample, int32_t classes, int32_t* labels);
ArgmaxOfSixteen* argmax_of_sixteen(DType type);

// Rows of fewer classes are read several at a time, one after another; longer ones in ranges of the n samples.
constexpr int64_t kLongRow = 64;

}  // namespace fastmetrics
