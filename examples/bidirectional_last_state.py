"""A bidirectional stacked RNN whose Linear reads the final hidden state: both halves of the last layer.

h_n lists the layers in order and, within each, forward before backward. With two layers that is
[layer 1 forward, layer 1 backward, layer 2 forward, layer 2 backward]: the last layer is h_n[-2] and h_n[-1].
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

WINDOW = 3


class BothStates(nn.Module):
    """Forecasts the next row from the last layer's two states: (batch, time, feature) to (batch, feature)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, features)

    def read_states(self, x: Tensor) -> Tensor:
        """The last layer's state in both directions, joined: (batch, 2*hidden)."""
        # x: (batch, time, feature)
        _, h_n = self.rnn(x)
        # h_n: (layers*directions, batch, hidden)
        return torch.cat([h_n[-2], h_n[-1]], dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        return self.head(self.read_states(x))


def cut_windows(series: Tensor) -> tuple[Tensor, Tensor]:
    """Windows (batch, time, feature) of a series (time, feature), and the rows (batch, feature) that follow them."""
    windows = torch.stack([series[start : start + WINDOW] for start in range(len(series) - WINDOW)])
    return windows, series[WINDOW:]


def main() -> None:
    torch.manual_seed(0)
    hidden = 5
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    windows, targets = cut_windows(series)
    model = BothStates(features=2, hidden=hidden)
    x, target = next(iter(DataLoader(TensorDataset(windows, targets), batch_size=2)))
    # x: (batch, time, feature)
    out, h_n = model.rnn(x)
    states = model.read_states(x)
    forecast = model(x)
    ends = torch.cat([out[:, -1, :hidden], out[:, 0, hidden:]], dim=-1)
    print(f"x           {tuple(x.shape)} = (batch, time, feature)")
    print(f"h_n         {tuple(h_n.shape)} = (layers*directions, batch, hidden)")
    print(f"both states {tuple(states.shape)} = (batch, 2*hidden), h_n[-2] forward and h_n[-1] backward")
    print(f"forecast    {tuple(forecast.shape)} = (batch, feature), like the target {tuple(target.shape)}")
    print(f"the states are the two ends of the output: {torch.allclose(states, ends)}")


if __name__ == "__main__":
    main()
