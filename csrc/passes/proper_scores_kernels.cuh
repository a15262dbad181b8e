// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the proper scores pass; its meaning is proper_scores_body in fastmetrics/passes/proper_scores.py.
//
// A thread, or a warp where the scores of a sample are many neighbours, has a sample; logits of classes are read again,
// from the cache, for the sum of their exponentials. What the first round of a batch (common/rounds.cuh) found as
// probabilities is added to the state, or what a second one found as logits, in the place of it.
//
// Without rows, sums are float64 in an order that depends on the sizes alone: a thread has samples of one label, after
// them the threads of a block and then the blocks are added in order.
//
// With rows, a sample is added to the cells of all its rows, by the same kernels. Of samples without weights they are
// whole multiples of 2^-80, see common/parts.cuh: any order gives the same bits. Sums of weights are added in no fixed
// order. The type of scores is looked up score by score then: what is done with a sample costs more than that, and
// every kernel would be compiled four times otherwise.
//
// Where samples go is a class with
//   To: what it is given, and a constructor (to, round, shared memory) that all threads of a block call;
//   add(sample, label, brier, loss, weight): loss is called where the log loss is wanted;
//   close(): all threads of the block call it, once each has done its part;
//   add_found(b, rounds, to, of_block): adds what the rounds found to the state.

#pragma once

#include "common/parts.cuh"
#include "common/rounds.cuh"
#include "passes/rows_kernels.cuh"
#include "passes/sample_rows_kernels.cuh"
#include "rules/elementary.h"
#include "rules/hinge.h"

namespace fastmetrics {

// Sums of a label: Brier scores, log losses, and samples.
using ProperSums = RowSums<3>;

// Which samples a thread has. Those of a label are [groups, inner], groups being labels * inner apart. Threads are
// [parts, labels, width]: one has every parts-th group, and of it every width-th sample. Where the threads of one part
// are few, a block has some whole parts, and adds up those of them that have the same samples.
struct ProperLanes {
  int64_t groups, labels, inner, parts, width;
  int units;  // parts of a block; 0: a part has several blocks

  FM_HD int64_t of_part() const { return labels * width; }
  // Threads of a block that have samples.
  FM_HD int threads() const { return units > 0 ? static_cast<int>(units * of_part()) : kThreads; }
  // Samples that a thread has at most.
  FM_HD int64_t samples_of_thread() const { return (groups + parts - 1) / parts * ((inner + width - 1) / width); }
  // How many sums of each label, times the labels.
  FM_HD int64_t partials() const { return (units > 0 ? parts / units : parts) * of_part(); }
};

struct ProperRounds {
  Turns turns;
  int64_t *first, *second;  // [kRowsScratch] of each round, zero before and after; the same if there is one round alone
  int64_t* faults;

  // Whether a score lies outside [0, 1].
  __device__ __forceinline__ int64_t* outside() const { return first + kRowsOutside; }

  // Whether it is a second round that has nothing to do.
  __device__ __forceinline__ bool are_over(Round round) const { return round == Round::kSecond && *outside() == 0; }

  // Whether it is the second round that found what is added to the state.
  __device__ __forceinline__ bool second_counts() const { return turns.either && *outside() != 0; }

  // The end of a block that added; all threads call it.
  __device__ __forceinline__ void finish(const RowsBatch& b) const {
    const int64_t* found = second_counts() ? second : first;
    if (!turns.are_over() || threadIdx.x != 0) return;
    record_scored_faults(b, found, faults);
    for (int i = 0; i < kRowsScratch; ++i) first[i] = second[i] = 0;
  }
};

// The samples of a thread are of one label, and added up in its registers.
class ProperOfThread {
 public:
  static constexpr bool kRows = false;
  static constexpr int kBlocks = 4;  // of a multiprocessor

  struct To {
    ProperScoresSums sums;
    ProperSums* partial;           // [parts, labels, width]
    int64_t parts, labels, width;  // of rows of classes, a part is what a block has
  };

