// SPDX-License-Identifier: Apache-2.0
//
// What the kernels of the binary pass over weighted elements, and of the one over groups, are given. Their meaning is
// binary_weighted_body in fastmetrics/passes/binary.py and binary_groups_body in fastmetrics/passes/binary_groups.py.

#pragma once

#include "passes/binary.h"

namespace fastmetrics {

// An element is a score or a label, and a target, at a place of the batch.
struct BinaryCells {
  BinaryBatch batch;    // with the label as a dimension of the samples like any other
  BinaryGroups groups;  // data is null where the place says the group
  int64_t per_group;    // then: elements after another that are of one group

  FM_HD int64_t elements() const { return batch.samples.samples(); }

  // The value that says the group of element i.
  FM_HD int64_t group_of(int64_t i) const {
    if (groups.data == nullptr) return i / per_group % groups.count;
    return label_at(groups.data, groups.type, groups.layout.offset(i, groups.layout.a_stride));
  }
};

}  // namespace fastmetrics
