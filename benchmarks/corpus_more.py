"""Potentials of other kinds than those of `corpus_first`, as users write them.

MORE: name -> (make, x0 or None, lowest energy known or None if `KNOWN` of corpus.py has it, tolerance
in energy).
"""

from __future__ import annotations

import numpy as np
from corpus_first import LJ, F, least_squares, pairs, thomson

import langevin_sa as lsa

N = None


def function(energy, gradient, dim, **keywords):
    return lsa.Potential(energy, gradient, dim, **keywords)


def born_ions(n=8):
    """Rock salt: charges 1 and -1 alternate, r^-9 keeps them apart."""
    i, j = np.triu_indices(n, 1)
    q = (-1.0) ** (i + j)
    return function(
        *pairs(n, 3, lambda s: q * s**-0.5 + 0.1 * s**-4.5, lambda s: -q * s**-1.5 - 0.9 * s**-5.5),
        dim=3 * n,
        bounds=(-2, 2),
        name="Born ions",
    )


def gupta(n=13, A=0.1, xi=1.0, p=10.0, q=2.5):
    """Gupta's many-body metal: repulsion A exp(-p(r-1)), band energy -xi sqrt(sum exp(-2q(r-1)))."""
    i, j = np.triu_indices(n, 1)
    to = np.zeros((n, len(i)))
    to[i, np.arange(len(i))] = to[j, np.arange(len(i))] = 1
    away = np.zeros((n, len(i)))
    away[i, np.arange(len(i))], away[j, np.arange(len(i))] = 1, -1

    def parts(x):
        d = x.reshape(len(x), n, 3)[:, i] - x.reshape(len(x), n, 3)[:, j]
        r = np.sqrt((d**2).sum(2))
        hop = np.exp(-2 * q * (r - 1))
        return d, r, hop, np.sqrt(hop @ to.T)

    def energy(x):
        _, r, _, band = parts(x)
        return 2 * A * np.exp(-p * (r - 1)).sum(1) - xi * band.sum(1)

    def gradient(x):
        d, r, hop, band = parts(x)
        slope = -2 * A * p * np.exp(-p * (r - 1)) + xi * q * hop * ((1 / band) @ to)
        return np.einsum("np,rpc->rnc", away, (slope / r)[..., None] * d).reshape(len(x), -1)

    return function(energy, gradient, 3 * n, bounds=(-1.5, 1.5), name="Gupta metal")


def ab_polymer(letters="ABBABABB"):
    """Stillinger's two-letter polymer in the plane, by its bend angles; no gradient."""
    kind = np.array([1 if c == "A" else -1 for c in letters])
    n = len(kind)
    i, j = np.triu_indices(n, 2)
    both = kind[i] * kind[j]
    c = (1 + kind[i] + kind[j] + 5 * both) / 8

    def energy(x):
        turn = np.hstack([np.zeros((len(x), 1)), np.cumsum(x, 1)])
        bonds = np.stack([np.cos(turn), np.sin(turn)], 2)
        p = np.concatenate([np.zeros((len(x), 1, 2)), np.cumsum(bonds, 1)], 1)
        s = ((p[:, i] - p[:, j]) ** 2).sum(2)
        return (1 - np.cos(x)).sum(1) / 4 + 4 * (s**-6 - c * s**-3).sum(1)

    return lsa.Potential(energy, dim=n - 2, bounds=(-np.pi, np.pi), name="AB polymer")


def xy_glass(d=24):
    g = np.random.default_rng(8)
    J = np.triu(g.standard_normal((d, d)) / np.sqrt(d), 1)
    J = J + J.T
    both = lambda x: (np.cos(x), np.sin(x))
    return function(
        lambda x: -0.5 * sum(((v @ J) * v).sum(1) for v in both(x)),
        lambda x: (m := both(x))[1] * (m[0] @ J) - m[0] * (m[1] @ J),
        d,
        bounds=(-np.pi, np.pi),
        name="XY glass",
    )


