"""`@guard` on a class: a layout that a settings file got wrong raises at the first batch.

The layer's options come from a file, as they often do, so nothing can be said about them before the program runs. Every
window has three steps, and the batch three windows: no comparison of sizes could tell them apart.
"""

import json

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnnshape_guard import ShapeContractError, guard

RIGHT = '{"hidden_size": 5, "num_layers": 2, "batch_first": true}'
WRONG = '{"hidden_size": 5, "num_layers": 2}'


@guard
class Forecaster(nn.Module):
    """Forecasts the next row of a series from the output at the last step."""

    def __init__(self, features: int, settings: str) -> None:
        super().__init__()
        self.rnn = nn.GRU(features, **json.loads(settings))
        self.head = nn.Linear(self.rnn.hidden_size, features)

    def forward(self, x: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch feature"]:
        out, _ = self.rnn(x)
        return self.head(out[:, -1])


def main() -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 3, 2)
    forecast = Forecaster(features=2, settings=RIGHT)(x)
    print(
        f"batch_first=True: {tuple(x.shape)} = (batch, time, feature) gives {tuple(forecast.shape)} = (batch, feature)"
    )
    print()
    print("batch_first left out of the file: PyTorch would train along the wrong axis, the guard raises")
    print()
    try:
        Forecaster(features=2, settings=WRONG)(x)
    except ShapeContractError as error:
        print(error)


if __name__ == "__main__":
    main()
