# SPDX-License-Identifier: Apache-2.0
"""Classification metrics against torchmetrics over the grid of their arguments."""

import inspect
import itertools
import random

import pytest
import torch
import torchmetrics
import torchmetrics.classification as their_classes
import torchmetrics.functional.classification as their_functions

import fastmetrics
import fastmetrics.classification as our_classes
import fastmetrics.functional.classification as our_functions
from tests.support.calls import outcome, parameters

C, L = 5, 3
FUNCTIONS = {
    "Accuracy": "accuracy",
    "Precision": "precision",
    "Recall": "recall",
    "F1Score": "f1_score",
    "StatScores": "stat_scores",
    "ConfusionMatrix": "confusion_matrix",
    "FBetaScore": "fbeta_score",
    "Specificity": "specificity",
    "NegativePredictiveValue": "negative_predictive_value",
    "HammingDistance": "hamming_distance",
    "JaccardIndex": "jaccard_index",
    "CohenKappa": "cohen_kappa",
    "MatthewsCorrCoef": "matthews_corrcoef",
}
MATRICES = ("ConfusionMatrix", "JaccardIndex", "CohenKappa", "MatthewsCorrCoef")
TASKS = {"Binary": {}, "Multiclass": {"num_classes": C}, "Multilabel": {"num_labels": L}}
ALL = [(task, name) for task in TASKS for name in FUNCTIONS if (task, name) != ("Multilabel", "CohenKappa")]
COUNTS = [(task, name) for task, name in ALL if name not in MATRICES]
AVERAGES = ("micro", "macro", "weighted", "none", None)
SCORES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
LABELS = (torch.int64, torch.int32, torch.int16, torch.int8)

pytestmark = pytest.mark.filterwarnings("ignore")


def grid(**axes):
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def options_of(task):
    samples = {"multidim_average": ("global", "samplewise"), "zero_division": (0, 1)}
    if task == "Multiclass":
        return grid(num_classes=(C,), top_k=(1, 2, 3), average=AVERAGES, ignore_index=(None, -1, 2), **samples)
    shared = {"threshold": (0.5, 0.3), "ignore_index": (None, -1, 0), **samples}
    if task == "Multilabel":
        return grid(num_labels=(L,), average=AVERAGES, **shared)
    return grid(**shared)


def required(task, name):
    """What a metric cannot do without."""
    return {**TASKS[task], **({"beta": 2.0} if name == "FBetaScore" else {})}


