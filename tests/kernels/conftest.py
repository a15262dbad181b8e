# SPDX-License-Identifier: Apache-2.0
"""The CUDA kernels, compiled for the CPU."""

import pytest

from tests.support.emulator import build


@pytest.fixture(scope="session")
def emulated():
    path = build.build()["checked"]
    module = build.load(path)
    module.path = path
    return module
