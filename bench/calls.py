# SPDX-License-Identifier: Apache-2.0
"""``python -m bench.calls``: what an update of CUDA tensors costs the host, by the emulator: launches do nothing."""

import time

from tests.support.emulator import build, lent
from tests.support.kernel_cases import clones, of_pass

PASSES = {"multiclass": "multiclass_", "binary": "binary_", "pairs": "simple_pairs_", "values": "values_"}


def main(repeats=2000, rounds=20):
    emulated = build.load(build.build()["checked"])
    emulated.path = build.OUT / "checked" / "emulated.so"
    emulated.card(132, 232448, 233472)
    direct = lent.direct_calls(emulated)
    emulated.idle(True)
    for name, operator in PASSES.items():
        args = clones(next(args for found, args, _ in of_pass(name) if found == operator))
        call = direct.bind(operator, None)
        best = float("inf")
        for _ in range(rounds):
            started = time.perf_counter()
            for _ in range(repeats):
                call(*args)
            best = min(best, (time.perf_counter() - started) / repeats)
        emulated.take_calls()
        call(*args)
        print(f"{operator}: {best * 1e6:.1f} us; {emulated.take_calls()}")
    emulated.take_back()


if __name__ == "__main__":
    main()
