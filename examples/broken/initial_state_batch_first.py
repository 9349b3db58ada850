"""h_0 is made batch first, like the input; states are (layers, batch, hidden) whatever batch_first says.

PyTorch raises RuntimeError, "Expected hidden size (1, 2, 5), got [2, 1, 5]"; found by RSG502, state-batch-axis.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Forecaster(nn.Module):
    """Forecasts the next row of a series: (batch, time, feature) to (batch, feature)."""

    def __init__(self, features: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.layers = layers
        self.rnn = nn.RNN(features, hidden, num_layers=layers, batch_first=True)
        self.head = nn.Linear(hidden, features)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        h_0 = torch.zeros(x.size(0), self.layers, self.hidden)  # error: [RSG502]
        out, _ = self.rnn(x, h_0)
        return self.head(out[:, -1])


def main() -> None:
    torch.manual_seed(0)
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    windows = torch.stack([series[start : start + 3] for start in range(4)])
    model = Forecaster(features=2, hidden=5, layers=1)
    for x, _ in DataLoader(TensorDataset(windows, series[3:]), batch_size=2):
        print(f"x {tuple(x.shape)}, forecast {tuple(model(x).shape)}")


if __name__ == "__main__":
    main()
