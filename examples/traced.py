"""`trace(model, x)`: a table of what a model does with its input, line by line, with the names of the axes."""

import torch
from torch import Tensor, nn

from rnnshape_guard import trace


class Classifier(nn.Module):
    """Scores for each window, from the final states of both directions."""

    def __init__(self, features: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(features, hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        # x: (batch, time, feature)
        _, h_n = self.rnn(x)
        both = torch.cat([h_n[-2], h_n[-1]], dim=-1)
        return self.head(both)


def main() -> None:
    torch.manual_seed(0)
    print(trace(Classifier(features=2, hidden=5, classes=4), torch.randn(3, 6, 2)))


if __name__ == "__main__":
    main()
