// SPDX-License-Identifier: Apache-2.0
//
// The operators of all parts, for the library that has them all: torch's headers are read once.

#include "document_operators_cpu.cpp"
#include "number_operators_cpu.cpp"
#include "operators_cpu.cpp"
#include "probability_operators_cpu.cpp"
#include "row_operators_cpu.cpp"
#include "score_operators_cpu.cpp"
