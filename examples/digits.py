# SPDX-License-Identifier: Apache-2.0
"""A classifier of handwritten digits whose LightningModule logs fastmetrics objects."""

import pytorch_lightning as pl
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from fastmetrics.classification import (
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassPrecision,
    MulticlassRecall,
)

NUM_CLASSES = 10


def data():
    """Images float32 [N, 1, 8, 8] and digits int64 [N], for training and validation."""
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    target = torch.tensor(digits.target)
    order = torch.randperm(len(target), generator=torch.Generator().manual_seed(0))
    train, val = order[:1300], order[1300:]
    return TensorDataset(images[train], target[train]), TensorDataset(images[val], target[val])


def scores_metrics():
    """What is logged for each stage."""
    return nn.ModuleDict(
        {
            "acc": MulticlassAccuracy(NUM_CLASSES, average="micro"),
            "acc_top3": MulticlassAccuracy(NUM_CLASSES, average="micro", top_k=3),
            "precision": MulticlassPrecision(NUM_CLASSES, average="macro"),
            "recall": MulticlassRecall(NUM_CLASSES, average="macro"),
            "f1": MulticlassF1Score(NUM_CLASSES, average="macro"),
        }
    )


class DigitClassifier(pl.LightningModule):
    """A small convolutional network."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 16, NUM_CLASSES),
        )
        self.train_metrics = scores_metrics()
        self.val_metrics = scores_metrics()
        self.val_confusion = MulticlassConfusionMatrix(NUM_CLASSES)
        self.history = []
        self.confusion = None

    def step(self, batch, stage, metrics):
        images, target = batch
        scores = self.net(images)
        for name, metric in metrics.items():
            metric(scores, target)  # the batch's value for on_step, and the epoch's sums
            self.log(f"{stage}/{name}", metric, on_step=True, on_epoch=True)
        return scores, target

    def training_step(self, batch, _):
        scores, target = self.step(batch, "train", self.train_metrics)
        return cross_entropy(scores, target)

    def validation_step(self, batch, _):
        scores, target = self.step(batch, "val", self.val_metrics)
        self.val_confusion.update(scores, target)

    def on_validation_epoch_end(self):
        self.confusion = self.val_confusion.compute()  # a matrix is no scalar to log
        self.val_confusion.reset()

    def on_train_epoch_end(self):
        logged = self.trainer.callback_metrics
        names = [f"{stage}/{name}" for stage in ("train", "val") for name in self.train_metrics]
        self.history.append({name: logged[f"{name}_epoch"].item() for name in names})

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


def train(epochs, trainer_options):
    """Train; returns the module, and scores and targets of the validation images in batches."""
    pl.seed_everything(0, verbose=False)
    train_set, val_set = data()
    generator = torch.Generator().manual_seed(0)
    loader = DataLoader(train_set, batch_size=64, shuffle=True, generator=generator)
    val_loader = DataLoader(val_set, batch_size=64)
    module = DigitClassifier()
    pl.Trainer(max_epochs=epochs, **trainer_options).fit(module, loader, val_loader)
    module.eval()
    with torch.no_grad():
        batches = [(module.net(images), target) for images, target in val_loader]
    return module, batches, val_set
