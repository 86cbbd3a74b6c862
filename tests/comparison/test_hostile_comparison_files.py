"""Damaged and forged checkpoints of `compare`, and what is asked of a comparison."""

from __future__ import annotations

import numpy as np
import pytest
from hostile import ANYTHING, BOWL, RAMP, examples, refused_or
from hypothesis import given, strategies as st

from langevin_sa import compare
from langevin_sa.optimizers import Adam
from langevin_sa.storage import npz

METHODS = {"a": RAMP, "b": Adam(0.01)}
COMPARED = {"replicas": 3, "n_steps": 6, "epochs": 3, "rng": 1}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("compared") / "c.npz"
    whole = compare(BOWL, METHODS, **COMPARED, checkpoint=path)
    return path.read_bytes(), whole


@examples(1)
@given(data=st.data())
def test_damaged_checkpoints_of_comparisons(data, written, tmp_path_factory):
    """Refused, or gone on with to the same end."""
    content, whole = written
    at, length = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(1, 200))
    damaged = data.draw(
        st.sampled_from(
            [
                content,
                content[:at],
                content[:at] + content[at:][:length][::-1] + content[at + length :],
                content[:at] + bytes(length),
                content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :],
                b"",
                content + content,
            ]
        )
    )
    path = tmp_path_factory.getbasetemp() / "damaged_comparison.npz"
    path.write_bytes(damaged)
    found = refused_or(lambda: compare(BOWL, METHODS, **COMPARED, checkpoint=path))
    if found is not None:
        for name in METHODS:
            np.testing.assert_array_equal(found[name].x, whole[name].x)
            np.testing.assert_array_equal(found[name].judged, whole[name].judged)


@examples(2)
@given(data=st.data())
def test_forged_checkpoints_of_comparisons(data, written, tmp_path_factory):
    """Arrays that are not what they should be, under a right checksum and for the right problem."""
    content, _ = written
    path = tmp_path_factory.getbasetemp() / "forged_comparison.npz"
    path.write_bytes(content)
    found, about = npz.load(path)
    for key in data.draw(st.lists(st.sampled_from(sorted(found)), max_size=2, unique=True)):
        if data.draw(st.booleans()):
            del found[key]
        else:
            shape = data.draw(st.sampled_from([(), (1, 2), (3, 2), (3,), (0, 2)]))
            with np.errstate(all="ignore"):
                found[key] = np.full(shape, data.draw(st.floats())).astype(
                    data.draw(st.sampled_from(["f8", "i4", "c16", "U3"]))
                )
    npz.save(path, "comparison checkpoint", found, about)
    refused_or(lambda: compare(BOWL, METHODS, **COMPARED, checkpoint=path))


@examples(1)
@given(name=ANYTHING, other=ANYTHING)
def test_names_of_methods(name, other, written):
    refused_or(lambda: written[1][name])
    refused_or(lambda: written[1].difference(name, other))
