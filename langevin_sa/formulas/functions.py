"""The functions of a formula in sympy, and how those that no target has are written out.

sympy's own max, floor and their like doubt whether arguments are real, rewrite them at length and
have delta functions for derivatives. Here a derivative leaves out what is concentrated at a kink or
a step, and is the mean of both sides at a kink.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import sympy as sp

from .parse import SMOOTH


class Real(sp.Function):
    """Its argument, of which sympy does not know that it is real: log(x), say."""

    nargs = 1
    is_extended_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        return sp.Integer(1)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        (inside,) = self.args
        if inside.is_Function:
            return str(printer._print(inside, **({} if exp is None else {"exp": exp})))
        text = str(printer._print(inside))
        text = rf"\left({text}\right)" if exp is not None or inside.is_Add else text
        return text if exp is None else f"{text}^{{{exp}}}"


class Own(sp.Function):
    """A function of real numbers, a number if all its arguments are; `written`, if it is there,
    says it in functions that every target has.
    """

    is_extended_real = True
    shown: str  # in LaTeX

    @classmethod
    def eval(cls, *args: Any) -> Any:
        return cls.number(*args) if all(a.is_number for a in args) else None

    @classmethod
    def number(cls, *args: Any) -> Any:
        raise NotImplementedError

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        text = self.shown.format(*map(printer._print, self.args))
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


class Floor(Own):
    nargs = 1
    shown = r"\left\lfloor{{{}}}\right\rfloor"

    @classmethod
    def number(cls, *args: Any) -> Any:
        return sp.Integer(math.floor(float(args[0])))

    def fdiff(self, argindex: int = 1) -> Any:
        return sp.Integer(0)


class Max(Own):
    nargs = 2
    shown = r"\max\left({}, {}\right)"

    @classmethod
    def number(cls, *args: Any) -> Any:
        return max(args, key=float)

    def fdiff(self, argindex: int = 1) -> Any:
        mine, other = self.args if argindex == 1 else self.args[::-1]
        return step(mine - other)


class Min(Own):
    nargs = 2
    shown = r"\min\left({}, {}\right)"

    @classmethod
    def number(cls, *args: Any) -> Any:
        return min(args, key=float)

    def fdiff(self, argindex: int = 1) -> Any:
        mine, other = self.args if argindex == 1 else self.args[::-1]
        return step(other - mine)


class Where(Own):
    """b where a is positive, else c."""

    nargs = 3
    shown = r"\begin{{cases}} {1} & {0} > 0 \\ {2} & \text{{otherwise}} \end{{cases}}"

    @classmethod
    def eval(cls, a: Any, b: Any, c: Any) -> Any:
        if b == c:
            return b
        return (b if float(a) > 0 else c) if a.is_number else None

    def _eval_derivative(self, s: Any) -> Any:
        a, b, c = self.args
        return Where(a, b.diff(s), c.diff(s))  # no product with a branch that is not taken


class Mod(Own):
    """a - b*floor(a/b), of the sign of b."""

    nargs = 2
    shown = r"\operatorname{{mod}}\left({}, {}\right)"

    @classmethod
    def number(cls, *args: Any) -> Any:
        a, b = args
        return a - b * Floor(a / b) if b else sp.nan

    def fdiff(self, argindex: int = 1) -> Any:
        a, b = self.args
        return sp.Integer(1) if argindex == 1 else -Floor(a / b)

    @staticmethod
    def written(a: str, b: str, named: Callable[[str], str]) -> str:
        return f"({a} - {b}*floor({a}/{b}))"


class Hypot(Own):
    nargs = 2
    shown = r"\operatorname{{hypot}}\left({}, {}\right)"

    @classmethod
    def number(cls, *args: Any) -> Any:
        return sp.sqrt(args[0] ** 2 + args[1] ** 2)

    def fdiff(self, argindex: int = 1) -> Any:
        return Where(self, self.args[argindex - 1] / self, sp.Integer(0))

    @staticmethod
    def written(a: str, b: str, named: Callable[[str], str]) -> str:
        return f"sqrt({a}*{a} + {b}*{b})"


class Atan2(Own):
    """Angle of the point (b, a)."""

    nargs = 2
    shown = r"\operatorname{{atan}}_{{2}}\left({}, {}\right)"

    @classmethod
    def number(cls, *args: Any) -> Any:
        return sp.atan2(*args)

    def fdiff(self, argindex: int = 1) -> Any:
        a, b = self.args
        return (b if argindex == 1 else -a) / (a**2 + b**2)

    @staticmethod
    def written(a: str, b: str, named: Callable[[str], str]) -> str:
        turn = f"where(-{b}, where(-{a}, (-{math.pi}), {math.pi}), 0.0)"
        divisor = f"({b} + where(abs({a}) + abs({b}), 0.0, 1.0))"  # 1 at the origin, and no -0.0
        return f"(atan({a}/{divisor}) + {turn})"


class Erf(Own):
    nargs = 1
    shown = r"\operatorname{{erf}}\left({}\right)"

    @classmethod
    def number(cls, *args: Any) -> Any:
        return sp.erf(args[0])

    def fdiff(self, argindex: int = 1) -> Any:
        return 2 * sp.exp(-(self.args[0] ** 2)) / sp.sqrt(sp.pi)

    @staticmethod
    def written(a: str, named: Callable[[str], str]) -> str:
        """fdlibm's three ranges; beyond 2.86 its second will do, where 1 - erf is below 1e-4."""
        size, square = named(f"abs({a})"), named(f"{a}*{a}")
        beyond, inverse = named(f"{size} - 1.0"), named(f"1.0/{square}")
        low, middle, high = (
            f"{_horner(over, x)}/{_horner((1.0, *under), x)}"
            for x, (over, under) in zip((square, beyond, inverse), _ERF, strict=True)
        )
        high = f"1.0 - exp({high} - 0.5625 - {square})/{size}"
        outer = named(f"where(1.25 - {size}, 0.845062911510467529297 + {middle}, {high})")
        return f"where(0.84375 - {size}, {a} + {a}*({low}), sign({a})*{outer})"


