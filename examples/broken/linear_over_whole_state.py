"""A Linear for both directions is laid over the whole of h_n, which keeps every layer and direction on its first axis.

PyTorch raises RuntimeError, "mat1 and mat2 shapes cannot be multiplied"; found by RSG202, state-features.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Forecaster(nn.Module):
    """Forecasts the next row of a series: (batch, time, feature) to (batch, feature)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, features)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        _, h_n = self.rnn(x)
        # h_n: (layers*directions, batch, hidden)
        return self.head(h_n)  # error: [RSG202]


def main() -> None:
    torch.manual_seed(0)
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    windows = torch.stack([series[start : start + 3] for start in range(4)])
    model = Forecaster(features=2, hidden=5)
    for x, _ in DataLoader(TensorDataset(windows, series[3:]), batch_size=2):
        print(f"x {tuple(x.shape)}, forecast {tuple(model(x).shape)}")


if __name__ == "__main__":
    main()
