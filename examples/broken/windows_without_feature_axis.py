"""Windows of one feature are fed as they come, (batch, time): a recurrent layer reads two axes as one sequence.

PyTorch runs it in silence, the batch read as time and the time as features; found by RSG104, unbatched-by-accident.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Forecaster(nn.Module):
    """Forecasts the next value of a series: (batch, time) to (batch, 1)."""

    def __init__(self, window: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(window, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time)
        out, _ = self.rnn(x)  # error: [RSG104]
        return self.head(out)


def main() -> None:
    torch.manual_seed(0)
    series = torch.arange(1.0, 8.0)
    windows = torch.stack([series[start : start + 3] for start in range(4)])
    model = Forecaster(window=3, hidden=5)
    for x, _ in DataLoader(TensorDataset(windows, series[3:]), batch_size=2):
        changed = x.clone()
        changed[0] = 0.0
        moved = (model(changed)[1] - model(x)[1]).abs().max().item()
        print(f"x {tuple(x.shape)}: wiping the first window moves the second one's forecast by {moved:.3f}")


if __name__ == "__main__":
    main()
