// SPDX-License-Identifier: Apache-2.0
//
// score_histogram_, count_scores_ and keep_scores_ on the CPU; their meaning is in fastmetrics/passes/scores.py and
// score_keys.py.
//
// A thread counts in cells of its own, of which there are several sets while they are small: additions to one cell wait
// for each other, and of saturated scores most go to one. A batch that is small beside the histogram is added to it
// directly, after a look at whether it is logits.

#include "passes/scores_cpu.h"

#include "passes/loops_cpu.h"
#include "passes/members_cpu.h"
#include "passes/score_bits.h"
#include "passes/score_tiles_cpu.h"

namespace fastmetrics {
namespace {

constexpr int64_t kSetBytes = 1 << 14;  // cells of which there are kSets
constexpr int kSets = TileCells::kSets;
constexpr int kSetsOfKeys = 2;      // of 16-bit keys: more of them would leave the near caches
constexpr int64_t kMostParts = 16;  // of sums of weights
constexpr int64_t kSmallestPart = 8192;
constexpr int64_t kMostCells = int64_t{1} << 24;  // of more there is one set alone

// Those of both readings, for the type of the scores.
template <typename V>
using BinsOf = std::shared_ptr<const Steps<V>>;
struct AllBins {
  BinsOf<float> floats[2];
  BinsOf<double> doubles[2];

  AllBins(const ScoreBins& of, bool wide, bool softmax) {
    const double* of_logits = softmax ? of.cuts : of.logit_cuts;
    const bool even = softmax && of.uniform;
    if (wide) {
      doubles[0] = steps_at<double>(of.cuts, of.number, of.uniform);
      doubles[1] = steps_at<double>(of_logits, of.number, even);
    } else {
      floats[0] = steps_at<float>(of.cuts, of.number, of.uniform);
      floats[1] = steps_at<float>(of_logits, of.number, even);
    }
  }

  const Steps<float>& of(float, bool logits) const { return *floats[logits]; }
  const Steps<double>& of(double, bool logits) const { return *doubles[logits]; }
};

// The rows of a state that the samples of a block have in each slicing, how many cells a row has, and how many samples
// each row has.
class BlockRows {
 public:
  // rows: null if the state has none. counts: whether samples are counted.
  BlockRows(const ScoresBatch& b, const Slicings* rows, int64_t cells, bool counts)
      : batch_(&b), rows_(rows), cells_(cells) {
    if (rows == nullptr) return;
    row_.resize(rows->size() * kMostRows);
    if (counts) members = Members(*rows);
  }

  // Those of the samples of a column; they stay where all columns have the same.
  template <typename V>
  void read(const ScoresColumn<V>& c) {
    if (rows_ == nullptr) return;
    const bool same = c.first == first_ && c.column > 0 && rows_->a_column.empty();
    if (!same) read_rows(*rows_, c.first, c.n, kMostRows, row_.data(), c.column);
    first_ = c.first;
    if (!members || (batch_->multiclass && c.column > 0)) return;
    members.add(c.first, c.n, kMostRows, row_.data(), c.target, c.column,
                [&](int i) { return batch_->place_of(c.first + i, c.column); });
  }

  Members members;  // empty if they are not wanted

  // Calls f(first_cell) for each slicing, with the first cell of the row of sample i; negative if it has none.
  template <typename F>
  void for_each(const F& f) const {
    if (rows_ == nullptr) return f([](int) { return int64_t{0}; });
    for (int64_t k = 0; k < rows_->size(); ++k) {
      f([row = &row_[k * kMostRows], cells = cells_](int i) { return row[i] * cells; });
    }
  }

