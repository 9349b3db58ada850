"""The states of all layers are to stand side by side, and a view makes the rows: h_n is not batch first.

PyTorch runs it in silence, each row one layer's states of two windows; found by RSG304, state-flattened.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Forecaster(nn.Module):
    """Forecasts the next row of a series: (batch, time, feature) to (batch, feature)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(2 * hidden, features)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        batch = x.size(0)
        _, h_n = self.rnn(x)
        return self.head(h_n.view(batch, -1))  # error: [RSG304]


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
