"""The same windows over two features at once: the DataLoader brings (2, 3, 2), the permute makes it (3, 2, 2).

The series is (1, 11), (2, 12) … (7, 17). Both shapes end in a 2: the first 2 of (2, 3, 2) counts windows, the
last one counts features, and only the order of the axes says which is which.
"""

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

WINDOW = 3


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """Every window of a series, with the row that follows it."""

    def __init__(self, series: Tensor) -> None:
        # series: (time, feature)
        self.series = series

    def __len__(self) -> int:
        return len(self.series) - WINDOW

    def __getitem__(self, start: int) -> tuple[Tensor, Tensor]:
        end = start + WINDOW
        return self.series[start:end], self.series[end]


def main() -> None:
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    windows = Windows(series)
    print(f"series (1, 11) … (7, 17), two features: {len(windows)} windows of {WINDOW} steps")

    for number, (x, target) in enumerate(DataLoader(windows, batch_size=2), start=1):
        # x: (batch, time, feature)
        print(f"batch {number}: {tuple(x.shape)} = (batch, time, feature); targets {tuple(target.shape)}")
        for window in x.tolist():
            print(f"  one window, three steps of two features: {window}")

        time_major = x.permute(1, 0, 2)
        # time_major: (time, batch, feature)
        print(f"after permute(1, 0, 2): {tuple(time_major.shape)} = (time, batch, feature)")
        for step in time_major.tolist():
            print(f"  one step of both windows: {step}")


if __name__ == "__main__":
    main()
