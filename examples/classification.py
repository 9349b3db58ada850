"""Classification: does a window rise or fall? A GRU reads it, a Linear gives one score per class.

CrossEntropyLoss takes scores (batch, class) and labels (batch,): a class number for each window, no class axis.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

WINDOW = 3
CLASSES = ("rises", "falls")
EPOCHS = 40


class Direction(nn.Module):
    """Scores the classes of a window: (batch, time, feature) to (batch, class)."""

    def __init__(self, features: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.gru = nn.GRU(features, hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        _, h_n = self.gru(x)
        # h_n: (layers*directions, batch, hidden)
        both = torch.cat([h_n[-2], h_n[-1]], dim=-1)
        # both: (batch, 2*hidden)
        return self.head(both)


def cut_windows(series: Tensor) -> Tensor:
    """The windows (batch, time) of a series (time,)."""
    return torch.stack([series[start : start + WINDOW] for start in range(len(series) - WINDOW + 1)])


def train(model: Direction, loader: DataLoader[tuple[Tensor, ...]]) -> list[float]:
    """The mean loss of each epoch."""
    cross_entropy = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(EPOCHS):
        total = 0.0
        for x, label in loader:
            # x: (batch, time, feature)
            # label: (batch,)
            loss = cross_entropy(model(x), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(loader))
    return losses


def main() -> None:
    torch.manual_seed(0)
    series = torch.arange(1.0, 8.0)
    rising, falling = cut_windows(series), cut_windows(series.flip(0))
    windows = torch.cat([rising, falling]).unsqueeze(-1)
    # windows: (batch, time, feature)
    labels = torch.cat([torch.zeros(len(rising), dtype=torch.long), torch.ones(len(falling), dtype=torch.long)])
    # labels: (batch,)
    model = Direction(features=1, hidden=8, classes=len(CLASSES))

    losses = train(model, DataLoader(TensorDataset(windows, labels), batch_size=2, shuffle=True))
    print(f"loss: {losses[0]:.3f} in the first epoch, {losses[-1]:.3f} in the last")

    x = windows[:2]
    # x: (batch, time, feature)
    with torch.no_grad():
        scores = model(x)
        answers = model(windows).argmax(dim=1)
    print(f"x       {tuple(x.shape)} = (batch, time, feature)")
    print(f"scores  {tuple(scores.shape)} = (batch, class)")
    print(f"labels  {tuple(labels[:2].shape)} = (batch,)")
    for window, answer in zip(windows.flatten(1).tolist(), answers.tolist(), strict=True):
        print(f"  {window} {CLASSES[answer]}")
    print(f"right: {int((answers == labels).sum())} of {len(labels)}")


if __name__ == "__main__":
    main()
