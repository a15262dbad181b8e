# SPDX-License-Identifier: Apache-2.0
"""Direct calls of the emulated CUDA library, whose tensors are those of the CPU that are said to be on a GPU."""

from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import module_from_spec

from torch import Tensor


def direct_calls(emulated):
    """The module of the library that makes direct calls, which nobody intercepts."""
    loader = ExtensionFileLoader("fastmetrics_direct", str(emulated.path))
    module = module_from_spec(ModuleSpec("fastmetrics_direct", loader, origin=str(emulated.path)))
    if not module.set_up(Tensor, Tensor.is_neg, emulated.table(Tensor.__dlpack_c_exchange_api__), ()):
        raise RuntimeError("the library takes no tensors by DLPack")
    return module
