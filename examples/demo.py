# SPDX-License-Identifier: Apache-2.0
"""Train on real data with Lightning, and compare every metric with torchmetrics on the same predictions."""

import argparse
import logging
import sys
import time
import warnings
from pathlib import Path
from statistics import median

import torch
import torchmetrics.classification as theirs
import torchmetrics.regression as their_regression

import fastmetrics
import fastmetrics.classification as ours
import fastmetrics.regression as our_regression
from fastmetrics.__main__ import describe

sys.path.insert(0, str(Path(__file__).parent))
import diabetes
import digits
from picture import draw_confusion

C = digits.NUM_CLASSES
CLASSIFICATION = {
    "accuracy (top-1)": ("MulticlassAccuracy", {"num_classes": C, "average": "micro"}),
    "accuracy (top-3)": ("MulticlassAccuracy", {"num_classes": C, "average": "micro", "top_k": 3}),
    "precision (macro)": ("MulticlassPrecision", {"num_classes": C}),
    "recall (macro)": ("MulticlassRecall", {"num_classes": C}),
    "F1 (macro)": ("MulticlassF1Score", {"num_classes": C}),
    "confusion matrix": ("MulticlassConfusionMatrix", {"num_classes": C}),
}
REGRESSION = {"MSE": ("MeanSquaredError", {}), "MAE": ("MeanAbsoluteError", {})}


def heading(text):
    print(f"\n{text}\n{'-' * len(text)}")


def print_history(history, names, places, every=1):
    """A line for each ``every``-th epoch: training and validation value of each metric."""
    print("epoch  " + "  ".join(f"{name:>19}" for name in names))
    for epoch in range(every, len(history) + 1, every):
        row = history[epoch - 1]
        pairs = (f"{row['train/' + n]:.{places}f} / {row['val/' + n]:.{places}f}" for n in names)
        print(f"{epoch:>5}  " + "  ".join(f"{pair:>19}" for pair in pairs))
    print("       (training / validation, as Lightning logged them)")


def microseconds(metrics, batch, rounds):
    """The median time of an update of each metric, taken in turn."""
    times = [[] for _ in metrics]
    for _ in range(rounds):
        for metric, seen in zip(metrics, times, strict=True):
            started = time.perf_counter()
            metric.update(*batch)
            seen.append(time.perf_counter() - started)
    return [median(seen) * 1e6 for seen in times]


def compare(pairs, batches, rounds=300):
    """Feed both libraries the same predictions and print them side by side; whether all values are equal."""
    print(f"{'':<20}{'fastmetrics':>14}{'torchmetrics':>14}{'equal':>8}{'µs per update: ours':>22}{'theirs':>10}")
    all_equal = True
    for name, (mine, other) in pairs.items():
        for batch in batches:
            mine.update(*batch)
            other.update(*batch)
        a, b = mine.compute(), other.compute()
        # counts exactly; ratios and means to the last figures of float32
        equal = a.dtype == b.dtype and a.shape == b.shape and torch.allclose(a, b, rtol=1e-6, atol=0)
        all_equal &= equal
        shown = [f"{v.item():.6g}" if v.numel() == 1 else "x".join(map(str, v.shape)) for v in (a, b)]
        times = microseconds([mine, other], batches[0], rounds)
        print(f"{name:<20}{shown[0]:>14}{shown[1]:>14}{'yes' if equal else 'NO':>8}{times[0]:>22.1f}{times[1]:>10.1f}")
    return all_equal


def quiet():
    """Lightning's remarks about loaders and logs are not what the demo shows."""
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    warnings.filterwarnings("ignore", module="lightning_fabric")
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10, help="of the digits; three times as many for the diabetes")
    parser.add_argument("--output", type=Path, default=Path("demo_output"), help="folder of the picture")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    quiet()
    torch.set_num_threads(1)  # the batches are small: a second thread gains little, and on a busy machine costs much
    # the CPU on every machine: the data is small, and the two libraries are timed alike
    trainer = {
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
    }

    heading("Native library")
    fastmetrics.build(["cpu"])
    print(describe(fastmetrics.native.status("cpu")))

    heading("Classification: handwritten digits, 1300 images to train, 497 to validate")
    module, batches, val_set = digits.train(options.epochs, trainer)
    print_history(module.history, list(digits.scores_metrics()), 4)
    print("\nThe trained network's validation scores, through both libraries:")
    pairs = {n: (getattr(ours, c)(**kw), getattr(theirs, c)(**kw)) for n, (c, kw) in CLASSIFICATION.items()}
    same = compare(pairs, batches)

    scores = torch.cat([scores for scores, _ in batches]).softmax(1)
    images, target = val_set.tensors
    sure, preds = scores.max(1)
    wrong = (preds != target).nonzero().flatten()
    wrong = wrong[sure[wrong].argsort(descending=True)]
    picture = options.output / "digits_confusion.png"
    draw_confusion(module.confusion, images[wrong, 0], target[wrong], preds[wrong], picture)
    print(f"\nThe confusion matrix of the last epoch: {picture}")

    heading("Regression: progress of diabetes, 342 patients to train, 100 to validate")
    module, batches = diabetes.train(3 * options.epochs, trainer)
    print_history(module.history, ["mse", "mae"], 1, every=3)
    print("\nThe trained network's validation predictions, through both libraries:")
    pairs = {
        n: (getattr(our_regression, c)(**kw), getattr(their_regression, c)(**kw)) for n, (c, kw) in REGRESSION.items()
    }
    same &= compare(pairs, batches)

    print(
        "\nAll values are equal: counts exactly, ratios and means to one part in a million."
        if same
        else "\nSome values DIFFER."
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
