# SPDX-License-Identifier: Apache-2.0
"""One process builds a library at a time; what it says meanwhile, and those that wait for it."""

from __future__ import annotations

import logging
import os
import platform
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fastmetrics.native.parameters import Library
from fastmetrics.native.toolchain import BuildError

log = logging.getLogger("fastmetrics")

_EVERY = 5.0  # seconds from one line to the next
_SILENT = 6  # times that a line is left out which says nothing new
_OWNER = "owner"  # the file in a build folder that says whose it is


@contextmanager
def locked(made: Library, place: Path) -> Iterator[None]:
    """Hold the lock of a library, which the system releases if its holder dies; say for whom this waits.

    Args:
        made: the library.
        place: its folder in the cache; it is built in ``<place>.build-*``.
    """
    lock = FileLock(f"{place}.lock")
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            with _repeated(lambda: _waiting(made, place)):
                lock.acquire()
    except NotImplementedError as error:  # on some network file systems
        raise BuildError(f"{place.parent} has no locks; set FASTMETRICS_CACHE to a folder of this machine") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def shown(made: Library, work: Path) -> Iterator[None]:
    """Say how far the build in the folder ``work`` is, to this process and to those that wait."""
    (work / _OWNER).write_text(f"process {os.getpid()} on {platform.node()}")
    with _repeated(lambda: f"building the {made.kernels}, once: {_compiled(made, work)}"):
        yield


def _waiting(made: Library, place: Path) -> str:
    owner, compiled = "another process", ""
    for work in place.parent.glob(f"{place.name}.build-*"):
        try:
            owner, compiled = (work / _OWNER).read_text(), f": {_compiled(made, work)}"
        except OSError:  # it has just begun, or ended
            continue
    return f"waiting for {owner}, which builds the {made.kernels}{compiled}"


def _compiled(made: Library, work: Path) -> str:
    """How many files are done, of which ninja keeps a log."""
    try:
        done = set(re.findall(r"\t(\S+\.o)\t", (work / ".ninja_log").read_text()))
    except OSError:  # not yet, or no longer
        done = set()
    return f"{len(done)} of {len(made.sources)} files"


@contextmanager
def _repeated(say: Callable[[], str]) -> Iterator[None]:
    """Log what ``say`` returns: now, then every few seconds if it has changed, and sometimes if not."""
    done, last = threading.Event(), say()

    def report(last: str) -> None:
        silent = 0
        while not done.wait(_EVERY):
            now, silent = say(), silent + 1
            if now != last or silent == _SILENT:
                log.info("%s", now)
                last, silent = now, 0

    log.info("%s", last)
    thread = threading.Thread(target=report, args=(last,), name="fastmetrics progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