  __device__ __forceinline__ ProperOfThread(const To& to, Round, unsigned char*)
      : wants_loss_(to.sums.log_loss.real != nullptr) {}
  template <typename Loss>
  __device__ __forceinline__ void add(int64_t, int64_t, double brier, const Loss& loss, double weight) {
    sums_.of[0] += weight * brier;
    if (wants_loss_) sums_.of[1] += weight * loss();
    sums_.of[2] += weight;
  }
  __device__ __forceinline__ void close() {}
  __device__ const ProperSums& sums() const { return sums_; }

  // Those of all parts, one label after another by each block. of_block: [kThreads]. Out of line, because the loops
  // over samples have other registers.
  __device__ __attribute__((noinline)) static void add_found(const RowsBatch& b, const ProperRounds& rounds,
                                                             const To& to, ProperSums* of_block) {
    for (int64_t label = rounds.turns.current().block; label < to.labels; label += rounds.turns.adders) {
      ProperSums sums;
      // the sums of a label are `width` neighbours in each part
      int64_t part = threadIdx.x / to.width, at = threadIdx.x % to.width;
      const int64_t parts_step = kThreads / to.width, at_step = kThreads % to.width;
      while (part < to.parts) {
        sums.add(to.partial[(part * to.labels + label) * to.width + at]);
        part += parts_step;
        at += at_step;
        if (at >= to.width) {
          at -= to.width;
          ++part;
        }
      }
      sums = sum_of_block(sums, of_block);
      if (threadIdx.x == 0) {
        to.sums.brier.add(label, sums.of[0]);
        to.sums.log_loss.add(label, sums.of[1]);
        to.sums.count.add(label, sums.of[2]);
      }
      __syncthreads();  // of_block has been read
    }
    rounds.finish(b);
  }

 private:
  bool wants_loss_;
  ProperSums sums_;
};

// The cells of a label of a row: samples; the parts of Brier scores and of log losses, and the sum of those losses that
// have none, as a double; or three sums.
using ProperParts = Parts<7, 80>;  // a Brier score is less than 2^31, which are the most classes
enum { kProperSamples, kProperLarge, kProperBrier, kProperLoss = kProperBrier + ProperParts::kParts };
template <typename Cell>
constexpr int kCellsOfProper = std::is_same<Cell, double>::value ? 3 : kProperLoss + ProperParts::kParts;

template <typename Cell>
class ProperOfRows {
 public:
  static constexpr bool kRows = true;
  static constexpr int kBlocks = 2;

  struct To {
    SampleRows rows;
    ProperScoresSums sums;
    int64_t labels;
    int replicas;                     // of the cells of a block
    CellOfCard<Cell>*first, *second;  // of each round, [rows, labels, kCellsOfProper]; zero before and after

    __device__ __forceinline__ int64_t places() const { return rows.count * labels; }
  };

  __device__ __forceinline__ ProperOfRows(const To& to, Round round, unsigned char* shared)
      : to_(to),
        of_card_(round == Round::kSecond ? to.second : to.first),
        cells_(shared, to.places() * kCellsOfProper<Cell>, to.replicas) {}

  template <typename Loss>
  __device__ __forceinline__ void add(int64_t sample, int64_t label, double brier, const Loss& loss_of, double weight) {
    const double loss = to_.sums.log_loss.real != nullptr ? loss_of() : 0.0;
    const bool wants_brier = to_.sums.brier.real != nullptr;
    each_row(to_.rows, find_rows(to_.rows, sample), [&](int64_t row) {
      const int64_t first = (row * to_.labels + label) * kCellsOfProper<Cell>;
      auto add_to = [&](int64_t cell, Cell amount) { cells_.add(first + cell, amount, of_card_ + first + cell); };
      if constexpr (std::is_same<Cell, double>::value) {
        if (wants_brier) add_to(0, weight * brier);
        if (loss != 0.0) add_to(1, weight * loss);
        add_to(2, weight);
      } else {
        add_to(kProperSamples, 1);
        if (wants_brier) {
          ProperParts::split(brier, [&](int part, uint32_t bits) { add_to(kProperBrier + part, bits); });
        }
        if (loss < ProperParts::kLimit) {
          ProperParts::split(loss, [&](int part, uint32_t bits) { add_to(kProperLoss + part, bits); });
        } else {
          atomicAdd(reinterpret_cast<double*>(of_card_ + first + kProperLarge), loss);
        }
      }
    });
  }
  __device__ __forceinline__ void close() { cells_.flush(of_card_); }

