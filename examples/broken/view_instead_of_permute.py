"""A view stands where a permute was meant: it gives the axes their new sizes and leaves every number where it was.

PyTorch runs it in silence, with steps of different windows mixed together; found by RSG303, view-as-permute.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Forecaster(nn.Module):
    """Forecasts the next row of a series: (batch, time, feature) to (batch, feature)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, hidden, num_layers=2, batch_first=False)
        self.head = nn.Linear(hidden, features)

    def forward(self, x: Tensor) -> Tensor:
        batch, time, features = x.shape
        time_major = x.view(time, batch, features)  # error: [RSG303]
        out, _ = self.rnn(time_major)
        return self.head(out[-1])


def main() -> None:
    torch.manual_seed(0)
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    windows = torch.stack([series[start : start + 3] for start in range(4)])
    model = Forecaster(features=2, hidden=5)
    for x, _ in DataLoader(TensorDataset(windows, series[3:]), batch_size=2):
        changed = x.clone()
        changed[0] = 0.0
        moved = (model(changed)[1] - model(x)[1]).abs().max().item()
        print(f"x {tuple(x.shape)}: wiping the first window moves the second one's forecast by {moved:.3f}")


if __name__ == "__main__":
    main()
