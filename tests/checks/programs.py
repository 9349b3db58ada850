"""Programs as tests have them: without imports, and what the checker says of them."""

from __future__ import annotations

from rnnshape_guard.settings import Settings
from rnnshape_guard.static.judgement import judge

_IMPORTS = (
    "import torch, torch.nn as nn, torch.nn.functional as F; from dataclasses import dataclass; "
    "from torch import Tensor; from jaxtyping import Float"
)


def said(program: str, *codes: str) -> list[tuple[int, str]]:
    """Rows and codes of the findings whose code begins with one of `codes`, in order. The program's first line is
    empty and makes room for imports."""
    assert program.startswith("\n")
    found = judge(_IMPORTS + program, "program.py", Settings())
    return sorted((each.span.start.row, each.code) for each in found if each.code.startswith(codes))
