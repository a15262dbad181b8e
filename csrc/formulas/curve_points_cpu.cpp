// SPDX-License-Identifier: Apache-2.0
//
// curve_points_, roc_curves_ and precision_recall_curves_ (their meaning is in fastmetrics/formulas/curve_table.py and
// curves.py), and find_points_ (operating_points.py).
//
// A point of a curve is where a run of equal scores ends. What comes before each block of rows is known, so that blocks
// are written by any thread, and a search looks at blocks first.

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/stream_cpu.h"
#include "formulas/sorted_scores.h"

namespace fastmetrics {
namespace {

constexpr int64_t kRows = Curves::kBlockRows;
constexpr int64_t kExact = int64_t{1} << 24;  // whole numbers up to this are floats

// Calls f(points of a block, its first row, its first point, the positives before it) for all blocks. What it streamed
// is written then.
template <typename F>
void for_blocks(const SortedColumn& of, int threads, const F& f) {
  split(of.count, static_cast<int>(std::min<int64_t>(threads, of.count)), [&](int, int64_t first, int64_t last) {
    ScoredPoints found;
    for (int64_t b = first; b < last; ++b) {
      of.find(b, &found);
      f(found, of.begin(b), of.points_before(b), of.tp_before(b));
    }
    streams_written();
  });
}

// Results of a block, which are written to their place, or streamed there from a buffer.
template <typename T>
class Results {
 public:
  Results(T* to, bool streamed) : to_(to), streamed_(streamed) {}

  T* values() { return streamed_ ? buffer_ : to_; }
  // That n of them were written.
  void written(int n) const {
    if (streamed_) stream(buffer_, n * static_cast<int64_t>(sizeof(T)), to_);
  }

 private:
  T* to_;
  bool streamed_;
  alignas(64) T buffer_[kRows];
};

void copy_scores(const ScoredPoints& points, DType type, void* to, int64_t at, bool streamed = false) {
  char* out = static_cast<char*>(to) + at * size_of(type);
  const int64_t bytes = int64_t{points.n} * size_of(type);
  if (streamed) {
    stream(points.scores, bytes, out);
  } else {
    memcpy(out, points.scores, bytes);
  }
}

void reverse_scores(const ScoredPoints& points, DType type, void* to, int64_t at, bool streamed) {
  with_bits(type, [&](auto b) {
    using Bits = decltype(b);
    Results<Bits> results(static_cast<Bits*>(to) + at, streamed);
    const Bits* from = reinterpret_cast<const Bits*>(points.scores);
    Bits* out = results.values();
    const int n = points.n;
    for (int k = 0; k < n; ++k) out[k] = from[n - 1 - k];
    results.written(n);
  });
}

// Whether two rates and a threshold of each point are so many that they had better not take the place of everything
// else in the caches.
bool are_streamed(const Curves& curves) {
  constexpr int64_t kStreamed = int64_t{8} << 20;
  return curves.points() * (2 * static_cast<int64_t>(sizeof(float)) + size_of(curves.type)) >= kStreamed;
}

// The points before each column.
std::vector<int64_t> firsts(const Curves& curves) {
  std::vector<int64_t> first(curves.columns, 0);
  for (int64_t c = 1; c < curves.columns; ++c) first[c] = first[c - 1] + curves.counts[2 * c - 1];
  return first;
}

// Shares of a total, which are rounded once. A total of at most kExact: the product with the reciprocal in doubles has
// the relative error 2^-52, and no quotient of such whole numbers is nearer than 2^-49 to the middle of two floats.
struct SharesOfFloats {
  using Whole = int32_t;

  explicit SharesOfFloats(int64_t total = 1) : inverse(1.0 / static_cast<double>(std::max<int64_t>(total, 1))) {}

  float operator()(int32_t count) const { return static_cast<float>(static_cast<double>(count) * inverse); }
  static float ratio(int32_t count, int32_t total) { return static_cast<float>(count) / static_cast<float>(total); }