def _horner(coefficients: tuple[float, ...], x: str) -> str:
    *rest, last = map(repr, coefficients)
    text = last
    for c in reversed(rest):
        text = f"({c} + {x}*{text})"
    return text


# Sun's fdlibm, s_erf.c: numerators, and denominators that begin with 1
_ERF = (
    (
        (
            1.28379167095512558561e-01,
            -3.25042107247001499370e-01,
            -2.84817495755985104766e-02,
            -5.77027029648944159157e-03,
            -2.37630166566501626084e-05,
        ),
        (
            3.97917223959155352819e-01,
            6.50222499887672944485e-02,
            5.08130628187576562776e-03,
            1.32494738004321644526e-04,
            -3.96022827877536812320e-06,
        ),
    ),
    (
        (
            -2.36211856075265944077e-03,
            4.14856118683748331666e-01,
            -3.72207876035701323847e-01,
            3.18346619901161753674e-01,
            -1.10894694282396677476e-01,
            3.54783043256182359371e-02,
            -2.16637559486879084300e-03,
        ),
        (
            1.06420880400844228286e-01,
            5.40397917702171048937e-01,
            7.18286544141962662868e-02,
            1.26171219808761642112e-01,
            1.36370839120290507362e-02,
            1.19844998467991074170e-02,
        ),
    ),
    (
        (
            -9.86494403484714822705e-03,
            -6.93858572707181764372e-01,
            -1.05586262253232909814e01,
            -6.23753324503260060396e01,
            -1.62396669462573470355e02,
            -1.84605092906711035994e02,
            -8.12874355063065934246e01,
            -9.81432934416914548592e00,
        ),
        (
            1.96512716674392571292e01,
            1.37657754143519042600e02,
            4.34565877475229228821e02,
            6.45387271733267880336e02,
            4.29008140027567833386e02,
            1.08635005541779435134e02,
            6.57024977031928170135e00,
            -6.04244152148580987438e-02,
        ),
    ),
)


def _real(u: Any) -> Any:
    return u if u.is_extended_real else Real(u)


def sign(u: Any) -> Any:
    """-1, 0 or 1."""
    return sp.sign(_real(u))


def step(u: Any) -> Any:
    """0, 1/2 or 1."""
    return (1 + sign(u)) / 2


_SYMPY = {name: getattr(sp, name) for name in SMOOTH}
_OWN = {"floor": Floor, "max": Max, "min": Min, "where": Where}
_OWN |= {"mod": Mod, "hypot": Hypot, "atan2": Atan2, "erf": Erf}

# what a name in a formula means, and the name of what is to be printed
MEANING: dict[str, Callable[..., Any]] = {
    **_SYMPY,
    **_OWN,
    "abs": lambda u: sp.Abs(_real(u)),
    "sign": sign,
    "step": step,
    "log10": lambda u: sp.log(u) / sp.log(10),
}
NAMES = {function: name for name, function in (_SYMPY | _OWN).items()}
NAMES |= {sp.Abs: "abs", sp.sign: "sign"}
