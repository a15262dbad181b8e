# SPDX-License-Identifier: Apache-2.0
"""Classification: labels, scores, top-k and thresholds, and what is no count of right and wrong."""

import torch

from bench import expressions as e
from bench.expressions import expression
from bench.inputs import Binary, Labels, Scores
from bench.specs import collection, metric
from bench.workloads.family import confusion, family_rows
from bench.workloads.table import M, Workload

ENTROPY = (("uniform", 0.0), ("90 % one class", 0.9), ("all one class", 1.0))
DTYPES = (("f16", torch.float16), ("bf16", torch.bfloat16), ("f64", torch.float64))
LABEL_BARS = {"reads": 1.3, "torchmetrics": 80}


def confusion_row(what, c, inputs, **more):
    expressed = e.confusion_of_labels if isinstance(inputs, Labels) else e.confusion_of_scores
    return Workload(name=f"confusion, {what}", inputs=inputs, ours=confusion(c), eager=expression(expressed, c), **more)


LABELS = [
    confusion_row(
        f"10M int64 labels, C = {c}, {entropy}",
        c,
        Labels(10 * M, c, share),
        torcheval=confusion(c) if c <= 100 else None,
        shares={"torcheval": 1 / 50},
        bars=LABEL_BARS if c in (10, 100) else {},
        headline=c in (10, 100) and share == 0.0,
        sweep=c == 10 and share == 0.0,
    )
    for c in (2, 10, 100, 1000)
    for entropy, share in ENTROPY
]
MANY_LABELS = [
    Workload(
        name="accuracy, 10M int64 labels, C = 32,000",
        inputs=Labels(10 * M, 32_000, 0.5),
        ours=metric("MulticlassAccuracy", num_classes=32_000, average="macro"),
        theirs=None,
        eager=expression(e.macro_recall_of_labels, 32_000),
        note="torchmetrics makes a matrix of 8 GB",
    ),
    Workload(
        name="accuracy, micro, 10M int64 labels, C = 32,000",
        inputs=Labels(10 * M, 32_000, 0.5),
        ours=metric("MulticlassAccuracy", num_classes=32_000, average="micro"),
        eager=e.micro_accuracy_of_labels,
        torcheval=metric("MulticlassAccuracy", average="micro"),
        shares={"torchmetrics": 1 / 10},
        bars={"reads": 1.2, "compile": 1.0},
    ),
]

SCORES = [
    confusion_row(
        f"{samples} x {c} {name} scores{entropy}",
        c,
        Scores((n, c), dtype, share),
        torcheval=confusion(c) if c <= 100 else None,
        shares={"torcheval": 1 / 10},
        bars=bars if dtype == torch.float32 and not share else {},
        headline=dtype == torch.float32 and not share and bool(bars),
        sweep=c == 10 and dtype == torch.float32 and not share,
    )
    for samples, n, c, bars, dtypes in (
        ("1M", M, 2, {}, ()),
        ("1M", M, 10, {"reads": 1.6, "torchmetrics": 11}, DTYPES),
        ("200k", 200_000, 100, {}, ()),
        ("50k", 50_000, 1000, {"reads": 1.5, "torchmetrics": 4.5}, DTYPES),
    )
    for name, dtype in (("f32", torch.float32), *dtypes)
    for entropy, share in (("", 0.0), (", all one class", 1.0))
    if not share or dtype == torch.float32
]
MANY_SCORES = [
    Workload(
        name="accuracy, 2000 x 32,000 f32 scores",
        inputs=Scores((2000, 32_000), share=0.5),
        ours=metric("MulticlassAccuracy", num_classes=32_000, average="macro"),
        theirs=None,
        eager=expression(e.macro_recall_of_scores, 32_000),
        note="torchmetrics makes a matrix of 8 GB",
    )
]

WIDE = Scores((50_000, 1000))
RANKS = [
    Workload(
        name="top-5 accuracy, 50k x 1000 f32 scores",
        inputs=WIDE,
        ours=metric("MulticlassAccuracy", num_classes=1000, average="micro", top_k=5),
        eager=expression(e.top_k_share, (5,)),
        torcheval=metric("MulticlassAccuracy", num_classes=1000, k=5),
        shares={"torcheval": 1 / 10},
        bars={"reads": 1.4, "torchmetrics": 100},
        headline=True,
    ),
    Workload(
        name="top-1, 5 and 10 at once, 50k x 1000 f32 scores",
        inputs=WIDE,
        ours=metric("TopKAccuracy", num_classes=1000, k=(1, 5, 10)),
        theirs=None,
        eager=expression(e.top_k_share, (1, 5, 10)),
        bars={"reads": 1.5},
        note="torchmetrics has one k a metric",
    ),
    Workload(
        name="mean reciprocal rank, 50k x 1000 f32 scores",
        inputs=WIDE,
        ours=metric("MeanReciprocalRank", num_classes=1000),
        theirs=None,
        eager=e.mean_reciprocal_rank,
        bars={"reads": 1.5},
        note="torchmetrics has none for classes",
    ),
]

