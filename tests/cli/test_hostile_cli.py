"""Hostile input of the command: files of options, and options."""

from __future__ import annotations

from click.testing import CliRunner
from hostile import examples, refused_or
from hypothesis import given, strategies as st

from langevin_sa.cli import main

TOML = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(str.encode),
    st.lists(
        st.tuples(
            st.sampled_from(
                "dim steps T0 name formula param seed dt schedule replicas odd config save".split()
            ),
            st.sampled_from(
                [
                    "1",
                    "-1",
                    "0",
                    "2.5",
                    "nan",
                    "inf",
                    "'x'",
                    "'harmonic'",
                    "'x**2'",
                    "[1, 2]",
                    "{a = 1}",
                    "true",
                    "2020-01-01",
                    "99999999999999999999",
                    "''",
                ]
            ),
        ),
        max_size=4,
    ).map(lambda lines: "\n".join(f"{k} = {v}" for k, v in lines).encode()),
)


@examples(2)
@given(content=TOML)
def test_toml_files(content, tmp_path_factory):
    """Exit code 0, or 1 or 2 with one line of error."""
    folder = tmp_path_factory.getbasetemp()
    path = folder / "c.toml"
    path.write_bytes(content)
    options = [] if b"save" in content else ["--save", str(folder / "out.npz")]
    outcome(
        [
            "anneal",
            "--config",
            str(path),
            "--steps",
            "3",
            "--replicas",
            "2",
            "--no-progress",
            *options,
        ]
    )


ODD_OPTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "--dim --T0 --T1 --gamma --dt --steps --replicas --seed --target "
                "--max-seconds --param --schedule --integrator --dtype --rho0 --formula "
                "--odd"
            ).split()
        ),
        st.sampled_from(
            [
                "1",
                "0",
                "-1",
                "2",
                "nan",
                "inf",
                "-inf",
                "1e300",
                "1e-300",
                "x",
                "",
                "a=1",
                "a=",
                "gjf",
                "linear",
                "float32",
                "x**2",
                "9" * 30,
            ]
        ),
    ),
    max_size=4,
)


@examples(2)
@given(options=ODD_OPTIONS)
def test_the_command(options):
    outcome(
        [
            "anneal",
            "double_well",
            "--steps",
            "3",
            "--replicas",
            "2",
            "--no-progress",
            *(word for pair in options for word in pair),
        ]
    )


def outcome(arguments):
    """Run the command; no traceback, no NaN as a result."""

    def call():
        done = CliRunner().invoke(main, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code in (0, 1, 2) and (done.exit_code == 0) == (done.exception is None), (
            done.output
        )
        if done.exit_code:
            assert "Error: " in done.output or "non-finite" in done.output, done.output
        else:
            assert "best energy  nan" not in done.output, done.output

    refused_or(call)
