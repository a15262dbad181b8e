# SPDX-License-Identifier: Apache-2.0
"""Metrics logged from a real Trainer."""

import subprocess
import sys
import textwrap

import pytest
import torch
import torchmetrics
import torchmetrics.classification as theirs
from torch.utils.data import DataLoader, TensorDataset

import fastmetrics.classification as ours
from fastmetrics import MetricCollection
from fastmetrics.regression import MeanSquaredError

pl = pytest.importorskip("pytorch_lightning")

pytestmark = pytest.mark.filterwarnings("ignore")

TRAINER = {
    "accelerator": "cpu",
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
    "log_every_n_steps": 1,
}


def data(n=50):
    generator = torch.Generator().manual_seed(0)
    return TensorDataset(torch.randn(n, 4, generator=generator), torch.randint(0, 3, (n,), generator=generator))


class Module(pl.LightningModule):
    """Logs the same metrics of both libraries."""

    def __init__(self, persistent=False, stop_at=None):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(4, 3)
        for library, module in (("ours", ours), ("theirs", theirs)):
            for when in ("step", "epoch", "both"):
                metric = module.MulticlassAccuracy(3)
                metric.persistent(persistent)
                setattr(self, f"{library}_{when}", metric)
            setattr(self, f"{library}_val", module.MulticlassF1Score(3))
            setattr(self, f"{library}_recall", module.MulticlassRecall(3))
        self.mse = MeanSquaredError()
        self.stop_at = stop_at
        self.steps = []

    def training_step(self, batch, index):
        scores = self.layer(batch[0])
        for library in ("ours", "theirs"):
            for when, on_step, on_epoch in (("step", True, False), ("epoch", False, True), ("both", True, True)):
                metric = getattr(self, f"{library}_{when}")
                metric(scores, batch[1])
                self.log(f"{library}_{when}", metric, on_step=on_step, on_epoch=on_epoch)
        if self.stop_at == index:
            self.trainer.save_checkpoint(self.path)
        return torch.nn.functional.cross_entropy(scores, batch[1])

    def on_train_batch_end(self, *_):
        logged = self.trainer.callback_metrics
        self.steps.append({k: logged[k].item() for k in ("ours_step", "theirs_step")})

    def validation_step(self, batch, _):
        scores = self.layer(batch[0])
        self.mse(scores[:, 0], batch[0][:, 0])
        self.log("mse", self.mse)
        for library in ("ours", "theirs"):
            both = {
                f"{library}_val": getattr(self, f"{library}_val"),
                f"{library}_recall": getattr(self, f"{library}_recall"),
            }
            for metric in both.values():
                metric.update(scores, batch[1])
            self.log_dict(both, on_step=False, on_epoch=True)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(module, folder, epochs=2, **options):
    trainer = pl.Trainer(max_epochs=epochs, default_root_dir=str(folder), enable_checkpointing=False, **TRAINER)
    trainer.fit(module, DataLoader(data(), batch_size=8), DataLoader(data(30), batch_size=7), **options)
    return trainer.callback_metrics


def test_log_on_step_and_epoch(tmp_path):
    module = Module()
    logged = fit(module, tmp_path)
    for name in ("step", "epoch", "both_step", "both_epoch", "val", "recall"):
        torch.testing.assert_close(logged[f"ours_{name}"], logged[f"theirs_{name}"])
    assert len(module.steps) == 14
    assert all(step["ours_step"] == pytest.approx(step["theirs_step"]) for step in module.steps)
    assert len({step["ours_step"] for step in module.steps}) > 1
    assert module.ours_epoch.update_count == 0  # Lightning reset it after the epoch
    x, _ = data(30).tensors
    expected = (module.layer(x)[:, 0] - x[:, 0]).square().mean()
    torch.testing.assert_close(logged["mse"], expected.detach())


def test_resume_in_the_middle_of_an_epoch(tmp_path):
    uninterrupted = fit(Module(persistent=True), tmp_path, epochs=1)
    first = Module(persistent=True, stop_at=3)
    first.path = tmp_path / "middle.ckpt"
    fit(first, tmp_path, epochs=1)
    state = torch.load(first.path, weights_only=False)["state_dict"]
    assert state["ours_epoch.counts"][:, 2].sum() == 4 * 8  # what was seen when it was saved
    resumed = Module(persistent=True)
    logged = fit(resumed, tmp_path, epochs=1, ckpt_path=first.path)
    # what Lightning does with its loop and the metrics' states is up to it; ours must end where theirs does
    for name in ("epoch", "both_epoch"):
        torch.testing.assert_close(logged[f"ours_{name}"], logged[f"theirs_{name}"])
        assert uninterrupted[f"ours_{name}"].isfinite()


