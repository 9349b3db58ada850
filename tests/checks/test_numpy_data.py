"""Data that NumPy makes: generators, windows of a series, and methods that arrays have and tensors do not."""

from __future__ import annotations

import re

import pytest

from tests.checks.programs import said

IMPORT = "\nimport numpy as np"

WRONG = {
    "windows turned by a reshape": """
lookback = 10
frame = np.random.default_rng(0).normal(0, 1, size=(60, 4))
windows = []
for start in range(len(frame) - lookback):
    windows.append(frame.T[:, start:start + lookback])
x = np.array(windows)
x = x.reshape(len(x), lookback, 4)  # RSG303
net = nn.GRU(4, 8, batch_first=True)
net(torch.from_numpy(x))
""",
    "windows that end where the loop is": """
frame = np.random.RandomState(0).randn(60, 5)
ends = range(10, len(frame))
x = np.stack([frame[end - 10:end] for end in ends])
net = nn.GRU(4, 8, batch_first=True)  # RSG203
net(torch.from_numpy(x))
""",
    "columns that are scaled by hand": """
raw = np.random.uniform(0, 1, (30, 12, 3)).cumsum(axis=1)
low, high = raw.min(axis=0), raw.max(axis=0)
scaled = (raw - low) / (high - low)
net = nn.LSTM(4, 8, batch_first=True)  # RSG203
net(torch.from_numpy(scaled).float())
""",
    "rows repeated as arrays repeat them": """
rng = np.random.default_rng(1)
x = rng.integers(0, 9, size=(6, 7)).repeat(3, axis=0)
net = nn.LSTM(9, 8, batch_first=True)
out, _ = net(F.one_hot(torch.from_numpy(x), 9).float())
nn.Linear(7, 1)(out)  # RSG201
""",
}

RIGHT = {
    "windows of a series": """
frame = np.random.default_rng(0).normal(size=(60, 4))
x = np.stack([frame[i:i + 10] for i in range(len(frame) - 10 + 1)])
net = nn.GRU(4, 8, batch_first=True)
net(torch.from_numpy(x).float().view(-1, 10, 4))
""",
    "a draw of one number": """
rng = np.random.default_rng(0)
width = rng.integers(3, 9)
net = nn.GRU(5, 8, batch_first=True)
net(torch.zeros(2, width, 5) + rng.normal())
""",
    "the smallest and where it is, of a tensor": """
x = torch.from_numpy(np.random.randn(4, 5, 3))
least, where = x.min(dim=1)
net = nn.GRU(3, 8, batch_first=True)
net(x - least.unsqueeze(1))
""",
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG.keys())
def test_finds(program: str) -> None:
    expected = [(row, code) for row, line in enumerate(program.splitlines(), 2) for code in re.findall(r"RSG\d+", line)]
    assert said(IMPORT + program, "RSG2", "RSG3", "RSG7") == expected


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT.keys())
def test_is_silent(program: str) -> None:
    assert said(IMPORT + program, "RSG101", "RSG103", "RSG2", "RSG3", "RSG4", "RSG7") == []
