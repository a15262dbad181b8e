# SPDX-License-Identifier: Apache-2.0
"""The benchmark finds wrong contestants, and its reports say what was measured."""

import dataclasses
import functools
import json
import subprocess
import sys
import time

import pytest
import torch

from bench import __main__ as command
from bench import counts, report, results, specs, tune
from bench.bars import held, verdict
from bench.contestants import Contestant, all_of
from bench.inputs import Labels, Scores, batch_of
from bench.measure import MismatchError, check, measure, timings
from bench.slices import Sliced
from bench.specs import NotThereError, metric
from bench.workloads import WORKLOADS
from bench.workloads.classification import confusion_row
from bench.workloads.table import Workload
from tests.support import ROOT

ON_CPU = [workload for workload in WORKLOADS if "cpu" in workload.devices]
EAGER = ("torchmetrics", "unchecked", "eager", "torcheval")
LABELS = confusion_row("labels", 10, Labels(20_000, 10), bars={"torchmetrics": 2, "reads": 9, "alone": 1})


@pytest.mark.parametrize("workload", [w for w in ON_CPU if w.call != "sync"], ids=lambda w: w.name)
def test_contestants_agree(workload):
    try:
        made = all_of(workload, "cpu", 1e-4, EAGER)
    except NotThereError as missing:
        pytest.skip(str(missing))
    assert not check(workload, made, "cpu", 1e-4)
    assert "torchmetrics" in made or workload.theirs is None


def test_names_and_figures_of_the_table():
    names = [workload.name for workload in WORKLOADS]
    assert len(names) == len(set(names))
    for workload in WORKLOADS:
        specs_of = [workload.ours, *([] if workload.their_spec is None else [workload.their_spec])]
        assert all(
            isinstance(spec, (specs.One, specs.Many, specs.Function, specs.FromHidden, Sliced)) for spec in specs_of
        )
        bars = workload.cuda_bars if workload.devices == ("cuda",) else workload.bars
        assert workload.alone is not None or "alone" not in bars, workload.name
        assert workload.theirs is not None or "torchmetrics" not in bars, workload.name


def test_torchmetrics_has_what_rows_say_of_it():
    for workload in ON_CPU:
        if workload.their_spec is not None:
            workload.their_spec.build("torchmetrics")


def test_a_wrong_contestant_is_found():
    wrong = dataclasses.replace(LABELS, eager=lambda preds, target: torch.zeros(10, 10))
    with pytest.raises(MismatchError, match="eager"):
        measure(wrong, "cpu", 1.0, 0.0, EAGER)
    other = metric("MulticlassConfusionMatrix", num_classes=10, normalize="all")
    for share in (1.0, 0.5):  # on the whole batch, and on a part of it
        with pytest.raises(MismatchError):
            measure(dataclasses.replace(LABELS, theirs=other, shares={"torchmetrics": share}), "cpu", 1.0, 0.0, ())


def test_a_peer_that_is_less_exact_is_reported():
    reference = dataclasses.replace(
        LABELS,
        theirs=metric("MulticlassConfusionMatrix", num_classes=10, normalize="all"),
        reference=lambda preds, target: torch.bincount(target * 10 + preds, minlength=100),
        eager=None,
    )
    row = measure(reference, "cpu", 1.0, 0.0, EAGER)
    assert [text.split()[0] for text in row["differences"]] == ["torchmetrics", "unchecked"]


def test_what_does_not_exist_yet_is_said():
    missing = Workload(name="x", inputs=Scores((40, 10)), ours=metric("NoSuchMetric"))
    with pytest.raises(NotThereError, match="fastmetrics has no NoSuchMetric"):
        measure(missing, "cpu")


def test_a_row_says_what_was_measured():
    row = measure(dataclasses.replace(LABELS, shares={"torchmetrics": 0.25}), "cpu", 1.0, 0.0, EAGER, True)
    assert row["bytes"] == 20_000 * 16
    assert list(row["faster"]) == ["torchmetrics", "unchecked", "eager"]
    assert list(row["times"]) == ["fastmetrics", *row["faster"], "read"]
    assert all(0 < low <= median <= high for median, low, high in row["times"].values())
    assert row["shares"] == {"torchmetrics": 0.25, "unchecked": 0.25}
    assert row["does"]["fastmetrics"]["operations"] == 1
    assert row["does"]["torchmetrics"]["memory"] > row["does"]["fastmetrics"]["memory"]


