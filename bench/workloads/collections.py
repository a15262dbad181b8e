# SPDX-License-Identifier: Apache-2.0
"""Collections of ten metrics, and what a call costs when the batch is small."""

from bench import expressions as e
from bench.expressions import expression
from bench.inputs import Binary, Scores
from bench.slices import Sliced
from bench.specs import collection, metric
from bench.workloads.family import confusion
from bench.workloads.table import M, Workload

SMALL = Scores((32, 10))


def ten(c, **more):
    names = {
        "accuracy": "Accuracy",
        "precision": "Precision",
        "recall": "Recall",
        "f1": "F1Score",
        "specificity": "Specificity",
        "jaccard": "JaccardIndex",
        "kappa": "CohenKappa",
        "mcc": "MatthewsCorrCoef",
        "confusion": "ConfusionMatrix",
        "counts": "StatScores",
    }
    return collection(**{key: metric(f"Multiclass{name}", num_classes=c) for key, name in names.items()}, **more)


def top(c, k):
    return metric("MulticlassAccuracy", num_classes=c, average="micro", top_k=k)


AT_THRESHOLDS = metric("BinaryAUROC", thresholds=200)

ROWS = [
    *(
        Workload(
            name=f"ten metrics, {samples} x {c} f32 scores",
            inputs=Scores((n, c)),
            ours=ten(c),
            alone=confusion(c),
            bars={"alone": 1.15},
            headline=True,
        )
        for samples, n, c in (("1M", M, 10), ("50k", 50_000, 1000))
    ),
    Workload(
        name="ten metrics by 1000 groups, 1M x 10 f32 scores",
        inputs=Scores((M, 10), groups=1000),
        ours=Sliced(ten(10), 1000),
        alone=Sliced(ten(10), 0),
        bars={"alone": 1.6},
        note="alone: the same without groups; torchmetrics keeps a copy of its metrics for each group",
    ),
    Workload(
        name="ten metrics by 1000 groups and by 4 others, 1M x 10 f32 scores",
        inputs=Scores((M, 10), groups=(1000, 4)),
        ours=Sliced(ten(10), (1000, 4)),
        theirs=None,
        alone=Sliced(ten(10), 0),
        note="alone: the same without groups",
    ),
    Workload(
        name="accuracy by 200 groups and by 4 others, 1M f32 probabilities",
        inputs=Binary((M,), groups=(200, 4)),
        ours=Sliced(metric("BinaryAccuracy"), (200, 4)),
        theirs=None,
        alone=Sliced(metric("BinaryAccuracy"), 0),
        note="alone: the same without groups",
    ),
    Workload(
        name="AUROC, 200 thresholds, by 1000 groups, 1M f32 probabilities",
        inputs=Binary((M,), groups=1000),
        ours=Sliced(AT_THRESHOLDS, 1000),
        theirs=None,
        alone=Sliced(AT_THRESHOLDS, 0),
        note="alone: the same without groups",
    ),
    Workload(
        name="ten metrics, top-1 and top-5, 50k x 1000 f32 scores",
        inputs=Scores((50_000, 1000)),
        ours=ten(1000, top1=top(1000, 1), top5=top(1000, 5)),
        bars={"reads": 2.5, "torchmetrics": 100},
    ),
    Workload(
        name="ten metrics, top-1, top-5 and calibration, 50k x 1000 f32 scores",
        inputs=Scores((50_000, 1000)),
        ours=ten(
            1000,
            top1=top(1000, 1),
            top5=top(1000, 5),
            calibration=metric("MulticlassCalibrationError", num_classes=1000),
        ),
        bars={"reads": 2.5, "torchmetrics": 100},
    ),
    *(
        Workload(
            name=f"one {call} of 32 x 10 f32 scores, accuracy",
            inputs=SMALL,
            ours=metric("MulticlassAccuracy", num_classes=10),
            eager=expression(e.macro_recall_of_scores, 10) if call == "update" else None,
            call=call,
            bars={"torchmetrics": bar},
            headline=True,
        )
        for call, bar in (("update", 8), ("forward", 10))
    ),
    *(
        Workload(
            name=f"one {call} of 32 x 10 f32 scores, ten metrics",
            inputs=SMALL,
            ours=ten(10),
            call=call,
            bars={"torchmetrics": bar},
            headline=True,
        )
        for call, bar in (("update", 12), ("forward", 20), ("compute", 4), ("reset", 10))
    ),
    Workload(
        name="compute of ten metrics over two gloo processes",
        inputs=SMALL,
        ours=ten(10),
        call="sync",
        bars={"torchmetrics": 15},
        devices=("cpu",),
        headline=True,
    ),
]
