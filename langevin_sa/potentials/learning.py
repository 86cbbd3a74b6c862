"""Losses of classifiers as potentials: the softmax regression and the network with one hidden
layer, followed by mini-batches.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..arguments import check_positive, check_whole, real_array, shown
from ..stochastic import StochasticPotential


def clouds(samples: int = 300, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Generated data: points in the plane, normal around corners of a regular polygon, with
    overlap; inputs (samples, 2), labels.
    """
    check_whole(1, samples=samples, classes=classes)
    check_whole(0, seed=seed)
    generator = np.random.default_rng(seed)
    labels = np.arange(samples) % classes
    angle = 2 * np.pi * labels / classes
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.6 * generator.standard_normal(
        (samples, 2)
    ), labels


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits, 8x8: inputs (1797, 64) in [-1, 1] and labels 0 to 9, from
    scikit-learn (extra ``ml``).
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            "the digits come with scikit-learn, which the extra ml brings: pip install "
            "'langevin_sa[ml]'; or give data of your own"
        ) from error
    found = load_digits()
    return found.data / 8 - 1, found.target


def logistic_regression(
    data: Any = None, batch_size: int = 30, l2: float = 1e-3
) -> StochasticPotential:
    """Softmax regression: U = mean of -ln p(label | input) + l2 |x|^2/2 over the data; convex, so
    every anneal must end in one place.

    The coordinates are the weights (inputs + 1, classes), the last row of them biases.

    Parameters
    ----------
    data : (inputs (n_samples, features), labels (n_samples,)), optional
        Labels are integers from 0 on; `langevin_sa.potentials.digits()` loads handwritten digits.
        By default three clouds of 100 generated points in the plane.
    batch_size : int
        Samples in a mini-batch.
    l2 : float
        Strength of the penalty, positive.

    Notes
    -----
    Domain [-3, 3].
    """
    inputs, labels, classes = _checked(data)
    check_positive(l2=l2)
    features = inputs.shape[1]
    functions = [
        partial(f, classes=classes, l2=l2)
        for f in (_regression_energy, _regression_gradient, _regression_laplacian)
    ]
    energy, gradient, laplacian = functions
    return StochasticPotential(
        energy,
        gradient,
        (_with_one(inputs), labels),
        batch_size,
        dim=(features + 1) * classes,
        laplacian=laplacian,
        bounds=(-3, 3),
        name="logistic_regression",
        latex=r"\langle -\ln p(c_i \mid W z_i) \rangle_i + \frac{\lambda}{2} |W|^2",
    )


def one_hidden_layer(
    data: Any = None, hidden: int = 8, batch_size: int = 30, l2: float = 1e-3
) -> StochasticPotential:
    """A network with one layer of tanh: U = mean of -ln p(label | input) + l2 |x|^2/2; not convex.

    The coordinates are the first weights (inputs + 1, hidden) and the second (hidden + 1, classes),
    the last row of each biases.

    Parameters
    ----------
    data, batch_size, l2
        As for `logistic_regression`.
    hidden : int
        Units of the hidden layer.

    Notes
    -----
    Domain [-2, 2]; a run starts from normal weights of variance 1/(number of inputs of the unit).
    """
    inputs, labels, classes = _checked(data)
    check_whole(1, hidden=hidden)
    check_positive(l2=l2)
    split = (inputs.shape[1] + 1) * hidden
    shape: dict[str, Any] = {"hidden": hidden, "classes": classes, "l2": l2}
    energy, gradient, laplacian = (
        partial(f, **shape) for f in (_network_energy, _network_gradient, _network_laplacian)
    )
    return StochasticPotential(
        energy,
        gradient,
        (_with_one(inputs), labels),
        batch_size,
        dim=split + (hidden + 1) * classes,
        laplacian=laplacian,
        bounds=(-2, 2),
        start=partial(
            _start,
            split=split,
            fans=(inputs.shape[1] + 1, hidden + 1),
            second=(hidden + 1) * classes,
        ),
        name="one_hidden_layer",
        latex=r"\langle -\ln p(c_i \mid V \tanh W z_i) \rangle_i + \frac{\lambda}{2} (|W|^2 + "
        r"|V|^2)",
    )


# ------------------------------ z (replicas or 1, samples, inputs), labels (replicas or 1, samples)


