# SPDX-License-Identifier: Apache-2.0
"""Association of nominal variables in small tables with empty rows and columns, against SciPy and scikit-learn."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import contingency
from sklearn import metrics as sk

import fastmetrics.functional.nominal as functions
from fastmetrics import nominal
from fastmetrics.formulas import association

C = 4
pairs = st.lists(st.tuples(st.integers(0, C - 1), st.integers(0, C - 1)), min_size=0, max_size=9)


def table_of(pairs):
    table = torch.zeros(C, C, dtype=torch.int64)
    for preds, target in pairs:
        table[target, preds] += 1
    return table


def occupied(table):
    """Without the rows and columns that are empty."""
    table = table.numpy()
    return table[table.sum(1) > 0][:, table.sum(0) > 0]


def from_scipy(table, method):
    table = occupied(table)
    if not table.size:
        return math.nan
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore")
        return float(contingency.association(table, method=method, correction=False))


@given(pairs)
@example([])
@example([(1, 2)])
@example([(0, 0), (0, 0)])
@example([(0, 1), (1, 1)])
@settings(max_examples=200, deadline=None)
def test_uncorrected_association(samples):
    table = table_of(samples)
    found = {
        "cramer": association.cramers_v(table, bias_correction=False),
        "tschuprow": association.tschuprows_t(table, bias_correction=False),
        "pearson": association.pearsons_contingency_coefficient(table),
    }
    for method, value in found.items():
        assert value.item() == pytest.approx(from_scipy(table, method), abs=1e-12, nan_ok=True), method


@given(pairs)
@settings(max_examples=200, deadline=None)
def test_corrected_association(samples):
    """Bergsma's correction, by hand; chi-squared is SciPy's, with Yates' correction of tables of 2 x 2."""
    table = table_of(samples)
    counts, n = occupied(table), len(samples)
    expected_v = expected_t = math.nan
    if n > 1 and min(counts.shape) > 1:
        r, k = counts.shape
        chi = contingency.chi2_contingency(counts, correction=True).statistic
        phi = max(0.0, chi / n - (r - 1) * (k - 1) / (n - 1))
        r, k = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
        if min(r, k) > 1 + 1e-12:
            expected_v = min(1.0, math.sqrt(phi / (min(r, k) - 1)))
            expected_t = min(1.0, math.sqrt(phi / math.sqrt((r - 1) * (k - 1))))
    assert association.cramers_v(table, True).item() == pytest.approx(expected_v, abs=1e-7, nan_ok=True)
    assert association.tschuprows_t(table, True).item() == pytest.approx(expected_t, abs=1e-7, nan_ok=True)


@given(pairs)
@settings(max_examples=100, deadline=None)
def test_theils_u(samples):
    table = table_of(samples)
    preds, target = (np.array(column, dtype=int) for column in zip(*samples, strict=True)) if samples else ([], [])
    # the share of the entropy of the prediction that the target explains; a constant has none
    expected = sk.homogeneity_score(preds, target) if len(set(preds)) > 1 else 0.0
    assert association.theils_u(table).item() == pytest.approx(expected, abs=1e-12)
    codes = [torch.tensor(np.asarray(column), dtype=torch.int64) for column in (preds, target)]
    assert functions.theils_u(*codes).item() == pytest.approx(expected, abs=1e-6)


@given(pairs, st.permutations(range(C)), st.permutations(range(C)))
@settings(max_examples=100, deadline=None)
def test_names_of_categories_do_not_matter(samples, rows, columns):
    table = table_of(samples)
    renamed = table[rows][:, columns]
    wider = torch.nn.functional.pad(renamed, (1, 2, 2, 1))  # with categories that do not occur
    for of in (
        lambda t: association.cramers_v(t, bias_correction=True),
        lambda t: association.cramers_v(t, bias_correction=False),
        lambda t: association.tschuprows_t(t, bias_correction=True),
        association.pearsons_contingency_coefficient,
        association.theils_u,
    ):
        value = of(table)
        assert value.isnan() or 0 <= value <= 1 + 1e-12
        for other in (renamed, wider):
            torch.testing.assert_close(of(other), value, equal_nan=True)
    for of in (association.cramers_v, association.tschuprows_t):  # which know no direction
        torch.testing.assert_close(of(table.T, False), of(table, False), equal_nan=True)


@given(pairs)
@settings(max_examples=50, deadline=None)
def test_classes_and_functions_agree(samples):
    preds, target = torch.tensor(samples, dtype=torch.int64).reshape(-1, 2).unbind(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for metric, function, options in (
            (nominal.CramersV, functions.cramers_v, {"bias_correction": False}),
            (nominal.CramersV, functions.cramers_v, {}),
            (nominal.TschuprowsT, functions.tschuprows_t, {}),
            (nominal.PearsonsContingencyCoefficient, functions.pearsons_contingency_coefficient, {}),
            (nominal.TheilsU, functions.theils_u, {}),
        ):
            of_class = metric(C, **options)(preds, target)
            torch.testing.assert_close(function(preds, target, **options), of_class, equal_nan=True)
