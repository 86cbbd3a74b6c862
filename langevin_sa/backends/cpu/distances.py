"""Distances side by side, written in LLVM's terms: what numba cannot say is to keep the lanes that
are near and drop the rest.

`pack_near`, `pack_exactly` and `separations` serve a formula's loop over the neighbours of one
particle, `find_near` and `count_before` make lists. Widths are fixed: a processor with shorter
vectors takes several, with the same bits.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from . import lanes
from .printed_pairs import LANES
from .vectors import DOUBLE, INTEGER, LONG, SINGLE, call, constants, fma, item, long, splat

WIDE = 16  # distances at a time while lists are made, in float32

# 1.5 * 2^52 and 1.5 * 2^23: adding and subtracting it rounds to the nearest integer
BACK = [(6, 9, 12), (7, 10, 13), (8, 11, 14)]  # where a tilted box has the columns of its matrix
MAGIC = {DOUBLE: 6755399441055744.0, SINGLE: 12582912.0}


def _lines(builder: Any, points: Any, slots: list[Any]) -> list[Any]:
    """Coordinates of eight particles; each is a line (x, y, z, 0) of memory, and transposing lines
    beats gathering numbers.
    """
    line = ir.VectorType(DOUBLE, 4)
    rows = [builder.load(item(builder, points, slot, line, 32), align=8) for slot in slots]

    def join(low: Any, high: Any, *order: int) -> Any:
        return builder.shuffle_vector(low, high, constants(*order))

    a, b, c, d = (join(rows[k], rows[k + 4], *range(8)) for k in range(4))
    low, high = (0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15)
    evens, odds = (
        [join(*pair, *low) for pair in ((a, b), (c, d))],
        [join(*pair, *high) for pair in ((a, b), (c, d))],
    )
    first, second = (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)
    return [join(*evens, *first), join(*odds, *first), join(*evens, *second)]


def _rough_lines(builder: Any, lines: Any, slots: list[Any]) -> list[Any]:
    """The same of sixteen in float32."""
    line = ir.VectorType(SINGLE, 4)
    rows = [builder.load(item(builder, lines, slot, line, 16), align=4) for slot in slots]

    def join(low: Any, high: Any, order: Any) -> Any:
        return builder.shuffle_vector(low, high, constants(*order))

    # four rows side by side, four apart, so that transposing stays within a quarter
    a, b, c, d = (
        join(
            join(rows[k], rows[k + 4], range(8)),
            join(rows[k + 8], rows[k + 12], range(8)),
            range(16),
        )
        for k in range(4)
    )
    quarters = range(0, WIDE, 4)
    low = [q + k for q in quarters for k in (0, 16, 1, 17)]
    high = [q + k for q in quarters for k in (2, 18, 3, 19)]
    first = [q + k for q in quarters for k in (0, 1, 16, 17)]
    second = [q + k for q in quarters for k in (2, 3, 18, 19)]
    evens, odds = (join(a, b, low), join(c, d, low)), (join(a, b, high), join(c, d, high))
    return [join(*evens, first), join(*evens, second), join(*odds, first)]


def _nearest(
    builder: Any, coordinates: list[Any], centre: Any, box: Any, tilted: bool = False
) -> tuple[list[Any], Any]:
    """Nearest images seen from `centre` and their squared distances; at `box` are the lengths and
    their inverses, if there is one, and if it is `tilted` the matrix back into space.
    """
    count, kind = coordinates[0].type.count, coordinates[0].type.element
    magic, separations, r2 = splat(builder, ir.Constant(kind, MAGIC[kind]), count), [], None

    def number(place: int) -> Any:
        size = 8 if kind == DOUBLE else 4
        return splat(builder, builder.load(item(builder, box, long(place), kind, size)), count)

    for axis, v in enumerate(coordinates):
        d = builder.fsub(v, splat(builder, builder.extract_value(centre, axis), count))
        if box is not None:
            length, inverse = number(axis), number(axis + 3)
            images = builder.fsub(fma(builder, d, inverse, magic), magic)
            d = fma(builder, builder.fneg(images), length, d)
        separations.append(d)
    if tilted:
        separations = [_along(builder, separations, [number(k) for k in row]) for row in BACK]
    for d in separations:
        r2 = builder.fmul(d, d) if r2 is None else fma(builder, d, d, r2)
    return separations, r2


def _along(builder: Any, separations: list[Any], numbers: list[Any]) -> Any:
    """Their sum with these factors."""
    total = builder.fmul(separations[0], numbers[0])
    for d, factor in zip(separations[1:], numbers[1:], strict=True):
        total = fma(builder, d, factor, total)
    return total


def _inside(builder: Any, r2: Any, reach2: Any, left: Any) -> Any:
    """Lanes among the first `left` whose particle is not out of reach; NaN counts as inside, so
    that it gets noticed.
    """
    count = r2.type.count
    near = builder.fcmp_unordered("<", r2, splat(builder, reach2, count))
    return builder.and_(
        near,
        builder.icmp_signed("<", constants(*range(count), kind=LONG), splat(builder, left, count)),
    )


def _keep(builder: Any, vector: Any, mask: Any, pointer: Any) -> None:
    """Store the lanes of the mask side by side; what comes after them, up to a whole vector, is
    lost. Names after them are names of particles still: zeros, or of other lanes.
    """
    kind = vector.type
    if binding.llvm_version_info[0] >= 19:
        # LLVM 22 has no zeros of float32 here without AVX-512
        rest = None if kind.element == INTEGER else ir.Undefined
        packed = call(
            builder, "experimental.vector.compress", vector, mask, ir.Constant(kind, rest)
        )
        builder.store(packed, pointer, align=4)
        return
    at: Any = long(0)
    numbers = builder.bitcast(pointer, kind.element.as_pointer())
    for lane in (ir.Constant(INTEGER, k) for k in range(kind.count)):
        builder.store(builder.extract_element(vector, lane), builder.gep(numbers, [at]))
        at = builder.add(at, builder.zext(builder.extract_element(mask, lane), LONG))


def _counted(builder: Any, mask: Any, before: Any) -> Any:
    return builder.add(
        before,
        builder.zext(builder.ctpop(builder.bitcast(mask, ir.IntType(mask.type.count))), LONG),
    )


def _slots(builder: Any, names: Any, count: int) -> tuple[Any, list[Any]]:
    """The vector of `count` slots at address `names`, and each of them."""
    kind = ir.VectorType(INTEGER, count).as_pointer()
    named = builder.load(builder.inttoptr(names, kind), align=4)
    return named, [
        builder.zext(builder.extract_element(named, ir.Constant(INTEGER, k)), LONG)
        for k in range(count)
    ]


def _centre(builder: Any, lines: Any, slot: Any, kind: Any, size: int) -> Any:
    return builder.load(item(builder, lines, slot, ir.ArrayType(kind, 3), size), align=size // 4)


def _packer(exact: bool, tilted: bool) -> Any:
    """Of the sixteen particles named at address `names`, pack the names of those inside the reach
    of the one in a slot from place m of `out` on; the new number of names is returned, or -1 if
    float32 cannot tell: all are inside the first of `reach2` that are not inside the second. If
    `exact`, of eight in float64, which can tell.
    """

    @intrinsic
    def pack(
        typing: Any,
        points: Any,
        names: Any,
        left: Any,
        slot: Any,
        box: Any,
        reach2: Any,
        out: Any,
        m: Any,
    ) -> Any:
        build = _pack_exactly if exact else _pack_near
        signature = types.int64(*[types.int64] * 5, reach2, *[types.int64] * 2)
        return signature, lambda context, builder, _, args: build(builder, *args, tilted)

    return pack


def _pack_near(builder: Any, rough: Any, names: Any, left: Any, *where: Any) -> Any:
    slot, box, reach2, out, m, tilted = where
    named, slots = _slots(builder, names, WIDE)
    centre = _centre(builder, rough, slot, SINGLE, 16)
    _, r2 = _nearest(builder, _rough_lines(builder, rough, slots), centre, box, tilted)
    outer, inner = (builder.extract_value(reach2, k) for k in range(2))
    mask = _inside(builder, r2, outer, left)
    sure = builder.fcmp_ordered("<", r2, splat(builder, inner, WIDE))
    doubtful = builder.and_(mask, builder.not_(sure))
    bits = builder.bitcast(doubtful, ir.IntType(WIDE))
    _keep(builder, named, mask, item(builder, out, m, named.type, 4))
    clear = builder.icmp_unsigned("==", bits, ir.Constant(bits.type, 0))
    return builder.select(clear, _counted(builder, mask, m), long(-1))


def _pack_exactly(builder: Any, points: Any, names: Any, left: Any, *where: Any) -> Any:
    slot, box, reach2, out, m, tilted = where
    named, slots = _slots(builder, names, LANES)
    centre = _centre(builder, points, slot, DOUBLE, 32)
    _, r2 = _nearest(builder, _lines(builder, points, slots), centre, box, tilted)
    mask = _inside(builder, r2, reach2, left)
    _keep(builder, named, mask, item(builder, out, m, named.type, 4))
    return _counted(builder, mask, m)


pack_near, pack_near_tilted = (_packer(False, tilted) for tilted in (False, True))
pack_exactly, pack_exactly_tilted = (_packer(True, tilted) for tilted in (False, True))


def _separator(tilted: bool) -> Any:
    """How far the eight particles named at address `names` are from the one in a slot, along three
    axes and squared.
    """

    @intrinsic
    def separate(typing: Any, points: Any, names: Any, slot: Any, box: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            points, names, slot, box = args
            _, slots = _slots(builder, names, LANES)
            centre = _centre(builder, points, slot, DOUBLE, 32)
            away, r2 = _nearest(builder, _lines(builder, points, slots), centre, box, tilted)
            return context.make_tuple(builder, signature.return_type, (*away, r2))

        return types.UniTuple(lanes.REALS, 4)(*[types.int64] * 4), build

    return separate


separations, separations_tilted = _separator(tilted=False), _separator(tilted=True)


def _finder(images: bool) -> Any:
    """Of sixteen candidates from `first` on, keep those inside the reach except `me`: slots, ranks
    and squared distances.

    `where` are the addresses of the candidates' float32 coordinates, each axis `row` numbers after
    the last, of their slots and their ranks; `out` those of what is kept from m on. Without
    `images` the candidates are nearest images already.
    """

    @intrinsic
    def find(
        typing: Any,
        where: Any,
        row: Any,
        first: Any,
        left: Any,
        me: Any,
        centre: Any,
        box: Any,
        reach2: Any,
        out: Any,
        m: Any,
    ) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            where, row, first, left, me, centre, box, reach2, out, m = args
            floats, integers = ir.VectorType(SINGLE, WIDE), ir.VectorType(INTEGER, WIDE)
            rough, slots, ranks = (builder.extract_value(where, k) for k in range(3))
            places = [builder.add(first, builder.mul(row, long(axis))) for axis in range(3)]
            coordinates = [
                builder.load(item(builder, rough, place, floats, 4), align=4) for place in places
            ]
            _, r2 = _nearest(builder, coordinates, centre, box if images else None)
            numbers, keys = (
                builder.load(item(builder, address, first, integers, 4), align=4)
                for address in (slots, ranks)
            )
            others = builder.icmp_signed(
                "!=", numbers, splat(builder, builder.trunc(me, INTEGER), WIDE)
            )
            mask = builder.and_(_inside(builder, r2, reach2, left), others)
            for k, vector in enumerate((numbers, keys, r2)):
                _keep(
                    builder,
                    vector,
                    mask,
                    item(builder, builder.extract_value(out, k), m, vector.type, 4),
                )
            return _counted(builder, mask, m)

        return types.int64(
            where, *[types.int64] * 4, centre, types.int64, types.float32, out, types.int64
        ), build

    return find


find_near, find_near_images = _finder(images=False), _finder(images=True)


@intrinsic
def count_before(typing: Any, keys: Any, n: Any, order: Any) -> Any:
    """For each of n int32 keys the number of smaller ones: its place when they are sorted. Both
    arrays have room for 16 more.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        keys, n, order = args
        integers = ir.VectorType(INTEGER, WIDE)
        with cgutils.for_range_slice(builder, long(0), n, long(WIDE), inc=True) as (at, _):
            mine, before = (
                builder.load(item(builder, keys, at, integers, 4), align=4),
                cgutils.alloca_once(builder, integers),
            )
            builder.store(ir.Constant(integers, None), before)
            with cgutils.for_range(builder, n, intp=LONG) as loop:
                key = splat(
                    builder, builder.load(item(builder, keys, loop.index, INTEGER, 4)), WIDE
                )
                smaller = builder.sext(builder.icmp_signed("<", key, mine), integers)
                builder.store(builder.sub(builder.load(before), smaller), before)
            builder.store(builder.load(before), item(builder, order, at, integers, 4), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), build
