// SPDX-License-Identifier: Apache-2.0
//
// The operators of all parts, for the library that has them all: torch's headers are read once.

#include "document_operators_cuda.cpp"
#include "number_operators_cuda.cpp"
#include "operators_cuda.cpp"
#include "probability_operators_cuda.cpp"
#include "row_operators_cuda.cpp"
#include "score_operators_cuda.cpp"