def batch(task, form, shape, options, pick):
    """``shape`` is that of a multiclass or binary target; in multiclass batches some classes never occur."""
    ignore_index, labels = options.get("ignore_index"), pick.choice(LABELS)
    if task == "Multiclass":
        target = torch.randint(0, C - 1, shape)
        preds = torch.randint(0, C - 1, shape).to(labels)
        if form == "scores":
            preds = torch.rand(shape[0], C, *shape[1:]).argsort(1)
            # the first of equal scores is the argmax; torch.topk may take any of them
            preds = (preds if (options.get("top_k") or 1) > 1 else preds // 2).to(pick.choice(SCORES))
    else:
        if task == "Multilabel":
            shape = (shape[0], L, *shape[1:])
        target = torch.randint(0, 2, shape)
        preds = torch.randint(0, 2, shape).to(labels)
        if form == "scores":
            preds = pick.choice((torch.rand, torch.randn))(shape).to(pick.choice(SCORES))
    if ignore_index is not None:
        target[torch.rand(target.shape) < 0.2] = ignore_index
    if pick.random() < 0.3 and preds.dim() > 2:
        preds = preds.transpose(1, -1).contiguous().transpose(1, -1)
    return preds, target.to(pick.choice(LABELS))


def same(ours, theirs, context):
    ours = ours.cpu()
    if "MatthewsCorrCoef" in str(context):  # theirs are int64 when all labels are right, or all wrong
        theirs = theirs.float()
    assert ours.dtype == theirs.dtype, context
    assert ours.shape == theirs.shape, (context, ours, theirs)
    atol = 1e-6 if "CohenKappa" in str(context) else 1e-7  # theirs subtracts float32 shares from 1
    torch.testing.assert_close(ours, theirs, rtol=2e-6, atol=atol, equal_nan=True, msg=lambda m: f"{context}: {m}")


def compare(task, name, options, batches, device):
    """Updates and compute, every forward, and the function give what theirs give on the CPU."""
    on_device = [[x.to(device) for x in batch] for batch in batches]
    context = f"{task}{name} {options} {[(tuple(p.shape), p.dtype, t.dtype) for p, t in batches]}"
    ours, theirs = (getattr(m, task + name) for m in (our_classes, their_classes))
    updated, forwarded, reference = ours(**options).to(device), ours(**options).to(device), theirs(**options)
    for own, other in zip(on_device, batches, strict=True):
        updated.update(*own)
        same(forwarded(*own), reference(*other), context)
    for metric in (updated, forwarded):
        same(metric.compute(), reference.compute(), context)
    ours, theirs = (getattr(m, f"{task.lower()}_{FUNCTIONS[name]}") for m in (our_functions, their_functions))
    options = {key: value for key, value in options.items() if key in inspect.signature(theirs).parameters}
    same(ours(*on_device[0], **options), theirs(*batches[0], **options), context)


def is_known_difference(task, name, options):
    # theirs divides the counts of each sample by the support of all samples
    weighted = options.get("average") == "weighted" and options.get("multidim_average") == "samplewise"
    if task == "Multilabel" and name == "StatScores":
        return weighted
    # their class has no use for what their function uses
    return name == "NegativePredictiveValue" and options.get("zero_division") == 1


@pytest.mark.parametrize(("task", "name"), COUNTS)
def test_counts(device, task, name):
    torch.manual_seed(0)
    pick = random.Random(f"{task} {name}")
    every = options_of(task)
    if name in ("FBetaScore", "Specificity", "NegativePredictiveValue", "HammingDistance"):
        every = pick.sample(every, min(40, len(every)))  # they share all but the formula with those above
    for options in every:
        options = {**options, **required(task, name)}  # noqa: PLW2901
        if is_known_difference(task, name, options):
            continue
        # theirs drops the sample dimension of a single sample
        shapes = ((9, 4), (2, 4), (3, 2)) if options["multidim_average"] == "samplewise" else ((9,), (1,), (4, 2, 2))
        for form in ("scores", "labels"):
            if form == "scores" or options.get("top_k", 1) == 1:
                checked = {"validate_args": pick.random() < 0.7, **options}
                batches = [batch(task, form, shape, options, pick) for shape in shapes]
                compare(task, name, checked, batches, device)


@pytest.mark.parametrize("task", TASKS)
def test_confusion_matrix(device, task):
    torch.manual_seed(0)
    pick = random.Random(task)
    thresholds = {} if task == "Multiclass" else {"threshold": (0.5, 0.2)}
    for options in grid(normalize=(None, "none", "true", "pred", "all"), ignore_index=(None, -1, 0, 1), **thresholds):
        for form, shapes in itertools.product(("scores", "labels"), (((9,), (1,), (30,)), ((9, 4), (1, 4)))):
            batches = [batch(task, form, shape, options, pick) for shape in shapes]
            compare(task, "ConfusionMatrix", {**TASKS[task], **options}, batches, device)


@pytest.mark.parametrize(
    ("task", "name", "axes"),
    [
        ("Binary", "JaccardIndex", {"threshold": (0.5, 0.2), "zero_division": (0, 1, 0.5)}),
        ("Multiclass", "JaccardIndex", {"average": AVERAGES, "zero_division": (0, 1)}),
        ("Multilabel", "JaccardIndex", {"average": AVERAGES, "zero_division": (0, 1)}),
        ("Binary", "CohenKappa", {"threshold": (0.5, 0.2), "weights": (None, "none", "linear", "quadratic")}),
        ("Multiclass", "CohenKappa", {"weights": (None, "none", "linear", "quadratic")}),
        ("Binary", "MatthewsCorrCoef", {"threshold": (0.5, 0.2)}),
        ("Multiclass", "MatthewsCorrCoef", {}),
        ("Multilabel", "MatthewsCorrCoef", {"threshold": (0.5, 0.2)}),
    ],
)
def test_formulas_of_a_confusion_matrix(device, task, name, axes):
    torch.manual_seed(0)
    pick = random.Random(f"{task} {name}")
    # an index of a multilabel target takes a label out of the averages of their function, but not of their class
    marks = (None, -1) if (task, name) == ("Multilabel", "JaccardIndex") else (None, -1, 0, 1)
    for options in grid(**axes, ignore_index=marks):
        for form, shapes in itertools.product(("scores", "labels"), (((9,), (1,), (30,)), ((9, 4), (1, 4)))):
            batches = [batch(task, form, shape, options, pick) for shape in shapes]
            compare(task, name, {**TASKS[task], **options}, batches, device)


@pytest.mark.parametrize(("task", "name"), ALL)
def test_defaults(device, task, name):
    torch.manual_seed(0)
    for form, shape in itertools.product(("scores", "labels"), ((50,), (1,), (7, 2, 3))):
        compare(
            task, name, required(task, name), [batch(task, form, shape, {}, random.Random(0)) for _ in range(3)], device
        )


@pytest.mark.parametrize("name", ["Accuracy", "Precision", "Recall", "StatScores", "Specificity", "HammingDistance"])
def test_no_number_of_classes(device, name):
    torch.manual_seed(0)
    for form, ignore_index in itertools.product(("scores", "labels"), (None, -1, 2)):
        options = {"num_classes": None, "average": "micro", "ignore_index": ignore_index}
        ours, theirs = (getattr(m, f"Multiclass{name}")(**options) for m in (our_classes, their_classes))
        for shape in ((9,), (4, 2)):
            preds, target = batch("Multiclass", form, shape, options, random.Random(0))
            same(ours.to(device)(preds.to(device), target.to(device)), theirs(preds, target), options)
        same(ours.compute(), theirs.compute(), options)


def test_constant_scores_and_thresholds(device):
    values = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0, float("nan"), float("inf"), -float("inf"), -0.0, 3.0])
    target = torch.tensor([0, 1] * 5)
    for threshold, dtype, chosen in itertools.product((0.0, 0.25, 0.5, 1.0), SCORES, (slice(5), slice(10))):
        for name in ("StatScores", "ConfusionMatrix"):
            compare("Binary", name, {"threshold": threshold}, [(values[chosen].to(dtype), target[chosen])], device)


