// SPDX-License-Identifier: Apache-2.0
//
// Tables whose samples are drawn anew and what they add up to, on the CPU; the meaning is resample_body in
// fastmetrics/passes/resample.py.
//
// Draws of all tables are independent of each other, so threads share them evenly. A thread makes some draws of one
// table at a time: a binomial number takes most of its time for its first proposal, which is made for all of them in a
// loop that vectorises, and which about six of seven accept at once. The others go on one by one. Of samples that are
// drawn one by one, numbers of a block come first, in such a loop too, and then the samples that they choose.

#include <cmath>
#include <memory>
#include <vector>

#include "common/cpu.h"
#include "passes/loops_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kLanes = 16;  // draws that are made together
constexpr int kBlock = 256;
constexpr int64_t kFew = 16;           // as FEW
constexpr double kMean = 10.0;         // as MEAN
constexpr double kMostSearched = 128;  // as SEARCHED
constexpr uint64_t kStep = 0x9E3779B97F4A7C15;

inline uint64_t mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// In [0, 1).
inline double uniform(uint64_t hash) { return static_cast<double>(static_cast<int64_t>(hash >> 11)) * 0x1p-53; }

// What log(k!) is more than Stirling's formula.
inline double beyond_stirling(double k) {
  constexpr double kOfFew[] = {0.0810614667953272,  0.0413406959554092, 0.0276779256849983, 0.02079067210376509,
                               0.0166446911898211,  0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
                               0.00925546218271273, 0.00833056343336287};
  if (k < 10.0) return kOfFew[static_cast<int>(k)];
  const double r = 1.0 / (k + 1.0), s = r * r;
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 * s) * s) * r;
}

// A number of n trials of probability p, of at most 1/2, that succeed; q is 1 - p.
struct Binomial {
  double n, p, q;
  double b, a, center, most;  // of proposals

  Binomial(double n, double p, double q) : n(n), p(p), q(q) {
    const double spread = std::sqrt(n * p * q);
    b = 1.15 + 2.53 * spread;
    a = -0.0873 + 0.0248 * b + 0.01 * p;
    center = n * p + 0.5;
    most = 0.92 - 4.2 / b;
  }
  bool is_searched() const { return n * p < kMean; }
  double proposal(double u, double us) const { return std::floor((2.0 * a / us + b) * u + center); }
  bool accepts_at_once(double us, double v) const { return (us >= 0.07) & (v <= most); }

  bool accepts(double us, double v, double k) const {
    if (k < 0.0 || k > n) return false;
    const double odds = p / q, alpha = (2.83 + 5.1 / b) * std::sqrt(n * p * q), m = std::floor((n + 1.0) * p);
    const double bound = (m + 0.5) * std::log((m + 1.0) / (odds * (n - m + 1.0))) +
                         (n + 1.0) * std::log((n - m + 1.0) / (n - k + 1.0)) +
                         (k + 0.5) * std::log(odds * (n - k + 1.0) / (k + 1.0)) + beyond_stirling(m) +
                         beyond_stirling(n - m) - beyond_stirling(k) - beyond_stirling(n - k);
    return std::log(v * alpha / (a / (us * us) + b)) <= bound;
  }

  double searched(double u) const {
    const double odds = p / q, end = std::min(n, kMostSearched);
    double share = std::exp(n * std::log1p(-p)), k = 0.0;
    while (u > share && k < end) {
      u -= share;
      k += 1.0;
      share *= (n - k + 1.0) / k * odds;
    }
    return k;
  }

  double draw(uint64_t of_node) const {
    if (n == 0.0) return 0.0;
    if (is_searched()) return searched(uniform(mixed(of_node + kStep)));
    for (uint64_t at = 1;; at += 2) {
      const double u = uniform(mixed(of_node + at * kStep)) - 0.5, us = 0.5 - std::fabs(u);
      const double v = uniform(mixed(of_node + (at + 1) * kStep)), k = proposal(u, us);
      if (accepts_at_once(us, v) || accepts(us, v, k)) return k;
    }
  }
};

