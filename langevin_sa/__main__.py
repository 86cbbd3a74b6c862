"""``python -m langevin_sa`` is the command ``langevin-sa``."""

from .cli import main

main(prog_name="langevin-sa")