def test_a_part_of_the_batch_is_counted_as_the_whole():
    pause = Contestant(lambda: time.sleep(2e-3), None, share=0.25)
    assert timings({"fastmetrics": pause}, "cpu", 100, 0.0)["fastmetrics"]["median"] >= 8e-3


def test_processes_that_synchronise():
    metric_of_both = metric("MulticlassAccuracy", num_classes=10)
    row = measure(Workload(name="x", inputs=Scores((32, 10)), ours=metric_of_both, call="sync"), "cpu", budget=0.01)
    assert list(row["times"]) == ["fastmetrics", "torchmetrics"]
    assert row["faster"]["torchmetrics"] > 0


def test_the_compiled_expression_takes_part(monkeypatch):
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))  # not a C++ compiler
    row = measure(LABELS, "cpu", 1.0, 0.0, ("eager", "compile"))
    assert list(row["faster"]) == ["eager", "compile"]


def test_operations_and_memory():
    x = torch.rand(1000)
    assert counts.operations(lambda: [(x + 1).sum()]) == 2
    assert counts.memory(lambda: [(x + 1).sum()], "cpu") in range(4000, 4100)
    assert counts.memory(lambda: [x + 1 for _ in range(3)], "cpu") in range(12_000, 12_100)  # held together
    assert counts.memory(lambda: [(x + 1).sum() for _ in range(3)], "cpu") < 4100  # one after the other


def test_inputs_are_what_they_say():
    preds, target = batch_of(Scores((20_000, 10), share=0.9), "cpu")
    assert (target == 1).float().mean() > 0.9
    assert (preds.argmax(1) == 1).float().mean() > 0.9
    preds, _ = batch_of(Scores((8, 19, 512, 1024)), "cpu", 1e-3)
    assert preds.shape[:2] == (1, 19)
    assert preds.numel() < 8 * 19 * 512 * 1024 / 500


def test_bars():
    row = {"bars": {"reads": 1.3, "torchmetrics": 80, "alone": 1.1}, "reads": 1.4, "faster": {"torchmetrics": 80.0}}
    assert held(row) == {"reads": False, "torchmetrics": True, "alone": None}
    assert verdict(row) == "MISSED ≤ 1.3 reads, ≥ 80 × torchmetrics, not measured: ≤ 1.1 × alone"
    row = {
        "bars": {"bandwidth": 0.85, "kernels": 2},
        "reads": 1.17,
        "faster": {},
        "does": {"fastmetrics": {"kernels": 3}},
    }
    assert held(row) == {"bandwidth": True, "kernels": False}


