"""Cut a series of one feature into windows and watch the shapes: Dataset, DataLoader, then the two layouts.

The series is 1 … 7. Each window holds three steps and its target is the step that follows.
"""

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

WINDOW = 3


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """Every window of a series, with the value that follows it."""

    def __init__(self, series: Tensor) -> None:
        # series: (time,)
        self.series = series

    def __len__(self) -> int:
        return len(self.series) - WINDOW

    def __getitem__(self, start: int) -> tuple[Tensor, Tensor]:
        end = start + WINDOW
        return self.series[start:end], self.series[end]


def main() -> None:
    series = torch.arange(1.0, 8.0)
    windows = Windows(series)
    print(f"series 1 … 7, one feature: {len(windows)} windows of {WINDOW} steps")
    for start in range(len(windows)):
        window, target = windows[start]
        print(f"  {window.tolist()} -> {target.item()}")

    for number, (x, target) in enumerate(DataLoader(windows, batch_size=2), start=1):
        print(f"batch {number}")
        # x: (batch, time)
        print(f"  from the DataLoader   {tuple(x.shape)} = (batch, time); targets {tuple(target.shape)} = (batch,)")

        # A recurrent layer reads two axes as one single sequence, so the feature axis has to be there, even for one.
        x = x.unsqueeze(-1)
        # x: (batch, time, feature)
        print(f"  after unsqueeze(-1)   {tuple(x.shape)} = (batch, time, feature), for batch_first=True")

        time_major = x.permute(1, 0, 2)
        # time_major: (time, batch, feature)
        print(f"  after permute(1,0,2)  {tuple(time_major.shape)} = (time, batch, feature), for batch_first=False")


if __name__ == "__main__":
    main()
