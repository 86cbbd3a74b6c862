"""Backends run a `Walk` from one moment of interest to the next; they know (rho, lr, s) arrays and
potentials, nothing else.

A backend is a class ``Backend(potential, walk, threads)`` with one method, ``advance(steps)``,
which moves the walk on in place by ``len(steps.rho)`` steps, looks at the energy of every point
visited, and raises `NonFinite` where one is not finite. `numpy` is the readable reference, `numba`
the fast one; same noise, same trajectory to rounding.
"""
