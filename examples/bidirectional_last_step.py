"""A bidirectional stacked RNN whose Linear reads the output, each direction where it has seen the whole window.

The forward half has read everything at the last step, the backward half at the first. Reading both at the last
step would take a backward half that has seen a single step.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

WINDOW = 3


class BothEnds(nn.Module):
    """Forecasts the next row from both ends of the output: (batch, time, feature) to (batch, feature)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.rnn = nn.RNN(features, hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, features)

    def read_ends(self, x: Tensor) -> Tensor:
        """Both directions after the whole window, joined: (batch, 2*hidden)."""
        # x: (batch, time, feature)
        out, _ = self.rnn(x)
        # out: (batch, time, 2*hidden), the forward direction first
        forward_end = out[:, -1, : self.hidden]
        backward_end = out[:, 0, self.hidden :]
        return torch.cat([forward_end, backward_end], dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        return self.head(self.read_ends(x))


def cut_windows(series: Tensor) -> tuple[Tensor, Tensor]:
    """Windows (batch, time, feature) of a series (time, feature), and the rows (batch, feature) that follow them."""
    windows = torch.stack([series[start : start + WINDOW] for start in range(len(series) - WINDOW)])
    return windows, series[WINDOW:]


def main() -> None:
    torch.manual_seed(0)
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    windows, targets = cut_windows(series)
    model = BothEnds(features=2, hidden=5)
    x, target = next(iter(DataLoader(TensorDataset(windows, targets), batch_size=2)))
    # x: (batch, time, feature)
    out, _ = model.rnn(x)
    ends = model.read_ends(x)
    forecast = model(x)
    print(f"x         {tuple(x.shape)} = (batch, time, feature)")
    print(f"out       {tuple(out.shape)} = (batch, time, 2*hidden)")
    print(f"both ends {tuple(ends.shape)} = (batch, 2*hidden), forward at the last step, backward at the first")
    print(f"forecast  {tuple(forecast.shape)} = (batch, feature), like the target {tuple(target.shape)}")


if __name__ == "__main__":
    main()