def sensors(n=8, anchors=4):
    """Places from squared distances to anchors and to each other, those within reach."""
    g = np.random.default_rng(2)
    true, fixed = g.uniform(-1, 1, (n, 2)), g.uniform(-1, 1, (anchors, 2))
    i, j = np.triu_indices(n, 1)
    near = ((true[i] - true[j]) ** 2).sum(1) < 1
    i, j = i[near], j[near]
    sq, sqa = ((true[i] - true[j]) ** 2).sum(1), ((true[:, None] - fixed) ** 2).sum(2)
    sees = sqa < 1.2

    def residuals(x):
        p = x.reshape(len(x), n, 2)
        d, a = p[:, i] - p[:, j], p[:, :, None] - fixed
        return d, a, (d**2).sum(2) - sq, ((a**2).sum(3) - sqa) * sees

    def energy(x):
        _, _, e, ea = residuals(x)
        return (e**2).sum(1) + (ea**2).sum((1, 2))

    def gradient(x):
        d, a, e, ea = residuals(x)
        g = 4 * (ea[..., None] * a).sum(2)
        f = 4 * e[..., None] * d
        for k in range(n):
            g[:, k] += f[:, i == k].sum(1) - f[:, j == k].sum(1)
        return g.reshape(len(x), -1)

    return function(energy, gradient, 2 * n, bounds=(-1.5, 1.5), name="sensors")


def xor_network(hidden=4, decay=1e-3):
    """Squared loss of a small network on XOR, with weight decay."""
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([0, 1, 1, 0.0])
    cut = np.cumsum([2 * hidden, hidden, hidden])

    def forward(x):
        w, b, v, c = np.split(x, cut, axis=1)
        h = np.tanh(np.einsum("sk,rkh->rsh", X, w.reshape(-1, 2, hidden)) + b[:, None])
        return h, v, (h * v[:, None]).sum(2) + c - y

    def energy(x):
        return (forward(x)[2] ** 2).sum(1) + decay * (x**2).sum(1)

    def gradient(x):
        h, v, e = forward(x)
        back = 2 * e[..., None] * v[:, None] * (1 - h**2)
        w = np.einsum("sk,rsh->rkh", X, back).reshape(len(x), -1)
        last = [back.sum(1), 2 * (e[..., None] * h).sum(1), 2 * e.sum(1, keepdims=True)]
        return np.hstack([w, *last]) + 2 * decay * x

    return function(energy, gradient, 4 * hidden + 1, bounds=(-4, 4), name="XOR network")


def peaks_fit():
    """Two Gaussian peaks: height, place, width of each."""
    t = np.linspace(0, 10, 80)

    def one(x, t):
        z = (t - x[:, 1:2]) / x[:, 2:3]
        return z, np.exp(-(z**2) / 2)

    def model(x, t):
        return sum(x[:, k : k + 1] * one(x[:, k : k + 3], t)[1] for k in (0, 3))

    def jac(x, t):
        rows = []
        for k in (0, 3):
            z, e = one(x[:, k : k + 3], t)
            a, w = x[:, k : k + 1], x[:, k + 2 : k + 3]
            rows += [e, a * e * z / w, a * e * z**2 / w]
        return np.stack(rows, 1)

    true, box = (2.0, 3.0, 0.5, 1.0, 6.5, 1.2), [(0.1, 4), (0, 10), (0.2, 3)] * 2
    return least_squares(model, jac, t, true, box, "two peaks")


def damped_fit():
    """A damped oscillation: a exp(-b t) cos(c t + d)."""
    t = np.linspace(0, 8, 100)
    with np.errstate(all="ignore"):
        e = lambda x, t: np.exp(np.minimum(-x[:, 1:2] * t, 50))
        p = lambda x, t: x[:, 2:3] * t + x[:, 3:4]
        model = lambda x, t: x[:, :1] * e(x, t) * np.cos(p(x, t))
        jac = lambda x, t: np.stack(
            [
                e(x, t) * np.cos(p(x, t)),
                -t * model(x, t),
                -t * x[:, :1] * e(x, t) * np.sin(p(x, t)),
                -x[:, :1] * e(x, t) * np.sin(p(x, t)),
            ],
            1,
        )
    box = [(0, 5), (0, 2), (0.5, 12), (-np.pi, np.pi)]
    return least_squares(model, jac, t, (3.0, 0.3, 7.1, 1.0), box, "damped cosine")


