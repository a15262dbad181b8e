# SPDX-License-Identifier: Apache-2.0
"""Regression: pairs of real numbers."""

import torch

from bench import expressions as e
from bench.inputs import Pairs
from bench.specs import collection, metric
from bench.workloads.table import M, Workload

PAIRS = Pairs((10 * M,))
MSE, MAE, R2, PEARSON = (
    metric(name) for name in ("MeanSquaredError", "MeanAbsoluteError", "R2Score", "PearsonCorrCoef")
)

ROWS = [
    Workload(
        name="MSE and MAE, 10M f32 pairs",
        inputs=PAIRS,
        ours=collection(mse=MSE, mae=MAE),
        eager=e.error_means,
        bars={"reads": 1.4, "torchmetrics": 15},
        headline=True,
    ),
    Workload(
        name="MSE, MAE, R2 and Pearson, 10M f32 pairs",
        inputs=PAIRS,
        ours=collection(mse=MSE, mae=MAE, r2=R2, pearson=PEARSON),
        eager=e.four_of_pairs,
        reference=e.in_double(e.four_of_pairs),
        bars={"reads": 1.4, "torchmetrics": 50, "compile": 1.3},
        headline=True,
        sweep=True,
    ),
    *(
        Workload(
            name=f"{name}, 10M {dtype_name} pairs",
            inputs=Pairs((10 * M,), dtype),
            ours=made,
            torcheval=torcheval,
            eager=expressed,
            reference=e.in_double(expressed),
            tolerance=2e-4 if dtype.itemsize >= 4 else 2e-2,
            bars={"reads": 1.5} if dtype == torch.float32 else {},
        )
        for dtype_name, dtype, name, made, torcheval, expressed in (
            ("f32", torch.float32, "MSE", MSE, MSE, e.mean_squared_error),
            ("f32", torch.float32, "MAE", MAE, None, e.mean_absolute_error),
            ("f32", torch.float32, "R2", R2, R2, e.r2_score),
            ("f32", torch.float32, "Pearson", PEARSON, None, e.pearson),
            ("bf16", torch.bfloat16, "MSE", MSE, None, e.mean_squared_error),
            ("f64", torch.float64, "MSE", MSE, MSE, e.mean_squared_error),
        )
    ),
    *(
        Workload(
            name=f"{name}, 1M f32 pairs",
            inputs=Pairs((M,), offset=10.0),
            ours=metric(name, **options),
            tolerance=2e-3,  # of float32 sums
        )
        for name, options in (
            ("ExplainedVariance", {}),
            ("ConcordanceCorrCoef", {}),
            ("MeanAbsolutePercentageError", {}),
            ("SymmetricMeanAbsolutePercentageError", {}),
            ("WeightedMeanAbsolutePercentageError", {}),
            ("NormalizedRootMeanSquaredError", {}),
            ("RelativeSquaredError", {}),
            ("CriticalSuccessIndex", {"threshold": 10.0}),
            ("MeanSquaredLogError", {}),
            ("LogCoshError", {}),
            ("MinkowskiDistance", {"p": 3}),
            ("TweedieDevianceScore", {"power": 1}),
        )
    ),
    *(
        Workload(
            name=f"{name}, 100k x 100 f32 pairs of rows",
            inputs=Pairs((100_000, 100), offset=10.0),
            ours=metric(name),
            tolerance=2e-3,
        )
        for name in ("KLDivergence", "JensenShannonDivergence")
    ),
    Workload(
        name="forward of CosineSimilarity, 100k x 100 f32 pairs of rows",
        inputs=Pairs((100_000, 100)),
        ours=metric("CosineSimilarity"),
        call="forward",
        tolerance=2e-3,
        note="torchmetrics keeps the rows and reads them in compute",
    ),
    Workload(
        name="Spearman's compute, 1M f32 pairs",
        inputs=Pairs((M,)),
        ours=metric("SpearmanCorrCoef"),
        eager=e.spearman,
        call="compute",
        shares={"torchmetrics": 1 / 10},
        bars={"torchmetrics": 3},
    ),
    Workload(
        name="Kendall's compute, 100k f32 pairs",
        inputs=Pairs((100_000,)),
        ours=metric("KendallRankCorrCoef"),
        call="compute",
        shares={"torchmetrics": 1 / 50},
        bars={"torchmetrics": 20},
    ),
    *(
        Workload(name=f"one update of 32 pairs, {name}", inputs=Pairs((32,)), ours=made, bars={"torchmetrics": 5})
        for name, made in (("MSE", MSE), ("MAE", MAE), ("R2", R2), ("Pearson", PEARSON))
    ),
]
