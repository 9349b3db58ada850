"""The scores are (batch, time, class), and CrossEntropyLoss looks for the classes on axis 1, where time is.

PyTorch raises RuntimeError, "Expected target size [2, 2], got [2, 3]"; found by RSG701, class-axis.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class StepClassifier(nn.Module):
    """Scores the classes of every step: (batch, time, feature) to (batch, time, class)."""

    def __init__(self, features: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        out, _ = self.rnn(x)
        return self.head(out)


def compute_loss(model: StepClassifier, x: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy over all steps of all windows."""
    # x: (batch, time, feature)
    # labels: (batch, time)
    scores = model(x)
    # scores: (batch, time, class)
    return nn.functional.cross_entropy(scores, labels)  # error: [RSG701]


def main() -> None:
    torch.manual_seed(0)
    series = torch.arange(1.0, 8.0).unsqueeze(-1)
    windows = torch.stack([series[start : start + 3] for start in range(4)])
    labels = (windows[:, :, 0] > 4).long()
    model = StepClassifier(features=1, hidden=5, classes=2)
    for x, label in DataLoader(TensorDataset(windows, labels), batch_size=2):
        print(f"x {tuple(x.shape)}, loss {compute_loss(model, x, label).item():.2f}")


if __name__ == "__main__":
    main()
