// SPDX-License-Identifier: Apache-2.0
//
// How a kernel refuses what it is given; Python sees a RuntimeError.

#pragma once

#include <stdexcept>
#include <string>

namespace fastmetrics {

[[noreturn]] inline __attribute__((noinline, cold)) void refuse(const char* who, const char* rule) {
  throw std::runtime_error(std::string(who) + rule);
}

inline void require(bool holds, const char* rule) {
  if (!holds) refuse("", rule);
}
inline void require(bool holds, const char* who, const char* rule) {
  if (!holds) refuse(who, rule);
}

}  // namespace fastmetrics