  // See ProperOfThread; makes the cells zero again.
  __device__ __attribute__((noinline)) static void add_found(const RowsBatch& b, const ProperRounds& rounds,
                                                             const To& to, ProperSums*) {
    const CellOfCard<Cell>* found = rounds.second_counts() ? to.second : to.first;
    const int64_t places = to.places(), stride = static_cast<int64_t>(rounds.turns.adders) * kThreads;
#pragma unroll 1
    for (int64_t i = rounds.turns.current().thread(); i < places; i += stride) {
      const CellOfCard<Cell>* of = found + i * kCellsOfProper<Cell>;
      if constexpr (std::is_same<Cell, double>::value) {
        to.sums.brier.add(i, of[0]);
        to.sums.log_loss.add(i, of[1]);
        to.sums.count.add(i, of[2]);
      } else if (of[kProperSamples] != 0) {
        to.sums.brier.add(i, ProperParts::sum(of + kProperBrier));
        to.sums.log_loss.add(
            i, ProperParts::sum(of + kProperLoss) + __longlong_as_double(static_cast<int64_t>(of[kProperLarge])));
        to.sums.count.add(i, static_cast<double>(of[kProperSamples]));
      }
#pragma unroll 1
      for (int cell = 0; cell < kCellsOfProper<Cell>; ++cell) {
        to.first[i * kCellsOfProper<Cell> + cell] = to.second[i * kCellsOfProper<Cell> + cell] = 0;
      }
    }
    rounds.finish(b);
  }

 private:
  const To& to_;
  CellOfCard<Cell>* of_card_;
  CellsOfBlock<Cell> cells_;
};

// One score: of T, or of any type if that is void.
template <typename T>
__device__ __forceinline__ auto score_of(const RowsBatch& b, int64_t offset) {
  if constexpr (std::is_void<T>::value) {
    return score_at(b, offset);
  } else {
    return widen(static_cast<const T*>(b.preds)[offset]);
  }
}

// What a thread does with samples in a round.
template <typename Sink>
class ProperCounter {
 public:
  __device__ __forceinline__ ProperCounter(const ProperScoresOptions& options, const ProperRounds& rounds, Round round,
                                           const typename Sink::To& to, unsigned char* shared)
      : epsilon_(options.epsilon),
        logits_(round == Round::kSecond || options.logits == 1),
        lookout_(round, rounds.outside()),
        sink_(to, round, shared) {}

  __device__ bool logits() const { return logits_; }
  __device__ BadOnes* bad() { return &bad_; }
  __device__ const Sink& sink() const { return sink_; }

  __device__ __forceinline__ void look(bool outside) { lookout_.look(outside); }
  // See Lookout.
  __device__ __forceinline__ bool stops() { return lookout_.stops(); }

  // A binary sample whose target is 1 if `positive`. place: of the sample.
  __device__ __forceinline__ void add(double x, bool positive, double weight, int64_t place, int64_t label) {
    if (logits_) {
      // with z for the target and e = exp(-|z|): the probability of the other is (z < 0 ? 1 : e) / (1 + e)
      const double z = positive ? x : -x, e = exp(-fabs(x)), missed = (z < 0.0 ? 1.0 : e) / (1.0 + e);
      add_sums(z != z, missed * missed, [&] { return log1p(e) + (z < 0.0 ? -z : 0.0); }, weight, place, label);
    } else {
      const double own = positive ? x : 1.0 - x, missed = 1.0 - own;
      add_sums(is_outside(x), missed * missed, [&] { return loss_of(own); }, weight, place, label);
    }
  }

  // A sample of classes by its probabilities. own: that of the target; squares: of the others, the sum of their
  // squares.
  __device__ __forceinline__ void add_classes(bool outside, double own, double squares, double weight, int64_t place) {
    add_sums(outside, (1.0 - own) * (1.0 - own) + squares, [&] { return loss_of(own); }, weight, place, 0);
  }

  // The same by exp(x - most) of logits x. own: the logit of the target, and of_own what it gives.
  __device__ __forceinline__ void add_logits(bool bad, double most, double own, double of_own, double others,
                                             double squares, double weight, int64_t place) {
    const double sum = of_own + others, missed = others / sum;
    add_sums(bad, missed * missed + squares / (sum * sum), [&] { return log(sum) + (most - own); }, weight, place, 0);
  }

