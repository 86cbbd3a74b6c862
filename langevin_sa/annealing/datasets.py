"""A run's result as labelled arrays: of xarray (extra ``xarray``), of ArviZ (extra ``arviz``)."""

from __future__ import annotations

from typing import Any

from ..arguments import on_host

try:
    import xarray
except ImportError as error:
    raise ImportError(
        "a dataset needs xarray, which the extra xarray brings: pip install 'langevin_sa[xarray]'"
    ) from error

PLACES = ("replica", "coordinate")
TEMPERATURES = ("target", "temperature", "eq22", "configurational")
ENERGIES = (*TEMPERATURES, "energy_mean", "energy_min", "best", "work", "heat")
ABOUT = ("fun", "status", "message", "nit", "nfev", "njev", "seed", "n_steps", "potential_name")


def dataset(result: Any) -> Any:
    """What `Result.to_xarray` returns."""
    units = result.units
    columns: dict[str, Any] = {}
    for name, values in result.history.items():
        further = [f"{name}_{k}" for k in range(1, values.ndim)]
        unit = {"units": units.energy} if name in ENERGIES else {}
        columns[name] = (("record", *further), values, unit)
    if result.samples is not None:
        columns["samples"] = (("record", *PLACES), result.samples, {"units": units.length})
    if result.velocities is not None:
        columns["velocities"] = (("record", *PLACES), result.velocities)
    for name in ("energies", "best_energies"):
        columns[name] = (PLACES[:1], on_host(result[name]), {"units": units.energy})
    lowest = {"units": units.length}
    columns["best_positions"] = (PLACES, on_host(result.best_positions), lowest)
    columns["x"] = (PLACES[1:], on_host(result.x), lowest)
    about = {name: result[name] for name in ABOUT}
    about |= {"schedule": str(result.schedule), "integrator": result.integrator or ""}
    data = xarray.Dataset(columns, attrs=about)
    return data.set_coords("step")


def inference_data(result: Any) -> Any:
    """What `Result.to_arviz` returns."""
    try:
        import arviz
    except ImportError as error:
        raise ImportError(
            "inference data need ArviZ, which the extra arviz brings: pip install "
            "'langevin_sa[arviz]'"
        ) from error
    if result.samples is None:
        raise ValueError("the run kept no samples: run it with samples=True")
    data = dataset(result)
    chains = {"replica": "chain", "record": "draw"}
    kept = data[["samples"]].rename(samples="x").rename(chains).transpose("chain", "draw", ...)
    return arviz.convert_to_inference_data(kept.drop_vars("step").assign_attrs(data.attrs))
