"""`guard(model)`, `guarded(model)` and `unguard`: a model that someone else wrote, with its mistake.

The models are those of `broken/`, as they are. PyTorch runs both in silence; guarded, both raise at their first batch, and
the error names the line in their file.
"""

import runpy
import warnings
from pathlib import Path

import torch
from torch import nn

from rnnshape_guard import ShapeContractError, ShapeContractWarning, guard, guarded, unguard

BROKEN = Path(__file__).parent / "broken"


def build(program: str) -> nn.Module:
    """The model of a broken program."""
    model: nn.Module = runpy.run_path(str(BROKEN / program))["Forecaster"](features=2, hidden=5)
    return model


def shown(words: object) -> str:
    """What is said, without the folder that this machine keeps the examples in."""
    return str(words).replace(f"{BROKEN.parent}/", "")


def main() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 2)

    model = build("half_seen_last_step.py")
    print(f"bare, it runs: {tuple(model(x).shape)}")
    guard(model)
    try:
        model(x)
    except ShapeContractError as error:
        print("guard(model), and it raises:")
        print(shown(error))
    unguard(model)
    print(f"unguard(model), and it runs again: {tuple(model(x).shape)}")
    print()

    other = build("last_window_for_last_step.py")
    with warnings.catch_warnings(record=True) as caught, guarded(other, on_violation="warn"):
        warnings.simplefilter("always", ShapeContractWarning)
        forecast = other(x)
    print(f'guarded(model, on_violation="warn") lets it run, {tuple(forecast.shape)}, and warns:')
    print(shown(caught[0].message))


if __name__ == "__main__":
    main()
