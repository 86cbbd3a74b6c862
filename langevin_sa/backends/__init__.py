"""Backends run a `Walk` from one moment of interest to the next; they know (rho, lr, s) arrays and
potentials, nothing else.

What is asked of one is written down in `langevin_sa.backends.walk.Backend`. `numpy` is the readable
reference, `numba` the fast one; same noise, same trajectory to rounding.
"""
