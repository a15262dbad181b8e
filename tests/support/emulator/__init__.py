# SPDX-License-Identifier: Apache-2.0
"""The emulator that runs the CUDA kernels on the CPU; docs/kernels.md."""
