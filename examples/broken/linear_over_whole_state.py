"""The Linear is laid over the whole of h_n, (layers, batch, hidden): it gives a forecast per layer, not per window.

PyTorch runs it with no more than a UserWarning from the loss; found by RSG404, state-axis.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Forecaster(nn.Module):
    """Forecasts the next value of a series: (batch, time, feature) to (batch, feature)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, features)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        _, h_n = self.rnn(x)
        return self.head(h_n)  # error: [RSG404]


def compute_loss(model: Forecaster, windows: Tensor) -> Tensor:
    """The error of the forecast of each window's last value from those before it."""
    # windows: (batch, time, feature)
    x, target = windows[:, :-1], windows[:, -1]
    # target: (batch, feature)
    return nn.functional.mse_loss(model(x), target)


def main() -> None:
    torch.manual_seed(0)
    series = torch.arange(1.0, 8.0).unsqueeze(-1)
    windows = torch.stack([series[start : start + 4] for start in range(4)])
    model = Forecaster(features=1, hidden=5)
    for (batch,) in DataLoader(TensorDataset(windows), batch_size=2):
        forecast, loss = model(batch[:, :-1]), compute_loss(model, batch)
        print(f"target {tuple(batch[:, -1].shape)}, forecast {tuple(forecast.shape)}, loss {loss.item():.2f}")


if __name__ == "__main__":
    main()
