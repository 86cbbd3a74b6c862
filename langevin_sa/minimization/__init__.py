"""The pieces of `langevin_sa.minimize`, each of which can be replaced: functions, problem, moves,
strategies, annealing, clusters.
"""