def bench(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "bench", *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_command_and_its_report(tmp_path):
    file = tmp_path / "cpu.json"
    options = ("--scale", "0.01", "--budget", "0.01", "--against", "torchmetrics,eager")
    printed = bench(*options, "--only", "C = 10,", "--output", str(file))
    result = results.read(file)
    assert [row["name"] in printed for row in result["rows"]] == [True] * 3
    assert list(result["rows"][0]["faster"]) == ["torchmetrics", "eager"]
    assert {len(row["sweep"]) for row in result["rows"] if "sweep" in row} == {5}
    assert max(len(line) for line in file.read_text().splitlines()) < 4000
    result["rows"].append({"name": "a workload to come", "missing": "fastmetrics has no such metric"})
    results.write(result, file)

    readme, page = tmp_path / "README.md", tmp_path / "docs" / "benchmarks.md"
    page.parent.mkdir()
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write([file], readme, page)
    for text in (readme.read_text(), page.read_text()):
        assert result["machine"]["name"] in text
        assert "GPU" in text
    assert readme.read_text().startswith("before\n")
    assert "old" not in readme.read_text()
    assert "](docs/benchmarks/cpu.svg)" in readme.read_text()
    headlines = [row["name"] for row in result["rows"] if row.get("headline")]
    assert headlines
    assert all(name in (page.parent / "benchmarks" / "cpu.svg").read_text() for name in headlines)
    assert result["rows"][0]["name"] in page.read_text()
    assert "a workload to come" in page.read_text()
    pytest.importorskip("matplotlib")
    for picture in page.parent.joinpath("benchmarks").iterdir():
        assert f"](benchmarks/{picture.name})" in page.read_text()
    assert len(list(page.parent.joinpath("benchmarks").iterdir())) >= 2


def test_the_cost_of_the_bodies_is_reported(tmp_path):
    head = {
        "device": "cpu",
        "machine": {"name": "a CPU", "threads": 2},
        "versions": {"torch": "2", "torchmetrics": "1"},
    }
    head |= {"native": "none", "commit": "c0ffee", "date": "2026-01-01", "absent": {}, "fallback": True}

    def row(name, faster, bars):
        measured = {"fastmetrics": [1.0, 0.9, 1.1]}
        return {"name": name, "times": measured, "faster": {"torchmetrics": faster}, "bars": bars, "headline": False}

    rows = [row("one", 2.0, {"torchmetrics": 0.83}), row("two", 0.8, {"torchmetrics": 0.83}), row("three", 0.25, {})]
    said = report.cost_of_fallback(head | {"rows": rows})
    assert "takes 0.50 to 1.25 × torchmetrics' time in 2 workloads" in said
    assert "0.88 × at the median, but 4.0 × for three" in said
    assert report.newest([head, head | {"fallback": False, "date": "native"}], "cpu")["date"] == "native"
    assert report.newest([head], "cpu") is None
    assert report.newest([head], "cpu", fallback=True) is head


def test_documents_are_those_of_the_committed_results(tmp_path):
    files = sorted((ROOT / "bench" / "results").glob("*.json"))
    readme, page = tmp_path / "README.md", tmp_path / "docs" / "benchmarks.md"
    page.parent.mkdir()
    readme.write_text((ROOT / "README.md").read_text())
    report.write(files, readme, page)
    assert readme.read_text() == (ROOT / "README.md").read_text(), "run `python -m bench report`"
    pytest.importorskip("matplotlib")  # the page shows the plots
    assert page.read_text() == (ROOT / "docs" / "benchmarks.md").read_text(), "run `python -m bench report`"


def test_time_that_is_over_is_said(tmp_path, monkeypatch, capsys):
    file = tmp_path / "cpu.json"
    monkeypatch.setattr(sys, "argv", ["bench", "--within", "1e-9", "--only", "of 32 pairs", "--output", str(file)])
    assert command.main() == 0
    assert "no time left for 4 workloads" in capsys.readouterr().out
    assert {row["missing"] for row in json.loads(file.read_text())["rows"]} == {"no time was left"}


def test_launch_parameters_are_found_and_changed(tmp_path):
    found = tune.parameters()
    sources = {str(path.relative_to(ROOT)) for path in ROOT.glob("csrc/passes/*_cuda.cu")}
    assert {parameter.source for parameter in found} == sources  # each has its struct Tuning
    changed = tune.candidate([(found[0], "* 2")], tmp_path / "changed")
    before, after = ((root / found[0].source).read_text().splitlines() for root in (ROOT, changed))
    assert [b.strip() for a, b in zip(before, after, strict=True) if a != b] == [
        f"static constexpr int {found[0].name} = ({found[0].value}) * 2;"
    ]
    with pytest.raises(ValueError, match="stands there 0 times"):
        tune.candidate([(dataclasses.replace(found[0], name="kNone"), "* 2")], tmp_path / "none")


def test_workloads_that_show_parameters_exist():
    on_gpus = [workload.name for workload in WORKLOADS if "cuda" in workload.devices]
    for parts in tune.SHOWN_BY.values():
        assert all(any(part in name for name in on_gpus) for part in parts)


def test_candidates_are_compared_by_the_geometric_mean():
    assert tune.compared({"a": 2.0, "b": 1.0}, {"a": 1.0, "b": 2.0, "c": 9.0}) == pytest.approx(1.0)
    assert tune.compared({}, {"a": 1.0}) is None
    assert tune.compared({"b": 1.0}, {"a": 1.0}) is None
