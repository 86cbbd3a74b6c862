"""Results as datasets of xarray and ArviZ; units."""

import pickle
import sys

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential, Result, Schedule, Units, anneal

xarray = pytest.importorskip("xarray")
U = Potential.from_formula("(x**2 - 1)**2 + y**2/2")
EV = Units("eV", "Angstrom", kB=8.617333262e-5)


def run(potential=U, **keywords):
    asked = {"replicas": 4, "rng": 1, "record_every": 10, "samples": True} | keywords
    return anneal(potential, None, Schedule(0.5, 1.0, 0.1), 200, **asked)


@pytest.mark.parametrize("integrator", ["gjf", "leimkuhler_matthews"])
def test_a_dataset_has_the_whole_run(integrator):
    spread = {"spread": lambda x: x.std(), "places": lsa.observables.PerReplica(lambda x: x[:, 0])}
    result = run(integrator=integrator, observables=spread)
    data = result.to_xarray()
    for name, column in result.history.items():
        np.testing.assert_array_equal(data[name], column)
    for name in ("samples", "energies", "best_energies", "best_positions", "x"):
        np.testing.assert_array_equal(data[name], result[name])
    assert data.sizes["record"] == 20 and data.samples.dims == ("record", "replica", "coordinate")
    assert float(data.samples.where(data.step > 100).mean()) == pytest.approx(
        result.samples[10:].mean()
    )
    assert (
        data.attrs["seed"] == result.seed and data.attrs["potential_name"] == result.potential_name
    )


def test_a_dataset_goes_into_a_file_and_a_page(tmp_path):
    pytest.importorskip("zarr")
    data = run(velocities=True).to_xarray()
    data.to_zarr(tmp_path / "a.zarr", zarr_format=3, consolidated=False)
    again = xarray.open_zarr(tmp_path / "a.zarr", consolidated=False)
    assert again.load().identical(data)
    assert "best_positions" in data._repr_html_()


def test_a_run_without_samples_has_a_dataset_and_no_chains():
    result = run(samples=False)
    assert "samples" not in result.to_xarray()
    pytest.importorskip("arviz")
    with pytest.raises(ValueError, match="run it with samples=True"):
        result.to_arviz()


def test_chains_are_replicas():
    arviz = pytest.importorskip("arviz")
    result = run(replicas=8)
    data = result.to_arviz()
    assert dict(data.posterior.sizes) == {"chain": 8, "draw": 20, "coordinate": 2}
    np.testing.assert_array_equal(data.posterior.x, result.samples.swapaxes(0, 1))
    assert np.isfinite(arviz.rhat(data).x).all() and "seed" in data.posterior.attrs


@pytest.mark.parametrize("package", ["xarray", "arviz"])
def test_a_missing_package_is_named_with_its_extra(monkeypatch, package):
    result = run()
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "langevin_sa.annealing.datasets", raising=False)
    with pytest.raises(ImportError, match=rf"pip install 'langevin_sa\[{package}\]'"):
        result.to_xarray() if package == "xarray" else result.to_arviz()


def with_units():
    potential = Potential.from_formula("(x**2 - 1)**2")
    potential.units = EV
    return potential


def test_units_come_through(tmp_path):
    """With the result, its file, a copy in a worker; no number of the run changes."""
    result = run(with_units())
    result.save(tmp_path / "r.npz")
    assert result.units == Result.load(tmp_path / "r.npz").units == EV
    assert pickle.loads(pickle.dumps(with_units())).units == EV
    data = result.to_xarray()
    assert data.samples.attrs == {"units": "Angstrom"} and not data.failures.attrs
    for name in ("target", "temperature", "configurational", "energy_min", "best", "energies"):
        assert data[name].attrs == {"units": "eV"}
    plain = run(Potential.from_formula("(x**2 - 1)**2"))
    assert plain.units == Units() and plain.fun == result.fun
    np.testing.assert_array_equal(plain.history.temperature, result.history.temperature)


def test_pictures_have_the_units():
    potential = with_units()
    result = run(potential)
    top, bottom = lsa.plots.history(result)
    assert top.get_ylabel() == "$T$ (K)" and bottom.get_ylabel() == "$U$ (eV)"
    target = next(line for line in top.lines if line.get_label() == "target")
    np.testing.assert_allclose(target.get_ydata(), result.history.target / EV.kB)
    ax = lsa.plots.landscape(potential, bounds=(-2, 2))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("position $x$ (Angstrom)", "$U(x)$ (eV)")
    found = lsa.compare(potential, {"a": Schedule(0.5, 1.0, 0.1)}, n_steps=50, replicas=4, rng=1)
    assert "(eV)" in lsa.plots.comparison(found)[0].get_ylabel()


@pytest.mark.parametrize("units", ["eV", ("eV", "Angstrom"), None])
def test_units_are_units(units):
    with pytest.raises(TypeError, match="units must be a Units"):
        with_units().units = units


@pytest.mark.parametrize("asked", [{"energy": 3}, {"length": None}, {"kB": 0}, {"kB": -1.0}])
def test_bad_units(asked):
    with pytest.raises((TypeError, ValueError), match=next(iter(asked))):
        Units(**asked)
