# SPDX-License-Identifier: Apache-2.0
"""From a statistic to a value: pure functions that know no task, no metric and no pass."""