def collections():
    """Collections of both libraries."""
    return {
        "ours": MetricCollection([ours.MulticlassAccuracy(3), ours.MulticlassF1Score(3)], prefix="ours_"),
        "theirs": torchmetrics.MetricCollection(
            [theirs.MulticlassAccuracy(3), theirs.MulticlassF1Score(3)], prefix="theirs_"
        ),
    }


class Collected(Module):
    """Logs collections on steps and epochs."""

    def __init__(self):
        super().__init__()
        self.training_metrics = torch.nn.ModuleDict(collections())
        self.validation_metrics = torch.nn.ModuleDict(collections())
        self.steps = []

    def training_step(self, batch, index):
        scores = self.layer(batch[0])
        for collection in self.training_metrics.values():
            collection(scores, batch[1])
            self.log_dict(collection, on_step=True, on_epoch=True)
        return torch.nn.functional.cross_entropy(scores, batch[1])

    def on_train_batch_end(self, *_):
        self.steps.append({key: value.item() for key, value in self.trainer.callback_metrics.items()})

    def validation_step(self, batch, _):
        for collection in self.validation_metrics.values():
            collection.update(self.layer(batch[0]), batch[1])
            self.log_dict({f"val_{key}": metric for key, metric in collection.items()})


def test_log_dict_of_a_collection(tmp_path):
    module = Collected()
    addresses = [metric.counts.data_ptr() for metric in module.training_metrics["ours"].values()]
    logged = fit(module, tmp_path)
    names = [f"{when}{name}{end}" for name in ("MulticlassAccuracy", "MulticlassF1Score")
             for when, end in (("", "_step"), ("", "_epoch"))]  # fmt: skip
    for name in names:
        torch.testing.assert_close(logged[f"ours_{name}"], logged[f"theirs_{name}"])
    for name in ("MulticlassAccuracy", "MulticlassF1Score"):
        torch.testing.assert_close(logged[f"val_ours_{name}"], logged[f"val_theirs_{name}"])
    assert len(module.steps) == 14
    for step in module.steps:
        assert step["ours_MulticlassF1Score_step"] == pytest.approx(step["theirs_MulticlassF1Score_step"])
    # Lightning reset the metrics one by one, after which they share again what they shared
    metrics = module.training_metrics["ours"]
    assert not any(metric.update_called for metric in metrics.values())
    assert metrics.compute_groups == {0: ["MulticlassAccuracy", "MulticlassF1Score"]}
    assert [metric.counts.data_ptr() for metric in metrics.values()] == addresses


class Continued(DataLoader):
    """A loader that goes on where its state says; Lightning starts any other one anew, and so repeats batches."""

    given = 0

    def __iter__(self):
        begin, self.given = self.given, 0
        for index, batch in enumerate(super().__iter__()):
            if index >= begin:
                self.given = index + 1
                yield batch
        self.given = 0

    def state_dict(self):
        return {"given": self.given}

    def load_state_dict(self, state):
        self.given = state["given"]


class Saving(Module):
    """Saves a checkpoint after its fourth batch."""

    def on_train_batch_end(self, _, batch, index):
        super().on_train_batch_end()
        if self.stop_at == index:
            self.trainer.save_checkpoint(self.path)

    def training_step(self, batch, index):
        stop_at, self.stop_at = self.stop_at, None
        loss = super().training_step(batch, index)
        self.stop_at = stop_at
        return loss

    def on_train_epoch_end(self):
        self.counted = int(self.ours_epoch.counts[:, 2].sum())


@pytest.mark.parametrize(("loader", "counted"), [(Continued, 50), (DataLoader, 4 * 8 + 3 * 8)])
def test_a_resumed_epoch_is_the_uninterrupted_one_if_the_loader_goes_on(tmp_path, loader, counted):
    path, logged = tmp_path / "middle.ckpt", []
    for module, options in (
        (Saving(persistent=True, stop_at=3), {}),
        (Saving(persistent=True), {"ckpt_path": path, "weights_only": False}),
    ):
        module.path = path
        trainer = pl.Trainer(max_epochs=1, default_root_dir=str(tmp_path), enable_checkpointing=False, **TRAINER)
        trainer.fit(module, loader(data(), batch_size=8), **options)
        logged.append(trainer.callback_metrics)
    assert module.counted == counted
    for name in ("epoch", "both_epoch"):
        torch.testing.assert_close(logged[1][f"ours_{name}"], logged[1][f"theirs_{name}"])
        if loader is Continued:
            assert torch.equal(logged[1][f"ours_{name}"], logged[0][f"ours_{name}"])


