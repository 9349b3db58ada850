"""Regression: an LSTM learns to forecast the next row of the two-feature series (1, 11) … (7, 17).

The loss compares (batch, feature) with (batch, feature): equal shapes, so nothing is broadcast behind our back.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

WINDOW = 3
EPOCHS = 60


class Forecaster(nn.Module):
    """Forecasts the next row of a series: (batch, time, feature) to (batch, feature)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, features)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        _, (h_n, _) = self.lstm(x)
        # h_n: (layers, batch, hidden); an LSTM's state is the pair (h_n, c_n)
        return self.head(h_n[-1])


def cut_windows(series: Tensor) -> tuple[Tensor, Tensor]:
    """Windows (batch, time, feature) of a series (time, feature), and the rows (batch, feature) that follow them."""
    windows = torch.stack([series[start : start + WINDOW] for start in range(len(series) - WINDOW)])
    return windows, series[WINDOW:]


def train(model: Forecaster, loader: DataLoader[tuple[Tensor, ...]]) -> list[float]:
    """The mean loss of each epoch."""
    mean_squared_error = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(EPOCHS):
        total = 0.0
        for x, target in loader:
            # x: (batch, time, feature)
            # target: (batch, feature)
            loss = mean_squared_error(model(x), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(loader))
    return losses


def main() -> None:
    torch.manual_seed(0)
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    # Each feature to mean 0 and spread 1, so that both weigh the same in the loss.
    mean, spread = series.mean(dim=0), series.std(dim=0)
    windows, targets = cut_windows((series - mean) / spread)
    model = Forecaster(features=2, hidden=8)

    print(f"windows {tuple(windows.shape)} = (batch, time, feature), targets {tuple(targets.shape)} = (batch, feature)")
    losses = train(model, DataLoader(TensorDataset(windows, targets), batch_size=2))
    print(f"loss, (2, 2) against (2, 2): {losses[0]:.3f} in the first epoch, {losses[-1]:.3f} in the last")

    with torch.no_grad():
        forecast = model(windows) * spread + mean
    # forecast: (batch, feature)
    for row, truth in zip(forecast.tolist(), series[WINDOW:].tolist(), strict=True):
        print(f"  forecast ({row[0]:.1f}, {row[1]:.1f}), truth ({truth[0]:.0f}, {truth[1]:.0f})")


if __name__ == "__main__":
    main()
