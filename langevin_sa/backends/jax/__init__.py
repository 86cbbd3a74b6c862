"""Functions in JAX: noise, recursion, energy and gradient in one compiled loop, on whatever device
JAX has.
"""
