// SPDX-License-Identifier: Apache-2.0
//
// The kernel of the ranking pass; its meaning is ranking_body in fastmetrics/passes/ranking.py.
//
// A warp, or a block where labels are many, has a row. It keeps the keys of the scores in shared memory (rows too long
// for that are read again). Then a warp takes one relevant label after another, and its lanes compare it with all
// labels: R L / 32 steps for R relevant ones of L. There is no sort, which would cost more for the few relevant labels
// that rows mostly have.

#pragma once

#include "passes/rows_kernels.cuh"
#include "rules/order.h"

namespace fastmetrics {

// What a label is to its row.
enum LabelRole : uint8_t { kIrrelevant, kRelevant, kLeftOut, kWrong, kMasked };

struct RankingRole {
  RowsBatch b;

  // The role of label l, whose row begins at these offsets of target and valid.
  __device__ LabelRole of(int64_t l, int64_t b_row, int64_t c_row) const {
    if (b.valid != nullptr && !b.valid[c_row + l * b.places.c_stride[0]]) return kMasked;
    const int64_t target = label_at(b.target, b.target_type, b_row + l * b.places.b_stride[0]);
    if (b.has_ignore && target == b.ignore) return kLeftOut;
    return target == 0 ? kIrrelevant : target == 1 ? kRelevant : kWrong;
  }
};

// What one warp found of a row.
struct RankingOfWarp {
  double precision;
  unsigned coverage, relevant, irrelevant, flags;
  Count wrong;
};

enum { kHasValid = 1, kHasBad = 2 };

// The key of a score: 32 bits for floats of up to 32.
template <typename Key>
__device__ __forceinline__ Key key_of(double score) {
  if constexpr (sizeof(Key) == 4) {
    return order_key(static_cast<float>(score));
  } else {
    return order_key(score);
  }
}

// Sums: coverage, average precision, ranking loss, count. kStaged: keys and roles are in shared memory, for each row of
// the block Key [L] and then uint8 [L], `bytes` together. partial: [gridDim.x].
template <typename Key, int kLanes, bool kStaged>
FM_KERNEL ranking_kernel(const __grid_constant__ RankingRole role, const RankingSums to, int64_t rows, int bytes,
                         RowSums<4>* partial, int64_t* scratch, int64_t* faults) {
  extern __shared__ __align__(16) unsigned char shared[];
  __shared__ RankingOfWarp of_warp[kThreads / kWarp];
  __shared__ RowSums<4> of_block[kThreads];
  constexpr int kRows = kThreads / kLanes, kWarps = kLanes / kWarp;
  const RowsBatch& b = role.b;
  const int labels = static_cast<int>(b.places.size[0]);
  const int lane = static_cast<int>(threadIdx.x) % kLanes, of_block_row = static_cast<int>(threadIdx.x) / kLanes;
  const int warp = lane / kWarp, of_warp_lane = lane % kWarp;
  Key* keys = reinterpret_cast<Key*>(shared + of_block_row * bytes);
  LabelRole* roles = reinterpret_cast<LabelRole*>(keys + labels);
  RowSums<4> sums;
  BadOnes bad;
  // all threads go round together, so that they meet at the barriers
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * kRows; first < rows;
       first += static_cast<int64_t>(gridDim.x) * kRows) {
    const int64_t row = first + of_block_row;
    const bool any_row = row < rows;
    const int64_t a_row = any_row ? b.rows.offset(row, b.rows.a_stride) : 0;
    const int64_t b_row = any_row ? b.rows.offset(row, b.rows.b_stride) : 0;
    const int64_t c_row = any_row && b.valid != nullptr ? b.rows.offset(row, b.rows.c_stride) : 0;
    auto key_at = [&](int l) { return kStaged ? keys[l] : key_of<Key>(score_at(b, a_row + l * b.places.a_stride[0])); };
    auto role_at = [&](int l) { return kStaged ? roles[l] : role.of(l, b_row, c_row); };

    RankingOfWarp mine{};
    if (any_row) {
      for (int l = lane; l < labels; l += kLanes) {
        const LabelRole is = role.of(l, b_row, c_row);
        if constexpr (kStaged) {
          keys[l] = key_of<Key>(score_at(b, a_row + l * b.places.a_stride[0]));
          roles[l] = is;
        }
        if (is == kWrong) bad.add(kBadTarget, b.place_of(row, l, labels));
        mine.relevant += is == kRelevant;
        mine.irrelevant += is == kIrrelevant;
        mine.flags |= (is != kMasked ? kHasValid : 0) | (is == kWrong ? kHasBad : 0);
      }
    }
    __syncthreads();
    if (any_row) {
      for (int i = warp; i < labels; i += kWarps) {
        if (role_at(i) != kRelevant) continue;
        const Key own = key_at(i);
        unsigned above = 0, above_relevant = 0, wrong = 0;
        for (int j = of_warp_lane; j < labels; j += kWarp) {
          const LabelRole is = role_at(j);
          if (is != kRelevant && is != kIrrelevant) continue;
          const Key key = key_at(j);
          above += key >= own;
          above_relevant += key >= own && is == kRelevant;
          wrong += is == kIrrelevant && (key > own || (key == own && j > i));
        }
        above = sum_of_warp(above);
        above_relevant = sum_of_warp(above_relevant);
        wrong = sum_of_warp(wrong);
        if (of_warp_lane != 0) continue;
        mine.precision += static_cast<double>(above_relevant) / static_cast<double>(above);
        mine.coverage = above > mine.coverage ? above : mine.coverage;
        mine.wrong += wrong;
      }
    }
    mine.relevant = sum_of_warp(mine.relevant);
    mine.irrelevant = sum_of_warp(mine.irrelevant);
    mine.flags = (__any_sync(kAllLanes, mine.flags & kHasValid) ? kHasValid : 0) |
                 (__any_sync(kAllLanes, mine.flags & kHasBad) ? kHasBad : 0);
    if (of_warp_lane == 0) of_warp[threadIdx.x / kWarp] = mine;
    __syncthreads();
    if (lane == 0 && any_row) {
      RankingOfWarp all = of_warp[threadIdx.x / kWarp];
      for (int w = 1; w < kWarps; ++w) {
        const RankingOfWarp& next = of_warp[threadIdx.x / kWarp + w];
        all.precision += next.precision;
        all.coverage = next.coverage > all.coverage ? next.coverage : all.coverage;
        all.relevant += next.relevant;
        all.irrelevant += next.irrelevant;
        all.flags |= next.flags;
        all.wrong += next.wrong;
      }
      if ((all.flags & kHasValid) != 0) {
        const double weight = b.weight(row);
        if (!good_weight(weight)) {
          bad.add(kBadWeight, row);
        } else if ((all.flags & kHasBad) == 0) {
          const double pairs = static_cast<double>(all.relevant) * static_cast<double>(all.irrelevant);
          sums.of[0] += weight * all.coverage;
          sums.of[1] += weight * (all.relevant == 0 ? 1.0 : all.precision / all.relevant);
          sums.of[2] += weight * (pairs == 0.0 ? 0.0 : static_cast<double>(all.wrong) / pairs);
          sums.of[3] += weight;
        }
      }
    }
    __syncthreads();  // of_warp and the keys have been read
  }
  bad.close(scratch + kRowsFaults, scratch + kRowsPlaces);
  sums = sum_of_block(sums, of_block);
  add_rows(b, sums, partial, scratch, faults, of_block, [&](const double* all, bool) {
    to.coverage.add(0, all[0]);
    to.average_precision.add(0, all[1]);
    to.ranking_loss.add(0, all[2]);
    to.count.add(0, all[3]);
  });
}

}  // namespace fastmetrics
