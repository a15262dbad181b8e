# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests."""

import os

import pytest
import torch

from fastmetrics import native

# what they assert is explained as in a test
pytest.register_assert_rewrite("tests.support")

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(params=DEVICES)
def device(request):
    """Every device that is here."""
    return request.param


@pytest.fixture(scope="session", autouse=True)
def libraries():
    """Build and load what the tests run, before any of them is timed."""
    if os.environ.get("FASTMETRICS_NATIVE") == "require":
        assert all(status.native for status in native.build())
