"""Classification of every step: is each number of the window above 4?

The Linear reads the whole output and gives (batch, time, class). CrossEntropyLoss wants the classes on axis 1, so
the scores are permuted to (batch, class, time) before they meet the labels (batch, time).
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

WINDOW = 3
EPOCHS = 60


class Threshold(nn.Module):
    """Scores the classes of every step: (batch, time, feature) to (batch, time, class)."""

    def __init__(self, features: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.gru = nn.GRU(features, hidden, num_layers=1, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        out, _ = self.gru(x)
        # out: (batch, time, 2*hidden)
        return self.head(out)


def compute_loss(model: Threshold, x: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy over all steps of all windows."""
    # x: (batch, time, feature)
    # labels: (batch, time)
    scores = model(x)
    # scores: (batch, time, class)
    return nn.functional.cross_entropy(scores.permute(0, 2, 1), labels)


def main() -> None:
    torch.manual_seed(0)
    series = torch.arange(1.0, 8.0)
    numbers = torch.stack([series[start : start + WINDOW] for start in range(len(series) - WINDOW + 1)])
    # numbers: (batch, time)
    windows = numbers.unsqueeze(-1)
    # windows: (batch, time, feature)
    labels = (numbers > 4).long()
    # labels: (batch, time)
    model = Threshold(features=1, hidden=8, classes=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    loader = DataLoader(TensorDataset(windows, labels), batch_size=2, shuffle=True)

    for _ in range(EPOCHS):
        for x, label in loader:
            loss = compute_loss(model, x, label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    x = windows[:2]
    # x: (batch, time, feature)
    with torch.no_grad():
        scores = model(x)
        answers = model(windows).argmax(dim=-1)
    print(f"x       {tuple(x.shape)} = (batch, time, feature)")
    print(f"scores  {tuple(scores.shape)} = (batch, time, class)")
    print(f"to the loss as {tuple(scores.permute(0, 2, 1).shape)} = (batch, class, time)")
    print(f"labels  {tuple(labels[:2].shape)} = (batch, time)")
    print(f"right: {int((answers == labels).sum())} of {labels.numel()} steps")


if __name__ == "__main__":
    main()