  // All threads of the block call it, once each has done its part.
  __device__ __forceinline__ void close(const ProperRounds& rounds) {
    int64_t* const scratch = rounds.turns.current().round == Round::kSecond ? rounds.second : rounds.first;
    sink_.close();
    bad_.close(scratch + kRowsFaults, scratch + kRowsPlaces);
  }

 private:
  __device__ __forceinline__ double loss_of(double p) const {
    const double least = p > epsilon_ ? p : epsilon_, most = 1.0 - epsilon_;
    return -log(least < most ? least : most);
  }

  template <typename Loss>
  __device__ __forceinline__ void add_sums(bool bad, double brier, const Loss& loss, double weight, int64_t place,
                                           int64_t label) {
    if (bad) {
      bad_.add(kBadPreds, place);
    } else if (weight != 0.0) {  // of which a loss may be infinite
      sink_.add(place, label, brier, loss, weight);
    }
  }

  double epsilon_;
  bool logits_;
  Lookout lookout_;
  Sink sink_;
  BadOnes bad_;
};

// Binary scores T, or those of labels. kPlain: targets are int64, one stride leads from a sample to the next one, and
// there are neither masks nor weights.
template <typename T, bool kPlain, typename Sink>
FM_KERNEL_OF(Sink::kBlocks)
proper_elements_kernel(const __grid_constant__ RowsBatch b, const ProperScoresOptions options, const ProperLanes lanes,
                       const __grid_constant__ ProperRounds rounds, const __grid_constant__ typename Sink::To to) {
  extern __shared__ __align__(16) unsigned char shared[];
  __shared__ ProperSums of_block[Sink::kRows ? 1 : kThreads];
  const Turn turn = rounds.turns.take();
  if (turn.round == Round::kSums) return Sink::add_found(b, rounds, to, of_block);
  if (rounds.are_over(turn.round)) return rounds.turns.done();
  ProperCounter<Sink> counter(options, rounds, turn.round, to, shared);
  auto take = [&](int64_t i, int64_t label) {
    int64_t target;
    double weight = 1.0, x;
    if constexpr (kPlain) {
      target = static_cast<const int64_t*>(b.target)[i * b.rows.b_stride[0]];
      x = static_cast<double>(score_of<T>(b, i * b.rows.a_stride[0]));
      if (b.has_ignore && target == b.ignore) return;
      if (target != 0 && target != 1) return counter.bad()->add(kBadTarget, i);
    } else {
      x = static_cast<double>(score_of<T>(b, b.rows.offset(i, b.rows.a_stride)));
      target = counted_target(b, i, 2, 0, &weight, counter.bad());
      if (target < 0) return;
    }
    counter.look(is_outside(x));
    counter.add(x, target != 0, weight, i, label);
  };
  const int64_t thread = static_cast<int64_t>(turn.block) * lanes.threads() + threadIdx.x;
  const int64_t width = lanes.width, of_part = lanes.of_part();
  const bool busy = static_cast<int>(threadIdx.x) < lanes.threads() && thread < lanes.parts * of_part;
  const int64_t label = thread % of_part / width, start = thread % width;
  int64_t group = busy ? thread / of_part : lanes.groups, at = start;
  // all lanes of a warp go round until the last of them has no more
  while (__any_sync(kAllLanes, group < lanes.groups)) {
    if (group < lanes.groups) {
      take((group * lanes.labels + label) * lanes.inner + at, label);
      at += width;
      if (at >= lanes.inner) {
        at = start;
        group += lanes.parts;
      }
    }
    if (counter.stops()) break;
  }
  counter.close(rounds);
  if constexpr (!Sink::kRows) {
    const ProperSums& sums = counter.sink().sums();
    if (lanes.units == 0) {
      if (busy) to.partial[thread] = sums;
    } else {
      of_block[threadIdx.x] = sums;
      __syncthreads();
      for (int units = lanes.units; units > 1; units = (units + 1) / 2) {
        const int half = (units + 1) / 2 * static_cast<int>(of_part);
        const int from = static_cast<int>(threadIdx.x) + half;
        if (from < units * static_cast<int>(of_part)) of_block[threadIdx.x].add(of_block[from]);
        __syncthreads();
      }
      const int64_t first = rounds.turns.current().block * of_part;
      if (static_cast<int>(threadIdx.x) < of_part) to.partial[first + threadIdx.x] = of_block[threadIdx.x];
    }
  }
  rounds.turns.done();
}

// Samples of classes: kLanes lanes, 1 or a warp, have one.
template <typename T, int kLanes, typename Sink>
FM_KERNEL proper_rows_kernel(const __grid_constant__ RowsBatch b, const ProperScoresOptions options,
                             const __grid_constant__ ProperRounds rounds,
                             const __grid_constant__ typename Sink::To to) {
  extern __shared__ __align__(16) unsigned char shared[];
  __shared__ ProperSums of_block[Sink::kRows ? 1 : kThreads];
  const Turn turn = rounds.turns.take();
  if (turn.round == Round::kSums) return Sink::add_found(b, rounds, to, of_block);
  if (rounds.are_over(turn.round)) return rounds.turns.done();
  using V = decltype(score_of<T>(b, 0));
  ProperCounter<Sink> counter(options, rounds, turn.round, to, shared);
  constexpr int kRows = kThreads / kLanes;
  const int64_t rows = b.rows.samples(), stride = static_cast<int64_t>(rounds.turns.blocks) * kRows;
  const int lane = static_cast<int>(threadIdx.x) % kLanes, row_of_warp = static_cast<int>(threadIdx.x) % kWarp / kLanes;
  auto sum_of_lanes = [](double mine) {
    for (int offset = kLanes / 2; offset > 0; offset /= 2) mine += __shfl_xor_sync(kAllLanes, mine, offset);
    return mine;
  };
  for (int64_t row = static_cast<int64_t>(turn.block) * kRows + threadIdx.x / kLanes; row - row_of_warp < rows;
       row += stride) {
    double weight = 1.0;
    const int64_t target = row < rows ? counted_target(b, row, b.scores, lane, &weight, counter.bad()) : -1;
    if (target >= 0) {
      const int64_t first = b.rows.offset(row, b.rows.a_stride);
      auto read = [&](int64_t c) { return score_of<T>(b, first + c * b.a_score); };
      const double own = static_cast<double>(read(target));
      double others = 0.0, squares = 0.0;
      auto see = [&](double x) {
        others += x;
        squares += x * x;
      };
      bool outside = false;
      if (counter.logits()) {
        V most = -INFINITY;
        for (int64_t c = lane; c < b.scores; c += kLanes) {
          const V x = read(c);
          outside |= x != x;
          most = x > most ? x : most;
        }
        for (int offset = kLanes / 2; offset > 0; offset /= 2) {
          const V other = __shfl_xor_sync(kAllLanes, most, offset);
          most = other > most ? other : most;
        }
        const double greatest = static_cast<double>(most);
        for (int64_t c = lane; c < b.scores; c += kLanes) {
          const double e = exp(static_cast<double>(read(c)) - greatest);
          if (c != target) see(e);
        }
        const bool bad = any_of<kLanes>(outside) || greatest - greatest != 0.0;  // NaN, or no finite greatest one
        others = sum_of_lanes(others);
        squares = sum_of_lanes(squares);
        if (lane == 0) counter.add_logits(bad, greatest, own, exp(own - greatest), others, squares, weight, row);
      } else {
        for (int64_t c = lane; c < b.scores; c += kLanes) {
          const V x = read(c);
          outside |= is_outside(x);
          if (c != target) see(static_cast<double>(x));
        }
        counter.look(outside);
        const bool bad = any_of<kLanes>(outside);
        squares = sum_of_lanes(squares);
        if (lane == 0) counter.add_classes(bad, own, squares, weight, row);
      }
    }
    if (counter.stops()) break;
  }
  counter.close(rounds);
  if constexpr (!Sink::kRows) {
    const ProperSums sums = sum_of_block(counter.sink().sums(), of_block);
    if (threadIdx.x == 0) to.partial[rounds.turns.current().block] = sums;
  }
  rounds.turns.done();
}

}  // namespace fastmetrics
