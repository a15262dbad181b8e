# SPDX-License-Identifier: Apache-2.0
"""Memory of results that is used again: never while anybody can read it."""

import copy
import gc
import io
import pickle
import threading

import pytest
import torch

from fastmetrics.classification import BinaryROC
from fastmetrics.native import memory
from fastmetrics.native.memory import BYTES, empty

N = BYTES.start // 4 + 100
FLOAT = torch.empty(0)


@pytest.fixture(autouse=True)
def spare(monkeypatch):
    gc.collect()  # what other tests have left gives nothing back while these run
    kept = {}
    monkeypatch.setattr(memory, "_spare", kept)
    return kept


def place(tensor):
    return tensor.untyped_storage().data_ptr()


def test_what_is_gone_serves_the_next_one(spare):
    first = empty(FLOAT, N)
    where = place(first)
    second = empty(FLOAT, 2, N // 2)
    assert second.shape == (2, N // 2)
    assert place(second) != where
    del first
    assert [block.data_ptr() for block in spare.values()] == [where]
    again = empty(FLOAT, N - 40)
    assert place(again) == where
    assert again.untyped_storage().nbytes() == 4 * (N - 40)
    del again
    others = empty(FLOAT, N + 1), empty(FLOAT, N - 40, exact=True)
    assert where not in map(place, others)
    assert place(empty(FLOAT, N, exact=True)) == where


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64])
def test_values_are_of_any_dtype(dtype):
    made = empty(FLOAT, 3, N, dtype=dtype).fill_(3)
    assert (made.dtype, made.shape, made.is_contiguous()) == (dtype, (3, N), True)
    assert made.data_ptr() % 64 == 0
    assert bool((made == 3).all())


KEEPERS = {
    "a view": lambda made: made[10:20],
    "its storage": lambda made: made.untyped_storage(),
    "an array": lambda made: made.numpy()[::2],
    "DLPack": torch.from_dlpack,
    "a detached tensor": lambda made: made.detach(),
    "a graph": lambda made: torch.ones(N, requires_grad=True) * made,
}


@pytest.mark.parametrize("keep", KEEPERS.values(), ids=KEEPERS)
def test_it_stays_while_anything_can_read_it(keep, spare):
    made = empty(FLOAT, N).fill_(1)
    kept = keep(made)
    del made
    assert not spare
    del kept
    assert len(spare) == 1


def test_copies_have_no_more_than_the_values():
    made = empty(FLOAT, N).fill_(2)
    assert made.untyped_storage().nbytes() == made.nbytes
    file = io.BytesIO()
    torch.save(made, file)
    assert len(file.getvalue()) < made.nbytes + 10_000
    for twin in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert torch.equal(twin, made)
        assert place(twin) != place(made)


def test_what_goes_to_other_processes_leaves_it(spare):
    made = empty(FLOAT, N).fill_(2)
    made.share_memory_()
    assert len(spare) == 1
    empty(FLOAT, N).fill_(5)
    assert bool((made == 2).all())


def test_small_and_large_ones_are_ordinary(spare):
    for n in (BYTES.start // 4 - 1, BYTES.stop // 4 + 1):
        made = empty(FLOAT, n)
        assert made.untyped_storage().resizable()
        del made
        assert not spare
    made = torch.func.vmap(lambda x: empty(x, N).fill_(1) + x)(torch.zeros(2))
    assert made.shape == (2, N)
    assert not spare


def test_no_more_is_kept_than_a_bound(spare):
    sizes = [BYTES.stop // 11 for _ in range(5)]
    made = [empty(FLOAT, size) for size in sizes]
    places = [place(one) for one in made]
    while made:
        made.pop(0)
    assert [block.data_ptr() for block in spare.values()] == places[3:]  # the newest, of 24 MB each
    assert sum(block.nbytes for block in spare.values()) < BYTES.stop
    assert place(empty(FLOAT, BYTES.start // 4)) not in places  # nor is most of it left unused


def test_threads_have_memory_of_their_own():
    wrong = []

    def work(number):
        for i in range(300):
            made = [empty(FLOAT, N + 50 * k).fill_(number * 1000 + i) for k in range(2)]
            if any(bool((one != number * 1000 + i).any()) for one in made):
                wrong.append((number, i))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_who_writes_into_a_curve_has_it_alone():
    generator = torch.Generator().manual_seed(2)
    scores, target = torch.rand(N, generator=generator), torch.randint(0, 2, (N,), generator=generator)
    metric = BinaryROC(compute_with_cache=False)
    metric.update(scores, target)
    first = [part.clone() for part in metric.compute()]
    for part in metric.compute():
        part.fill_(-1)
    with torch.inference_mode():
        frozen = metric.compute()
    assert all(part.is_inference() for part in frozen)
    for value in (metric.compute(), frozen):
        assert all(map(torch.equal, value, first))