def follows(ours, theirs, added=(), optional=()):
    """The same names in the same order with the same defaults, but for ``added`` names and ``optional`` ones."""
    ours, theirs = parameters(ours), parameters(theirs)
    assert [name for name in ours if name in theirs or name not in added] == list(theirs)
    assert {n for n in theirs if ours[n] is not theirs[n] and ours[n] != theirs[n]} <= set(optional)


# by keyword alone, but for zero_division, which their stat scores take among their keywords
ADDED = ("zero_division", "undefined", "logits", "exclude_ignored", "weights", "sample_weights", "valid", "kwargs")
ADDED += ("groups", "num_groups")


@pytest.mark.parametrize(("task", "name"), ALL)
def test_signatures_and_constants(task, name):
    ours, theirs = getattr(our_classes, task + name), getattr(their_classes, task + name)
    follows(ours, theirs, added=ADDED, optional=("num_classes",))
    functions = [getattr(m, f"{task.lower()}_{FUNCTIONS[name]}") for m in (our_functions, their_functions)]
    follows(*functions, added=ADDED, optional=("num_classes",))
    follows(getattr(fastmetrics, name), getattr(torchmetrics, name), added=ADDED)
    functions = [getattr(m.functional, FUNCTIONS[name]) for m in (fastmetrics, torchmetrics)]
    follows(*functions, added=ADDED)
    for function in (ours, functions[0]):
        late = [p.name for p in inspect.signature(function).parameters.values() if p.kind == p.KEYWORD_ONLY]
        assert set(late) <= set(ADDED)
    constants = ("higher_is_better", "is_differentiable", "full_state_update", "plot_lower_bound", "plot_upper_bound")
    if name in ("Specificity", "NegativePredictiveValue"):
        constants = constants[1:]  # theirs does not know which is better
        assert ours.higher_is_better
    for constant in (*constants, "plot_legend_name"):
        assert getattr(ours, constant) == getattr(theirs, constant), constant


WRONG_ARGUMENTS = [
    *({"average": value} for value in ("samples", 3)),
    *({"ignore_index": value} for value in (0.5, "a")),
    *({"multidim_average": value} for value in ("each", None)),
    *({"threshold": value} for value in (1.5, -0.1, 1, "half")),
    *({"zero_division": value} for value in (0.5, 2, "warn", None, float("nan"))),
    *({"num_classes": value} for value in (1, 0, 3.0, "3", True)),
    *({"num_labels": value} for value in (1, 2.0, None)),
    *({"normalize": value} for value in ("rows", 1)),
    *({"beta": value} for value in (0.0, -1.0, 1, "one")),
    *({"weights": value} for value in ("cubic", 2)),
    *({key: value} for key, value in (("top_k", C + 1), ("foo", 1))),
]


