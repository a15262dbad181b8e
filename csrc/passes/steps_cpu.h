// SPDX-License-Identifier: Apache-2.0
//
// Which of many equal steps a value reaches.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace fastmetrics {

// Numbers from 0 to 1 that ascend, of which each is about the same step from the next. A product says which of them are
// reached, unless it is so near to one that only a comparison does: memory is asked for those alone.
template <typename V>
class EvenSteps {
 public:
  explicit EvenSteps(std::vector<V> steps = {}) : steps_(std::move(steps)) {
    if (steps_.empty() || steps_.front() != 0 || (steps_.size() > 1 && steps_.back() != 1)) return;
    last_ = static_cast<V>(steps_.size() - 1);
    double farthest = 0.0;
    for (size_t i = 0; i < steps_.size(); ++i) {
      farthest = std::max(farthest, std::fabs(static_cast<double>(steps_[i]) * last_ - static_cast<double>(i)));
    }
    const double rounding = static_cast<double>(last_) * std::numeric_limits<V>::epsilon();
    near_ = static_cast<V>(4 * (farthest + rounding));
  }

  // Whether they are as said, so that find() may be called.
  explicit operator bool() const { return near_ < kFarthest; }

  // How many of them each of n values reaches; NaN reaches none.
  void find(const V* __restrict x, int n, int32_t* __restrict reached) const {
    const V last = last_, near = near_;
    int32_t compare = 0;
    for (int i = 0; i < n; ++i) {
      const V place = within(x[i]) * last;
      const int32_t nearest = static_cast<int32_t>(place + V(0.5));
      const V beyond = place - static_cast<V>(nearest);
      reached[i] = nearest + ((beyond >= V(0) ? 1 : 0) & (x[i] >= V(0) ? 1 : 0));
      compare |= (std::fabs(beyond) < near ? 1 : 0) & (x[i] > V(0) ? 1 : 0) & (x[i] < V(1) ? 1 : 0);
    }
    for (int i = 0; i < n && compare != 0; ++i) reached[i] = this->reached(x[i]);
  }

  int32_t reached(V x) const {
    const int32_t nearest = static_cast<int32_t>(within(x) * last_ + V(0.5));
    return nearest + (x >= steps_[nearest]);
  }

 private:
  static constexpr V kFarthest = V(0.125);  // of a step

  static V within(V x) {
    const V at_least_0 = x > V(0) ? x : V(0);  // 0 for NaN
    return at_least_0 < V(1) ? at_least_0 : V(1);
  }

  std::vector<V> steps_;
  V last_ = 0, near_ = 1;  // near: what a product may be wrong by, and a step be elsewhere, of a step
};

}  // namespace fastmetrics
