# SPDX-License-Identifier: Apache-2.0
"""How two calls compare: their parameters, and how they end."""

import inspect


def parameters(function):
    return {p.name: p.default for p in inspect.signature(function).parameters.values()}


def outcome(call):
    """The value, or the type of the error."""
    try:
        return call()
    except Exception as error:
        return type(error)