TWO_PROCESSES = """
    import sys
    import torch
    import pytorch_lightning as pl
    from torch.utils.data import DataLoader, TensorDataset
    from fastmetrics import MetricCollection
    from fastmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix, MulticlassRecall
    from fastmetrics.distributed import valid_mask
    from fastmetrics.regression import MeanSquaredError

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layer = torch.nn.Linear(4, 3)
            self.acc, self.mse = MulticlassAccuracy(3), MeanSquaredError()
            self.confusion = MulticlassConfusionMatrix(3)
            self.metrics = MetricCollection([MulticlassAccuracy(3), MulticlassRecall(3, average="micro")])

        def test_step(self, batch, i):
            scores, target = self.layer(batch[0]), batch[1]
            sampler = self.trainer.test_dataloaders.sampler
            valid = torch.ones(len(target), dtype=torch.bool)
            if hasattr(sampler, "num_replicas"):  # repeats samples, so that all processes have as many
                valid = valid_mask(sampler, i, 8)
            self.acc(scores, target, valid=valid)
            self.mse(scores[valid, 0], batch[0][valid, 0])
            self.confusion.update(scores, target, valid=valid)
            self.metrics.update(scores, target, valid=valid)
            self.log_dict({"acc": self.acc, "mse": self.mse})
            self.log_dict(self.metrics)

        def on_test_epoch_end(self):
            confusion = self.confusion.compute()
            if self.trainer.is_global_zero:
                print("confusion", confusion.flatten().tolist())

    if __name__ == "__main__":
        generator = torch.Generator().manual_seed(0)
        data = TensorDataset(
            torch.randn(65, 4, generator=generator), torch.randint(0, 3, (65,), generator=generator)
        )
        trainer = pl.Trainer(
            accelerator="cpu", devices=int(sys.argv[1]), strategy="ddp" if sys.argv[1] == "2" else "auto",
            logger=False, enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        )
        trainer.test(Module(), DataLoader(data, batch_size=8), verbose=False)
        if trainer.is_global_zero:
            print("logged", [f"{name} {value.item():.7f}" for name, value in sorted(trainer.callback_metrics.items())])
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()  # left to the exit, gloo aborts now and then
"""


@pytest.mark.slow
def test_two_processes_see_what_one_does(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(TWO_PROCESSES))
    printed = []
    for devices in ("1", "2"):
        done = subprocess.run(
            [sys.executable, str(script), devices],
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        printed.append([line for line in done.stdout.splitlines() if line.startswith(("confusion", "logged"))])
    assert len(printed[0]) == 2
    assert printed[0] == printed[1]


SPAWNED = """
    import sys, warnings
    import pytorch_lightning as pl
    import torch
    from torch.utils.data import DataLoader, TensorDataset
    warnings.filterwarnings("ignore")
    from fastmetrics import MetricCollection
    from fastmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix, MulticlassStatScores

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layer = torch.nn.Linear(4, 3)
            self.scores = MulticlassStatScores(3, average="micro")
            self.metrics = MetricCollection([MulticlassAccuracy(3), MulticlassConfusionMatrix(3)])

        def training_step(self, batch, i):
            return self.layer(batch[0]).sum()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.0)  # the predictions of both epochs are the same

        def validation_step(self, batch, i):
            scores = self.layer(batch[0])
            self.scores.update(scores, batch[1])
            self.metrics.update(scores, batch[1])

        def on_validation_epoch_end(self):
            support, values = self.scores.compute(), self.metrics.compute()
            self.scores.reset()
            self.metrics.reset()
            if self.trainer.is_global_zero:
                accuracy = f"{values['MulticlassAccuracy'].item():.7f}"
                print("epoch", int(support[4]), int(values["MulticlassConfusionMatrix"].sum()), accuracy, flush=True)

    if __name__ == "__main__":
        generator = torch.Generator().manual_seed(0)
        data = TensorDataset(torch.randn(40, 4, generator=generator), torch.randint(0, 3, (40,), generator=generator))
        spawned = {"devices": 2, "strategy": "ddp_spawn"} if sys.argv[1] == "2" else {"devices": 1}
        trainer = pl.Trainer(
            accelerator="cpu", max_epochs=2, num_sanity_val_steps=0, **spawned,
            logger=False, enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        )
        trainer.fit(Module(), DataLoader(data, batch_size=8), DataLoader(data, batch_size=8))
"""


@pytest.mark.slow
def test_spawned_processes_own_their_states(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SPAWNED))
    printed = []
    for devices in ("1", "2"):
        command = [sys.executable, str(script), devices]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        printed.append([line for line in done.stdout.splitlines() if line.startswith("epoch")])
    assert printed[0] == printed[1]
    assert [line.split()[:3] for line in printed[1]] == [["epoch", "40", "40"]] * 2
