"""Energies that people already have, as the functions over replicas of which a potential is made:
one-point functions, JAX, torch, ASE's calculators, C.
"""
