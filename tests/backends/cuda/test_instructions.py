"""Instructions, registers and spills of the kernels, held against a committed table."""

import instructions
import nvrtc
import pytest

from langevin_sa import potentials
from langevin_sa.backends.cuda import source

QUICK = ("double_well", "phi4_chain", "lennard_jones_fluid")
ANEW = "if that is meant, write the table anew: python tests/backends/cuda/instructions.py"


@pytest.fixture
def table():
    """Rows by potential, if this compiler is the one that they were made with."""
    if not nvrtc.library(instructions.RELEASE) or not instructions.disassembler():
        pytest.skip("instructions were NOT counted: the wheels of nvrtc or nvdisasm are missing")
    made, rows = instructions.read()
    if made != instructions.version():
        pytest.skip(f"NOT counted: the table is of NVRTC {made}, not {instructions.version()}")
    return rows


def test_every_potential_is_in_the_table():
    assert list(instructions.read()[1]) == list(instructions.cases())


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in instructions.cases()
    ],
)
def test_the_table_is_true(gpu, table, name):
    found, held = (map(",".join, rows) for rows in (instructions.rows_of(name), table[name]))
    assert list(found) == list(held), ANEW


def test_line_numbers_change_no_instruction(gpu, table):
    U = potentials.double_well()
    code, options = gpu.backend_of(U).code(U, False), source.options(False)
    for target in instructions.TARGETS:
        plain, numbered = (
            instructions.disassemble(nvrtc.compile(code, target, (*more, *options))[1])
            for more in ((), ("-lineinfo",))
        )
        names = [
            [block.names for block in instructions.blocks(text, "replicas")]
            for text in (plain, numbered)
        ]
        assert names[0] == names[1] and sum(map(len, names[0])) > 100


def test_what_is_told_rare_is_in_the_kernels(gpu):
    made = potentials.double_well(), potentials.phi4_chain(), potentials.lennard_jones(38)
    texts = [gpu.backend_of(U).code(U, False) for U in made]
    rows = [code.splitlines() for code in texts]
    fixed = (*instructions.RARE, *instructions.LOOPS.values(), instructions.MAKE)
    for pattern in (*fixed, instructions.PAIRS, instructions.A_PAIR, instructions.APART):
        assert any(instructions.region(lines, pattern) for lines in rows), pattern


MACHINE_CODE = """
.text.f:
//## File "module.cu", line 1
        /*0000*/                   MOV R1, c[0x0][0x28] ;
.L_x_1:
        /*0010*/                   DADD R2, R2, 1 ;
        /*0020*/              @P0 BRA `(.L_x_2) ;
//## File "module.cu", line 2
        /*0030*/                   DMUL R2, R2, R2 ;
        /*0040*/                   MUFU.RSQ R3, R3 ;
.L_x_2:
        /*0050*/              @P1 BRA `(.L_x_1) ;
        /*0060*/                   EXIT ;
        /*0070*/                   NOP ;
.text.g:
"""


def test_the_innermost_loop_begins_where_it_is_entered():
    whole = instructions.blocks(MACHINE_CODE, "f")
    within = instructions.innermost(whole, whole[2])
    assert within[0] is whole[1] and set(within) == set(whole[1:4])
    whole[4].next.append(whole[0])  # another loop around it
    assert instructions.innermost(whole, whole[2])[0] is whole[1]
    assert instructions.innermost(whole, whole[4])[0] is whole[0]


def test_the_longest_way_takes_the_arm_with_more_weight():
    whole = instructions.blocks(MACHINE_CODE, "f")
    assert [name for block in whole for name in block.names] == (
        "MOV DADD BRA DMUL MUFU.RSQ BRA EXIT".split()
    )

    def names(weight):
        return [name for block in instructions.longest(whole, weight) for name in block.names]

    assert "DMUL" in names(lambda block: len(block.names))
    assert "DMUL" not in names(lambda block: 1.0 - 2.0 * ("DMUL" in block.names))
