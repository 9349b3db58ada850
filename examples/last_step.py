"""A stacked RNN whose Linear reads the last step of the output.

In one direction the last step of the output has seen the whole window, so it is a fair summary of it.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

WINDOW = 3


class LastStep(nn.Module):
    """Forecasts the next row from the output at the last step: (batch, time, feature) to (batch, feature)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, features)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        out, _ = self.rnn(x)
        # out: (batch, time, hidden)
        last = out[:, -1]
        # last: (batch, hidden)
        return self.head(last)


def cut_windows(series: Tensor) -> tuple[Tensor, Tensor]:
    """Windows (batch, time, feature) of a series (time, feature), and the rows (batch, feature) that follow them."""
    windows = torch.stack([series[start : start + WINDOW] for start in range(len(series) - WINDOW)])
    return windows, series[WINDOW:]


def main() -> None:
    torch.manual_seed(0)
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    windows, targets = cut_windows(series)
    model = LastStep(features=2, hidden=5)
    x, target = next(iter(DataLoader(TensorDataset(windows, targets), batch_size=2)))
    # x: (batch, time, feature)
    out, _ = model.rnn(x)
    forecast = model(x)
    print(f"x         {tuple(x.shape)} = (batch, time, feature)")
    print(f"out       {tuple(out.shape)} = (batch, time, hidden)")
    print(f"last step {tuple(out[:, -1].shape)} = (batch, hidden), read as out[:, -1]")
    print(f"forecast  {tuple(forecast.shape)} = (batch, feature), like the target {tuple(target.shape)}")


if __name__ == "__main__":
    main()
