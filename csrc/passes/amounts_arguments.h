// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operator that adds amounts to rows to what the loops are given; checks everything that they
// rely on.

#pragma once

#include "common/view.h"
#include "passes/amounts.h"
#include "passes/sample_rows_arguments.h"

namespace fastmetrics {

// amounts: [samples, width] or [samples]; rows: [K, samples]; cells: [samples]; state: [S, numbers].
template <typename T>
Amounts<T> amounts_of(const View& amounts, const View& rows, const OptionalView& cells, const State& state) {
  require(state.dim() == 2 && state.size(0) > 0, "add_amounts_: state must be [S, numbers]");
  require(amounts.dtype() == state.dtype() && amounts.is_contiguous() && rows.dim() == 2 &&
              amounts.dim() == (cells.has_value() ? 1 : 2) && amounts.size(0) == rows.size(1),
          "add_amounts_: amounts must be [N, numbers], or [N] with cells, contiguous, of the dtype of state");
  require(is_label(rows.dtype()), "add_amounts_: rows must be integers or bool");
  Amounts<T> a{{rows.const_data_ptr(), rows.dtype(), rows.size(0), rows.stride(0), {}, state.size(0), 0},
               static_cast<const T*>(amounts.const_data_ptr()),
               nullptr,
               1,
               state.size(1)};
  a.rows.layout.push(rows.size(1), rows.stride(1), 0);
  if (cells.has_value()) {
    require(cells->dtype() == DType::kInt64 && cells->dim() == 1 && cells->size(0) == rows.size(1) &&
                cells->is_contiguous(),
            "add_amounts_: cells must be int64 [N], contiguous");
    a.cells = static_cast<const int64_t*>(cells->const_data_ptr());
  } else {
    a.width = amounts.size(1);
    require(a.width == a.of_row, "add_amounts_: amounts must have the numbers of a row");
  }
  return a;
}

// Calls f(amounts, state) for the type of the state.
template <typename F>
void with_amounts(const View& amounts, const View& rows, const OptionalView& cells, const State& state, const F& f) {
  constexpr const char* kWhat = "state, int64 or float64 [S, numbers], contiguous";
  if (state.dtype() == DType::kInt64) {
    f(amounts_of<int64_t>(amounts, rows, cells, state),
      state_data<int64_t>(state, DType::kInt64, state.numel(), kWhat));
  } else {
    f(amounts_of<double>(amounts, rows, cells, state), state_data<double>(state, DType::kDouble, state.numel(), kWhat));
  }
}

}  // namespace fastmetrics