// One table: how its samples are split, and where they are added.
class Table {
 public:
  void open(const Resample& r, int64_t t) {
    const int64_t* counts = r.counts + t * r.cells;
    weights_.clear();
    many_.clear();
    std::vector<int64_t> few;
    int64_t in_few = 0;
    for (int64_t cell = 0; cell < r.cells; ++cell) {
      if (counts[cell] >= kFew) {
        for (int64_t p = 0; p < r.places_of_cell; ++p) {
          const int32_t place = r.places[p * r.cells + cell];
          if (place >= 0 && place < r.sums) many_.push_back({static_cast<int32_t>(weights_.size()), place});
        }
        weights_.push_back(static_cast<double>(counts[cell]));
      } else if (counts[cell] > 0) {
        few.push_back(cell);
        in_few += counts[cell];
      }
    }
    leaf_of_few_ = in_few > 0 ? static_cast<int64_t>(weights_.size()) : -1;
    if (in_few > 0) weights_.push_back(static_cast<double>(in_few));
    leaves_ = static_cast<int64_t>(weights_.size());
    height_ = 0;
    while ((int64_t{1} << height_) < leaves_) ++height_;
    size_ = int64_t{1} << height_;
    weights_.resize(size_, 0.0);
    total_ = 0.0;
    for (const double weight : weights_) total_ += weight;
    make_shares();
    place_few(r, counts, few, in_few);
    nodes_.resize(size_ * kLanes);
    table_.resize(r.sums + 1);
  }

  // Adds `lanes` draws from `first` on to their sums. sizes: of each, or null.
  void draw(uint64_t seed, int64_t first, int lanes, const int64_t* sizes, int64_t sums, double* to) {
    if (leaves_ == 0) return;
    uint64_t of_draw[kLanes], of_tree[kLanes];
    for (int j = 0; j < kLanes; ++j) {
      of_draw[j] = mixed(seed + static_cast<uint64_t>(first + j + 1) * kStep);
      of_tree[j] = mixed(of_draw[j]);
    }
    for (int j = 0; j < kLanes; ++j)
      nodes_[j] = sizes == nullptr ? total_ : j < lanes ? static_cast<double>(sizes[j]) : 0;
    for (int64_t height = height_; height > 0; --height) {
      const int64_t level = size_ >> height;
      for (int64_t i = level - 1; i >= 0; --i) {  // the last one first: children take the place of their parents
        const uint64_t node = (static_cast<uint64_t>(height) << 48) + static_cast<uint64_t>(i);
        split_node(shares_[level - 1 + i], node, of_tree, &nodes_[i * kLanes], &nodes_[2 * i * kLanes]);
      }
    }
    for (const Many& many : many_) {
      const double* found = &nodes_[many.leaf * kLanes];
      for (int j = 0; j < lanes; ++j) to[j * sums + many.place] += found[j];
    }
    if (leaf_of_few_ < 0 || places_ == 0) return;
    for (int j = 0; j < lanes; ++j) {
      memset(table_.data(), 0, table_.size() * sizeof(uint32_t));
      const auto drawn = static_cast<int64_t>(nodes_[leaf_of_few_ * kLanes + j]);
      with_places([&](auto places) { add_few<places>(of_draw[j], drawn); });
      for (int64_t s = 0; s < sums; ++s) to[j * sums + s] += table_[s];
    }
  }

 private:
  struct Many {
    int32_t leaf, place;
  };
  // How the samples of a node are shared: whether the second child has the lesser share, which is p.
  struct Share {
    double p, q;
    bool second;
  };

  // Those of a level follow each other, from the root on.
  void make_shares() {
    shares_.assign(size_ - 1, {});
    std::vector<double> sums = weights_;
    for (int64_t level = size_ / 2; level > 0; level /= 2) {
      for (int64_t i = 0; i < level; ++i) {
        const double first = sums[2 * i], second = sums[2 * i + 1], all = first + second;
        const double least = std::min(first, second);
        shares_[level - 1 + i] = {all > 0.0 ? least / all : 0.0, all > 0.0 ? (all - least) / all : 1.0,
                                  second <= first};
        sums[i] = all;
      }
    }
  }

  // What each of the samples in cells of few adds to, those of one sample together; the last is none of the sums.
  void place_few(const Resample& r, const int64_t* counts, const std::vector<int64_t>& few, int64_t in_few) {
    std::vector<int64_t> used;  // places of which any sample has one
    for (int64_t p = 0; p < r.places_of_cell; ++p) {
      bool any = false;
      for (const int64_t cell : few) {
        const int32_t place = r.places[p * r.cells + cell];
        any |= place >= 0 && place < r.sums;
      }
      if (any) used.push_back(p);
    }
    places_ = static_cast<int>(used.size());
    samples_ = in_few;
    of_sample_.resize(in_few * places_);
    int32_t* to = of_sample_.data();
    for (const int64_t cell : few) {
      for (int64_t i = 0; i < counts[cell]; ++i) {
        for (const int64_t p : used) {
          const int32_t place = r.places[p * r.cells + cell];
          *to++ = place >= 0 && place < r.sums ? place : static_cast<int32_t>(r.sums);
        }
      }
    }
  }

