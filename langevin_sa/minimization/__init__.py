"""The pieces of `langevin_sa.minimize`, each of which can be replaced: problem, local descents,
moves, annealing, clusters.
"""
