"""Whose code a frame runs: the user's, or a library's that no user edits."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from types import FrameType
from typing import Final

import torch

_TORCH: Final = str(Path(torch.__file__).parent)
_LIBRARIES: Final = tuple(
    str(path)
    for path in (
        Path(torch.__file__).parent,
        Path(__file__).parents[1],
        Path(sysconfig.get_path("stdlib")),
        *(
            Path(folder) / name
            for folder in dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
            for name in ("jaxtyping", "beartype", "einops", "numpy", "torch", "functorch", "_pytest", "pluggy")
        ),
    )
)
_MODULES: Final = tuple(str(path) for path in (Path(torch.__file__).parent / "nn" / "modules").glob("*.py"))
_SURFACE: Final = (
    *_MODULES,
    *(
        str(Path("torch", *words.split("/")))
        for words in "nn/functional.py functional.py _tensor.py overrides.py utils/checkpoint.py nn/parallel/data_parallel.py".split()
    ),
    *("jit_internal.py", "_trace.py", "_contextlib.py", "eval_frame.py", "external_utils.py", "apis.py"),
)
"""Files of torch through which a user's own operations pass; what the others do is their own affair."""
_SITE: Final = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


_GENERATED: Final = ("<frozen", "<@beartype", "<rnnshape_guard", "<attrs", "<__array_function__")
"""Code that a library wrote; what else has no file was typed or executed by the user."""


class Libraries:
    """Which files are libraries', remembered for one run."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}
        self._inner: dict[str, bool] = {}

    def hold(self, filename: str) -> bool:
        """Whether a file is torch's, Python's or another library's. An installed package that holds somebody's model is
        the user's."""
        found = self._known.get(filename)
        if found is None:
            found = self._known[filename] = _is_library(filename)
        return found

    def user_frame(self, frame: FrameType | None) -> FrameType | None:
        """The innermost frame of the user's own code."""
        while frame is not None and self.hold(frame.f_code.co_filename):
            frame = frame.f_back
        return frame

    def caller(self, frame: FrameType | None) -> FrameType | None:
        """The user's frame that an operation belongs to; None for what libraries do by themselves (an optimizer's step,
        an initialization), which no program reads as its own."""
        while frame is not None and self.hold(frame.f_code.co_filename):
            if self._is_inner(frame.f_code.co_filename):
                return None
            frame = frame.f_back
        return frame

    def _is_inner(self, filename: str) -> bool:
        found = self._inner.get(filename)
        if found is None:
            found = self._inner[filename] = filename.startswith(_TORCH) and not filename.endswith(_SURFACE)
        return found


def _is_library(filename: str) -> bool:
    if filename.startswith(_SITE):
        return filename.startswith(_LIBRARIES)
    if filename.startswith("<"):
        return filename.startswith(_GENERATED)
    return filename.startswith(_LIBRARIES)
