# SPDX-License-Identifier: Apache-2.0
"""A case of every metric, with its batches: what one owes is tested on all."""

import pytest
import torch

import fastmetrics
from fastmetrics import aggregation, clustering, nominal, regression, retrieval, segmentation, shape, text
from fastmetrics import classification as ours
from fastmetrics.wrappers import PairedComparison

C, L = 4, 3
NAMES = ("Accuracy", "Precision", "Recall", "F1Score", "StatScores")
# One of those that are alike is enough of what they owe.
OTHERS = [
    ("BinaryFBetaScore", {"beta": 2.0}),
    ("MulticlassInformedness", {"num_classes": C, "average": None}),
    ("MulticlassJaccardIndex", {"num_classes": C}),
    ("BinaryCohenKappa", {}),
    ("MulticlassCohenKappa", {"num_classes": C}),
    ("MulticlassCohenKappa", {"num_classes": C, "weights": "linear"}),
    ("MultilabelMatthewsCorrCoef", {"num_labels": L}),
    ("TopKAccuracy", {"num_classes": C, "k": (1, 3)}),
    ("TopKAccuracy", {"num_classes": C, "k": (1, 3), "average": "macro"}),
    ("MeanReciprocalRank", {"num_classes": C}),
    ("MeanReciprocalRank", {"num_classes": C, "average": "macro"}),
]


def multiclass_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(6, C, 3, generator=generator), torch.randint(0, C, (6, 3), generator=generator)


def binary_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(6, 3, generator=generator), torch.randint(0, 2, (6, 3), generator=generator)


def multilabel_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(6, L, 3, generator=generator), torch.randint(0, 2, (6, L, 3), generator=generator)


def pairs_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(6, 3, generator=generator), torch.randn(6, 3, generator=generator)


LABELS = ("Multilabel", {"num_labels": L}, multilabel_batch)


def positive_pairs_batch(seed):
    return tuple(values.abs() + 0.1 for values in pairs_batch(seed))


def flat_pairs_batch(seed):
    return tuple(values.flatten() for values in pairs_batch(seed))


def masks_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randint(0, 2, (6, L, 3), generator=generator).bool() for _ in range(2))


def labels_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, C, (20,), generator=generator), torch.randint(0, C, (20,), generator=generator)


def models_batch(seed):
    first, target = multiclass_batch(seed)
    return first, first.flip(1), target


def points_batch(seed, d=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(20, d, generator=generator), torch.arange(20) % C


def numbers_batch(seed):
    return points_batch(seed, 1)


def ratings_batch(seed):
    return (torch.randint(0, 5, (6, C), generator=torch.Generator().manual_seed(seed)),)


def tables():
    """Metrics of images, nominal variables and clusters."""
    for kind, options in (
        (segmentation.MeanIoU, {"per_class": True}),
        (segmentation.DiceScore, {}),
        (segmentation.DiceScore, {"aggregation_level": "global"}),
        (segmentation.GeneralizedDiceScore, {}),
    ):
        name = f"{kind.__name__}{'-global' if 'aggregation_level' in options else ''}"
        yield pytest.param(kind, {"num_classes": C, "input_format": "mixed", **options}, multiclass_batch, id=name)
    yield pytest.param(segmentation.MeanIoU, {"num_classes": L}, masks_batch, id="masks")
    yield pytest.param(segmentation.HausdorffDistance, {"num_classes": L}, masks_batch, id="HausdorffDistance")
    for kind in (nominal.CramersV, nominal.TheilsU, clustering.ClusterAccuracy):
        yield pytest.param(kind, {"num_classes": C}, labels_batch, id=kind.__name__)
    yield pytest.param(nominal.FleissKappa, {"num_categories": C}, ratings_batch, id="FleissKappa")
    yield pytest.param(clustering.AdjustedMutualInfoScore, {}, labels_batch, id="AdjustedMutualInfoScore")
    yield pytest.param(clustering.VMeasureScore, {"num_classes": C}, labels_batch, id="VMeasureScore-table")
    for kind, options, batch in (
        (clustering.CalinskiHarabaszScore, {}, points_batch),
        (clustering.CalinskiHarabaszScore, {"num_clusters": C}, numbers_batch),
        (clustering.DaviesBouldinScore, {}, points_batch),
        (clustering.DunnIndex, {"p": 1}, points_batch),
    ):
        yield pytest.param(kind, options, batch, id=f"{kind.__name__}-{options}")


def tokens_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(6, 3, C, generator=generator), torch.randint(0, C, (6, 3), generator=generator)


def ensemble_batch(seed):
    preds, target = pairs_batch(seed)
    return preds, target[:, 0]


def documents_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    scores, relevance = torch.rand(6, 5, generator=generator), torch.randint(0, 2, (6, 5), generator=generator)
    return scores, relevance, torch.randint(0, 4, (6, 5), generator=generator)


def queries_batch(seed):
    return documents_batch(seed)[:2]


def clouds_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(6, 5, 3, generator=generator), torch.randn(6, 5, 3, generator=generator)


def values_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(6, 3, generator=generator),)


