"""At the last step of a bidirectional output the backward direction has only just begun: it has seen one step.

PyTorch runs it in silence, and the last backward pass never learns to remember; found by RSG402, half-seen-last-step.
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
        out, _ = self.rnn(x)
        last = out[:, -1]  # warning: [RSG402]
        return self.head(last)


def main() -> None:
    torch.manual_seed(0)
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    windows = torch.stack([series[start : start + 3] for start in range(4)])
    model = Forecaster(features=2, hidden=5)
    for x, target in DataLoader(TensorDataset(windows, series[3:]), batch_size=2):
        nn.functional.mse_loss(model(x), target).backward()
    memory = model.rnn.weight_hh_l1_reverse
    print(f"gradient of the last backward pass's memory, weight_hh_l1_reverse: {memory.grad.norm().item():.1f}")


if __name__ == "__main__":
    main()
