// SPDX-License-Identifier: Apache-2.0
//
// Reads documents, a part of a row at a time, and says which of them count.

#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "common/cpu.h"
#include "passes/queries.h"

namespace fastmetrics {

constexpr int64_t kChunk = 4096;  // documents that are read at a time

// Whether relevance can count.
inline bool is_relevance(float value, bool binary) {
  return value >= 0.0f && value <= (binary ? 1.0f : std::numeric_limits<float>::max());
}

inline int64_t bits_of(double value) {
  int64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

// Reads documents of a row, kChunk of them at most.
class Reader {
 public:
  Reader(const DocumentRows& b, const DocumentRules& rules, Faults* faults)
      : b_(b),
        rules_(rules),
        faults_(faults),
        targets_(std::min(kChunk, b.documents)),
        scores_(targets_.size()),
        relevance_(targets_.size()) {}

  const float* scores() const { return scores_.data(); }
  const float* relevance() const { return relevance_.data(); }

  // Reads n documents; whether it is known that all of them count, with weight 1.
  bool read(int64_t row, int64_t first, int64_t n) {
    to_doubles(b_.target, b_.target_type, row * b_.target_row + first * b_.target_column, b_.target_column,
               static_cast<int>(n), targets_.data());
    with_score_type(b_.preds_type, [&](auto t) {
      const auto* preds = static_cast<const decltype(t)*>(b_.preds) + row * b_.preds_row + first * b_.preds_column;
      if (b_.preds_column == 1) {
        for (int64_t i = 0; i < n; ++i) scores_[i] = static_cast<float>(widen(preds[i]));
      } else {
        for (int64_t i = 0; i < n; ++i) scores_[i] = static_cast<float>(widen(preds[i * b_.preds_column]));
      }
    });
    int bad = 0;
    const float most = rules_.binary ? 1.0f : std::numeric_limits<float>::max();
    for (int64_t i = 0; i < n; ++i) {
      const float score = scores_[i], relevance = static_cast<float>(targets_[i]);
      relevance_[i] = relevance;
      bad |= !(score == score) | !(relevance >= 0.0f) | !(relevance <= most);
    }
    return bad == 0 && b_.valid == nullptr && b_.weights == nullptr && !rules_.has_ignore_index;
  }

  // Of those that were read, calls add(place in the row, score, relevance, weight, whether it counts) for each.
  template <typename F>
  void for_each(int64_t row, int64_t first, int64_t n, const F& add) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t place = row * b_.documents + first + i;
      double weight = 1.0;
      bool counts = b_.valid == nullptr || b_.valid[row * b_.valid_row + (first + i) * b_.valid_column];
      counts = counts && !(rules_.has_ignore_index && targets_[i] == rules_.ignore_index);
      if (counts && b_.weights != nullptr) {
        weight = b_.weights[row * b_.weights_row + (first + i) * b_.weights_column];
        counts = faults_->check_weight(weight, place) && weight > 0.0;
      }
      const bool fits = is_relevance(relevance_[i], rules_.binary), scored = scores_[i] == scores_[i];
      if (counts && !fits) faults_->add(kBadTarget, place, bits_of(targets_[i]));
      if (counts && !scored) faults_->add(kBadPreds, place, place);
      add(first + i, scores_[i], relevance_[i], weight, counts && fits && scored);
    }
  }

 private:
  const DocumentRows& b_;
  const DocumentRules& rules_;
  Faults* faults_;
  std::vector<double> targets_;
  std::vector<float> scores_, relevance_;
};

}  // namespace fastmetrics
