// SPDX-License-Identifier: Apache-2.0
//
// The CPU loops against scalar references, without torch: what runs where there is no torch to load them into. Prints a
// line for each check that fails, and exits with their number.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "common/faults.h"
#include "formulas/ranks.h"
#include "passes/loops_cpu.h"
#include "rules/order.h"

namespace fastmetrics {

int num_threads() { return 2; }

namespace {

std::mt19937 engine(1);
int failures = 0, checks = 0;

void check(bool holds, const std::string& what) {
  ++checks;
  if (holds) return;
  ++failures;
  std::printf("FAILED: %s\n", what.c_str());
}

bool near(double a, double b) { return a == b || (a != a && b != b) || std::fabs(a - b) <= 1e-9 * std::fabs(b); }

int64_t below(int64_t n) { return std::uniform_int_distribution<int64_t>(0, n - 1)(engine); }
double uniform() { return std::uniform_real_distribution<double>(0.0, 1.0)(engine); }

// Values that float16 holds exactly, so that all types can have the same; few of them, so that there are ties.
double score() { return static_cast<double>(below(64)) / 64.0; }

float narrow(double x, float) { return static_cast<float>(x); }
double narrow(double x, double) { return x; }
BFloat16 narrow(double x, BFloat16) {
  const float value = static_cast<float>(x);
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return {static_cast<uint16_t>(bits >> 16)};
}
Half narrow(double x, Half) {
  if (x != x) return {0x7e00};
  if (x == 0.0) return {0};
  int exponent;
  const double mantissa = std::frexp(std::fabs(x), &exponent);  // in [0.5, 1)
  const auto fraction = static_cast<uint16_t>(std::ldexp(mantissa, 11));
  return {static_cast<uint16_t>((x < 0 ? 0x8000 : 0) | ((exponent + 14) << 10) | (fraction & 0x3ff))};
}

template <typename T>
std::vector<T> narrowed(const std::vector<double>& values) {
  std::vector<T> all;
  for (double value : values) all.push_back(narrow(value, T{}));
  return all;
}

template <typename F>
void for_score_types(const F& f) {
  f(DType::kHalf, Half{}, "float16");
  f(DType::kBFloat16, BFloat16{}, "bfloat16");
  f(DType::kFloat, float{}, "float32");
  f(DType::kDouble, double{}, "float64");
}

// What a target or a label is: mostly in range.
std::vector<int64_t> labels_of(int64_t n, int64_t classes, bool with_bad) {
  std::vector<int64_t> all(n);
  for (int64_t& label : all) {
    label = below(classes);
    if (with_bad && below(50) == 0) label = below(2) ? -7 : classes + (int64_t{1} << 32);
  }
  return all;
}

constexpr int64_t kIgnore = -7;

// preds as doubles: scores [n, classes] or [classes, n], or labels.
void check_multiclass(const std::string& name, MulticlassBatch b, const std::vector<double>& scores,
                      const std::vector<int64_t>& labels, const std::vector<int64_t>& target) {
  const int64_t c = b.classes, n = b.layout.samples(), k = std::min<int64_t>(3, c);
  std::vector<int64_t> confusion(c * c), counts(c * 3), ranks(c * k * 2), histogram(c), faults(kFaults);
  MulticlassStates s{confusion.data(),
                     counts.data(),
                     b.scores ? ranks.data() : nullptr,
                     b.scores ? histogram.data() : nullptr,
                     faults.data(),
                     k};
  add_multiclass(b, s);
  MulticlassStates fewer{nullptr, counts.data(), nullptr, nullptr, faults.data(), 0};
  add_multiclass(b, fewer);
  std::vector<int64_t> e_confusion(c * c), e_counts(c * 3), e_ranks(c * k * 2), e_histogram(c), e_faults(kFaults);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t t = target[i];
    int64_t p = 0, rank = 0;
    if (b.scores) {
      auto at = [&](int64_t j) { return scores[i * b.layout.a_stride[0] + j * b.class_stride]; };
      for (int64_t j = 1; j < c; ++j) p = beats(at(j), at(p)) ? j : p;
      for (int64_t j = 0; j < c && t >= 0 && t < c; ++j) rank += j != t && precedes(at(j), j, at(t), t);
    } else {
      p = labels[i];
    }
    if (b.has_ignore && t == b.ignore) continue;
    const bool bad_t = t < 0 || t >= c, bad_p = p < 0 || p >= c;
    if (bad_t && e_faults[2 * kBadTarget]++ == 0) e_faults[2 * kBadTarget + 1] = t;
    if (bad_p && e_faults[2 * kBadPreds]++ == 0) e_faults[2 * kBadPreds + 1] = p;
    if (bad_t || bad_p) continue;
    ++e_confusion[t * c + p];
    e_counts[t * 3] += 2 * (t == p);
    e_counts[p * 3 + 1] += 2;
    e_counts[t * 3 + 2] += 2;
    ++e_histogram[rank];
    if (rank >= k) continue;
    ++e_ranks[(t * k + rank) * 2];
    ++e_ranks[(p * k + rank) * 2 + 1];
  }
  std::vector<int64_t> totals(3), e_totals(3), of_totals(kFaults);
  MulticlassStates of_all{};
  of_all.totals = totals.data();
  of_all.faults = of_totals.data();
  add_multiclass(b, of_all);
  for (int64_t i = 0; i < c * 3; ++i) e_totals[i % 3] += e_counts[i] / 2;
  check(totals == e_totals, name + ": totals");
  check(of_totals == e_faults, name + ": faults of totals");
  for (int which : {kBadTarget, kBadPreds}) e_faults[2 * which] *= 2;
  check(confusion == e_confusion, name + ": confusion");
  check(counts == e_counts, name + ": counts");
  check(faults == e_faults, name + ": faults");
  if (!b.scores) return;
  check(histogram == e_histogram, name + ": rank_histogram");
  check(ranks == e_ranks, name + ": ranks");
}

// Labels of another type, with what they are as int64.
template <typename T>
void check_labels(const std::string& name, DType type, MulticlassBatch b, const std::vector<int64_t>& labels,
                  const std::vector<int64_t>& target) {
  std::vector<T> narrow_labels(labels.begin(), labels.end()), narrow_target(target.begin(), target.end());
  b.preds = narrow_labels.data();
  b.target = narrow_target.data();
  b.preds_type = b.target_type = type;
  check_multiclass(name, b, {}, {narrow_labels.begin(), narrow_labels.end()},
                   {narrow_target.begin(), narrow_target.end()});
}

void multiclass() {
  for (int64_t classes : {1, 2, 3, 5, 10, 37, 64, 100, 200}) {
    const int64_t n = classes > 40 ? 333 : 2611;
    for (bool bad : {false, true}) {
      const auto target = labels_of(n, classes, bad), labels = labels_of(n, classes, bad);
      MulticlassBatch b{};
      b.target = target.data();
      b.target_type = b.preds_type = DType::kInt64;
      b.preds = labels.data();
      b.classes = classes;
      b.ignore = kIgnore;
      b.per_sample = 1;
      b.layout.push(n, 1, 1);
      for (bool ignore : {false, true}) {
        b.has_ignore = ignore;
        const std::string of = " labels, C = " + std::to_string(classes);
        check_multiclass("int64" + of, b, {}, labels, target);
        check_labels<int32_t>("int32" + of, DType::kInt32, b, labels, target);
        check_labels<int16_t>("int16" + of, DType::kInt16, b, labels, target);
        check_labels<int8_t>("int8" + of, DType::kInt8, b, labels, target);
        check_labels<uint8_t>("uint8" + of, DType::kUInt8, b, labels, target);
      }
      for (bool nans : {false, true}) {
        std::vector<double> scores(n * classes);
        for (double& x : scores) x = nans && below(40) == 0 ? NAN : score();
        for_score_types([&](DType type, auto t, const std::string& of) {
          const auto data = narrowed<decltype(t)>(scores);
          for (bool rows : {true, false}) {
            b.scores = true;
            b.preds = data.data();
            b.preds_type = type;
            b.layout.dims = 0;
            b.layout.push(n, rows ? classes : 1, 1);
            b.class_stride = rows ? 1 : n;
            check_multiclass(of + (rows ? " rows" : " planes") + ", C = " + std::to_string(classes), b, scores, {},
                             target);
          }
        });
        b.scores = false;
      }
    }
  }
}

void binary() {
  constexpr int64_t kN = 3001;
  for (bool logits : {false, true}) {
    for (bool bad : {false, true}) {
      const auto target = labels_of(kN, 2, bad);
      std::vector<double> scores(kN);
      for (double& x : scores) x = below(60) == 0 ? NAN : score() * (logits ? 4.0 : 1.0) - (logits ? 2.0 : 0.0);
      if (!logits) std::replace_if(scores.begin(), scores.end(), [](double x) { return x != x; }, 0.5);
      for_score_types([&](DType type, auto t, const std::string& of) {
        const auto data = narrowed<decltype(t)>(scores);
        BinaryBatch b{};
        b.preds = data.data();
        b.preds_type = type;
        b.target = target.data();
        b.target_type = DType::kInt64;
        b.samples.push(kN, 1, 1);
        b.labels = b.groups = 1;
        b.probability = 0.5;
        b.ignore = kIgnore;
        b.has_ignore = bad;
        b.ignored_decide = true;
        b.per_sample = kN;
        std::vector<int64_t> counts(4), faults(kFaults), expected(4), e_faults(kFaults);
        add_binary(b, counts.data(), faults.data());
        for (int64_t i = 0; i < kN; ++i) {
          if (bad && target[i] == kIgnore) continue;
          if (target[i] != 0 && target[i] != 1) {
            if (e_faults[0]++ == 0) e_faults[1] = target[i];
            continue;
          }
          const bool positive = scores[i] > (logits ? 0.0 : 0.5);
          ++expected[positive ? (target[i] ? 0 : 1) : (target[i] ? 3 : 2)];
        }
        check(counts == expected && faults == e_faults, "binary " + of + (logits ? " logits" : " probabilities"));
      });
    }
  }
}

void pairs_and_values() {
  constexpr int64_t kN = 1777;
  std::vector<double> x(kN), y(kN), weights(kN);
  for (int64_t i = 0; i < kN; ++i) {
    x[i] = score() + 0.125;
    y[i] = score() + 0.125;
    weights[i] = uniform();
  }
  LibraryMath math;
  for_score_types([&](DType type, auto t, const std::string& of) {
    const auto a = narrowed<decltype(t)>(x), c = narrowed<decltype(t)>(y);
    for (bool weighted : {false, true}) {
      PairsBatch b{};
      b.preds = a.data();
      b.target = c.data();
      b.preds_type = b.target_type = type;
      b.weights = weighted ? weights.data() : nullptr;
      b.layout.push(kN, 1, 1, 0, 1);
      b.outputs = 1;
      b.p = 2.5;
      b.power = 1.5;
      double moments[6] = {}, errors[kErrorKinds] = {}, deviance[2] = {}, count = 0.0;
      PairsStates s{};
      s.count = &count;
      s.moments = moments;
      for (int kind = 0; kind < kErrorKinds; ++kind) s.errors[kind] = &errors[kind];
      s.deviance = deviance;
      add_pairs(b, s);
      double n = 0.0, mean = 0.0, xx = 0.0, e_deviance = 0.0;
      for (int64_t i = 0; i < kN; ++i) {
        const double w = weighted ? weights[i] : 1.0;
        n += w;
        mean += w * x[i];
        e_deviance += w * deviance_of<kOtherPower>(x[i], y[i], b.power, math);
      }
      mean /= n;
      for (int64_t i = 0; i < kN; ++i) xx += (weighted ? weights[i] : 1.0) * (x[i] - mean) * (x[i] - mean);
      check(near(count, n) && near(moments[1], mean) && near(moments[3], xx), "moments " + of);
      check(near(deviance[0], e_deviance), "deviance " + of);
      for (int kind = 0; kind < kErrorKinds; ++kind) {
        double sum = 0.0;
        with_rule(kind, b.p, [&](auto rule) {
          for (int64_t i = 0; i < kN; ++i) {
            sum += (weighted ? weights[i] : 1.0) * error_of<decltype(rule)::value>(x[i], y[i], b.p, math);
          }
        });
        check(near(errors[kind], sum), "error " + std::to_string(kind) + " " + of);
      }
    }
    ValuesBatch b{};
    b.values = a.data();
    b.values_type = type;
    b.layout.push(kN, 1, 0);
    b.nans = nan_rule(kDropNans, 0.0);
    double sum = 0.0, weight = 0.0, low = INFINITY, high = -INFINITY, e_sum = 0.0;
    add_values(b, {&sum, &weight, &low, &high, nullptr});
    for (double value : x) e_sum += value;
    check(near(sum, e_sum) && weight == kN && low == *std::min_element(x.begin(), x.end()) &&
              high == *std::max_element(x.begin(), x.end()),
          "values " + of);
    double cosine[7], kl[7];
    RowPairsBatch rows{a.data(), c.data(), type, type, 7, 200, 200, 1, 200, 1, kCosine, cosine};
    compute_row_pairs(rows);
    rows.figure = kKl;
    rows.out = kl;
    compute_row_pairs(rows);
    for (int row = 0; row < 7; ++row) {
      RowSums<double> of_cosine, of_kl;
      for (int i = row * 200; i < row * 200 + 200; ++i) {
        add_to_row<kCosine>(x[i], y[i], 0.0, &of_cosine);
        add_to_row<kKl>(x[i], y[i], term_of<kKl>(x[i], y[i], 1.0, 1.0, math), &of_kl);
      }
      check(near(cosine[row], figure_of<kCosine>(of_cosine)), "cosine " + of);
      check(near(kl[row], figure_of<kKl>(of_kl)), "divergence " + of);
    }
  });
}

void rows() {
  constexpr int64_t kN = 500;
  for (int64_t labels : {5, 40}) {
    std::vector<double> scores(kN * labels);
    for (double& x : scores) x = score();
    const auto target = labels_of(kN * labels, 2, false), classes = labels_of(kN, labels, false);
    for_score_types([&](DType type, auto t, const std::string& of) {
      const auto data = narrowed<decltype(t)>(scores);
      RowsBatch b{};
      b.preds = data.data();
      b.preds_type = type;
      b.target = target.data();
      b.target_type = DType::kInt64;
      b.rows.push(kN, labels, labels);
      b.places.push(labels, 1, 1);
      b.scores = b.inner = 1;
      double coverage = 0.0, precision = 0.0, loss = 0.0, e_coverage = 0.0, e_loss = 0.0;
      int64_t count = 0;
      add_ranking(b, {{nullptr, &coverage}, {nullptr, &precision}, {nullptr, &loss}, {&count, nullptr}}, nullptr);
      for (int64_t i = 0; i < kN; ++i) {
        const double* x = &scores[i * labels];
        const int64_t* is = &target[i * labels];
        int64_t most = 0, wrong = 0, relevant = std::count(is, is + labels, 1);
        for (int64_t l = 0; l < labels; ++l) {
          if (is[l] != 1) continue;
          int64_t reach = 0;
          for (int64_t m = 0; m < labels; ++m) {
            reach += x[m] >= x[l];
            wrong += is[m] == 0 && (x[m] > x[l] || (x[m] == x[l] && m > l));
          }
          most = std::max(most, reach);
        }
        e_coverage += static_cast<double>(most);
        const int64_t pairs = relevant * (labels - relevant);
        e_loss += pairs ? static_cast<double>(wrong) / static_cast<double>(pairs) : 0.0;
      }
      check(count == kN && near(coverage, e_coverage) && near(loss, e_loss), "ranking " + of);

      RowsBatch m{};
      m.preds = data.data();
      m.preds_type = type;
      m.target = classes.data();
      m.target_type = DType::kInt64;
      m.rows.push(kN, labels, 1);
      m.places.push(1, 0, 0);
      m.scores = labels;
      m.a_score = m.inner = 1;
      int64_t matched = 0, of_rows = 0, e_matched = 0;
      add_exact_match(m, {labels, 0.5, 0.0, false, 1}, {{&matched, nullptr}, {&of_rows, nullptr}}, nullptr);
      double hinge = 0.0, e_hinge = 0.0;
      int64_t samples = 0;
      add_hinge(m, {true, false, false}, {{nullptr, &hinge}, {&samples, nullptr}}, nullptr);
      for (int64_t i = 0; i < kN; ++i) {
        const double* x = &scores[i * labels];
        e_matched += std::max_element(x, x + labels) - x == classes[i];
        double other = -INFINITY;
        for (int64_t l = 0; l < labels; ++l) other = l == classes[i] ? other : std::max(other, x[l]);
        e_hinge += std::max(0.0, 1.0 - (x[classes[i]] - other));
      }
      check(matched == e_matched && of_rows == kN, "exact match " + of);
      check(samples == kN && near(hinge, e_hinge), "hinge " + of);

      std::vector<double> ranks(kN);
      average_ranks({data.data(), type, kN, 1, 1, 1}, ranks.data());
      const auto less = std::count_if(scores.begin(), scores.begin() + kN, [&](double x) { return x < scores[0]; });
      const auto same = std::count(scores.begin(), scores.begin() + kN, scores[0]);
      check(near(ranks[0], static_cast<double>(less) + 0.5 * static_cast<double>(same + 1)), "average ranks " + of);
    });
  }
}

}  // namespace
}  // namespace fastmetrics

int main() {
  fastmetrics::multiclass();
  fastmetrics::binary();
  fastmetrics::pairs_and_values();
  fastmetrics::rows();
  std::printf("%d checks, %d failed\n", fastmetrics::checks, fastmetrics::failures);
  return fastmetrics::failures == 0 && fastmetrics::checks > 0 ? 0 : 1;
}
