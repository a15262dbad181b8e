#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that a machine with a GPU can tell, within nine minutes: build, the whole test suite, compute-sanitizer
# on a part of it, the benchmark. Needs python with torch, torchmetrics, ninja, filelock and pytest; no network.
#
#   bench/gpu_check.sh [--out DIR] [--cpu]      --cpu tries the script itself on a machine without a GPU
set -uo pipefail
cd "$(dirname "$0")/.."
OUT="" DEVICE=cuda PYTHON="${PYTHON:-python3}"
while [ $# -gt 0 ]; do
  case "$1" in
    --out) OUT="$2"; shift 2 ;;
    --cpu) DEVICE=cpu; shift ;;
    *) echo "unknown argument: $1" >&2; exit 2 ;;
  esac
done

STARTED=$SECONDS
FAILED=()
step() { # step NAME SECONDS COMMAND...: runs it with a time limit, keeps its output, notes how it ended
  local name="$1" limit="$2" began=$SECONDS rc
  shift 2
  timeout -k 10 "$limit" "$@" > "$OUT/$name.log" 2>&1
  rc=$?
  [ $rc -eq 0 ] || FAILED+=("$name")
  echo "$name: $([ $rc -eq 0 ] && echo ok || echo "FAILED (exit $rc)"), $((SECONDS - began)) s: $(tail -n 1 "$OUT/$name.log")" | tee -a "$OUT/summary.txt"
  return $rc
}

CARD=$("$PYTHON" -c "import torch; print(torch.cuda.get_device_name(0).replace(' ', '-') if torch.cuda.is_available() else '')") || exit 1
if [ "$DEVICE" = cuda ] && [ -z "$CARD" ]; then
  echo "torch sees no GPU here; --cpu tries the script without one" >&2
  exit 1
fi
: "${OUT:=bench/results/${CARD:-cpu}-$(date +%F)}"
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
: > "$OUT/summary.txt"

export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" FASTMETRICS_NATIVE=require
FASTMETRICS_CACHE=$(mktemp -d)
export FASTMETRICS_CACHE
trap 'rm -rf "$FASTMETRICS_CACHE"' EXIT

step environment 20 bash -c "nvidia-smi; nvcc --version; $PYTHON --version; $PYTHON -m pip list 2>/dev/null | grep -i -E 'torch|ninja|pytest|hypothesis|filelock|lightning'; $PYTHON -c 'import torch, torchmetrics, filelock; print(torch.__version__, torch.version.cuda)'"
if ! step build 90 "$PYTHON" -m fastmetrics doctor; then
  cat "$OUT/build.log"
  echo "the libraries do not build; nothing else was tried" | tee -a "$OUT/summary.txt"
  exit 1
fi
# Left out: what builds again or for other cards, and what another machine's CPU tells as well.
WHICH="not cpu"
[ "$DEVICE" = cuda ] || WHICH="by_hand or lifecycle"
step tests 200 "$PYTHON" -m pytest -p no:cacheprovider --ignore=tests/test_cuda_sources.py --ignore=tests/test_native.py \
  --ignore=tests/test_install.py --ignore=tests/test_demo.py --ignore=tests/test_bench.py -q -k "$WHICH"
if [ "$DEVICE" = cpu ]; then
  :
elif command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck initcheck; do
    step "$tool" 30 compute-sanitizer --tool "$tool" --error-exitcode 9 "$PYTHON" -m pytest -p no:cacheprovider -q \
      tests/test_passes.py -k "cuda and (by_hand or orientation or nothing or extreme or exact_enough)"
  done
else
  echo "compute-sanitizer: not here" | tee -a "$OUT/summary.txt"
fi
step bench 130 "$PYTHON" -m bench --quick --device "$DEVICE" --output "$OUT/bench.json"
echo "in $((SECONDS - STARTED)) s; failed: ${FAILED[*]:-nothing}" | tee -a "$OUT/summary.txt"
[ ${#FAILED[@]} -eq 0 ]
