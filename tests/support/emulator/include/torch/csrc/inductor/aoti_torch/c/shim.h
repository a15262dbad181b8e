// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <torch_stand_in.h>