  double inverse;
};

// Those of any total, divided in doubles.
struct SharesOfDoubles {
  using Whole = int64_t;

  explicit SharesOfDoubles(int64_t total = 1) : total(static_cast<double>(std::max<int64_t>(total, 1))) {}

  float operator()(int64_t count) const { return static_cast<float>(static_cast<double>(count) / total); }
  static float ratio(int64_t count, int64_t total) {
    return static_cast<float>(static_cast<double>(count) / static_cast<double>(total));
  }

  double total;
};

template <typename Shares>
using Whole = typename Shares::Whole;

// Calls f(Shares) with those for totals up to n.
template <typename F>
void with_shares(int64_t n, const F& f) {
  if (n <= kExact) {
    f(SharesOfFloats());
  } else {
    f(SharesOfDoubles());
  }
}

// Searches in a column. A place is how many rows come before it: 0 is where no score reaches the threshold.
class Search {
 public:
  explicit Search(const SortedColumn& of) : of_(of) {}

  // A place, of which there is none if rows are negative, and its positives.
  struct Place {
    int64_t rows, tp;
  };

  Place equal_errors() const {
    auto gap = [&](int64_t rows, int64_t tp) {
      const float fpr = static_cast<float>(rate(rows - tp, negatives()));
      const float tpr = static_cast<float>(rate(tp, positives()));
      return fpr - (1.0f - tpr);
    };
    const int64_t first = first_that([&](int64_t rows, int64_t tp) { return gap(rows, tp) >= 0.0f; });
    const int64_t above = point_from(std::min(first, of_.m));
    const int64_t before = above == 0 ? 0 : run_begin(above - 1);
    const float below = gap(before, of_.tp_at(before)), of_above = gap(above, of_.tp_at(above));
    if (!(std::fabs(below) <= std::fabs(of_above))) return at(above);
    return at(point_from(first_that([&](int64_t rows, int64_t tp) { return gap(rows, tp) >= below; })));
  }

  // The first of the most positives where specificity is at least `least`.
  Place specificity(double least) const {
    const double all = static_cast<double>(negatives());
    auto too_low = [&](int64_t rows, int64_t tp) {
      const double kept = all == 0.0 ? 1.0 : static_cast<double>(negatives() - (rows - tp)) / all;
      return !(kept >= least);
    };
    const int64_t rows = first_that(too_low);
    if (rows == 0) return kNone;
    return first_with(of_.tp_at(rows > of_.m ? of_.m : run_begin(rows - 1)), 0);
  }

  // The first where sensitivity is at least `least`.
  Place sensitivity(double least) const {
    const int64_t rows = first_sensitive(least);
    return rows > of_.m ? kNone : at(point_from(rows));
  }

  // The last of the greatest precision where recall is at least `least`.
  Place recall(double least) const {
    const int64_t from = std::max<int64_t>(1, first_sensitive(least));
    if (from > of_.m || positives() == 0) return kNone;
    BlockPoints found;
    Place best = kNone;
    double greatest = 0.0;
    for (int64_t b = (point_from(from) - 1) / kRows; b < of_.count; ++b) {
      if (most_precise(b) < greatest) continue;
      of_.find(b, &found);
      for (int k = 0; k < found.n; ++k) {
        const int64_t rows = of_.begin(b) + found.row[k] + 1, tp = of_.tp_before(b) + found.tp[k];
        const double precision = static_cast<double>(tp) / static_cast<double>(rows);
        if (rows < from || precision < greatest) continue;
        greatest = precision;
        best = {rows, tp};
      }
    }
    return best;
  }

  // The first of the most positives where precision is at least `least`.
  Place precision(double least) const {
    BlockPoints found;
    for (int64_t b = of_.count - 1; b >= 0; --b) {
      if (!(most_precise(b) >= least)) continue;
      of_.find(b, &found);
      for (int k = found.n - 1; k >= 0; --k) {
        const int64_t rows = of_.begin(b) + found.row[k] + 1, tp = of_.tp_before(b) + found.tp[k];
        if (static_cast<double>(tp) / static_cast<double>(rows) >= least) return first_with(tp, 1);
      }
    }
    return kNone;
  }

