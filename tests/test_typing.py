"""What a type checker sees of a user's script."""

import re

import pytest

from langevin_sa import potentials

SCRIPT = """
import numpy as np

import langevin_sa as lsa

U = lsa.potentials.rastrigin(10)
schedule = lsa.Schedule(lsa.schedules.exponential(10.0, 0.1), gamma=1.0, dt=0.02)
run = lsa.anneal(U, None, schedule, 100, replicas=4, rng=1)
lowest: float = run.fun
where: np.ndarray = run.x
again = lsa.anneal(U, None, schedule, 100, state=run.state, rng=1)
reveal_type(run.fun)
reveal_type(U)
run.fun + "no number"
"""


@pytest.mark.long
def test_a_users_script_in_strict_mode(tmp_path):
    api = pytest.importorskip("mypy.api")
    (tmp_path / "script.py").write_text(SCRIPT)
    strict = ["--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache")]
    said = api.run([*strict, "--config-file=", str(tmp_path / "script.py")])[0]
    assert re.findall(r'Revealed type is "(.*)"', said) == [
        "float",
        "langevin_sa.potential.Potential",
    ], said
    errors = [line for line in said.splitlines() if " error: " in line]
    assert len(errors) == 1 and "Unsupported operand" in errors[0], said


def test_every_potential_is_named_for_type_checkers():
    known = {*potentials.catalogue(), "catalogue", "clouds", "digits", "normal_modes"}
    assert len(potentials.__all__) == len(known) and {*potentials.__all__} == known