 private:
  const ScoresBatch* batch_;
  const Slicings* rows_;
  int64_t cells_, first_ = -1;
  std::vector<int32_t> row_;  // [K, kMostRows]
};

// Adds a column to cells, whose sets are `set` apart, of the rows that were read in one slicing; `none` is the cell of
// what does not count, as a score whose bin is negative. first: the first cell of the column in a row.
template <typename V, typename FirstCell, typename Cell>
void count_column(const int32_t* bin, const ScoresColumn<V>& c, const FirstCell& first_cell, int64_t first,
                  int32_t none, int64_t set, Cell* cells) {
  alignas(64) int32_t cell[kMostRows];
  for (int i = 0; i < c.n; ++i) {
    const int32_t row = static_cast<int32_t>(first_cell(i));
    const int32_t counts = c.label[i] | bin[i] | row;
    cell[i] = counts < 0 ? none : row + static_cast<int32_t>(first) + 2 * bin[i] + c.label[i];
  }
  if constexpr (std::is_same_v<Cell, double>) {
    for (int i = 0; i < c.n; ++i) {
      if (cell[i] != none) cells[cell[i]] += c.weight[i];
    }
  } else {
    const StepsAhead next = c.ahead;
    int i = 0;
    for (; i + kFetchStep <= c.n; i += kFetchStep) {
      next.fetch(i);
      for (int j = 0; j < kFetchStep; ++j) ++cells[j % kSets * set + cell[i + j]];
    }
    for (; i < c.n; ++i) ++cells[cell[i]];
  }
}

// The parts of a batch that are counted apart, in `size` cells each. Whole numbers may be added in any order.
template <typename State>
Parts parts_of(const ScoresBatch& b, int64_t size) {
  const int64_t samples = b.rows.samples(), work = samples * b.columns;
  const int64_t most = std::is_same_v<State, double>
                           ? std::min({kMostParts, work / kSmallestPart, 4 * kMostCells / size})
                           : std::max<int64_t>(threads_for(work), samples >> 31);
  return Parts(samples, std::min(most, samples));
}

// Whether all scores are known to lie in [0, 1], those of samples that do not count among them: of neighbours.
bool all_inside(const ScoresBatch& b) {
  if (b.rows.dims != 1 || b.rows.a_stride[0] != b.columns || (b.columns > 1 && b.a_column != 1)) return false;
  bool inside = false;
  with_score_type(b.preds_type, [&](auto t) {
    using B = ScoreBits<decltype(t)>;
    typename B::type most = 0;
    const auto* scores = static_cast<const char*>(b.preds);
    for (int64_t i = 0; i < b.rows.samples() * b.columns; ++i) {
      typename B::type bits;
      memcpy(&bits, scores + i * sizeof(bits), sizeof(bits));
      most = std::max(most, bits);
    }
    inside = most <= B::kOne;
  });
  return inside;
}

// Adds to `histogram` [columns, number, 2], or that of each row. begin(part) is called before the first column of a
// part, and again if what it has found is to be forgotten; find(part, logits, column, bins) finds the bins of a column.
template <typename State, typename Begin, typename Find>
void add_to_bins(const ScoresBatch& b, const Slicings* to_rows, int64_t number, State* histogram, int64_t* members,
                 int64_t* faults, const Begin& begin, const Find& find) {
  using Cell = std::conditional_t<std::is_same_v<State, double>, double, uint32_t>;
  const int64_t samples = b.rows.samples(), work = samples * b.columns;
  const int64_t of_column = 2 * number, of_row = b.columns * of_column;
  const int64_t all = (to_rows == nullptr ? 1 : to_rows->count) * of_row;
  if (work < all / 4 || all > kMostCells) {
    ScoresBatch decided = b;
    const Parts one(samples, 1);
    if (b.logits == kEither) {
      bool found = false;
      if (!all_inside(b))
        read_scores(b, one, nullptr, [&](int64_t, bool logits) { found = logits; }, [](int64_t, bool, const auto&) {});
      decided.logits = found ? kLogits : kProbabilities;
    }
    BlockRows rows(b, to_rows, of_row, members != nullptr);
    read_scores(
        decided, one, faults, [&](int64_t p, bool) { begin(p); },
        [&](int64_t p, bool logits, const auto& c) {
          alignas(64) int32_t bin[kMostRows];
          find(p, logits, c, bin);
          rows.read(c);
          rows.for_each([&](const auto& first_cell) {
            State* to = histogram + c.column * of_column;
            for (int i = 0; i < c.n; ++i) {
              const int64_t row = first_cell(i);
              if ((c.label[i] | bin[i]) < 0 || row < 0) continue;
              if constexpr (std::is_same_v<State, double>) {
                to[row + 2 * bin[i] + c.label[i]] += c.weight[i];
              } else {
                ++to[row + 2 * bin[i] + c.label[i]];
              }
            }
          });
        });
    if (rows.members) rows.members.fold(members);
    BadGroups::record({rows.members.bad}, faults);
    return;
  }
  const int64_t size = all + 1;
  const bool weighted = std::is_same_v<State, double>;
  const bool apart = !weighted && size * static_cast<int64_t>(sizeof(Cell)) <= kSetBytes;
  const int64_t sets = apart ? kSets : 1;
  const Parts parts = parts_of<State>(b, size);
  std::vector<std::vector<Cell>> cells(parts.count);
  std::vector<BlockRows> rows(parts.count, BlockRows(b, nullptr, of_row, false));
  read_scores(
      b, parts, faults,
      [&](int64_t p, bool) {
        begin(p);
        rows[p] = BlockRows(b, to_rows, of_row, members != nullptr);
        cells[p].assign(sets * size, Cell{});
      },
      [&](int64_t p, bool logits, const auto& c) {
        alignas(64) int32_t bin[kMostRows];
        find(p, logits, c, bin);
        rows[p].read(c);
        rows[p].for_each([&](const auto& first_cell) {
          count_column(bin, c, first_cell, c.column * of_column, static_cast<int32_t>(all), apart ? size : 0,
                       cells[p].data());
        });
      });
  std::vector<BadGroups> bad;
  for (const BlockRows& of_part : rows) {
    if (of_part.members) of_part.members.fold(members);
    bad.push_back(of_part.members.bad);
  }
  BadGroups::record(bad, faults);
  for (const auto& of_part : cells) {
    for (size_t at = 0; at < of_part.size(); at += size) {
      for (int64_t i = 0; i < all; ++i) histogram[i] += of_part[at + i];
    }
  }
}

// Adds a whole batch of scores at even steps in tiles. Returns false, having added nothing, if it is not for that:
// steps may be uneven, as are those of logits without a softmax, and cells more than scores. *logits: whether scores
// turned out to be such logits.
bool add_in_tiles(const ScoresBatch& b, const AllBins& bins, int64_t number, int64_t* histogram, int64_t* faults,
                  std::atomic<bool>* logits) {
  const int64_t size = b.columns * 2 * number;
  if (b.preds_type == DType::kDouble || b.weights != nullptr ||
      (b.multiclass ? b.a_column != 1 : b.logits == kLogits) || !bins.of(0.0f, false).even() ||
      b.rows.samples() * b.columns < size || size > kMostCells) {
    return false;
  }
  const bool apart = (size + 1) * static_cast<int64_t>(sizeof(uint32_t)) <= kSetBytes;
  const Parts parts = parts_of<int64_t>(b, size);
  std::vector<TileCells> cells(parts.count);
  read_blocks(
      b, parts, kMostRows, faults,
      [&](int64_t p, bool as_logits) {
        cells[p] = TileCells(b.columns, number, apart, b.multiclass ? b.columns : kTileVectors);
        if (as_logits && !b.multiclass) logits->store(true);
      },
      [&](auto t, int64_t first, int n, bool as_logits, int64_t p, ScoresPart* part) {
        using T = decltype(t);
        if constexpr (!std::is_same_v<T, double>) {
          if (b.multiclass) {
            if (as_logits) {
              count_rows<T, true>(b, bins.of(0.0f, true), first, n, &cells[p], part);
            } else {
              count_rows<T, false>(b, bins.of(0.0f, false), first, n, &cells[p], part);
            }
          } else if (!as_logits) {
            count_columns<T>(b, bins.of(0.0f, false), first, n, &cells[p], part);
          }
        }
      });
  if (logits->load()) return false;
  TileCells::fold(cells, histogram);
  return true;
}

template <typename State>
void add_histogram(const ScoresBatch& b, const Slicings* rows, const ScoreBins& bins, State* histogram,
                   int64_t* members, int64_t* faults) {
  if (b.rows.samples() * b.columns == 0) return;
  const AllBins all(bins, b.preds_type == DType::kDouble, b.multiclass);
  ScoresBatch decided = b;
  if constexpr (std::is_same_v<State, int64_t>) {
    std::atomic<bool> logits{false};
    if (rows == nullptr && add_in_tiles(b, all, bins.number + 1, histogram, faults, &logits)) return;
    if (logits.load()) decided.logits = kLogits;
  }
  add_to_bins(
      decided, rows, bins.number + 1, histogram, members, faults, [](int64_t) {},
      [&](int64_t, bool logits, const auto& c, int32_t* bin) {
        all.of(std::decay_t<decltype(*c.x)>{}, logits).find(c.x, c.n, bin);
      });
}

// The sigmoid as torch computes it: in the type of the scores, 16-bit floats as floats.
inline void sigmoid(const float* x, int n, float* to) {
  alignas(64) double wide[kMostRows], grown[kMostRows];  // what is out of domain is read again
  for (int i = 0; i < n; ++i) wide[i] = -x[i];
  compute(wide, wide, n, grown, [](auto value, auto, auto& math) { return math.exp(value); });
  for (int i = 0; i < n; ++i) to[i] = 1.0f / (1.0f + static_cast<float>(grown[i]));
}
inline void sigmoid(const double* x, int n, double* to) {
  compute(x, x, n, to, [](auto value, auto, auto& math) { return 1.0 / (1.0 + math.exp(-value)); });
}

// Adds NaN among the scores of a column that count to the faults of a part.
template <typename V>
void note_nans(const ScoresBatch& b, const ScoresColumn<V>& c, Faults* faults) {
  for (int i = 0; i < c.n; ++i) {
    if (c.label[i] < 0 || c.x[i] == c.x[i]) continue;
    const int64_t place = b.score_at(c.first + i, c.column);
    faults->add(kBadPreds, place, place);
  }
}

// The keys of n scores of T, from 0 on; negative for NaN. Returns whether there is NaN.
template <typename T>
bool find_keys(const ScoreKeys& keys, const Wide<T>* __restrict x, int n, int32_t* __restrict key) {
  int32_t all = 0;
  if (keys.bits != 0) {
    const int shift = 31 - keys.bits;
    const int32_t before = (int32_t{1} << shift) - 1;  // what has 0 to itself, and 1
    for (int i = 0; i < n; ++i) {
      const float of = static_cast<float>(x[i]), at_least_0 = of > 0.0f ? of : 0.0f;
      const float within = at_least_0 < 1.0f ? at_least_0 : 1.0f, rest = 1.0f - within;
      int32_t bits, of_rest;
      memcpy(&bits, &within, sizeof(bits));
      memcpy(&of_rest, &rest, sizeof(of_rest));
      const int32_t whole = within < 0.5f ? bits : 2 * ScoreKeys::kHalfway - of_rest;
      key[i] = x[i] == x[i] ? (whole + before) >> shift : -1;
      all |= key[i];
    }
    return all < 0;
  }
  if constexpr (sizeof(T) == 2) {
    constexpr bool kHalf = std::is_same_v<T, Half>;
    for (int i = 0; i < n; ++i) {
      const float score = x[i] + 0.0f;  // -0 is 0
      int32_t bits, found;
      if constexpr (kHalf) {
        Half half;
        narrow(score, &half);
        bits = half.bits;
      } else {  // its last bits are 0
        uint32_t whole;
        memcpy(&whole, &score, sizeof(whole));
        bits = static_cast<int32_t>(whole >> 16);
      }
      if (keys.signed_) {
        found = (kHalf ? ScoreKeys::kOfSigned : 0) + (bits & 0x8000 ? 0xffff - bits : bits | 0x8000);
      } else {
        found = (kHalf ? ScoreKeys::kOfBFloat16 : 0) + std::min<int32_t>(bits, kHalf ? 0x3c00 : 0x3f80);
      }
      key[i] = x[i] == x[i] ? found : -1;
      all |= key[i];
    }
  }
  return all < 0;
}

template <typename T, typename State>
void count_all(const ScoresBatch& b, const Slicings* rows, const ScoreKeys& keys, State* histogram, int64_t* members,
               int64_t* faults) {
  using V = Wide<T>;
  std::vector<Faults> nans(static_cast<size_t>(parts_of<State>(b, 1).count));
  add_to_bins(
      b, rows, keys.number(), histogram, members, faults, [&](int64_t p) { nans[p] = Faults{}; },
      [&](int64_t p, bool logits, auto c, int32_t* bin) {
        if constexpr (std::is_same_v<std::decay_t<decltype(*c.x)>, V>) {
          alignas(64) V made[kMostRows];
          if (logits && !b.multiclass) {
            sigmoid(c.x, c.n, made);
            for (int i = 0; sizeof(T) == 2 && i < c.n; ++i) {  // as it would be kept
              T rounded;
              narrow(made[i], &rounded);
              made[i] = widen(rounded);
            }
            c.x = made;
          }
          if (find_keys<T>(keys, c.x, c.n, bin)) note_nans(b, c, &nans[p]);
        }
      });
  Faults::record(nans, faults);
}

template <typename T>
constexpr int64_t keys_of() {
  return std::is_same_v<T, Half> ? ScoreKeys::kOfHalf : ScoreKeys::kOfBFloat16;
}

// The cells of n scores, the bits of T, whose labels are 0 and 1; those of negative labels have the last one. Returns
// whether one is NaN, or outside of [0, 1] if scores have no sign.
template <typename T, bool kSigned>
bool find_cells(const uint16_t* __restrict scores, const int32_t* __restrict label, int n, uint32_t* __restrict cell) {
  constexpr bool kHalf = std::is_same_v<T, Half>;
  constexpr uint32_t kMost = kSigned ? (kHalf ? 0x7c00 : 0x7f80) : (kHalf ? 0x3c00 : 0x3f80);
  constexpr uint32_t kNone = static_cast<uint32_t>(2 * (kSigned ? ScoreKeys::kOfSigned : keys_of<T>()));
  uint32_t odd = 0;
  for (int i = 0; i < n; ++i) {
    const uint32_t given = scores[i], bits = given == 0x8000 ? 0 : given;  // -0 is 0
    uint32_t key = bits < kMost ? bits : kMost;
    odd |= (kSigned ? bits & 0x7fff : bits) > kMost ? 1 : 0;
    if (kSigned) key = bits & 0x8000 ? 0xffff - bits : bits | 0x8000;
    cell[i] = label[i] < 0 ? kNone : 2 * key + static_cast<uint32_t>(label[i]);
  }
  return odd != 0;
}

// Counts a whole batch of 16-bit scores in a line, without widening them. Returns false, having counted nothing, if one
// is NaN or a logit, or a target out of range: those are for the loops above.
template <typename T>
bool count_clean(const ScoresBatch& b, const ScoreKeys& keys, int64_t* histogram) {
  constexpr int64_t kFewest = int64_t{1} << 18;  // scores that are worth several sets of cells
  const int64_t n = b.rows.samples();
  if (b.multiclass || b.columns != 1 || b.weights != nullptr || keys.bits != 0 || b.logits == kLogits || n < kFewest ||
      b.rows.dims != 1 || b.rows.a_stride[0] != 1) {
    return false;
  }
  constexpr bool kHalf = std::is_same_v<T, Half>;
  const int64_t number = keys.signed_ ? ScoreKeys::kOfSigned : keys_of<T>();
  const int64_t first = !kHalf ? 0 : keys.signed_ ? ScoreKeys::kOfSigned : ScoreKeys::kOfBFloat16;
  const int64_t size = 2 * number + 1;
  const auto* scores = static_cast<const uint16_t*>(b.preds);
  const int64_t of_target = b.rows.b_stride[0] * size_of(b.target_type);
  const Parts parts(n, std::max<int64_t>(threads_for(n), n >> 31));
  std::vector<std::vector<uint32_t>> cells(parts.count);
  std::atomic<bool> clean{true};
  parts.for_each(threads_for(n), [&](int64_t p, int64_t begin, int64_t end) {
    cells[p].assign(kSetsOfKeys * size, 0);
    uint32_t* to = cells[p].data();
    for (int64_t at = begin; at < end && clean.load(std::memory_order_relaxed); at += kMostRows) {
      alignas(64) int32_t label[kMostRows];
      alignas(64) uint32_t cell[kMostRows];
      const int m = static_cast<int>(std::min<int64_t>(kMostRows, end - at));
      const bool bad =
          narrow_labels(b.target, b.target_type, at * b.rows.b_stride[0], b.rows.b_stride[0], m, 2, b.ignored(), label);
      if (b.valid != nullptr) mask_labels(b.valid, at * b.rows.c_stride[0], b.rows.c_stride[0], m, label);
      const bool odd = keys.signed_ ? find_cells<T, true>(scores + at, label, m, cell)
                                    : find_cells<T, false>(scores + at, label, m, cell);
      if (bad || odd) {
        clean.store(false, std::memory_order_relaxed);
        return;
      }
      const StepsAhead next{reinterpret_cast<const char*>(scores + at + 2 * kMostRows),
                            static_cast<const char*>(b.target) + (at + 2 * kMostRows) * of_target,
                            static_cast<int64_t>(sizeof(T)), of_target};
      int i = 0;
      for (; i + kFetchStep <= m; i += kFetchStep) {
        next.fetch(i);
        for (int j = 0; j < kFetchStep; ++j) ++to[j % kSetsOfKeys * size + cell[i + j]];
      }
      for (; i < m; ++i) ++to[cell[i]];
    }
  });
  if (!clean.load()) return false;
  for (const auto& of_part : cells) {
    for (int64_t set = 0; set < kSetsOfKeys; ++set) {
      for (int64_t i = 0; i < 2 * number; ++i) histogram[2 * first + i] += of_part[set * size + i];
    }
  }
  return true;
}

// Keeps n scores, with labels as their signs if there is no room for labels; NaN is what does not count. Returns
// whether a score is NaN.
template <typename T, typename Step>
bool keep_column(const Wide<T>* __restrict x, const int32_t* __restrict label, int n, Step step, T* __restrict to,
                 int8_t* __restrict labels) {
  using V = Wide<T>;
  using Bits = BitsOf<T>;
  constexpr int kTop = 8 * sizeof(T) - 1;
  T none;
  narrow(std::numeric_limits<V>::quiet_NaN(), &none);
  Bits none_bits;
  memcpy(&none_bits, &none, sizeof(none));
  const bool signs = labels == nullptr;
  const Bits sign = static_cast<Bits>(Bits{signs} << kTop);
  int32_t nan = 0;
  for (int i = 0; i < n; ++i) {
    T score;
    narrow(x[i] + V(0), &score);  // -0 is 0
    Bits bits;
    memcpy(&bits, &score, sizeof(bits));
    bits = static_cast<Bits>(bits | (label[i] == 0 ? sign : Bits{0}));
    bits = label[i] < 0 ? none_bits : bits;
    memcpy(to + i * step, &bits, sizeof(bits));
    nan |= x[i] != x[i] ? 1 : 0;
  }
  for (int i = 0; !signs && i < n; ++i) labels[i * step] = static_cast<int8_t>(label[i] < 0 ? -1 : label[i]);
  return nan != 0;
}

// Keeps rows of probabilities of classes in the order in which they lie. Returns false if there are others, a target
// out of range or a sample that does not count: those are for the loop below, which writes all of them again.
template <typename T>
bool keep_clean(const ScoresBatch& b, T* scores) {
  using B = ScoreBits<T>;
  using Bits = typename B::type;
  const int64_t n = b.rows.samples(), c = b.columns;
  if (!b.multiclass || b.logits != kEither || b.weights != nullptr || b.rows.dims != 1 || b.a_column != 1 ||
      b.rows.a_stride[0] != c) {
    return false;
  }
  std::atomic<bool> clean{true};
  split(n, threads_for(n * c), [&](int, int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end && clean.load(std::memory_order_relaxed); at += kMostRows) {
      alignas(64) int32_t target[kMostRows];
      const int m = static_cast<int>(std::min<int64_t>(kMostRows, end - at));
      const int64_t b_step = b.rows.b_stride[0];
      narrow_labels(b.target, b.target_type, at * b_step, b_step, m, c, b.ignored(), target);
      if (b.valid != nullptr) mask_labels(b.valid, at * b.rows.c_stride[0], b.rows.c_stride[0], m, target);
      const char* from = static_cast<const char*>(b.preds) + at * c * sizeof(T);
      T* to = scores + at * c;
      Bits most = 0;
      int32_t odd = 0;
      for (int i = 0; i < m; ++i) odd |= target[i];
      for (int64_t i = 0; i < m * c; ++i) {
        Bits bits;
        memcpy(&bits, from + i * sizeof(T), sizeof(bits));
        bits = bits == B::kMinusZero ? Bits{0} : bits;
        most = std::max(most, bits);
        bits |= B::kMinusZero;  // the sign is that of a label 0
        memcpy(to + i, &bits, sizeof(bits));
      }
      if (odd < 0 || most > B::kOne) {
        clean.store(false, std::memory_order_relaxed);
        return;
      }
      for (int i = 0; i < m; ++i) {
        T& own = to[i * c + target[i]];
        Bits bits;
        memcpy(&bits, &own, sizeof(bits));
        bits &= static_cast<Bits>(~B::kMinusZero);
        memcpy(&own, &bits, sizeof(bits));
      }
    }
  });
  return clean.load();
}

template <typename T>
void keep_all(const ScoresBatch& b, T* scores, int8_t* labels, int64_t* faults) {
  using V = Wide<T>;
  if (labels == nullptr && keep_clean(b, scores)) return;
  const int64_t samples = b.rows.samples();
  const int64_t columns = b.columns;
  const Parts parts(samples, std::min<int64_t>(samples, threads_for(samples * columns)));
  std::vector<Faults> nans(parts.count);
  read_scores(
      b, parts, faults, [&](int64_t p, bool) { nans[p] = Faults{}; },
      [&](int64_t p, bool logits, const auto& c) {
        if constexpr (std::is_same_v<std::decay_t<decltype(*c.x)>, V>) {
          alignas(64) V made[kMostRows];
          const V* x = c.x;
          if (logits && !b.multiclass) {
            sigmoid(x, c.n, made);
            x = made;
          }
          for (int i = 0; i < c.n; i += kFetchStep) c.ahead.fetch(i);
          const int32_t* label = c.label;
          alignas(64) int32_t counted[kMostRows];
          if (c.weight != nullptr) {
            for (int i = 0; i < c.n; ++i) counted[i] = c.weight[i] == 0.0 ? -1 : label[i];
            label = counted;
          }
          T* to = scores + c.first * columns + c.column;
          int8_t* label_to = labels == nullptr ? nullptr : labels + c.first * columns + c.column;
          const bool nan = columns == 1 ? keep_column(x, label, c.n, std::integral_constant<int64_t, 1>{}, to, label_to)
                                        : keep_column(x, label, c.n, columns, to, label_to);
          if (!nan) return;
          ScoresColumn<V> found = c;
          found.x = x;
          note_nans(b, found, &nans[p]);
        }
      });
  Faults::record(nans, faults);
}

}  // namespace

