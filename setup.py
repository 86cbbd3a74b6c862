"""The long description for an index of packages: README.md, with links that work away from here."""

import re
import tomllib
from pathlib import Path

from setuptools import setup

source = tomllib.loads(Path("pyproject.toml").read_text())["project"]["urls"]["Source"]
text = Path("README.md").read_text(encoding="utf-8")
for pattern, view in (
    (r"(!\[[^]]*\]\()(?!\w+:)", "raw"),
    (r"(?<!!)(\[[^]]*\]\()(?!\w+:|#)", "blob"),
):
    text = re.sub(pattern, rf"\1{source}/{view}/HEAD/", text)
setup(long_description=text, long_description_content_type="text/markdown")
