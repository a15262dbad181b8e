// SPDX-License-Identifier: Apache-2.0
//
// The errors of a pair: x is predicted, y is true. Their meaning is ERRORS and deviance in fastmetrics/passes/pairs.py.
// A rule is for doubles, and for vectors of them: V is what Math (rules/elementary.h) is for.

#pragma once

#include <type_traits>

#include "rules/elementary.h"

namespace fastmetrics {

// What can be summed, in the order of the operator's arguments.
enum ErrorKind {
  kSquaredError,
  kAbsoluteError,
  kSquaredLogError,
  kPercentageError,
  kSymmetricPercentageError,
  kAbsoluteTarget,
  kLogCoshError,
  kPoweredError,
  kErrorKinds,
};

constexpr double kLeastScale = 1.17e-06;  // of a percentage

template <typename V>
FM_HD V at_least(V value, double least) {  // NaN stays
  return value < least ? V{} + least : value;
}

// log(cosh(d)): its series where the other form would cancel.
template <typename V, typename Math>
FM_HD V log_cosh(V d, Math& math) {
  const V a = math.absolute(d), z = d * d;
  V series = z * (31.0 / 14175.0 + z * (-691.0 / 935550.0));
  series = z * (0.5 + z * (-1.0 / 12.0 + z * (1.0 / 45.0 + z * (-17.0 / 2520.0 + series))));
  const V other = a + math.log1p_of_exp(-2.0 * a) - 0.69314718055994530942;
  return a < 0.125 ? series : other;
}

// The rule of a kind: the usual powers are other errors.
FM_HD int rule_of(int kind, double p) {
  if (kind != kPoweredError || (p != 1.0 && p != 2.0)) return kind;
  return p == 1.0 ? kAbsoluteError : kSquaredError;
}

template <int kKind, typename V, typename Math>
FM_HD V error_of(V x, V y, double p, Math& math) {
  const V d = x - y;
  if constexpr (kKind == kSquaredError) return d * d;
  if constexpr (kKind == kAbsoluteError) return math.absolute(d);
  if constexpr (kKind == kSquaredLogError) {
    const V e = math.log1p_of_ratio(x, y);
    return e * e;
  }
  if constexpr (kKind == kPercentageError) return math.absolute(d) / at_least(math.absolute(y), kLeastScale);
  if constexpr (kKind == kSymmetricPercentageError)
    return 2.0 * math.absolute(d) / at_least(math.absolute(x) + math.absolute(y), kLeastScale);
  if constexpr (kKind == kAbsoluteTarget) return math.absolute(y);
  if constexpr (kKind == kLogCoshError) return log_cosh(d, math);
  if constexpr (kKind == kPoweredError) return math.power(math.absolute(d), p);
  return V{};
}

// Calls f(rule) with the rule of the kind as a constant.
template <typename F>
FM_HD void with_rule(int kind, double p, F&& f) {
  switch (rule_of(kind, p)) {
    case kSquaredError:
      return f(std::integral_constant<int, kSquaredError>{});
    case kAbsoluteError:
      return f(std::integral_constant<int, kAbsoluteError>{});
    case kSquaredLogError:
      return f(std::integral_constant<int, kSquaredLogError>{});
    case kPercentageError:
      return f(std::integral_constant<int, kPercentageError>{});
    case kSymmetricPercentageError:
      return f(std::integral_constant<int, kSymmetricPercentageError>{});
    case kAbsoluteTarget:
      return f(std::integral_constant<int, kAbsoluteTarget>{});
    case kLogCoshError:
      return f(std::integral_constant<int, kLogCoshError>{});
    default:
      return f(std::integral_constant<int, kPoweredError>{});
  }
}

// Where Tweedie deviance of this power is not defined. NaN is not out of its domain, and gives NaN.
FM_HD bool outside_of_preds(double x, double power) { return power != 0.0 && x <= 0.0; }
FM_HD bool outside_of_target(double y, double power) { return power >= 2.0 ? y <= 0.0 : power >= 1.0 && y < 0.0; }

// The forms of the deviance: those of the normal, Poisson and gamma distribution, and of any other power.
enum DevianceForm { kNormal, kPoisson, kGamma, kOtherPower };

template <int kForm, typename V, typename Math>
FM_HD V deviance_of(V x, V y, double power, Math& math) {
  if constexpr (kForm == kNormal) return (x - y) * (x - y);
  if constexpr (kForm == kPoisson) return 2.0 * (math.relative_entropy(y, x) + x - y);
  if constexpr (kForm == kGamma) return 2.0 * (math.log_of_ratio(x, y) + y / x - 1.0);
  const V first = math.power(y, 2.0 - power) / ((1.0 - power) * (2.0 - power));
  const V of_x = math.power(x, 1.0 - power);
  return 2.0 * (first - y * of_x / (1.0 - power) + x * of_x / (2.0 - power));
}

// Calls f(form) with the form as a constant.
template <typename F>
FM_HD void with_form(double power, F&& f) {
  if (power == 0.0) return f(std::integral_constant<int, kNormal>{});
  if (power == 1.0) return f(std::integral_constant<int, kPoisson>{});
  if (power == 2.0) return f(std::integral_constant<int, kGamma>{});
  return f(std::integral_constant<int, kOtherPower>{});
}

}  // namespace fastmetrics
