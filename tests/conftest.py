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


def seed(name):
    number = zlib.crc32(name.encode())
    random.seed(number)
    numpy.random.seed(number)
    torch.manual_seed(number)


@pytest.hookimpl(tryfirst=True)
def pytest_make_collect_report(collector):
    """A file draws the same numbers for its parameters whichever were read before."""
    if isinstance(collector, pytest.Module):
        seed(collector.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """A test draws the same numbers alone as after others."""
    seed(item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef):
    """What several tests share draws the same numbers whichever of them is first."""
    if fixturedef.scope == "function":
        return (yield)
    before = random.getstate(), numpy.random.get_state(), torch.get_rng_state()
    seed(f"{fixturedef.baseid}::{fixturedef.argname}")
    try:
        return (yield)
    finally:
        random.setstate(before[0])
        numpy.random.set_state(before[1])
        torch.set_rng_state(before[2])
