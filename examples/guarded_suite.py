"""`guard_all()`, and the same for a test suite: `pytest --rnnshape-guard examples/guarded_suite.py`.

No model is touched: every recurrent layer of the process is guarded. A layer seen alone knows its input, its state and its
options, so what PyTorch would say in numbers is said in axes, with the line that called the layer.
"""

import json

import torch
from torch import Tensor, nn

from rnnshape_guard import ShapeContractError, guard_all


class Decoder(nn.Module):
    """Continues a series from a state that somebody hands it."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(features, hidden, num_layers=2, batch_first=True)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        out, _ = self.rnn(x, state)
        return out


def run(sizes: str) -> Tensor:
    """The decoder's output from a state of sizes that a file gives."""
    return Decoder(features=2, hidden=5)(torch.randn(4, 3, 2), torch.zeros(json.loads(sizes)))


def test_decoder() -> None:
    """What pytest runs."""
    assert run("[2, 4, 5]").shape == (4, 3, 5)


def main() -> None:
    torch.manual_seed(0)
    print(f"state (2, 4, 5) = (layers, batch, hidden): {tuple(run('[2, 4, 5]').shape)} = (batch, time, hidden)")
    print("state (4, 2, 5), batch first:")
    try:
        run("[4, 2, 5]")
    except RuntimeError as error:
        print(f"bare, PyTorch says: {error}")
    with guard_all():
        try:
            run("[4, 2, 5]")
        except ShapeContractError as error:
            print("with guard_all():")
            print(error)


if __name__ == "__main__":
    main()
