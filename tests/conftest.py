# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests."""

import os
import random
import zlib

import numpy
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


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """A test draws the same numbers alone as after others."""
    seed = zlib.crc32(item.nodeid.encode())
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)
