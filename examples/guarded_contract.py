"""`Recurrent[...]` and `shaped(...)`: what a layer takes and gives, and what a tensor is, in names.

The contract stands where the layer is declared, and a type checker reads it as `nn.LSTM`. The head is made to fit whatever
the layer gives, so one direction where two were meant crashes nowhere.
"""

import json

import torch
from torch import Tensor, nn

from rnnshape_guard import Recurrent, ShapeContractError, guard, shaped

RIGHT = '{"hidden_size": 5, "bidirectional": true}'
WRONG = '{"hidden_size": 5}'
AXES = json.loads('{"steps": 1, "windows": 0}')


@guard
class Tagger(nn.Module):
    """Scores for each step, from both directions: (batch, time, feature) to (batch, time, tag)."""

    lstm: Recurrent[nn.LSTM, "batch time feature -> batch time 2*hidden, 2*layers batch hidden"]

    def __init__(self, features: int, tags: int, settings: str) -> None:
        super().__init__()
        self.lstm = nn.LSTM(features, batch_first=True, **json.loads(settings))
        self.head = nn.LazyLinear(tags)

    def forward(self, x: Tensor) -> Tensor:
        out, (h_n, _) = self.lstm(x)
        both = torch.cat([h_n[-2], h_n[-1]], dim=-1)
        summary = shaped(both, "batch 2*hidden").unsqueeze(1).expand_as(out)
        return shaped(self.head(out + summary), "batch time tag")


@guard
class Summary(nn.Module):
    """One vector for each window; `shaped` states which axis is which where only the sizes are known."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        windows = shaped(x, "batch time feature")
        return shaped(windows.mean(self.axis), "batch feature")


def main() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4)
    print(f"two directions, as the contract says: {tuple(Tagger(4, 3, RIGHT)(x).shape)} = (batch, time, tag)")
    print()
    print("one direction:")
    try:
        Tagger(4, 3, WRONG)(x)
    except ShapeContractError as error:
        print(error)
    print()
    print(f"a mean over the steps: {tuple(Summary(AXES['steps'])(x).shape)} = (batch, feature)")
    print("a mean over the windows:")
    try:
        Summary(AXES["windows"])(x)
    except ShapeContractError as error:
        print(error)


if __name__ == "__main__":
    main()
