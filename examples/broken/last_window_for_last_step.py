"""Index -1 of the output is the last step only where time comes first: with batch_first=True it is the last window.

PyTorch runs it in silence and gives one forecast per step, all of one window; found by RSG401, last-step-axis.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Forecaster(nn.Module):
    """Forecasts the next row of a series: (batch, time, feature) to (batch, feature)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, features)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        out, _ = self.rnn(x)
        last = out[-1]  # error: [RSG401]
        return self.head(last)


def main() -> None:
    torch.manual_seed(0)
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    windows = torch.stack([series[start : start + 3] for start in range(4)])
    model = Forecaster(features=2, hidden=5)
    for x, target in DataLoader(TensorDataset(windows, series[3:]), batch_size=2):
        print(f"x {tuple(x.shape)}, target {tuple(target.shape)}, but the forecast is {tuple(model(x).shape)}")


if __name__ == "__main__":
    main()
