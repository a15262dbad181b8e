# SPDX-License-Identifier: Apache-2.0
"""``python -m bench.cases``: every case of the kernels on a device against the PyTorch body, in seconds."""

import argparse
import sys
import time
from collections import Counter
from itertools import chain

import torch

import fastmetrics
from tests.support.emulator import worker
from tests.support.kernel_cases import CASES, LARGE, arguments, clones, expected

FEW = 6  # cases of an operator that the tools of compute-sanitizer look at
SHOWN = 5  # differences of an operator that are printed


def on(device, args):
    """Copies on a device that lie there as the tensors do: same strides, as far from a multiple of 16 bytes."""
    return [moved(a, device) if isinstance(a, torch.Tensor) else a for a in clones(args)]


def moved(tensor, device):
    """A copy on a device, with the strides of the tensor."""
    lies = worker.elements(tensor)
    begin = tensor.data_ptr() % 16 // tensor.itemsize
    memory = torch.empty(len(lies) + 16, dtype=tensor.dtype, device=device)
    memory[begin : begin + len(lies)] = lies.to(device)
    return memory[begin : begin + len(lies)].as_strided(tensor.shape, tensor.stride())


def difference(operator, args, device):
    """What is wrong with a case, or None."""
    given = on(device, args)
    result = getattr(torch.ops.fastmetrics, operator)(*given)
    found = given if result is None else [*given, result]
    most = worker.relative(operator, str(args[0].dtype))
    for place, (ours, theirs) in enumerate(zip(found, expected(operator, args), strict=True)):
        if not isinstance(theirs, torch.Tensor):
            continue
        try:
            torch.testing.assert_close(ours.cpu(), theirs, rtol=most, atol=worker.ABSOLUTE, equal_nan=True)
        except AssertionError as error:
            return f"argument {place}: {str(error).replace(chr(10), ' ')[:300]}"
    return None


def compare(device, few):
    """Run all cases, or a few of each operator; returns how many were wrong."""
    cases, wrong, began = Counter(), Counter(), time.perf_counter()
    torch.manual_seed(0)
    of_operators = [*CASES.values()] if few else [*CASES.values(), *LARGE.values()]
    for operator, given in chain.from_iterable(make() for make in of_operators):
        if few and cases[operator] >= FEW:
            continue
        cases[operator] += 1
        found = difference(operator, arguments(operator, given), device)
        if found is None:
            continue
        wrong[operator] += 1
        if wrong[operator] <= SHOWN:
            print(f"{operator} case {cases[operator]}: {found}", flush=True)
    for operator, count in cases.items():
        print(f"{operator}: {count - wrong[operator]} of {count} as the body", flush=True)
    seconds = time.perf_counter() - began
    print(f"{cases.total() - wrong.total()} of {cases.total()} cases as the body, {seconds:.0f} s")
    return wrong.total()


def profile(device, n=10_000_000):
    """One update of six kernels, large enough to fill a card."""
    classification = fastmetrics.classification
    labels = [torch.randint(0, 10, (n,), device=device) for _ in range(2)]
    values = [torch.rand(n, device=device) for _ in range(2)]
    truth = labels[0] % 2
    rows = torch.randn(n // 10, 10, device=device)
    long_rows = torch.randn(n // 1000, 1000, device=device)
    classification.MulticlassConfusionMatrix(10).to(device).update(*labels)
    classification.MulticlassConfusionMatrix(10).to(device).update(rows, labels[0][: len(rows)])
    classification.MulticlassAccuracy(1000).to(device).update(long_rows, labels[0][: len(long_rows)])
    classification.BinaryAccuracy().to(device).update(values[0], truth)
    fastmetrics.MeanSquaredError().to(device).update(*values)
    classification.BinaryAUROC(thresholds=200).to(device).update(values[0], truth)
    if device == "cuda":
        torch.cuda.synchronize()


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.cases", description=__doc__)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--few", action="store_true", help=f"{FEW} cases of each operator")
    parser.add_argument("--profile", action="store_true", help="instead of that: one large update of six kernels")
    options = parser.parse_args()
    if options.profile:
        profile(options.device)
        return 0
    return 1 if compare(options.device, options.few) else 0


if __name__ == "__main__":
    sys.exit(main())
