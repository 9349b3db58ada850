"""A mistake that no shape shows, and the probe that shows it: samples sorted by length, and never put back in order.

Packing once asked for the longest sample first, so code sorts the batch. Every size fits either way, the loss falls, and each
forecast belongs to another sample.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from rnnshape_guard import probe


class Summary(nn.Module):
    """The last state of each sample: (batch, time, feature) and lengths (batch,) to (batch, hidden)."""

    def __init__(self, features: int, hidden: int, *, restores_order: bool) -> None:
        super().__init__()
        self.restores_order = restores_order
        self.rnn = nn.GRU(features, hidden, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        # x: (batch, time, feature)
        ordered, order = lengths.sort(descending=True)
        _, h_n = self.rnn(pack_padded_sequence(x[order], ordered, batch_first=True))
        last = h_n[-1]
        return last[order.argsort()] if self.restores_order else last


def main() -> None:
    torch.manual_seed(0)
    x, lengths = torch.randn(4, 6, 2), torch.tensor([3, 6, 2, 5])
    wrong = Summary(features=2, hidden=5, restores_order=False)
    print(probe(wrong, x, lengths))
    print()
    right = Summary(features=2, hidden=5, restores_order=True)
    result = probe(right, x, lengths)
    print(result)
    result.assert_independent()


if __name__ == "__main__":
    main()