def phase_retrieval(d=8, m=32):
    A = np.random.default_rng(4).standard_normal((m, d))
    y = (A @ np.random.default_rng(5).standard_normal(d)) ** 2
    return function(
        lambda x: (((x @ A.T) ** 2 - y) ** 2).mean(1),
        lambda x: 4 / m * (((x @ A.T) ** 2 - y) * (x @ A.T)) @ A,
        d,
        bounds=(-3, 3),
        name="phase retrieval",
    )


def qubo(d=30):
    """A quadratic problem in bits, softened: x in 0..1 by a double well of each."""
    g = np.random.default_rng(6)
    Q = g.integers(-5, 6, (d, d)).astype(float)
    Q = (Q + Q.T) / 2
    return function(
        lambda x: ((x @ Q) * x).sum(1) + 100 * (x**2 * (1 - x) ** 2).sum(1),
        lambda x: 2 * x @ Q + 200 * x * (1 - x) * (1 - 2 * x),
        d,
        bounds=(-0.2, 1.2),
        name="QUBO",
    )


def disks(n=11, radius=0.172):
    """Soft disks in a unit square, a little too large for it."""
    disk = pairs(
        n,
        2,
        lambda s: np.maximum(0, 2 * radius - np.sqrt(s)) ** 2,
        lambda s: -2 * np.maximum(0, 2 * radius - np.sqrt(s)) / np.sqrt(s),
    )
    low, high = radius, 1 - radius
    return function(
        lambda x: disk[0](x) + (np.maximum(0, low - x) ** 2 + np.maximum(0, x - high) ** 2).sum(1),
        lambda x: disk[1](x) - 2 * np.maximum(0, low - x) + 2 * np.maximum(0, x - high),
        2 * n,
        bounds=(0, 1),
        name="disks",
    )


def double_funnel(d=6):
    """Two bowls with ripples; the wide one is not the lower one."""
    a, b = np.full(d, 2.5), np.full(d, -2.5)

    def parts(x):
        one, two = ((x - a) ** 2).sum(1), 0.5 * ((x - b) ** 2).sum(1) + 3.0
        return one, two

    def energy(x):
        one, two = parts(x)
        return -2 * np.logaddexp(-one / 2, -two / 2) + 1.5 * (1 - np.cos(2 * np.pi * (x - a))).sum(
            1
        )

    def gradient(x):
        one, two = parts(x)
        w = 1 / (1 + np.exp(np.clip((one - two) / 2, -500, 500)))[:, None]
        smooth = 2 * w * (x - a) + (1 - w) * (x - b)
        return smooth + 3 * np.pi * np.sin(2 * np.pi * (x - a))

    return function(energy, gradient, d, bounds=(-5, 5), name="double funnel")


def shekel(m=10):
    C = np.array(
        [[4, 1, 8, 6, 3, 2, 5, 8, 6, 7], [4, 1, 8, 6, 7, 9, 3, 1, 2, 3.6]] * 2, dtype=float
    ).T[:m]
    beta = np.array([1, 2, 2, 4, 4, 6, 3, 7, 5, 5])[:m] / 10
    parts = lambda x: (d := x[:, None] - C, 1 / ((d**2).sum(2) + beta))
    return function(
        lambda x: -parts(x)[1].sum(1),
        lambda x: (2 * (p := parts(x))[0] * (p[1] ** 2)[..., None]).sum(1),
        4,
        bounds=(0, 10),
        name="Shekel",
    )


