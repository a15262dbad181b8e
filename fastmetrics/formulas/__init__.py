# SPDX-License-Identifier: Apache-2.0
"""From statistics to values: pure functions of tensors."""