THRESHOLDS = [
    *(
        Workload(
            name=f"binary accuracy, 10M {dtype_name} {'logits' if logits else 'probabilities'}{entropy}",
            inputs=Binary((10 * M,), logits, dtype, share),
            ours=metric("BinaryAccuracy"),
            # a score that equals the threshold is positive there, which bf16 has many of
            torcheval=metric("BinaryAccuracy", threshold=0.0 if logits else 0.5) if dtype.itemsize > 2 else None,
            eager=expression(e.binary_share, 0.0 if logits else 0.5),
            bars={"reads": 1.6, "torchmetrics": 20} if dtype == torch.float32 else {},
            headline=dtype == torch.float32 and share == 0.5,
            sweep=dtype == torch.float32 and not logits and share == 0.5,
        )
        for logits, dtype_name, dtype, entropy, share in (
            (False, "f32", torch.float32, "", 0.5),
            (False, "f32", torch.float32, ", all positive", 1.0),
            (True, "f32", torch.float32, "", 0.5),
            (False, "bf16", torch.bfloat16, "", 0.5),
            (False, "f16", torch.float16, "", 0.5),
            (False, "f64", torch.float64, "", 0.5),
        )
    ),
    Workload(
        name="multilabel accuracy, 1M x 20 f32 probabilities",
        inputs=Binary((M, 20)),
        ours=metric("MultilabelAccuracy", num_labels=20, average=None),
        eager=e.multilabel_share,
        shares={"torchmetrics": 1 / 10},
    ),
]

SCORINGS = [
    *(
        Workload(
            name=f"{name}, 100k x 20 f32 scores",
            inputs=Binary((100_000, 20), logits=True),
            ours=metric(f"Multilabel{name}", num_labels=20),
            shares={"torchmetrics": 1 / 20},
        )
        for name in ("CoverageError", "RankingAveragePrecision", "RankingLoss")
    ),
    Workload(
        name="ExactMatch, 1M x 20 f32 probabilities",
        inputs=Binary((M, 20)),
        ours=metric("MultilabelExactMatch", num_labels=20),
        alone=metric("MultilabelConfusionMatrix", num_labels=20),
        bars={"alone": 1.1},
        shares={"torchmetrics": 1 / 10},
    ),
    *(
        Workload(
            name=f"{name}, 1M f32 probabilities of 4 groups",
            inputs=Binary((M,), groups=4),
            ours=metric(name, num_groups=4),
            shares={"torchmetrics": 1 / 10},
        )
        for name in ("BinaryFairness", "BinaryGroupStatRates")
    ),
    Workload(
        name="HingeLoss, 10M f32 probabilities",
        inputs=Binary((10 * M,)),
        ours=metric("BinaryHingeLoss"),
        shares={"torchmetrics": 1 / 10},
    ),
    *(
        Workload(
            name=f"HingeLoss, {mode}, {where} f32 scores",
            inputs=inputs,
            ours=metric("MulticlassHingeLoss", num_classes=c, multiclass_mode=mode),
            alone=confusion(c),
            shares={"torchmetrics": 1 / 10},
        )
        for where, inputs, c in (("1M x 10", Scores((M, 10)), 10), ("50k x 1000", WIDE, 1000))
        for mode in ("crammer-singer", "one-vs-all")
    ),
]

