# SPDX-License-Identifier: Apache-2.0
"""A regression of the progress of diabetes whose LightningModule logs fastmetrics objects."""

import pytorch_lightning as pl
import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from fastmetrics.regression import MeanAbsoluteError, MeanSquaredError


def data():
    """Features float32 [N, 10] and the disease's progress after a year float32 [N], for training and validation."""
    features, target = load_diabetes(return_X_y=True)
    features, target = torch.tensor(features, dtype=torch.float32), torch.tensor(target, dtype=torch.float32)
    order = torch.randperm(len(target), generator=torch.Generator().manual_seed(0))
    train, val = order[:342], order[342:]
    return TensorDataset(features[train] * 20, target[train]), TensorDataset(features[val] * 20, target[val])


class ProgressRegression(pl.LightningModule):
    """A small network; the metric itself is the loss, since its value keeps its gradient."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1), nn.Flatten(0))
        nn.init.constant_(self.net[2].bias, 150.0)
        self.train_mse, self.train_mae = MeanSquaredError(), MeanAbsoluteError()
        self.val_mse, self.val_mae = MeanSquaredError(), MeanAbsoluteError()
        self.history = []

    def training_step(self, batch, _):
        features, target = batch
        preds = self.net(features)
        loss = self.train_mse(preds, target)
        self.train_mae(preds.detach(), target)
        self.log("train/mse", self.train_mse, on_step=True, on_epoch=True)
        self.log("train/mae", self.train_mae, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch, _):
        features, target = batch
        preds = self.net(features)
        self.val_mse(preds, target)
        self.val_mae(preds, target)
        self.log_dict({"val/mse": self.val_mse, "val/mae": self.val_mae}, on_step=True, on_epoch=True)

    def on_train_epoch_end(self):
        logged = self.trainer.callback_metrics
        names = ("train/mse", "train/mae", "val/mse", "val/mae")
        self.history.append({name: logged[f"{name}_epoch"].item() for name in names})

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-2)


def train(epochs, trainer_options):
    """Train; returns the module, and predictions and targets of the validation patients in batches."""
    pl.seed_everything(0, verbose=False)
    train_set, val_set = data()
    generator = torch.Generator().manual_seed(0)
    loader = DataLoader(train_set, batch_size=32, shuffle=True, generator=generator)
    val_loader = DataLoader(val_set, batch_size=32)
    module = ProgressRegression()
    pl.Trainer(max_epochs=epochs, **trainer_options).fit(module, loader, val_loader)
    module.eval()
    with torch.no_grad():
        batches = [(module.net(features), target) for features, target in val_loader]
    return module, batches
