"""From a mismatch of stated axes to the error that is raised, warned of or handed over, at the user's line."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType, FunctionType
from typing import Final, Literal

import beartype
import jaxtyping
import torch

from rnnshape_guard.findings import Because, Finding
from rnnshape_guard.runtime.errors import Binding, ShapeContractError, UserPlace, at_user_line
from rnnshape_guard.runtime.generated import FILE
from rnnshape_guard.runtime.matching import Mismatch
from rnnshape_guard.runtime.sources import SourceFile, Spots, source_of

CODE: Final = "RSG901"
OnViolation = Literal["raise", "warn"] | Callable[[ShapeContractError], object]

_NOT_THE_USERS: Final = (
    *(str(Path(one.__file__ or "").parent) + "/" for one in (torch, beartype, jaxtyping)),
    str(Path(__file__).parent) + "/",
    FILE,
    "<@beartype",
)


class ShapeContractWarning(UserWarning):
    """What `guard(on_violation="warn")` warns with."""


def user_frame() -> FrameType | None:
    """The nearest frame that is the user's: not torch's, not ours."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_NOT_THE_USERS):
        frame = frame.f_back
    return frame


def user_place() -> UserPlace | None:
    """The user's line that is being run."""
    frame = user_frame()
    return None if frame is None else Spots().of(frame).place


def place_of(function: FunctionType) -> UserPlace | None:
    """Where a function is defined: its name."""
    source, node = _definition(function)
    return None if node is None else source.place(node, function.__name__)


def place_of_return(function: FunctionType) -> UserPlace | None:
    """The only return statement of a function, else where it is defined."""
    source, node = _definition(function)
    if node is None:
        return None
    inner = [one for one in ast.walk(node) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
    found = [one for one in ast.walk(node) if isinstance(one, ast.Return)]
    return source.place(found[0] if len(found) == 1 and len(inner) == 1 else node, function.__name__)


def _definition(function: FunctionType) -> tuple[SourceFile, ast.FunctionDef | ast.AsyncFunctionDef | None]:
    code = function.__code__
    source: SourceFile = source_of(code.co_filename)
    return source, source.functions.get((code.co_firstlineno, code.co_name))


def violation(
    mismatch: Mismatch,
    names: Mapping[str, Binding],
    *,
    layer: str = "",
    place: UserPlace | None = None,
    because: tuple[Because, ...] = (),
) -> ShapeContractError:
    """The error of a mismatch. Without a place it is at the user's line that is being run."""
    finding = Finding(
        code=CODE,
        message=mismatch.message,
        place=place or user_place(),
        expected=mismatch.expected,
        found=mismatch.found,
        because=because,
    )
    return ShapeContractError(finding, layer=layer, bindings=names)


def located(error: ShapeContractError) -> ShapeContractError:
    """An error about something that has no line (a layer built elsewhere) stands at the user's line that is being run."""
    place = error.place
    if isinstance(place, UserPlace) and place.span.filename:
        return error
    finding = replace(error.finding, place=user_place())
    return ShapeContractError(finding, layer=error.layer, bindings=error.bindings)


def tell(error: ShapeContractError, how: OnViolation, cause: BaseException | None = None) -> None:
    """Raise an error so that its traceback ends at the user's line, warn of it, or hand it to the user's function."""
    __tracebackhide__ = True
    if callable(how):
        how(error)
    elif how == "warn":
        place = error.place
        if isinstance(place, UserPlace):
            warnings.warn_explicit(
                str(error), ShapeContractWarning, place.span.filename, place.span.start.row, registry={}
            )
        else:
            warnings.warn(str(error), ShapeContractWarning, stacklevel=2)
    else:
        raise at_user_line(error, error.place) from cause
