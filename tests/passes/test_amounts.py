# SPDX-License-Identifier: Apache-2.0
"""The pass that adds amounts to rows: by the kernel and by the body."""

import pytest
import torch

from fastmetrics.passes import add_amounts_
from fastmetrics.passes.amounts import add_amounts, add_amounts_body
from tests.support.group_cases import TYPES, amounts_cases
from tests.support.kernel_cases import arguments, clones


def test_the_kernel_is_the_body():
    torch.manual_seed(0)
    for operator, given in amounts_cases():
        args = arguments(operator, given)
        native, body = clones(args), clones(args)
        add_amounts_(*native)
        add_amounts_body(*body)
        assert torch.equal(native[-1], body[-1])  # in the order of the samples, so floats to the bit


@pytest.mark.parametrize("dtype", TYPES)
def test_sums_by_hand(dtype):
    rows = torch.tensor([[0, 1, 1, 0]]).to(dtype)
    state = torch.zeros(2, 3, dtype=torch.float64)
    values = torch.arange(12).reshape(4, 3)
    add_amounts(state, rows, values)
    assert state.tolist() == [[9, 11, 13], [9, 11, 13]]
    add_amounts(state, rows, torch.tensor([True, True, False, True]), torch.tensor([2, 0, 1, 3]))
    assert state.tolist() == [[9, 11, 14], [10, 11, 13]]  # the last cell is none


def test_operator():
    state, rows = torch.zeros(3, 2, dtype=torch.float64), torch.randint(0, 3, (1, 6))
    amounts, cells = torch.rand(6, 2).double(), torch.randint(0, 2, (6,))
    operator = torch.ops.fastmetrics.add_amounts_.default
    torch.library.opcheck(operator, (amounts, rows, None, state))
    torch.library.opcheck(operator, (amounts[:, 0].contiguous(), rows, cells, state))
    for wrong in (
        (amounts.float(), rows, None, state),
        (amounts, rows[0], None, state),
        (amounts, rows[:, :5], None, state),
        (amounts, rows.float(), None, state),
        (amounts[:, :1].contiguous(), rows, None, state),
        (amounts, rows, cells, state),
        (amounts[:, 0], rows, cells, state),
        (amounts[:, 0].contiguous(), rows, cells.int(), state),
        (amounts[:, 0].contiguous(), rows, cells[:5], state),
        (amounts.float(), rows, None, state.float()),
        (amounts, rows, None, state.t().contiguous().t()),
    ):
        with pytest.raises(RuntimeError, match=r"add_amounts_|state"):
            add_amounts_(*wrong)