 private:
  static constexpr Place kNone{-1, 0};

  int64_t positives() const { return of_.positives(); }
  int64_t negatives() const { return of_.negatives(); }
  static double rate(int64_t count, int64_t total) {
    return total == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(total);
  }

  // No precision in a block is greater than if all its positives came first.
  double most_precise(int64_t b) const {
    const int64_t tp = of_.tp_before(b + 1), rows = of_.begin(b) + tp - of_.tp_before(b);
    const double first = rows == 0 ? 0.0 : static_cast<double>(tp) / static_cast<double>(rows);
    return of_.begin(b) == 0 ? first : std::max(first, rate(of_.tp_before(b), of_.begin(b)));
  }

  Place at(int64_t rows) const { return {rows, of_.tp_at(rows)}; }

  // The least number of rows, with their positives, for which `holds`, as for all greater ones; more than m if none.
  template <typename F>
  int64_t first_that(const F& holds) const {
    int64_t low = 0, high = of_.count + 1;  // blocks before which it does not hold are below low
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (holds(of_.begin(middle), of_.tp_before(middle))) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    if (low == 0) return 0;
    if (low > of_.count) return of_.m + 1;
    int64_t rows = of_.begin(low - 1), tp = of_.tp_before(low - 1);
    while (!holds(rows, tp)) tp += of_.positive(rows++);
    return rows;
  }

  int64_t first_sensitive(double least) const {
    return first_that([&](int64_t, int64_t tp) { return rate(tp, positives()) >= least; });
  }

  // The first point of at least so many positives, and rows.
  Place first_with(int64_t tp, int64_t rows) const {
    return at(point_from(std::max(rows, first_that([&](int64_t, int64_t of) { return of >= tp; }))));
  }

