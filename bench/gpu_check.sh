#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that a machine with a GPU can tell, within nine minutes: build, CUDA graphs and the whole test suite,
# compute-sanitizer on a part of it, the benchmark. Needs python with torch, torchmetrics, ninja, filelock and pytest;
# no network.
#
#   bench/gpu_check.sh [--out DIR] [--tune] [--cpu]
#
#   --out DIR   where logs and JSON go; default a folder in bench/results
#   --tune      instead of that: build, then other launch parameters of each kernel beside the present ones
#   --cpu       try the script itself on a machine without a GPU
set -uo pipefail
cd "$(dirname "$0")/.."
OUT="" DEVICE=cuda TUNE=0 PYTHON="${PYTHON:-python3}" ALL=535
while [ $# -gt 0 ]; do
  case "$1" in
    --out) OUT="${2:?--out needs a folder}"; shift 2 ;;
    --tune) TUNE=1; shift ;;
    --cpu) DEVICE=cpu; shift ;;
    *) echo "unknown argument: $1" >&2; exit 2 ;;
  esac
done

FAILED=()
note() { echo "$*" | tee -a "$OUT/summary.txt"; }
# step NAME SECONDS KEEP COMMAND...: runs it with a time limit, which leaves KEEP seconds for what follows, keeps its
# output and notes how it ended
step() {
  local name="$1" limit="$2" keep="$3" began=$SECONDS rc
  shift 3
  local left=$((ALL - SECONDS - keep))
  [ "$limit" -le "$left" ] || limit=$left
  if [ "$limit" -lt 5 ]; then
    FAILED+=("$name")
    note "$name: not run, no time was left"
    return 1
  fi
  timeout -k 10 "$limit" "$@" > "$OUT/$name.log" 2>&1
  rc=$?
  [ $rc -eq 0 ] || FAILED+=("$name")
  case $rc in
    0) rc=ok ;;
    124 | 137) rc="FAILED (stopped after $limit s)" ;;
    *) rc="FAILED (exit $rc)" ;;
  esac
  note "$name: $rc, $((SECONDS - began)) s: $(grep -v '^ *$' "$OUT/$name.log" | tail -n 1 | cut -c1-300)"
  [ "$rc" = ok ]
}

CARD=$("$PYTHON" -c "import torch; print(torch.cuda.get_device_name(0).replace(' ', '-') if torch.cuda.is_available() else '')") || exit 1
if [ "$DEVICE" = cuda ] && [ -z "$CARD" ]; then
  echo "torch sees no GPU here; --cpu tries the script without one" >&2
  exit 1
fi
[ "$DEVICE" = cuda ] || CARD=cpu
: "${OUT:=bench/results/check-$CARD-$(date +%F)}"
mkdir -p "$OUT" || exit 1
OUT=$(cd "$OUT" && pwd)
: > "$OUT/summary.txt"

# tests and benchmark share one build; it is not that of an earlier run
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" FASTMETRICS_NATIVE=require PYTHONUNBUFFERED=1
FASTMETRICS_CACHE=$(mktemp -d)
export FASTMETRICS_CACHE
trap 'rm -rf "$FASTMETRICS_CACHE"' EXIT

step environment 30 0 bash -c "nvidia-smi; nvcc --version; \"$PYTHON\" - << 'END'
import importlib.metadata as installed, sys
import filelock, ninja, pytest, torch, torchmetrics
names = 'torch torchmetrics pytorch-lightning ninja pytest hypothesis torcheval matplotlib scikit-learn pybind11'
for name in names.split():
    try:
        print(name, installed.version(name))
    except installed.PackageNotFoundError:
        print(name, 'is not here')
print('python', sys.version.split()[0] + ', torch', torch.__version__ + ', cuda', torch.version.cuda)
END"
if ! step build 150 0 "$PYTHON" -m fastmetrics doctor; then
  cat "$OUT/build.log"
  note "the libraries do not build; nothing else was tried"
  exit 1
fi
if [ "$TUNE" = 1 ]; then
  SCALE=1
  [ "$DEVICE" = cuda ] || SCALE=0.01
  step tune "$ALL" 0 "$PYTHON" -m bench tune --device "$DEVICE" --scale "$SCALE" --within $((ALL - SECONDS - 60)) --output "$OUT/tune.json"
  cat "$OUT/tune.log"
  exit ${#FAILED[@]}
fi

# Left out: what builds again or for other cards, and what runs the kernels without one.
TESTS=("$PYTHON" -m pytest -p no:cacheprovider)
for left_out in kernels native/test_{builder,install,isas}.py examples docs bench; do
  TESTS+=("--ignore=tests/$left_out")
done
step graphs 60 200 "${TESTS[@]}" tests/metric/test_cuda_graphs.py
# a small test or two of each pass
SMALL="by_hand or orientation or nothing or extreme or layouts_weights or any_type or weights_and_valid"
SMALL="$SMALL or (binary_groups and layouts)"
PASSES=(tests/passes tests/regression/test_rows.py)
if [ "$DEVICE" = cuda ]; then
  step tests-cuda 170 170 "${TESTS[@]}" -k "cuda and not graphs"
else
  step tests-cpu 60 170 "${TESTS[@]}" "${PASSES[@]}" -k "$SMALL"
fi
if [ "$DEVICE" = cpu ]; then
  note "compute-sanitizer: needs a GPU"
elif command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck initcheck; do
    step "$tool" 40 150 compute-sanitizer --tool "$tool" --error-exitcode 9 "${TESTS[@]}" \
      "${PASSES[@]}" -k "cuda and ($SMALL)"
  done
else
  FAILED+=(compute-sanitizer)
  note "compute-sanitizer: not here"
fi
BENCH=("$PYTHON" -m bench --device "$DEVICE" --output "$OUT/bench.json")
[ "$DEVICE" = cuda ] && BENCH+=(--budget 0.3 --within $((ALL - SECONDS - 40))) || BENCH+=(--quick --scale 0.01 --budget 0.1)
step bench "$ALL" 0 "${BENCH[@]}"
# what another machine's CPU tells as well comes last, without what takes minutes
[ "$DEVICE" = cpu ] || step tests-rest "$ALL" 0 "${TESTS[@]}" tests --ignore-glob='*/test_'{lifecycle,distributed,lightning}.py -k "not cpu and not cuda"
note "in $SECONDS s; failed: ${FAILED[*]:-nothing}"
[ ${#FAILED[@]} -eq 0 ]
