"""Sphinx builds the site from these pages, the docstrings and the demos; nothing in it needs a
network.
"""

import os
import re
from pathlib import Path

import sphinx.ext.autosummary
from docutils import nodes
from latex2mathml.converter import convert
from sphinx_gallery.sorting import ExplicitOrder

HERE = Path(__file__).parent
os.environ["MPLBACKEND"] = "Agg"

import langevin_sa  # noqa: E402

project, author, release = "langevin_sa", "langevin_sa authors", langevin_sa.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
default_role = "code"
# they load scripts from elsewhere
exclude_patterns = [
    "_build",
    "_templates",
    "sg_execution_times.rst",
    "gallery/sg_execution_times.rst",
]

html_theme = "furo"
html_math_renderer = "mathml"
html_title = "langevin_sa"
html_show_sourcelink = html_show_sphinx = html_show_copyright = False
html_css_files = ["style.css"]
html_static_path = ["_static"]

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
suppress_warnings = ["config.cache"]  # conf.py holds functions

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types, shapes and units
autosummary_generate = True
autodoc_mock_imports = ["torch", "jax", "optax"]  # the site is built without them
sphinx.ext.autosummary.WELL_KNOWN_ABBREVIATIONS += ("Eq.", "Eqs.", "Fig.")  # they end no sentence
napoleon_google_docstring = False
napoleon_use_rtype = False

ORDER = [  # of the gallery, as one would teach it
    "three_arrows",
    "momentum_is_langevin",
    "boltzmann_sampling",
    "which_temperature",
    "thermostat_error",
    "every_integrator",
    "samplers_at_any_step",
    "slow_cooling",
    "anneal_or_quench",
    "kramers_escape",
    "friction",
    "freezing",
    "cooling_rate_law",
    "rastrigin_ten",
    "two_funnels",
    "spin_glass_quench",
    "million_sites",
    "gas_liquid_crystal",
    "coolmomentum_cools",
    "exact_gradients_never_anneal",
    "noisy_gradients",
]
sphinx_gallery_conf = {
    "examples_dirs": "../demos",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/[a-z]\w*\.py$",
    "ignore_pattern": r"_figures\.py$",
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 10**6,
    "thumbnail_size": (420, 300),
    "within_subsection_order": ExplicitOrder([f"{name}.py" for name in ORDER] + ["*"]),
}


def math(self, node, display):
    """Write a formula as MathML, which browsers draw by themselves: no script, no font and no
    network.
    """
    # an upright Delta
    formula = re.sub(
        r"<mi>(&#x00394;)", r'<mi mathvariant="normal">\1', convert(node.astext(), display=display)
    )
    self.body.append(f'<div class="math">{formula}</div>' if display == "block" else formula)
    raise nodes.SkipNode


def escape_bars(app, what, name, obj, options, lines):
    """In docstrings \|x\| is a modulus, not a substitution."""
    lines[:] = [re.sub(r"(``.*?``)|\|", lambda found: found[1] or r"\|", line) for line in lines]


def setup(app):
    app.connect("autodoc-process-docstring", escape_bars)
    app.add_html_math_renderer(
        "mathml",
        (lambda self, node: math(self, node, "inline"), None),
        (lambda self, node: math(self, node, "block"), None),
    )
