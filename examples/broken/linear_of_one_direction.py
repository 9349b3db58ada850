"""The Linear is sized for one direction, the output of a bidirectional RNN brings two side by side.

PyTorch raises RuntimeError, "mat1 and mat2 shapes cannot be multiplied"; found by RSG201, linear-in-features.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class StepForecaster(nn.Module):
    """Forecasts a row at every step: (batch, time, feature) to (batch, time, feature)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(hidden, features)  # error: [RSG201]

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        out, _ = self.rnn(x)
        return self.head(out)


def main() -> None:
    torch.manual_seed(0)
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    windows = torch.stack([series[start : start + 3] for start in range(4)])
    model = StepForecaster(features=2, hidden=5)
    for x, _ in DataLoader(TensorDataset(windows, series[3:]), batch_size=2):
        print(f"x {tuple(x.shape)}, forecast {tuple(model(x).shape)}")


if __name__ == "__main__":
    main()
