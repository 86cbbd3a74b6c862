"""Layer 3, once more: the PTX that NVIDIA's compiler made, as C++ for g++, so that what runs is
what was really compiled.

Registers are unsigned integers of their width and every instruction says how it reads them. An
instruction that is not known here is an error; local memory is not known.
"""

import re

C_TYPES = {
    **{f"{kind}{bits}": f"uint{bits}_t" for kind in "ub" for bits in (8, 16, 32, 64)},
    **{f"s{bits}": f"int{bits}_t" for bits in (8, 16, 32, 64)},
    "f32": "float",
    "f64": "double",
    "pred": "bool",
}

PRELUDE = r"""
#include "cuda_on_cpu.h"
#include <cfenv>
#include <limits>
#include <type_traits>
typedef unsigned __int128 wide;
static char shared_memory[49152];
template <class T, class R> static T as(R r) {
    if constexpr (std::is_floating_point_v<T>) return same_bits<T>(r); else return T(r);
}
template <class R, class T> static void put(R& r, T value) {
    if constexpr (std::is_same_v<T, float>) r = same_bits<uint32_t>(value);
    else if constexpr (std::is_same_v<T, double>) r = same_bits<uint64_t>(value);
    else r = R(value);
}
template <class T> static T load(uint64_t at) {
    T value;
    memcpy(&value, (void*)at, sizeof value);
    return value;
}
template <class T> static void store(uint64_t at, T value) {
    memcpy((void*)at, &value, sizeof value);
}
template <class T> static T shl(T a, uint32_t n) { return n < 8 * sizeof a ? T(a << n) : T(0); }
template <class T> static T shr(T a, uint32_t n) {
    return n < 8 * sizeof a ? T(a >> n) : T(a < 0 ? -1 : 0);
}
template <class I, class F> static I to_integer(F x) {
    using limits = std::numeric_limits<I>;
    if (x != x) return I(0);
    return x <= F(limits::min()) ? limits::min() : x >= F(limits::max()) ? limits::max() : I(x);
}
static float flushed(float x) { return std::fabs(x) < FLT_MIN ? std::copysign(0.0f, x) : x; }
static float saturated(float x) { return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f; }
template <class T>
__attribute__((noinline)) static T rounded(int mode, T (*f)(T, T, T), T a, T b, T c) {
    volatile T x = a, y = b, z = c;
    fesetround(mode);
    volatile T out = f(x, y, z);
    fesetround(FE_TONEAREST);
    return out;
}
"""

SPECIAL = {"tid": "threadIdx", "ntid": "blockDim", "ctaid": "blockIdx", "nctaid": "gridDim"}
ROUND = {"rz": "FE_TOWARDZERO", "rm": "FE_DOWNWARD", "rp": "FE_UPWARD"}
TO_WHOLE = {"rni": "rint", "rzi": "trunc", "rmi": "floor", "rpi": "ceil"}
COMPARE = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "lo": "<",
    "ls": "<=",
    "hi": ">",
    "hs": ">=",
}
BINARY = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "and": "&",
    "or": "|",
    "xor": "^",
    "rem": "%",
}
UNARY = {
    "sqrt": "std::sqrt({})",
    "rcp": "1 / {}",
    "neg": "-{}",
    "abs": "std::abs({})",
    "rsqrt": "1 / std::sqrt({})",
    "ex2": "std::exp2({})",
    "lg2": "std::log2({})",
    "sin": "std::sin({})",
    "cos": "std::cos({})",
}


def translation_unit(texts):
    """C++ text with a C function ``launch_<number>_<kernel>`` for each kernel of each PTX text."""
    return "\n".join(
        [
            PRELUDE,
            *(f"namespace ptx_{k} {{\n{_Module(text, k).text}\n}}" for k, text in enumerate(texts)),
        ]
    )


def _operands(text):
    """Split at commas that are not inside braces or brackets."""
    return [part.strip() for part in re.split(r",(?![^{\[]*[}\]])", text) if part.strip()]