def hartmann6():
    A = np.array(
        [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
    )  # fmt: skip
    P = 1e-4 * np.array(
        [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991], [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
    )  # fmt: skip
    c = np.array([1, 1.2, 3, 3.2])
    parts = lambda x: (d := x[:, None] - P, c * np.exp(-(A * d**2).sum(2)))
    return function(
        lambda x: -parts(x)[1].sum(1),
        lambda x: (2 * A * (p := parts(x))[0] * p[1][..., None]).sum(1),
        6,
        bounds=(0, 1),
        name="Hartmann",
    )


def mixture(k=3):
    """Minus the log likelihood of the means of a mixture, for points on a line."""
    g = np.random.default_rng(9)
    y = np.concatenate([g.normal(m, 0.5, 30) for m in (-3, 0.5, 4)])
    log = lambda x: -((y[:, None] - x[:, None]) ** 2) / 0.5

    def energy(x):
        return -np.logaddexp.reduce(log(x), axis=2).mean(1)

    def gradient(x):
        w = np.exp(log(x) - np.logaddexp.reduce(log(x), axis=2)[..., None])
        return (-4 * w * (y[:, None] - x[:, None])).mean(1)

    return function(energy, gradient, k, bounds=(-10, 10), name="mixture")


GP = (
    "(1+(x+y+1)**2*(19-14*x+3*x**2-14*y+6*x*y+3*y**2))"
    "*(30+(2*x-3*y)**2*(18-32*x+12*x**2+48*y-36*x*y+27*y**2))"
)
TREFETHEN = (
    "exp(sin(50*x))+sin(60*exp(y))+sin(70*sin(x))+sin(sin(80*y))-sin(10*(x+y))+(x**2+y**2)/4"
)
PI = np.pi
MORE = {
    "Born ions 8": (born_ions, N, N, 1e-3),
    "Gupta 13": (gupta, N, N, 1e-3),
    "AB polymer 8": (ab_polymer, N, N, 1e-3),
    "Thomson 7": (lambda: thomson(7), N, 14.452977, 1e-3),
    "XY lattice 6x6": (
        lambda: F(bond="-cos(x-y)", shape=(6, 6), periodic=True, bounds=(-PI, PI)), N, -72.0, 1e-2),
    "rotor ring 30": (lambda: F(bond="-cos(x-y)", dim=30, periodic=True, bounds=(-PI, PI)), N, -30.0, 1e-2),
    "XY glass 24": (xy_glass, N, N, 1e-3),
    "sensors": (sensors, N, 0.0, 1e-4),
    "XOR network": (xor_network, N, N, 1e-4),
    "two peaks": (peaks_fit, N, 0.0, 1e-3),
    "damped cosine": (damped_fit, N, 0.0, 1e-3),
    "phase retrieval": (phase_retrieval, N, 0.0, 1e-3),
    "QUBO 30": (qubo, N, N, 1e-2),
    "disks 11": (disks, N, N, 1e-5),
    "double funnel": (double_funnel, N, N, 1e-2),
    "Shekel 10": (shekel, N, -10.5364, 1e-2),
    "Hartmann 6": (hartmann6, N, -3.32237, 1e-3),
    "mixture": (mixture, N, N, 1e-4),
    "Michalewicz 10": (
        lambda: F(site="-sin(x)*sin(i*x**2/pi)**20", dim=10, i=np.arange(1, 11), bounds=(0, PI)), N, -9.66015, 1e-2),
    "Styblinski 8": (
        lambda: F(site="(x**4-16*x**2+5*x)/2", dim=8, bounds=(-5, 5)), N, -39.16616570 * 8, 1e-2),
    "Frenkel Kontorova 40": (
        lambda: F(site="1-cos(2*pi*x)", bond="2*(y-x-1.2)**2", dim=40, bounds=(-25, 25)), N, N, 1e-2),
    "Goldstein Price": (lambda: F(GP, bounds=(-2, 2)), N, 3.0, 1e-3),
    "drop wave": (
        lambda: F("-(1+cos(12*sqrt(x**2+y**2)))/(0.5*(x**2+y**2)+2)", bounds=(-5.12, 5.12)), N, -1.0, 1e-3),
    "vortices 12": (
        lambda: F(site="0.5*x**2", pair="-log(r)", particles=12, space=2, bounds=(-4, 4)), N, N, 1e-3),
    "Yukawa 2d 15": (
        lambda: F(site="0.5*x**2", pair="exp(-r)/r", particles=15, space=2, bounds=(-3, 3)), N, N, 1e-4),
    "Trefethen": (lambda: F(TREFETHEN, bounds=(-1, 1)), N, -3.30686865, 1e-3),
    "ring polymer 8": (
        lambda: F(bond="50*(r-1.1)**2", pair=LJ, particles=8, periodic=True, bounds=(-2, 2)), N, N, 1e-2),
    "camel": (lambda: F("(4-2.1*x**2+x**4/3)*x**2+x*y+(-4+4*y**2)*y**2", bounds=(-3, 3)), N, -1.0316285, 1e-4),
}  # fmt: skip
