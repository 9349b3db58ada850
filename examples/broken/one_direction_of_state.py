"""The last entry of a bidirectional h_n is the last layer's backward state alone; the forward one stands before it.

PyTorch runs it in silence, and the last forward pass never learns; found by RSG403, one-direction-state.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Forecaster(nn.Module):
    """Forecasts the next row of a series: (batch, time, feature) to (batch, feature)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(hidden, features)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        _, h_n = self.rnn(x)
        last = h_n[-1]  # warning: [RSG403]
        return self.head(last)


def main() -> None:
    torch.manual_seed(0)
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    windows = torch.stack([series[start : start + 3] for start in range(4)])
    model = Forecaster(features=2, hidden=5)
    for x, target in DataLoader(TensorDataset(windows, series[3:]), batch_size=2):
        nn.functional.mse_loss(model(x), target).backward()
    forward_weights = model.rnn.weight_ih_l1
    print(f"gradient of the last forward pass, weight_ih_l1: {forward_weights.grad.norm().item():.1f}")


if __name__ == "__main__":
    main()
