"""One RNN in both layouts: (batch, time, feature) with batch_first=True, (time, batch, feature) without.

The two layers share their weights, so they give the same numbers; only the order of the axes differs. The final
state h_n is (layers, batch, hidden) in both: batch_first never touches it.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

WINDOW = 3
FEATURES = 2
HIDDEN = 5


def cut_windows(series: Tensor) -> Tensor:
    """The windows (batch, time, feature) of a series (time, feature)."""
    return torch.stack([series[start : start + WINDOW] for start in range(len(series) - WINDOW)])


def main() -> None:
    torch.manual_seed(0)
    series = torch.stack([torch.arange(1.0, 8.0), torch.arange(11.0, 18.0)], dim=1)
    loader = DataLoader(TensorDataset(cut_windows(series)), batch_size=2)

    batch_major_rnn = nn.RNN(FEATURES, HIDDEN, num_layers=2, batch_first=True)
    time_major_rnn = nn.RNN(FEATURES, HIDDEN, num_layers=2, batch_first=False)
    time_major_rnn.load_state_dict(batch_major_rnn.state_dict())

    (x,) = next(iter(loader))
    # x: (batch, time, feature)
    out, h_n = batch_major_rnn(x)
    print("batch_first=True")
    print(f"  x    {tuple(x.shape)} = (batch, time, feature)")
    print(f"  out  {tuple(out.shape)} = (batch, time, hidden)")
    print(f"  h_n  {tuple(h_n.shape)} = (layers, batch, hidden)")

    time_major = x.permute(1, 0, 2)
    # time_major: (time, batch, feature)
    time_major_out, time_major_h_n = time_major_rnn(time_major)
    print("batch_first=False")
    print(f"  x    {tuple(time_major.shape)} = (time, batch, feature)")
    print(f"  out  {tuple(time_major_out.shape)} = (time, batch, hidden)")
    print(f"  h_n  {tuple(time_major_h_n.shape)} = (layers, batch, hidden), the same order as above")

    same_out = torch.allclose(out.permute(1, 0, 2), time_major_out, atol=1e-6)
    same_state = torch.allclose(h_n, time_major_h_n, atol=1e-6)
    print(f"same numbers in both layouts: out {same_out}, h_n {same_state}")


if __name__ == "__main__":
    main()
