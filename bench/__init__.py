# SPDX-License-Identifier: Apache-2.0
"""The benchmark: ``python -m bench``."""
