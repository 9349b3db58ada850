"""How the checker does on code that nobody wrote for it: public packages with recurrent models.

    python benchmarks/real_code.py [--cache-dir FOLDER] [NAME …]

Each package of `wild/packages.toml` is downloaded through pip into a cache outside the repository, unpacked and checked. It
prints what was found and how fast, and compares the findings with `wild/verdicts.toml`, where each one that was read has
its verdict.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    runpy.run_module("benchmarks.wild", run_name="__main__", alter_sys=True)
