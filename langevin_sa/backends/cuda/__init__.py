"""CUDA C for formulas: `arithmetic` prints the functions of `simd`, `source` a formula's force, and
the .cu files are the kernels.
"""