  // to: both children, which may begin with the node itself.
  static void split_node(const Share& share, uint64_t node, const uint64_t* of_tree, const double* from, double* to) {
    double n[kLanes], lesser[kLanes];
    std::copy(from, from + kLanes, n);
    if (share.p == 0.0) {
      std::fill(lesser, lesser + kLanes, 0.0);
    } else {
      int64_t done[kLanes];
      for (int j = 0; j < kLanes; ++j) {
        const uint64_t of_node = mixed(of_tree[j] + node * kStep);
        const Binomial binomial(n[j], share.p, share.q);
        const double u = uniform(mixed(of_node + kStep)) - 0.5, us = 0.5 - std::fabs(u);
        const double v = uniform(mixed(of_node + 2 * kStep));
        lesser[j] = binomial.proposal(u, us);
        done[j] = !binomial.is_searched() & binomial.accepts_at_once(us, v);
      }
      for (int j = 0; j < kLanes; ++j) {
        if (!done[j]) lesser[j] = Binomial(n[j], share.p, share.q).draw(mixed(of_tree[j] + node * kStep));
      }
    }
    for (int j = 0; j < kLanes; ++j) {
      to[share.second * kLanes + j] = lesser[j];
      to[!share.second * kLanes + j] = n[j] - lesser[j];
    }
  }

  template <typename F>
  void with_places(const F& f) {
    if (places_ == 1) return f(std::integral_constant<int, 1>{});
    if (places_ == 2) return f(std::integral_constant<int, 2>{});
    if (places_ == 3) return f(std::integral_constant<int, 3>{});
    f(std::integral_constant<int, 0>{});
  }

  // kPlaces: of a sample; 0: any number.
  template <int kPlaces>
  void add_few(uint64_t of_draw, int64_t drawn) {
    const int places = kPlaces > 0 ? kPlaces : places_;
    const double samples = static_cast<double>(samples_);
    const auto last = static_cast<int32_t>(samples_ - 1);
    uint32_t* table = table_.data();
    int32_t chosen[kBlock];
    for (int64_t first = 0; first < drawn; first += kBlock) {
      const int count = static_cast<int>(std::min<int64_t>(kBlock, drawn - first));
      for (int i = 0; i < count; ++i) {
        const double share = uniform(mixed(of_draw + static_cast<uint64_t>(first + i + 1) * kStep));
        chosen[i] = std::min(static_cast<int32_t>(share * samples), last);
      }
      for (int i = 0; i < count; ++i) {
        const int32_t* place = of_sample_.data() + int64_t{chosen[i]} * places;
        for (int p = 0; p < places; ++p) ++table[place[p]];
      }
    }
  }

  int64_t leaves_ = 0, height_ = 0, size_ = 0, leaf_of_few_ = -1, samples_ = 0;
  double total_ = 0.0;
  int places_ = 0;
  std::vector<double> weights_, nodes_;  // [size], [size, kLanes]
  std::vector<Share> shares_;            // [size - 1]
  std::vector<Many> many_;
  std::vector<int32_t> of_sample_;  // [samples, places]
  std::vector<uint32_t> table_;     // [sums + 1]
};

}  // namespace

void resample(const Resample& r, double* sums) {
  const int64_t parts = (r.draws + kLanes - 1) / kLanes;
  split(r.tables * parts, threads_for(r.tables * r.draws * r.cells), [&](int, int64_t begin, int64_t end) {
    Table table;
    int64_t opened = -1;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t t = i / parts, draw = i % parts * kLanes, at = t * r.draws + draw;
      if (t != opened) table.open(r, t);
      opened = t;
      table.draw(static_cast<uint64_t>(r.seeds[t]), r.first + draw,
                 static_cast<int>(std::min<int64_t>(kLanes, r.draws - draw)),
                 r.sizes == nullptr ? nullptr : r.sizes + at, r.sums, sums + at * r.sums);
    }
  });
}

}  // namespace fastmetrics
