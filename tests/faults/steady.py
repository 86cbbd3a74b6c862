"""Settings under which a call executes the same lines each time."""

import os


def steady(patch):
    patch.setattr("langevin_sa.annealing.run.LONGEST_SLICE", 3)
    patch.setattr("langevin_sa.annealing.run.SLICE_SECONDS", 1e9)
    patch.setattr("langevin_sa.storage.checkpoint.SHARE", 1.0)
    patch.setattr("langevin_sa.backends.cpu.functions.WORTH_A_THREAD", 1)
    patch.setattr("langevin_sa.backends.cpu.functions.REPLICAS_TOGETHER", 1)
    patch.setattr("langevin_sa.backends.cpu.lattice.TILES_WORTH_A_THREAD", 1)
    patch.setattr(os, "fsync", lambda file: None)
    patch.setattr("langevin_sa.statistics.RESAMPLES", 20)