def _probabilities(
    out: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """-ln p of the labels, p, and which entry is the label's, of logits (replicas, samples,
    classes).
    """
    shifted = out - out.max(-1, keepdims=True)
    p = np.exp(shifted)
    total = p.sum(-1, keepdims=True)
    right = labels[..., None] == np.arange(out.shape[-1])
    return np.log(total[..., 0]) - np.where(right, shifted, 0).sum(-1), p / total, right


def _penalty(x: np.ndarray, l2: float) -> np.ndarray:
    return l2 / 2 * (x**2).sum(-1)


def _regression_energy(
    x: np.ndarray, z: np.ndarray, labels: np.ndarray, classes: int, l2: float
) -> np.ndarray:
    return _probabilities(z @ x.reshape(len(x), -1, classes), labels)[0].mean(-1) + _penalty(x, l2)


def _regression_gradient(
    x: np.ndarray, z: np.ndarray, labels: np.ndarray, classes: int, l2: float
) -> np.ndarray:
    _, p, right = _probabilities(z @ x.reshape(len(x), -1, classes), labels)
    return (z.swapaxes(-1, -2) @ (p - right)).reshape(x.shape) / z.shape[1] + l2 * x


def _regression_laplacian(
    x: np.ndarray, z: np.ndarray, labels: np.ndarray, classes: int, l2: float
) -> np.ndarray:
    p = _probabilities(z @ x.reshape(len(x), -1, classes), labels)[1]
    return ((z**2).sum(-1) * (p * (1 - p)).sum(-1)).mean(-1) + l2 * x.shape[1]


def _forward(
    x: np.ndarray, z: np.ndarray, labels: np.ndarray, hidden: int, classes: int
) -> tuple[np.ndarray, ...]:
    """Hidden values with a one, second weights, and what `_probabilities` gives."""
    split = z.shape[-1] * hidden
    first, second = (
        x[:, :split].reshape(len(x), -1, hidden),
        x[:, split:].reshape(len(x), -1, classes),
    )
    a = _with_one(np.tanh(z @ first))
    return (a, second, *_probabilities(a @ second, labels))


def _network_energy(
    x: np.ndarray, z: np.ndarray, labels: np.ndarray, hidden: int, classes: int, l2: float
) -> np.ndarray:
    return _forward(x, z, labels, hidden, classes)[2].mean(-1) + _penalty(x, l2)


def _network_gradient(
    x: np.ndarray, z: np.ndarray, labels: np.ndarray, hidden: int, classes: int, l2: float
) -> np.ndarray:
    a, second, _, p, right = _forward(x, z, labels, hidden, classes)
    out = (p - right) / z.shape[1]
    inner = (out @ second[:, :-1].swapaxes(1, 2)) * (1 - a[..., :-1] ** 2)
    parts = (z.swapaxes(-1, -2) @ inner, a.swapaxes(-1, -2) @ out)
    return np.concatenate([part.reshape(len(x), -1) for part in parts], axis=1) + l2 * x


def _network_laplacian(
    x: np.ndarray, z: np.ndarray, labels: np.ndarray, hidden: int, classes: int, l2: float
) -> np.ndarray:
    a, second, _, p, right = _forward(x, z, labels, hidden, classes)
    # (replicas, classes, hidden), (replicas, samples, hidden)
    v, t = second[:, :-1].swapaxes(1, 2), a[..., :-1]
    slope = 1 - t**2
    bend = slope**2 * (p @ v**2 - (p @ v) ** 2) - 2 * t * slope * ((p - right) @ v)
    outer = (a**2).sum(-1) * (p * (1 - p)).sum(-1)
    return (outer + (z**2).sum(-1) * bend.sum(-1)).mean(-1) + l2 * x.shape[1]


def _start(
    replicas: int, generator: np.random.Generator, split: int, fans: tuple[int, int], second: int
) -> np.ndarray:
    scale = np.repeat([fans[0] ** -0.5, fans[1] ** -0.5], [split, second])
    return scale * generator.standard_normal((replicas, len(scale)))


def _with_one(inputs: np.ndarray) -> np.ndarray:
    return np.concatenate([inputs, np.ones_like(inputs[..., :1])], axis=-1)


def _checked(data: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """Inputs, labels and the number of classes, or an error that says what data must be."""
    if data is not None and not (isinstance(data, tuple | list) and len(data) == 2):
        raise TypeError(f"data must be (inputs, labels), not {shown(data)}")
    inputs, labels = clouds() if data is None else data
    inputs, labels = real_array(inputs, "inputs"), np.asarray(labels)
    good = inputs.ndim == 2 and inputs.size and np.isfinite(inputs).all()
    if not good or labels.shape != inputs.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            "data must be (inputs, labels): finite numbers of shape (samples, features) and "
            f"integers of shape (samples,), not of shapes {inputs.shape} and {labels.shape} with "
            f"labels of {labels.dtype.name}"
        )
    if labels.min() < 0 or labels.max() < 1:
        raise ValueError(
            f"labels must be 0, 1, ... of at least two classes, and go from {labels.min()} to "
            f"{labels.max()}"
        )
    return inputs, labels.astype(np.int64), int(labels.max()) + 1
