# SPDX-License-Identifier: Apache-2.0
"""What the PyTorch bodies cost where there are no native kernels: a row or more of each pass.

``python -m bench fallback`` runs these rows, in a process that loads no native library.
"""

from bench.inputs import Binary, Documents, Labels, Pairs, Scores, Values
from bench.specs import metric
from bench.workloads.table import M, Workload
from bench.workloads.text import as_sequence

MOST = 1.2  # times torchmetrics' time

# Rows of each pass: name, batch, metric, and what is timed and prepared if not a plain update.
PASSES = [
    # multiclass
    ("MulticlassAccuracy, 1M x 10 f32 scores", Scores((M, 10)), metric("MulticlassAccuracy", num_classes=10)),
    (
        "micro MulticlassAccuracy, 1M x 10 f32 scores",
        Scores((M, 10)),
        metric("MulticlassAccuracy", num_classes=10, average="micro"),
    ),
    (
        "MulticlassConfusionMatrix, 1M int64 labels, C = 10",
        Labels(M, 10),
        metric("MulticlassConfusionMatrix", num_classes=10),
    ),
    (
        "top-5 accuracy, 20k x 1000 f32 scores",
        Scores((20_000, 1000)),
        metric("MulticlassAccuracy", num_classes=1000, average="micro", top_k=5),
    ),
    ("MulticlassAccuracy, 32 x 10 f32 scores", Scores((32, 10)), metric("MulticlassAccuracy", num_classes=10)),
    (
        "MulticlassConfusionMatrix, 32 x 10 f32 scores",
        Scores((32, 10)),
        metric("MulticlassConfusionMatrix", num_classes=10),
    ),
    # binary, multilabel, groups
    ("BinaryAccuracy, 1M f32 probabilities", Binary((M,)), metric("BinaryAccuracy")),
    ("BinaryAccuracy, 1M f32 logits", Binary((M,), logits=True), metric("BinaryAccuracy")),
    ("BinaryAccuracy, 32 f32 probabilities", Binary((32,)), metric("BinaryAccuracy")),
    (
        "MultilabelAccuracy, 100k x 20 f32 probabilities",
        Binary((100_000, 20)),
        metric("MultilabelAccuracy", num_labels=20),
    ),
    (
        "BinaryFairness, 1M f32 probabilities of 4 groups",
        Binary((M,), groups=4),
        metric("BinaryFairness", num_groups=4),
    ),
    # exact match, hinge, ranking
    (
        "MultilabelExactMatch, 100k x 20 f32 probabilities",
        Binary((100_000, 20)),
        metric("MultilabelExactMatch", num_labels=20),
    ),
    ("BinaryHingeLoss, 1M f32 probabilities", Binary((M,)), metric("BinaryHingeLoss")),
    ("MulticlassHingeLoss, 1M x 10 f32 scores", Scores((M, 10)), metric("MulticlassHingeLoss", num_classes=10)),
    (
        "MultilabelRankingLoss, 20k x 20 f32 scores",
        Binary((20_000, 20), logits=True),
        metric("MultilabelRankingLoss", num_labels=20),
    ),
    # what scores decide: kept, at thresholds, calibration
    ("AUROC, exact, 1M f32 probabilities, update and compute", Binary((M,)), metric("BinaryAUROC"), "forward"),
    (
        "AUROC, exact, 100k x 10 f32 scores, update and compute",
        Scores((100_000, 10)),
        metric("MulticlassAUROC", num_classes=10),
        "forward",
    ),
    ("AUROC, 200 thresholds, 1M f32 probabilities", Binary((M,)), metric("BinaryAUROC", thresholds=200)),
    ("BinaryCalibrationError, 1M f32 probabilities", Binary((M,)), metric("BinaryCalibrationError"), "forward"),
    (
        "MulticlassCalibrationError, 100k x 10 f32 scores, update and compute",
        Scores((100_000, 10)),
        metric("MulticlassCalibrationError", num_classes=10),
        "forward",
    ),
    # documents, tokens
    ("nDCG, 2000 queries x 40, compute", Documents(2000, 40), metric("RetrievalNormalizedDCG"), "compute"),
    ("perplexity, 512 x 32,000 f32 logits", Scores((512, 32_000)), metric("Perplexity"), "update", as_sequence),
    # pairs, rows, values
    ("MeanSquaredError, 1M f32 pairs", Pairs((M,)), metric("MeanSquaredError")),
    ("PearsonCorrCoef, 1M f32 pairs", Pairs((M,)), metric("PearsonCorrCoef")),
    ("PearsonCorrCoef, 32 f32 pairs", Pairs((32,)), metric("PearsonCorrCoef")),
    ("KLDivergence, 100k x 100 f32 pairs of rows", Pairs((100_000, 100), offset=10.0), metric("KLDivergence")),
    ("MeanMetric, 1M f32 values", Values(M), metric("MeanMetric")),
    ("MaxMetric, 1M f32 values", Values(M), metric("MaxMetric")),
    ("MeanMetric, 32 f32 values", Values(32), metric("MeanMetric")),
]
# Errors of which torchmetrics computes little, and in float32.
DEARER = [
    ("MeanAbsoluteError of 1M f32 pairs", Pairs((M,)), metric("MeanAbsoluteError")),
    ("MeanSquaredError of 32 f32 pairs", Pairs((32,)), metric("MeanSquaredError")),
    ("LogCoshError of 1M f32 pairs", Pairs((M,)), metric("LogCoshError")),
]


def _row(bars, name, inputs, made, call="update", prepare=None):
    return Workload(
        name=name,
        inputs=inputs,
        ours=made,
        call=call,
        prepare=prepare,
        tolerance=2e-3,
        bars=bars,
        devices=("cpu",),
    )


ROWS = [_row({"torchmetrics": round(1 / MOST, 2)}, *row) for row in PASSES] + [_row({}, *row) for row in DEARER]
