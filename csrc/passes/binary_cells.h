// SPDX-License-Identifier: Apache-2.0
//
// What the binary pass over weighted elements, and over those of given rows, is given: each is counted in a cell of its
// row and label. Its meaning is binary_body in fastmetrics/passes/binary.py.

#pragma once

#include "passes/binary.h"

namespace fastmetrics {

struct BinaryCells {
  BinaryBatch batch;  // with the label as a dimension of the samples like any other
  BinaryRows rows;
  int64_t* samples;  // [S], the valid elements of each row; null: they are not wanted

  FM_HD int64_t elements() const { return batch.samples.samples(); }
  // On the card, where one more is for the valid elements that are not counted, if samples are wanted.
  FM_HD int cells_of_place() const { return kCells + (samples != nullptr); }
};

}  // namespace fastmetrics
