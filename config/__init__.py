"""The site's configuration: YAML files, checked in full before anything uses them.

>>> from config import ConfigErrors, load
>>> try:
...     config = load("/etc/acd")
... except ConfigErrors as errors:
...     print(errors)  # one line per error: file:line:column: what is wrong; what would be right
"""

from pathlib import Path
from typing import Final

from config.loader import Config, load
from config.problems import ConfigErrors, Position, Problem, Severity

__all__ = ["EXAMPLES", "Config", "ConfigErrors", "Position", "Problem", "Severity", "load"]

EXAMPLES: Final = Path(__file__).parent / "examples"
"""The folder of the example sites: ``demo`` and ``bank``."""
