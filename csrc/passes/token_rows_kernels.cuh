// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the token rows pass; its meaning is token_rows_body in fastmetrics/passes/token_rows.py.
//
// A warp, a block, or several blocks have a row, by its length and by how many there are, so that the order of the sums
// depends on the sizes alone. A thread keeps the sums of its logits relative to the greatest that it has seen: the
// exponentials of a round, which are floats for logits of up to 32 bits, are added up in their type, and then to
// float64. A round with a greater logit scales them first, which after the first rounds is rare.

#pragma once

#include <cmath>

#include "common/device.cuh"
#include "passes/token_rows.h"
#include "rules/log_sum_exp.h"

namespace fastmetrics {

// What a part of the logits of a token comes to.
struct TokenPart {
  LogitSums sums;
  int64_t ahead = 0;  // how many come before the target
  int64_t bad = 0;    // not 0 if any is NaN or inf
};

__device__ __forceinline__ double exp_of_double(double x) { return exp(x); }

__device__ __forceinline__ void add_part(const TokenPart& other, TokenPart* to) {
  to->sums = merged(to->sums, other.sums, exp_of_double);
  to->ahead += other.ahead;
  to->bad |= other.bad;
}

// Where exponentials count for nothing, but are no subnormal numbers yet; so a logit of -inf is no NaN.
template <typename W>
constexpr W kLeastDistance = sizeof(W) == 8 ? W(-700) : W(-87);

__device__ __forceinline__ float exp_of(float x) { return expf(x); }
__device__ __forceinline__ double exp_of(double x) { return exp(x); }

// What is known of a token before its logits are read.
struct TokenTarget {
  int64_t index;      // as b.target
  double own;         // its logit, -inf if it is not here
  double rival;       // the logit that others are compared with
  bool read, ranked;  // whether logits are read, and compared
};

template <typename T>
__device__ __forceinline__ TokenTarget target_of(const TokenRowsBatch& b, const T* row, int64_t token) {
  TokenTarget t{b.target[token], -INFINITY, -INFINITY, false, false};
  t.read = t.index != kSkipped;
  const bool here = t.index >= 0 && t.index < b.vocabulary;
  if (here) t.own = widen(row[t.index * b.a_logit]);
  t.rival = here || b.own == nullptr || !t.read ? t.own : b.own[token];
  t.ranked = b.rank && t.read && (here || b.own != nullptr);
  return t;
}

// Reads logits of one token. kAll: whether the entropy or the rank is asked for.
template <typename W, bool kAll>
class TokenReader {
 public:
  __device__ __forceinline__ explicit TokenReader(const TokenTarget& target)
      : target_(target), rival_(static_cast<W>(target.rival)) {}

  __device__ __forceinline__ TokenPart part() const {
    TokenPart found = part_;
    if (greatest_ == -static_cast<W>(INFINITY)) found.sums = {};
    return found;
  }

  // kN logits x, of which those of [k * kRun, (k + 1) * kRun) are neighbours from first + k * apart on.
  template <int kN, int kRun>
  __device__ __forceinline__ void add(const W (&x)[kN], int64_t first, int64_t apart) {
    W most = x[0];
    bool finite = true;
#pragma unroll
    for (int j = 0; j < kN; ++j) {
      most = x[j] > most ? x[j] : most;
      finite &= x[j] < static_cast<W>(INFINITY);
    }
    part_.bad |= static_cast<int64_t>(!finite);
    if (kAll && target_.ranked) {
#pragma unroll
      for (int k = 0; k < kN / kRun; ++k) rank<kRun>(x + k * kRun, first + k * apart);
    }
    if (most > static_cast<W>(greatest_)) {
      part_.sums = moved(part_.sums, static_cast<double>(most), exp_of_double);
      greatest_ = most;
    }
    const W reference = greatest_ == -static_cast<W>(INFINITY) ? W(0) : greatest_;  // what that adds is not kept
    W sum = 0, weighted = 0;
#pragma unroll
    for (int j = 0; j < kN; ++j) {
      const W distance = x[j] - reference;
      const W within = distance > kLeastDistance<W> ? distance : kLeastDistance<W>;
      const W e = exp_of(within);
      sum += e;
      if (kAll) weighted += e * within;
    }
    part_.sums.sum += static_cast<double>(sum);
    if (kAll) part_.sums.weighted += static_cast<double>(weighted);
  }

 private:
  // How many of kRun neighbours come before the target: NaN before all, and the first of equal ones.
  template <int kRun>
  __device__ __forceinline__ void rank(const W* x, int64_t first) {
    int ahead = 0;
#pragma unroll
    for (int j = 0; j < kRun; ++j) {
      const bool earlier = first + j < target_.index;
      ahead += rival_ != rival_ ? x[j] != x[j] && earlier : earlier ? !(x[j] < rival_) : !(x[j] <= rival_);
    }
    part_.ahead += ahead;
  }