CURVES = [
    Workload(
        name="AUROC, exact, 10M f32 probabilities",
        inputs=Binary((10 * M,)),
        ours=metric("BinaryAUROC"),
        peers={"numpy.sort": e.sort_by_numpy, "scikit-learn": e.auroc_by_scikit_learn},
        call="forward",
        shares={"torchmetrics": 1 / 10, "scikit-learn": 1 / 10},
        bars={"torchmetrics": 20, "numpy.sort": 3, "scikit-learn": 10},
        devices=("cpu",),
    ),
    Workload(
        name="AUROC, exact, 10M bf16 probabilities",
        inputs=Binary((10 * M,), dtype=torch.bfloat16),
        ours=metric("BinaryAUROC"),
        shares={"torchmetrics": 1 / 10},
        bars={"reads": 2},
    ),
    Workload(
        name="AUROC, exact, 10M bf16 probabilities, compute",
        inputs=Binary((10 * M,), dtype=torch.bfloat16),
        ours=metric("BinaryAUROC"),
        call="compute",
        shares={"torchmetrics": 1 / 10},
        bars={"seconds": 5e-3},
    ),
    Workload(
        name="AUROC, exact, 100k x 10 f32 scores",
        inputs=Scores((100_000, 10)),
        ours=metric("MulticlassAUROC", num_classes=10),
        call="forward",
        bars={"torchmetrics": 15},
    ),
    Workload(
        name="AUROC, exact, 100k x 20 labels, f32 probabilities",
        inputs=Binary((100_000, 20)),
        ours=metric("MultilabelAUROC", num_labels=20),
        call="forward",
        bars={"torchmetrics": 15},
    ),
    *(
        Workload(
            name=f"{name}, exact, 1M f32 probabilities with weights",
            inputs=Binary((M,), weighted=True),
            ours=metric(f"Binary{name}"),
            theirs=None,
            peers={"scikit-learn": peer},
            call="forward",
            devices=("cpu",),
            note="torchmetrics has no weights",
        )
        for name, peer in (
            ("AUROC", e.auroc_by_scikit_learn),
            ("AveragePrecision", e.average_precision_by_scikit_learn),
        )
    ),
    *(
        Workload(
            name=f"one update of 32 x 10 {dtype} probabilities, AUROC, {how}",
            inputs=Scores((32, 10), getattr(torch, dtype), probabilities=True),
            ours=metric("MulticlassAUROC", num_classes=10, **options),
            theirs=metric("MulticlassAUROC", num_classes=10, **their_options),
            bars={"torchmetrics": 8},
        )
        for how, dtype, options, their_options in (
            ("exact", "float32", {}, {}),
            ("exact", "bfloat16", {}, {}),
            ("200 thresholds", "float32", {"thresholds": 200}, {"thresholds": 200}),
            ("2^20 bins", "float32", {"bins": 2**20}, {}),
        )
    ),
    Workload(
        name="AUROC, 200 thresholds, 10M f32 probabilities",
        inputs=Binary((10 * M,)),
        ours=metric("BinaryAUROC", thresholds=200),
        shares={"torchmetrics": 1 / 100},
        bars={"reads": 2, "torchmetrics": 500},
    ),
    Workload(
        name="AUROC, 200 thresholds, 100k x 10 f32 logits",
        inputs=Scores((100_000, 10)),
        ours=metric("MulticlassAUROC", num_classes=10, thresholds=200),
        shares={"torchmetrics": 1 / 10},
        bars={"reads": 8, "torchmetrics": 500},
    ),
]
CALIBRATION = [
    *(
        Workload(
            name=f"calibration error, {where} f32 {'probabilities' if probable else 'logits'}, update and compute",
            inputs=Scores((n, c), probabilities=probable),
            ours=metric("MulticlassCalibrationError", num_classes=c),
            call="forward",
            bars={"reads": 2, "torchmetrics": 20} if probable else {},
            shares={"torchmetrics": 1 / 10},
        )
        for where, n, c in (("1M x 10", M, 10), ("50k x 1000", 50_000, 1000))
        for probable in (True, False)
    ),
    Workload(
        name="calibration error, 10M f32 probabilities",
        inputs=Binary((10 * M,)),
        ours=metric("BinaryCalibrationError"),
        shares={"torchmetrics": 1 / 10},
    ),
    Workload(
        name="one update of 32 x 10 f32 probabilities, calibration error",
        inputs=Scores((32, 10), probabilities=True),
        ours=metric("MulticlassCalibrationError", num_classes=10),
        bars={"torchmetrics": 8},
    ),
    *(
        Workload(
            name=f"{name}, 1M x 10 f32 logits",
            inputs=Scores((M, 10)),
            ours=metric(f"Multiclass{name}", num_classes=10),
            theirs=None,
            note="torchmetrics has none",
        )
        for name in ("BrierScore", "LogLoss")
    ),
]
EVERY_CURVE = collection(
    auroc=metric("BinaryAUROC"),
    average_precision=metric("BinaryAveragePrecision"),
    roc=metric("BinaryROC"),
    curve=metric("BinaryPrecisionRecallCurve"),
    eer=metric("BinaryEER"),
    recall=metric("BinaryRecallAtFixedPrecision", min_precision=0.6),
    sensitivity=metric("BinarySensitivityAtSpecificity", min_specificity=0.6),
)
ROWS = [
    *LABELS,
    *MANY_LABELS,
    *SCORES,
    *family_rows("1M x 10 f32 scores", Scores((M, 10)), 10, 1 / 20),
    *RANKS,
    *family_rows("50k x 1000 f32 scores", WIDE, 1000, 1 / 20),
    *MANY_SCORES,
    *THRESHOLDS,
    *SCORINGS,
    *CURVES,
    *CALIBRATION,
    Workload(
        name="AUROC, AP, ROC, PRC, EER and two operating points, exact, 1M f32 probabilities",
        inputs=Binary((M,)),
        ours=EVERY_CURVE,
        alone=metric("BinaryAUROC"),
        peers={"writing two curves": e.write_two_curves},
        call="forward",
        bars={"alone": 1.3},
        devices=("cpu",),
        note="two of them are curves, six tensors of 24 MB, which take a sixth to a third of AUROC to be written, whatever is in them",
    ),
]