@pytest.mark.parametrize(("task", "name"), ALL)
def test_wrong_arguments(task, name):
    refused, needed = 0, required(task, name)
    for wrong in WRONG_ARGUMENTS:
        ours, theirs = (
            outcome(lambda m=m, o={**needed, **wrong}: getattr(m, task + name)(**o))
            for m in (our_classes, their_classes)
        )
        assert isinstance(ours, type) == isinstance(theirs, type), (wrong, ours, theirs)
        if "normalize" in wrong and name in MATRICES and theirs is TypeError:
            theirs = ValueError  # an argument that they have not, and give to their base
        if name in ("F1Score", "FBetaScore", "JaccardIndex", "CohenKappa") and theirs is TypeError:
            theirs = ValueError  # theirs builds its states before it looks at their size
        assert not isinstance(ours, type) or ours is theirs, (wrong, ours, theirs)
        refused += isinstance(ours, type)
    assert refused > 6


def wrong_inputs(task):
    """Batches that theirs refuse by shape or dtype."""
    if task == "Multiclass":
        for wrong in ((6, C + 1), (6, C, 2), (6, C, 2, 2), (5,), (6, 2)):
            yield torch.randn(wrong) if len(wrong) > 1 else torch.zeros(wrong), torch.zeros(6, dtype=torch.int64)
        yield torch.randint(0, C, (6, C)), torch.zeros(6, dtype=torch.int64)
        yield torch.randn(6, C, 3), torch.zeros(6, 4, dtype=torch.int64)
    else:
        shape = (6, L) if task == "Multilabel" else (6,)
        for wrong in ((5, *shape[1:]), (*shape, 2), (1, *shape)):
            yield torch.rand(wrong), torch.zeros(shape, dtype=torch.int64)
        for wrong in ((6, L + 1), (6, 1, 3))[: 2 * (task == "Multilabel")]:
            yield torch.rand(wrong), torch.zeros(wrong, dtype=torch.int64)


@pytest.mark.parametrize(("task", "name"), ALL)
def test_wrong_inputs_change_nothing(device, task, name):
    options = required(task, name)
    ours, theirs = (getattr(m, task + name)(**options) for m in (our_classes, their_classes))
    ours.to(device).update(*(x.to(device) for x in batch(task, "scores", (6,), {}, random.Random(0))))
    before = {state: value.clone() for state, value in ours.metric_state.items()}
    functions = [getattr(m, f"{task.lower()}_{FUNCTIONS[name]}") for m in (our_functions, their_functions)]
    for wrong in wrong_inputs(task):
        here = [x.to(device) for x in wrong]
        kinds = {outcome(lambda c=call, b=here: c(*b)) for call in (ours.update, ours.forward)}
        kinds |= {outcome(lambda c=call, b=wrong: c(*b)) for call in (theirs.update, theirs.forward)}
        kinds |= {outcome(lambda f=f, b=wrong: f(*b, **options)) for f in functions}
        assert len(kinds) == 1, ([tuple(x.shape) for x in wrong], kinds)
        assert kinds <= {ValueError, RuntimeError}
    assert ours.update_count == 1
    assert all(torch.equal(value, before[state]) for state, value in ours.metric_state.items())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_task_wrappers(device, name):
    torch.manual_seed(0)
    pick = random.Random(0)
    for task, kind in itertools.product(TASKS, ("scores", "labels")):
        cases = [
            TASKS[task],
            {**TASKS[task], "ignore_index": -1 if name == "JaccardIndex" else 0},
            {**TASKS[task], "num_classes": C, "num_labels": L},
            {},
        ]
        if name != "ConfusionMatrix":
            cases += [{**TASKS[task], "average": "macro"}, {**TASKS[task], "top_k": None}]
            cases += [{**TASKS[task], "top_k": 2, "average": "macro"}] * (kind == "scores")
        for case in cases:
            options = {"task": task.lower(), **case}
            data = batch(task, kind, (20,), options, pick)
            here = [x.to(device) for x in data]
            call = [getattr(m, name) for m in (fastmetrics, torchmetrics)]
            ours, theirs = (outcome(lambda c=c, o=options: c(**o)) for c in call)
            if isinstance(theirs, type):
                assert ours is theirs, options
            else:
                assert type(ours).__name__ == type(theirs).__name__
                same(ours.to(device)(*here), theirs(*data), options)
                call = [getattr(m.functional, FUNCTIONS[name]) for m in (fastmetrics, torchmetrics)]
                same(call[0](*here, **options), call[1](*data, **options), options)
    for wrong in ({"task": "ranking"}, {"task": "binary", "foo": 1}, {}):
        ours, theirs = (outcome(lambda m=m, o=wrong: getattr(m, name)(**o)) for m in (fastmetrics, torchmetrics))
        assert isinstance(ours, type)
        assert ours is theirs