  const TokenTarget& target_;
  W rival_, greatest_ = -static_cast<W>(INFINITY);
  TokenPart part_;
};

// The logits [begin, end) of a token, by kLanes lanes.
template <typename T, int kLanes, bool kAll>
__device__ __forceinline__ TokenPart read_logits(const TokenRowsBatch& b, const T* row, const TokenTarget& target,
                                                 int64_t begin, int64_t end, int lane) {
  using W = WidenedTo<T>;
  constexpr int kN = kPerLoad<T>, kPacks = kN < 8 ? 4 : 2;
  TokenReader<W, kAll> reader(target);
  auto add_one = [&](int64_t i) {
    const W x[1] = {widen(row[i * b.a_logit])};
    reader.template add<1, 1>(x, i, 0);
  };
  int64_t i = begin;
  if (b.a_logit == 1) {
    const int64_t past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(row + begin) % 16 / sizeof(T));
    const int64_t aligned = begin + (past == 0 ? 0 : kN - past), first = aligned < end ? aligned : end;
    if (begin + lane < first) add_one(begin + lane);
    constexpr int64_t kStep = int64_t{kLanes} * kN;  // of all lanes, a pack each
    for (i = first; i + kPacks * kStep <= end; i += kPacks * kStep) {
      Pack<T, kN> packs[kPacks];
      const int64_t at = i + int64_t{lane} * kN;
#pragma unroll
      for (int k = 0; k < kPacks; ++k) packs[k] = load_pack<T, kN>(row + at + k * kStep);
      W x[kPacks * kN];
#pragma unroll
      for (int j = 0; j < kPacks * kN; ++j) x[j] = widen(packs[j / kN].at[j % kN]);
      reader.template add<kPacks * kN, kN>(x, at, kStep);
    }
  }
  for (i += lane; i < end; i += kLanes) add_one(i);
  return reader.part();
}

// The parts of all kLanes lanes, in order of lanes, for lane 0. of_warps: [kThreads / kWarp], of which the threads of a
// block may read what was there before.
template <int kLanes>
__device__ __forceinline__ TokenPart joined(TokenPart part, TokenPart* of_warps) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    TokenPart other;
    other.sums.greatest = __shfl_down_sync(kAllLanes, part.sums.greatest, offset);
    other.sums.sum = __shfl_down_sync(kAllLanes, part.sums.sum, offset);
    other.sums.weighted = __shfl_down_sync(kAllLanes, part.sums.weighted, offset);
    other.ahead = __shfl_down_sync(kAllLanes, part.ahead, offset);
    other.bad = __shfl_down_sync(kAllLanes, part.bad, offset);
    add_part(other, &part);
  }
  if constexpr (kLanes == kThreads) {
    __syncthreads();
    if (threadIdx.x % kWarp == 0) of_warps[threadIdx.x / kWarp] = part;
    __syncthreads();
    for (int w = 1; threadIdx.x == 0 && w < kThreads / kWarp; ++w) add_part(of_warps[w], &part);
  }
  return part;
}

// One thread writes the values of a token.
__device__ __forceinline__ void write_token(const TokenRowsBatch& b, int64_t token, const TokenPart& part, double own) {
  const int64_t tokens = b.tokens.samples();
  auto write = [&](TokenValue value, double x) { b.out[static_cast<int64_t>(value) * tokens + token] = x; };
  const double nan = NAN;
  write(TokenValue::kGreatest, part.bad != 0 ? nan : part.sums.greatest);
  write(TokenValue::kSum, part.bad != 0 ? nan : part.sums.sum);
  write(TokenValue::kWeighted, !b.entropy ? 0.0 : part.bad != 0 ? nan : part.sums.weighted);
  write(TokenValue::kOwn, own);
  write(TokenValue::kRank, static_cast<double>(part.ahead));
}

// Parts of tokens that several blocks read.
struct TokenParts {
  TokenPart* of;           // [tokens, number]; null if there is one part
  int64_t* tickets;        // [tokens], see comes_last
  int64_t number, logits;  // how many of a token, and of how many logits
};

// kLanes lanes, a warp or a block, have a part of the logits of a token. The block that comes last with one puts the
// parts of its token together, in order.
template <typename T, int kLanes, bool kAll>
FM_KERNEL token_rows_kernel(const TokenRowsBatch b, const TokenParts parts) {
  __shared__ __align__(16) unsigned char shared[sizeof(TokenPart) * (kLanes == kThreads ? kThreads / kWarp : 1)];
  TokenPart* of_warps = reinterpret_cast<TokenPart*>(shared);
  constexpr int kRows = kThreads / kLanes;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int64_t all = b.tokens.samples() * parts.number, stride = static_cast<int64_t>(gridDim.x) * kRows;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.x / kLanes; i < all; i += stride) {
    const int64_t token = i / parts.number, begin = i % parts.number * parts.logits;
    const int64_t end = begin + parts.logits < b.vocabulary ? begin + parts.logits : b.vocabulary;
    const T* row = static_cast<const T*>(b.logits) + b.tokens.offset(token, b.tokens.a_stride);
    const TokenTarget target = target_of(b, row, token);
    TokenPart part;
    if (target.read) part = read_logits<T, kLanes, kAll>(b, row, target, begin, end, lane);
    part = joined<kLanes>(part, of_warps);
    if constexpr (kLanes == kThreads) {
      if (parts.of != nullptr) {
        if (lane == 0) parts.of[i] = part;
        if (!comes_last(parts.number, parts.tickets + token)) continue;
        if (lane == 0) part = parts.of[token * parts.number];
#pragma unroll 1
        for (int64_t k = 1; lane == 0 && k < parts.number; ++k) add_part(parts.of[token * parts.number + k], &part);
      }
    }
    if (lane == 0) write_token(b, token, part, target.own);
  }
}

}  // namespace fastmetrics
