"""`@guard` on a forward and on a training step: targets in a row against forecasts in a column.

Forecasts (batch, 1) and targets (batch,) broadcast to (batch, batch): every forecast is compared with every target, and the
loss falls all the same. Here it depends on how the file with the targets was written.
"""

import json
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnnshape_guard import ShapeContractError, guard

COLUMN = "[[1.0], [2.0], [3.0], [4.0]]"
ROW = "[1.0, 2.0, 3.0, 4.0]"


class Batch(NamedTuple):
    """What a loader brings."""

    windows: Float[Tensor, "batch time feature"]
    targets: Float[Tensor, "batch 1"]


class Forecaster(nn.Module):
    """Forecasts the next value of a series."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.LSTM(features, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    @guard
    def forward(self, x: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch 1"]:
        _, (h_n, _) = self.rnn(x)
        return self.head(h_n[-1])


@guard
def training_step(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """The loss of one batch."""
    return (model(batch.windows) - batch.targets).square().mean()


def main() -> None:
    torch.manual_seed(0)
    model = Forecaster(features=2, hidden=5)
    windows = torch.randn(4, 3, 2)
    right, wrong = (Batch(windows, torch.tensor(json.loads(file))) for file in (COLUMN, ROW))
    print(f"targets {tuple(right.targets.shape)}: the loss is {training_step(model, right).item():.2f}")
    pairs = model(windows) - wrong.targets
    print(f"targets {tuple(wrong.targets.shape)}: bare, the loss would be of {tuple(pairs.shape)} pairs")
    try:
        training_step(model, wrong)
    except ShapeContractError as error:
        print("guarded, the step raises a ShapeContractError:")
        print(f"  code     {error.code}")
        print(f"  message  {error.message}")
        print(f"  expected {error.expected}")
        print(f"  found    {error.found}")
        print(f"  because  {error.evidence[0]}")


if __name__ == "__main__":
    main()
