"""The forecasts are a column (batch, 1), the targets a row (batch,): the loss compares each with every other.

PyTorch runs it with no more than a UserWarning about the target size; found by RSG705, loss-broadcast.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Forecaster(nn.Module):
    """Forecasts the next value of a series: (batch, time, 1) to (batch, 1)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(1, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        _, h_n = self.rnn(x)
        return self.head(h_n[-1])


def compute_loss(model: Forecaster, windows: Tensor) -> Tensor:
    """The error of the forecast of each window's last value from those before it."""
    # windows: (batch, time, feature)
    x, target = windows[:, :-1], windows[:, -1, 0]
    return nn.functional.mse_loss(model(x), target)  # error: [RSG705]


def main() -> None:
    torch.manual_seed(0)
    series = (torch.arange(1.0, 8.0) / 10).unsqueeze(-1)
    windows = torch.stack([series[start : start + 4] for start in range(4)])
    loader = DataLoader(TensorDataset(windows), batch_size=2)
    model = Forecaster(hidden=8)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(100):
        for (batch,) in loader:
            optimizer.zero_grad()
            compute_loss(model, batch).backward()
            optimizer.step()
    for (batch,) in loader:
        loss = compute_loss(model, batch).item()
        misses = model(batch[:, :-1]).flatten() - batch[:, -1, 0]
        print(f"loss {loss:.4f}, but each forecast against its own target gives {misses.square().mean().item():.4f}")


if __name__ == "__main__":
    main()
