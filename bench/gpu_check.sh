#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a machine with a GPU can tell in ten minutes; bench/check.py says how. Needs python with torch, torchmetrics,
# ninja, filelock and pytest, and no network.
#
#   bench/gpu_check.sh [--out DIR] [--seconds N] [--cpu]
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${PYTHON:-python3}" -m bench.check "$@"
