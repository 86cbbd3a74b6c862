"""Kernels on the CPU, compiled by numba; the shape of the problem decides which
(`langevin_sa.backends.choose`).
"""