  // Scores are in order, so that those of a run are found by halves.
  int64_t point_from(int64_t rows) const {
    if (rows == 0) return 0;
    int64_t low = rows, high = of_.m;  // the run of the row before ends after low rows at least
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (of_.same(rows - 1, middle)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  int64_t run_begin(int64_t row) const {
    int64_t low = 0, high = row;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (of_.same(row, middle)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  const SortedColumn& of_;
};

}  // namespace

int64_t SortedColumn::tp_at(int64_t rows) const {
  const int64_t b = rows / kRows;
  int64_t tp = tp_before(b);
  for (int64_t i = b * kRows; i < rows; ++i) tp += positive(i);
  return tp;
}

void curve_points(const Curves& curves, void* thresholds, int64_t* tp, int64_t* fp) {
  const std::vector<int64_t> first = firsts(curves);
  for_columns(curves, [&](int64_t column, int threads) {
    const SortedColumn of(curves, column);
    int64_t *to_tp = tp + first[column], *to_fp = fp + first[column];
    for_blocks(of, threads, [&](const ScoredPoints& p, int64_t row, int64_t point, int64_t before) {
      copy_scores(p, curves.type, thresholds, first[column] + point);
      for (int k = 0; k < p.n; ++k) {
        to_tp[point + k] = before + p.tp[k];
        to_fp[point + k] = row + p.row[k] + 1 - before - p.tp[k];
      }
    });
  });
}

void roc_curves(const Curves& curves, float* fpr, float* tpr, void* thresholds) {
  const bool streamed = are_streamed(curves);
  const std::vector<int64_t> first = firsts(curves);
  for_columns(curves, [&](int64_t column, int threads) {
    const SortedColumn of(curves, column);
    const int64_t at = first[column] + column;
    float *to_fpr = fpr + at, *to_tpr = tpr + at;
    to_fpr[0] = to_tpr[0] = 0.0f;
    with_score_type(curves.type,
                    [&](auto t) { narrow(decltype(widen(t))(1), static_cast<decltype(t)*>(thresholds) + at); });
    with_shares(of.m, [&](auto of_shares) {
      using Of = decltype(of_shares);
      const Of of_positives(of.positives()), of_negatives(of.negatives());
      for_blocks(of, threads, [&](const ScoredPoints& p, int64_t row, int64_t point, int64_t before) {
        copy_scores(p, curves.type, thresholds, at + point + 1, streamed);
        Results<float> of_fpr(to_fpr + point + 1, streamed), of_tpr(to_tpr + point + 1, streamed);
        float *fpr_values = of_fpr.values(), *tpr_values = of_tpr.values();
        const Whole<Of> fp = static_cast<Whole<Of>>(row + 1 - before), tp = static_cast<Whole<Of>>(before);
        for (int k = 0; k < p.n; ++k) {
          fpr_values[k] = of_negatives(fp + (p.row[k] - p.tp[k]));
          tpr_values[k] = of_positives(tp + p.tp[k]);
        }
        of_fpr.written(p.n);
        of_tpr.written(p.n);
      });
    });
  });
}

void precision_recall_curves(const Curves& curves, float absent, float* precision, float* recall, void* thresholds) {
  const bool streamed = are_streamed(curves);
  const std::vector<int64_t> first = firsts(curves);
  for_columns(curves, [&](int64_t column, int threads) {
    const SortedColumn of(curves, column);
    const int64_t at = first[column] + column;
    const bool none = of.positives() == 0;
    // the last points come first
    float *to_precision = precision + at + of.points, *to_recall = recall + at + of.points;
    *to_precision-- = 1.0f;
    *to_recall-- = 0.0f;
    with_shares(of.m, [&](auto of_shares) {
      using Of = decltype(of_shares);
      const Of of_positives(of.positives());
      for_blocks(of, threads, [&](const ScoredPoints& p, int64_t row, int64_t point, int64_t before) {
        // from the last point on, so that places ascend, as vectors want them
        const int64_t behind = point + p.n - 1;
        reverse_scores(p, curves.type, thresholds, first[column] + of.points - 1 - behind, streamed);
        Results<float> of_precision(to_precision - behind, streamed), of_recall(to_recall - behind, streamed);
        float *precisions = of_precision.values(), *recalls = of_recall.values();
        const Whole<Of> rows = static_cast<Whole<Of>>(row + 1), tp = static_cast<Whole<Of>>(before);
        for (int k = 0; k < p.n; ++k) {
          const int i = p.n - 1 - k;
          precisions[k] = Of::ratio(tp + p.tp[i], rows + p.row[i]);
          recalls[k] = of_positives(tp + p.tp[i]);
        }
        if (none) std::fill_n(recalls, p.n, absent);
        of_precision.written(p.n);
        of_recall.written(p.n);
      });
    });
  });
}

void find_points(const Curves& curves, PointSearch search, double least, int64_t* found, void* thresholds) {
  for_columns(curves, [&](int64_t column, int) {
    const SortedColumn of(curves, column);
    const Search in(of);
    const auto place = search == PointSearch::kEqualErrors   ? in.equal_errors()
                       : search == PointSearch::kSpecificity ? in.specificity(least)
                       : search == PointSearch::kSensitivity ? in.sensitivity(least)
                       : search == PointSearch::kRecall      ? in.recall(least)
                                                             : in.precision(least);
    found[2 * column] = place.rows < 0 ? -1 : place.tp;
    found[2 * column + 1] = place.rows < 0 ? -1 : place.rows - place.tp;
    with_score_type(curves.type, [&](auto t) {
      using T = decltype(t);
      T* threshold = static_cast<T*>(thresholds) + column;
      if (place.rows > 0) {
        *threshold = of.score<T>(place.rows - 1);
      } else {
        narrow(decltype(widen(t))(place.rows == 0 ? 1.0 : NAN), threshold);
      }
    });
  });
}

}  // namespace fastmetrics
