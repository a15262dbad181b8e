# SPDX-License-Identifier: Apache-2.0
"""The limits for a GPU: batches that fill one, of labels that are uniform and that are all one class."""

import torch

from bench import expressions as e
from bench.inputs import Binary, Labels, Pairs, Scores
from bench.specs import metric
from bench.workloads.classification import confusion_row
from bench.workloads.table import SAME, M, Workload
from bench.workloads.text import as_sequence

ON_CUDA = {
    "devices": ("cuda",),
    "cuda_bars": {"bandwidth": 0.85, "kernels": 2, "waits": 0, "host": 15e-6},
    "headline": True,
}
# what scores decide, for which nobody has asked for a share of the bandwidth
SCORED = {**ON_CUDA, "cuda_bars": {"waits": 0, "host": 15e-6}}
ENTROPY = (("uniform", 0.0), ("all one class", 1.0))

ROWS = [
    *(
        confusion_row(
            f"GPU, {samples} x {c} {dtype_name} scores, {entropy}", c, Scores((n, c), dtype, share), **ON_CUDA
        )
        for samples, n, c in (("1M", M, 10), ("1M", M, 100), ("100k", 100_000, 1000))
        for dtype_name, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16))
        for entropy, share in ENTROPY
    ),
    *(
        confusion_row(f"GPU, 100M int64 labels, C = 10, {entropy}", 10, Labels(100 * M, 10, share), **ON_CUDA)
        for entropy, share in ENTROPY
    ),
    *(
        confusion_row(
            f"GPU, 16 x 19 x 1024 x 2048 f32 logits, {entropy}",
            19,
            Scores((16, 19, 1024, 2048), share=share),
            **ON_CUDA,
        )
        for entropy, share in ENTROPY
    ),
    Workload(
        name="MSE, GPU, 100M f32 pairs",
        inputs=Pairs((100 * M,)),
        ours=metric("MeanSquaredError"),
        eager=e.mean_squared_error,
        **ON_CUDA,
    ),
    *(
        Workload(
            name=f"AUROC, {how}, GPU, 100M {dtype} probabilities",
            inputs=Binary((100 * M,), dtype=getattr(torch, dtype)),
            ours=metric("BinaryAUROC", **options),
            shares={"torchmetrics": 1 / 1000},
            **SCORED,
        )
        for how, dtype, options in (
            ("exact", "float32", {}),
            ("exact", "bfloat16", {}),
            ("200 thresholds", "float32", {"thresholds": 200}),
        )
    ),
    *(
        Workload(
            name=f"{name}, GPU, 1M x 100 f32 probabilities",
            inputs=Scores((M, 100), probabilities=True),
            ours=metric(f"Multiclass{name}", num_classes=100),
            theirs=SAME if name == "CalibrationError" else None,
            **SCORED,
        )
        for name in ("CalibrationError", "BrierScore", "LogLoss")
    ),
    Workload(
        name="perplexity, GPU, 8192 x 128,000 f32 logits",
        inputs=Scores((8192, 128_000)),
        ours=metric("Perplexity"),
        prepare=as_sequence,
        eager=e.perplexity,
        **SCORED,
    ),
]
