// SPDX-License-Identifier: Apache-2.0
//
// The operators of all parts that have direct calls, for the library that has them all.

#include "number_operators_cuda.cpp"
#include "operators_cuda.cpp"
