"""One pass over particles with a cut-off: forces over lists of neighbours, noise and recursion.

The names of neighbours inside the cut-off are packed for the formula, which takes eight at a time
(`langevin_sa.backends.cpu.printed_pairs.neighbour_source`): a sum has the same terms in the same
lanes whenever the list was made.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64

from .compiled import call_step
from .distances import WIDE, pack_exactly, pack_exactly_tilted, pack_near, pack_near_tilted
from .keeping import kernel
from .neighbour_lists import along, wrapped
from .philox import fill_line
from .printed_pairs import LANES
from .simd import fetch, inline

FORCES, KICK = 1, 2  # what a pass does
PACKED = 256  # names that are packed before their forces are summed
# particles whose coordinates are fetched while forces are summed, as they lie in another order
FETCHED_AHEAD = 4


# One step, x = x + dx after
#
#     dx = rho dx + lr f(x) + s xi        s xi = alpha z_n, or paired alpha z_n + beta z_{n-1}
#
#     x before and after                                        x, y
#     rho, with the change of dt                                carry
#     alpha; beta of the next step                              kick, tail
#     -f(x)                                                     gradient
#     z                                                         z
#     beta z_{n-1}, what paired noise carried on                noise
#     a mass: f/m, s xi/sqrt(m), m dx^2                         inverse, root, mass
@kernel(nogil=True)
def sweep_particles(
    fluid: Any,
    into: Any,
    what: int,
    step: Any,
    inertia: Any,
    lists: Any,
    coarse: Any,
    motion: Any,
    totals: Any,
    normals: Any,
    stream: Any,
    low: int,
    high: int,
) -> float:
    """Forces on the particles in slots low <= i < high, or their next step, or both.

    Parameters
    ----------
    fluid : (int, float64 array (species^2, numbers), int, int, float64 array (6,))
        Address of the compiled pairs, their parameters, how many species and coordinates of a
        particle there are, and the box with its inverse lengths (and the matrix back).
    into : float64 array (3, 3) or None
        The matrix that takes positions along the axes of a tilted cell.
    what : int
        FORCES, KICK or their sum.
    step : (float, float, float, float, bool)
        Carry, lr, kick, tail, and whether noise is paired.
    inertia : float64 arrays (3, dim), (space,)
        `Walk.inertia`, and what the centre of mass would move by, which is taken out.
    lists : tuple of arrays
        Of `Particles`, by slot: points, points after the step, numbers, species, starts of the
        lists, and the lists.
    coarse : tuple of arrays
        Of `Particles`: points in float32, and after the step, where they are seen from, the box,
        and for each pair of species the squared distances beyond which float32 is sure that a
        particle is outside, and below which, inside.
    motion : five arrays (dim,)
        x, y, dx, noise, and x when the lists were made.
    totals : arrays (particles, space), (particles,), (particles,)
        Gradient by slot; energy and dx^2 by number.
    normals : (array, int, array, int)
        Normals of this step, where among them its first one is, room for those of the next step,
        and the number of their first in the stream: a share of them is made here as well, unless
        that is negative.
    stream : tuple
        `Walk.stream` of the replica.

    Returns
    -------
    float
        The largest squared way that one of these particles is from where the lists were made.
    """
    pairs, p, kinds, space, box = fluid
    carry, lr, kick, tail, paired = step
    (inverse, root, mass), drift = (inertia[0][0], inertia[0][1], inertia[0][2]), inertia[1]
    points, after, ids, species, starts, names = lists
    rough, rough_after, origin, rough_box, sure2 = coarse
    x, y, dx, noise, home = motion
    gradient, energy, squares = totals
    z, z_start, z_after, next_normal = normals
    replica, purpose, k0, k1 = stream
    particles, width = len(ids), p.shape[1]
    sums, near = np.zeros((4, LANES)), np.zeros(PACKED + 2 * WIDE, dtype=np.int32)
    # addresses are taken once, as an array that changes hands is counted
    lines, names_at, near_at = points.ctypes.data, names.ctypes.data, near.ctypes.data
    box_at, p_at, rough_at = box.ctypes.data, p.ctypes.data, rough.ctypes.data
    rough_box_at = rough_box.ctypes.data
    farthest = 0.0
    for i in range(low, high):
        if what & KICK and i + FETCHED_AHEAD < high:
            at = int64(ids[i + FETCHED_AHEAD]) * space
            fetch(x, at)
            fetch(y, at)
            fetch(dx, at)
            fetch(noise, at)
            fetch(home, at)
            fetch(z, at)
        if what & FORCES:
            sums[:] = 0.0
            for other in range(kinds):
                row = species[i] * kinds + other
                cutoff2, numbers = p[row, width - 1], p_at + 8 * width * row
                end, m = starts[i, other + 1], 0
                reach2 = (sure2[row, 0], sure2[row, 1])
                for k in range(starts[i, other], end, WIDE):
                    at, left, before = names_at + 4 * k, end - k, m
                    if into is None:
                        m = pack_near(rough_at, at, left, i, rough_box_at, reach2, near_at, m)
                    else:
                        m = pack_near_tilted(
                            rough_at, at, left, i, rough_box_at, reach2, near_at, m
                        )
                    if m < 0:
                        m = before
                        for half in range(0, WIDE, LANES):
                            at, left = names_at + 4 * (k + half), end - k - half
                            if into is None:
                                m = pack_exactly(lines, at, left, i, box_at, cutoff2, near_at, m)
                            else:
                                m = pack_exactly_tilted(
                                    lines, at, left, i, box_at, cutoff2, near_at, m
                                )
                    if m >= PACKED:
                        call_step(pairs, (lines, near_at, i, box_at, numbers, sums), PACKED)
                        for rest in range(PACKED, m):
                            near[rest - PACKED] = near[rest]
                        m -= PACKED
                call_step(pairs, (lines, near_at, i, box_at, numbers, sums), m)
            energy[ids[i]] = 0.5 * _lane_sum(sums[0])
            for k in range(space):
                gradient[i, k] = -_lane_sum(sums[k + 1])
        if what & KICK:
            a, way, square = int64(ids[i]), 0.0, 0.0
            for k in range(space):
                at = a * space + k
                force, heavy = lr * gradient[i, k], 1.0
                normal = z[z_start + at] if kick > 0.0 else 0.0
                fresh = kick * normal
                if paired:
                    fresh += noise[at]
                    noise[at] = tail * normal
                if len(mass):
                    force, fresh, heavy = inverse[at] * force, root[at] * fresh - drift[k], mass[at]
                dx[at] = carry * dx[at] - force + fresh
                y[at] = x[at] + dx[at]
                here = 1.0 * y[at]
                if into is None:
                    after[i, k] = wrapped(here, box[k], box[k + 3])
                    rough_after[i, k] = after[i, k] - origin[k]
                square += heavy * (1.0 * dx[at]) ** 2
                way += (here - home[at]) ** 2
            if into is not None:
                for k in range(space):
                    here = along(y, a * space, space, into, k)
                    after[i, k] = wrapped(here, box[k], box[k + 3])
                    rough_after[i, k] = after[i, k] - origin[k]
            squares[a] = square
            farthest = way if way > farthest else farthest
            farthest = np.inf if way != way else farthest
    if next_normal >= 0:
        quad = next_normal >> 2
        quads = ((next_normal + particles * space + 3) >> 2) - quad
        begin, end = quads * low // particles, quads * high // particles
        fill_line(z_after, 4 * begin, quad + begin, end - begin, replica, purpose, k0, k1)
    return farthest


@kernel(nogil=True)
def total(values: Any) -> float:
    """Sum in eight lanes, whatever the processor's vectors are."""
    lanes, whole = np.zeros(LANES), len(values) & -LANES
    for i in range(0, whole, LANES):
        for k in range(LANES):
            lanes[k] += values[i + k]
    for i in range(whole, len(values)):
        lanes[i - whole] += values[i]
    return _lane_sum(lanes)


@inline
def _lane_sum(lanes: Any) -> float:
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + (
        (lanes[1] + lanes[5]) + (lanes[3] + lanes[7])
    )
