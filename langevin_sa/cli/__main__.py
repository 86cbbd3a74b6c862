"""``python -m langevin_sa.cli`` is the command ``langevin-sa``."""

from . import main

main(prog_name="langevin-sa")