class _Module:
    def __init__(self, ptx, number):
        ptx = re.sub(r"//[^\n]*|/\*.*?\*/", "", ptx, flags=re.DOTALL)
        assert ".func" not in ptx, "a function that was not inlined"
        self.shared, self.top = {}, 0
        head = ptx.split(".visible .entry")[0]
        table = r"\.const \.align \d+ \.b8 ([\w$]+)\[\d+\] = \{(.*?)\};"
        tables = re.findall(table, head, re.DOTALL)
        self.constants = [name for name, _ in tables]
        for line in re.findall(r"\.shared[^;]*;", head):
            self._share(line)
        self.text = "\n".join(
            f"alignas(8) static const uint8_t {name}[] = {{{octets}}};" for name, octets in tables
        )
        self.text += "\n".join(
            self._kernel(number, *found)
            for found in re.findall(r"\.visible \.entry (\w+)\((.*?)\)(.*?)^\}", ptx, re.S | re.M)
        )

    def _share(self, line):
        align, kind, name, count = re.search(
            r"(?:\.align (\d+) )?\.(\w+) ([\w$]+)(?:\[(\d+)\])?;", line
        ).groups()
        size = int(align or 8)
        self.top = -(-self.top // size) * size
        self.shared[name] = self.top
        self.top += int(count or 1) * int(kind[1:]) // 8
        assert self.top <= 49152

    def _kernel(self, number, name, parameters, rest):
        self.parameters = {
            word: k for k, word in enumerate(re.findall(r"([\w$]+_param_\d+)", parameters))
        }
        self.registers, lines = {}, []
        body = rest[rest.index("{") + 1 :]
        for statement in re.findall(r"\s*([\w$]+:|[^;{}]*(?:\{[^}]*\}[^;{}]*)*;)", body):
            statement = " ".join(statement.split())
            if statement.endswith(":"):
                lines.append(f"{_label(statement[:-1])}:;")
            elif statement.startswith(".reg"):
                kind, prefix, count = re.fullmatch(
                    r"\.reg \.(\w+) (%\w+)<(\d+)>;", statement
                ).groups()
                for k in range(int(count)):
                    self.registers[f"{prefix}{k}"] = (
                        f"{prefix[1:]}_{k}",
                        C_TYPES[re.sub("[sf]", "b", kind) if kind != "pred" else kind],
                    )
            elif statement.startswith(".shared"):
                self._share(statement)
            elif not statement.startswith((".pragma", ".loc", ".maxntid")):
                lines.append(self._instruction(statement[:-1]))
        declared = "\n".join(
            f"    {kind} {name} = 0; (void){name};" for name, kind in self.registers.values()
        )
        barriers = int("__syncthreads" in " ".join(lines))
        return (
            f"static void {name}(void** a) {{\n{declared}\n    " + "\n    ".join(lines) + "\n}\n"
            f'extern "C" int launch_{number}_{name}'
            f"(void** a, unsigned x, unsigned y, unsigned block) "
            f"{{ return launch({name}, a, x, y, block, {barriers}); }}"
        )

    def read(self, operand, kind):
        """C expression of an operand read as a type."""
        c = C_TYPES[kind]
        if operand in self.registers:
            return f"as<{c}>({self.registers[operand][0]})"
        if found := re.fullmatch(r"0[fF](\w{8})", operand):
            return f"as<{c}>(uint32_t(0x{found[1]}u))"
        if found := re.fullmatch(r"0[dD](\w{16})", operand):
            return f"as<{c}>(uint64_t(0x{found[1]}ull))"
        if operand == "-9223372036854775808":
            return f"{c}(INT64_MIN)"
        if re.fullmatch(r"-?\d+", operand):
            return f"{c}({operand}{'ull' if not operand.startswith('-') else 'll'})"
        if found := re.fullmatch(r"%(tid|ntid|ctaid|nctaid)\.([xyz])", operand):
            return f"{c}({SPECIAL[found[1]]}.{found[2]})"
        if operand in self.constants:
            return f"{c}(uintptr_t({operand}))"
        if operand in self.shared:
            return f"{c}({self.shared[operand]})"
        raise NotImplementedError(f"operand {operand}")

    def write(self, operand, expression):
        return f"put({self.registers[operand][0]}, {expression});"

    def address(self, operand, modifiers):
        base, offset = re.fullmatch(r"\[([%\w$]+)(?:\+(-?\d+))?\]", operand).groups()
        if "param" in modifiers:
            return f"(uint64_t(a[{self.parameters[base]}]) + {offset or 0})"
        origin = "uint64_t(shared_memory) + " if "shared" in modifiers else ""
        return f"({origin}{self.read(base, 'u64')} + ({offset or 0}))"

    def _instruction(self, text):
        guard = ""
        if found := re.match(r"@(!?)(%\w+) (.*)", text):
            guard, text = f"if ({found[1]}{self.registers[found[2]][0]}) ", found[3]
        name, _, rest = text.partition(" ")
        op, *modifiers = name.split(".")
        return f"{guard}{{ {self._effect(text, op, modifiers, _operands(rest))} }}"

    def _effect(self, text, op, modifiers, operands):
        kind = modifiers[-1] if modifiers else ""
        match op:
            case "bra":
                return f"goto {_label(operands[0])};"
            case "ret":
                return "return;"
            case "bar" | "barrier":
                return "__syncthreads();"
            case "membar" | "fence":
                return ""
            case "ld":
                at, size = self.address(operands[1], modifiers), int(kind[1:]) // 8
                targets = _operands(operands[0].strip("{}"))
                return " ".join(
                    self.write(t, f"load<{C_TYPES[kind]}>({at} + {k * size})")
                    for k, t in enumerate(targets)
                )
            case "st":
                at, size = self.address(operands[0], modifiers), int(kind[1:]) // 8
                values = _operands(operands[1].strip("{}"))
                return " ".join(
                    f"store<{C_TYPES[kind]}>({at} + {k * size}, {self.read(v, kind)});"
                    for k, v in enumerate(values)
                )
            case "atom":
                c, at, value = (
                    C_TYPES[kind],
                    self.address(operands[1], modifiers),
                    self.read(operands[2], kind),
                )
                function = {"add": "atomicAdd", "min": "atomicMin", "max": "atomicMax"}[
                    modifiers[-2]
                ]
                return self.write(operands[0], f"{function}(({c}*){at}, {value})")
            case "mov" if operands[0].startswith("{"):
                parts, width = _operands(operands[0].strip("{}")), int(kind[1:])
                value = self.read(operands[1], f"b{width}")
                return " ".join(
                    self.write(part, f"{value} >> {k * width // len(parts)}")
                    for k, part in enumerate(parts)
                )
            case "mov" if operands[1].startswith("{"):
                parts, width = _operands(operands[1].strip("{}")), int(kind[1:])
                step = width // len(parts)
                terms = (
                    f"{C_TYPES[kind]}({self.read(part, f'b{step}')}) << {k * step}"
                    for k, part in enumerate(parts)
                )
                return self.write(operands[0], " | ".join(terms))
            case "mov":
                return self.write(operands[0], self.read(operands[1], kind))
            case "cvta" if "to" in modifiers and "global" in modifiers:
                return self.write(operands[0], self.read(operands[1], kind))
            case "setp":
                return self._compare(modifiers, operands)
            case "cvt":
                return self.write(operands[0], self._convert(modifiers, operands[1]))
        return self.write(operands[0], self._value(text, op, modifiers, operands))

    def _compare(self, modifiers, operands):
        kind = modifiers[-1]
        a, b = self.read(operands[1], kind), self.read(operands[2], kind)
        relation, unordered = modifiers[0], f"({a} != {a} || {b} != {b})"
        if kind in ("f32", "f64") and relation not in COMPARE:
            if relation in ("nan", "num"):
                value = unordered if relation == "nan" else f"!{unordered}"
            else:
                value = f"({unordered} || {a} {COMPARE[relation.removesuffix('u')]} {b})"
        else:
            value = f"({a} {COMPARE[relation]} {b})"
            if relation == "ne" and kind in ("f32", "f64"):
                value = f"({value} && !{unordered})"
        if len(operands) > 3:
            other = operands[3]
            value = (
                f"{value} {BINARY[modifiers[1]]} "
                f"{'!' * other.startswith('!')}{self.registers[other.strip('!')][0]}"
            )
        return self.write(operands[0], value)

    def _convert(self, modifiers, operand):
        target, source = modifiers[-2:]
        value, floats = self.read(operand, source), ("f32", "f64")
        for rule in modifiers[:-2]:
            if rule in TO_WHOLE:
                value = f"std::{TO_WHOLE[rule]}({value})"
            elif rule == "sat" and target == source == "f32":
                value = f"saturated({value})"
            elif rule not in ("rn", "ftz"):
                raise NotImplementedError(f"cvt.{'.'.join(modifiers)}")
        if source in floats and target not in floats:
            return f"to_integer<{C_TYPES[target]}>({value})"
        return f"{C_TYPES[target]}({value})"

    def _value(self, text, op, modifiers, operands):
        if not modifiers:
            raise NotImplementedError(text)
        kind = modifiers[-1]
        floats, c = kind in ("f32", "f64"), C_TYPES[kind]
        a, b, d = (
            self.read(o, kind) if k < len(operands) - 1 and not o.startswith("%p") else o
            for k, o in enumerate((*operands[1:4], "", "", "")[:3])
        )
        if floats:
            known = {"rn", "ftz", "approx", "full", kind}
            if (modes := [m for m in modifiers if m in ROUND]) and op in ("add", "fma"):
                function = (
                    f"[]({c} x, {c} y, {c} z) {{ return "
                    f"{'x + y' if op == 'add' else 'std::fma(x, y, z)'}; }}"
                )
                return (
                    f"rounded<{c}>({ROUND[modes[0]]}, {function}, {a}, {b}, "
                    f"{d if op == 'fma' else 0})"
                )
            if not set(modifiers) <= known:
                raise NotImplementedError(text)
            flush = "flushed" if "ftz" in modifiers and kind == "f32" else ""
            if flush:
                a, b, d = (f"flushed({v})" if v else v for v in (a, b, d))
            if op in UNARY:
                return f"{flush}({c}({UNARY[op].format(a)}))"
            if op == "fma":
                return f"{flush}(std::fma({a}, {b}, {d}))"
            if op in ("min", "max"):
                return f"std::f{op}({a}, {b})"
            if op in ("add", "sub", "mul", "div"):
                return f"{flush}({a} {BINARY[op]} {b})"
            if op == "copysign":
                return f"std::copysign({b}, {a})"
        if op == "selp":
            return f"{self.registers[operands[3]][0]} ? {a} : {b}"
        if kind == "pred":
            values = [self.registers[o][0] for o in operands[1:]]
            return f"!{values[0]}" if op == "not" else f"{values[0]} {BINARY[op]} {values[1]}"
        if floats:
            raise NotImplementedError(text)
        if op in ("mul", "mad") and "wide" in modifiers:
            double = f"{kind[0]}{2 * int(kind[1:])}"
            product = f"{C_TYPES[double]}({a}) * {C_TYPES[double]}({b})"
            return product + (f" + {self.read(operands[3], double)}" if op == "mad" else "")
        if op == "mul" and "hi" in modifiers:
            return f"{c}(({'wide' if kind[0] == 'u' else '__int128'}({a}) * {b}) >> {kind[1:]})"
        if op in ("mad", "mul", "add", "sub") and not set(modifiers) - {"lo", kind}:  # wrapping
            unsigned = "u" + kind[1:]
            a, b, d = (self.read(o, unsigned) for o in (*operands[1:], "0", "0")[:3])
            return f"{c}({a} * {b} + {d})" if op == "mad" else f"{c}({a} {BINARY[op]} {b})"
        if op in ("and", "or", "xor", "div", "rem"):
            return f"{a} {BINARY[op]} {b}"
        if op in ("shl", "shr"):
            return f"{op}<{c}>({a}, {self.read(operands[2], 'u32')})"
        if op in ("min", "max"):
            return f"std::{op}({a}, {b})"
        if op == "not":
            return f"~{a}"
        if op == "neg":
            return f"-{a}"
        raise NotImplementedError(text)


def _label(name):
    return "L" + re.sub(r"\W", "_", name)