def cases():
    tasks = (("Binary", {}, binary_batch), ("Multiclass", {"num_classes": C}, multiclass_batch))
    for task, size, batch in (*tasks, ("Multilabel", {"num_labels": L}, multilabel_batch)):
        for name in NAMES:
            for how in ("global", "samplewise"):
                kind = getattr(ours, f"{task}{name}")
                yield pytest.param(kind, {**size, "multidim_average": how}, batch, id=f"{task}{name}-{how}")
        yield pytest.param(getattr(ours, f"{task}ConfusionMatrix"), size, batch, id=f"{task}ConfusionMatrix")
    yield pytest.param(ours.MulticlassAccuracy, {"num_classes": C, "top_k": 2}, multiclass_batch, id="top_k")
    for name, options in OTHERS:
        of_labels = binary_batch if name.startswith("Binary") else multilabel_batch
        batch = multiclass_batch if "num_classes" in options else of_labels
        yield pytest.param(getattr(ours, name), options, batch, id=f"{name}-{'-'.join(map(str, options.values()))}")
    for how in ("global", "samplewise"):
        for name, size, batch in (("Multiclass", {"num_classes": C}, multiclass_batch), LABELS):
            options = {**size, "multidim_average": how}
            yield pytest.param(getattr(ours, f"{name}ExactMatch"), options, batch, id=f"{name}ExactMatch-{how}")
    for task, size, batch in (*tasks, LABELS):
        # curves and points of them are several tensors, see classification/test_curves.py and test_operating_points.py
        for name in ("AUROC", "AveragePrecision", "EER", "LogAUC"):
            for thresholds in (None, 5):
                options = {**size, "thresholds": thresholds}
                yield pytest.param(getattr(ours, task + name), options, batch, id=f"{task}{name}-{thresholds}")
    yield pytest.param(ours.BinaryHingeLoss, {}, binary_batch, id="BinaryHingeLoss")
    for mode in ("crammer-singer", "one-vs-all"):
        options = {"num_classes": C, "squared": True, "multiclass_mode": mode}
        yield pytest.param(ours.MulticlassHingeLoss, options, multiclass_batch, id=f"MulticlassHingeLoss-{mode}")
    for name, size, batch in (
        ("BinaryCalibrationError", {"norm": "l2"}, binary_batch),
        ("MulticlassCalibrationError", {"num_classes": C}, multiclass_batch),
        ("MulticlassCalibrationError", {"num_classes": C, "norm": "max"}, multiclass_batch),
        ("MultilabelCalibrationError", {"num_labels": L}, multilabel_batch),
        ("ClasswiseCalibrationError", {"num_classes": C, "average": None}, multiclass_batch),
        ("MulticlassAdaptiveCalibrationError", {"num_classes": C, "n_bins": 3}, multiclass_batch),
        ("BinaryBrierScore", {}, binary_batch),
        ("MulticlassBrierScore", {"num_classes": C}, multiclass_batch),
        ("MulticlassLogLoss", {"num_classes": C}, multiclass_batch),
        ("MultilabelLogLoss", {"num_labels": L, "average": None}, multilabel_batch),
    ):
        yield pytest.param(getattr(ours, name), size, batch, id=f"{name}-{'-'.join(map(str, size.values()))}")
    for name in ("CoverageError", "RankingAveragePrecision", "RankingLoss"):
        task, size, batch = LABELS
        yield pytest.param(getattr(ours, task + name), size, batch, id=task + name)
    for name, average in (("F1Score", "macro"), ("Accuracy", "micro")):
        options = {"metric": getattr(ours, f"Multiclass{name}")(C, average=average)}
        yield pytest.param(PairedComparison, options, models_batch, id=f"PairedComparison-{average}")
    for name, options, batch in (
        ("MulticlassF1Score", {"num_classes": C}, multiclass_batch),
        ("R2Score", {}, flat_pairs_batch),
        ("TweedieDevianceScore", {"power": 1.5}, positive_pairs_batch),
        ("MeanMetric", {}, values_batch),
    ):
        kind = getattr(fastmetrics, name, None) or getattr(ours, name)
        yield pytest.param(kind, {**options, "intervals": True}, batch, id=f"{name}-intervals")
    yield from tables()
    yield pytest.param(regression.MeanSquaredError, {}, pairs_batch, id="MeanSquaredError")
    yield pytest.param(regression.MeanAbsoluteError, {"num_outputs": 3}, pairs_batch, id="MeanAbsoluteError")
    for name, options in (
        ("MeanSquaredLogError", {}),
        ("MeanAbsolutePercentageError", {}),
        ("SymmetricMeanAbsolutePercentageError", {}),
        ("WeightedMeanAbsolutePercentageError", {}),
        ("NormalizedRootMeanSquaredError", {"normalization": "range", "num_outputs": 3}),
        ("NormalizedRootMeanSquaredError", {"normalization": "std"}),
        ("RelativeSquaredError", {"num_outputs": 3}),
        ("PearsonCorrCoef", {"num_outputs": 3}),
        ("ConcordanceCorrCoef", {"num_outputs": 3}),
        ("LogCoshError", {"num_outputs": 3}),
        ("MinkowskiDistance", {"p": 3}),
        ("TweedieDevianceScore", {"power": 1.5}),
        ("CriticalSuccessIndex", {"threshold": 1.0}),
        ("CriticalSuccessIndex", {"threshold": 1.0, "keep_sequence_dim": 0}),
    ):
        yield pytest.param(getattr(regression, name), options, positive_pairs_batch, id=f"{name}-{options}")
    for name in ("R2Score", "ExplainedVariance"):
        yield pytest.param(getattr(regression, name), {}, flat_pairs_batch, id=name)
    for name in ("SpearmanCorrCoef", "KendallRankCorrCoef", "CosineSimilarity"):
        options = {"num_outputs": 3} if name.endswith("CorrCoef") else {"reduction": "none"}
        yield pytest.param(getattr(regression, name), options, pairs_batch, id=name)
    for name in ("KLDivergence", "JensenShannonDivergence"):
        yield pytest.param(getattr(regression, name), {"log_prob": True}, pairs_batch, id=name)
    yield pytest.param(regression.ContinuousRankedProbabilityScore, {}, ensemble_batch, id="CRPS")
    for name, options in (
        ("Perplexity", {}),
        ("NegativeLogLikelihood", {"reduction": "sum"}),
        ("NegativeLogLikelihood", {"reduction": "none"}),
        ("BitsPerByte", {"bytes": [1, 2, 3, 4]}),
        ("TokenAccuracy", {"k": (1, 3)}),
        ("TokenEntropy", {"shift": True}),
        ("TokenRank", {}),
        ("TokenCalibrationError", {"n_bins": 4}),
    ):
        yield pytest.param(getattr(text, name), options, tokens_batch, id=f"{name}-{options}")
    for name, options in (
        ("RetrievalMAP", {}),
        ("RetrievalMAP", {"complete": True}),
        ("RetrievalNormalizedDCG", {"top_k": (1, 3)}),
        ("RetrievalPrecision", {"aggregation": "median"}),
        ("RetrievalAUROC", {"max_fpr": 0.5, "empty_target_action": "skip"}),
    ):
        yield pytest.param(getattr(retrieval, name), options, documents_batch, id=f"{name}-{options}")
    options = {"complete": True, "top_k": 2}
    yield pytest.param(retrieval.RetrievalFallOut, options, queries_batch, id="RetrievalFallOut-rows")
    yield pytest.param(shape.ProcrustesDisparity, {}, clouds_batch, id="ProcrustesDisparity")
    for name in ("SumMetric", "MeanMetric", "MinMetric", "MaxMetric"):
        yield pytest.param(getattr(aggregation, name), {}, values_batch, id=name)


every_metric = pytest.mark.parametrize(("kind", "options", "batch"), list(cases()))


def filled(kind, options, batch, *seeds):
    metric = kind(**options)
    for seed in seeds:
        metric.update(*batch(seed))
    return metric


def states(metric):
    return {name: getattr(metric, name) for name in metric._defaults}


def same_states(a, b):
    """Of lists the samples, in however many tensors they are."""
    for name, value in states(a).items():
        other = getattr(b, name)
        if isinstance(value, list):
            assert bool(value) == bool(other)
            assert not value or torch.equal(torch.cat(value), torch.cat(other))
        else:
            assert value.dtype == other.dtype
            assert torch.equal(value, other)