void add_score_histogram(const ScoresBatch& b, const Slicings* rows, const ScoreBins& bins, int64_t* histogram,
                         int64_t* members, int64_t* faults) {
  add_histogram(b, rows, bins, histogram, members, faults);
}

void add_score_histogram(const ScoresBatch& b, const Slicings* rows, const ScoreBins& bins, double* histogram,
                         int64_t* faults) {
  add_histogram(b, rows, bins, histogram, nullptr, faults);
}

namespace {

template <typename State>
void count_batch(const ScoresBatch& b, const Slicings* rows, const ScoreKeys& keys, State* histogram, int64_t* members,
                 int64_t* faults) {
  if (b.rows.samples() * b.columns == 0) return;
  with_score_type(b.preds_type, [&](auto t) {
    using T = decltype(t);
    if constexpr (sizeof(T) == 2 && std::is_same_v<State, int64_t>) {
      if (rows == nullptr && count_clean<T>(b, keys, histogram)) return;
    }
    count_all<T>(b, rows, keys, histogram, members, faults);
  });
}

}  // namespace

void count_scores(const ScoresBatch& b, const Slicings* rows, const ScoreKeys& keys, int64_t* histogram,
                  int64_t* members, int64_t* faults) {
  count_batch(b, rows, keys, histogram, members, faults);
}

void count_scores(const ScoresBatch& b, const Slicings* rows, const ScoreKeys& keys, double* histogram,
                  int64_t* faults) {
  count_batch(b, rows, keys, histogram, nullptr, faults);
}

void keep_scores(const ScoresBatch& b, void* scores, int8_t* labels, int64_t* faults) {
  if (b.rows.samples() * b.columns == 0) return;
  with_score_type(b.preds_type,
                  [&](auto t) { keep_all<decltype(t)>(b, static_cast<decltype(t)*>(scores), labels, faults); });
}

}  // namespace fastmetrics
