"""A batch packed and padded without a word on its layout, around a layer that has the batch first."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

NET = """
class Net(nn.Module):
    def __init__(self, vocabulary, d, h):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.rnn = nn.GRU(d, h, {flag})
        self.score = nn.Linear(h, 1)
        self.fc = nn.Linear(h, 3)

    def forward(self, tokens, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(tokens), lengths{pack})
        out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0]{pad})
        {read}
"""

WEIGHED = "return self.fc((out * F.softmax(self.score(out), dim={dim})).sum(dim={dim}))"
MASKED = (
    "mask = torch.arange(out.size({dim}))[None] >= lengths[:, None]; "
    "scores = self.score(out).squeeze(-1).masked_fill(mask, -1e9); "
    "return self.fc((out * F.softmax(scores, dim={dim}).unsqueeze(-1)).sum({dim}))"
)


def program(read: str, flag: str = "batch_first=True", pack: str = "", pad: str = "") -> str:
    return NET.format(read=read, flag=flag, pack=pack, pad=pad)


@pytest.mark.parametrize(
    "read",
    [WEIGHED.format(dim=1), MASKED.format(dim=1), "return self.fc(out.mean(dim=1))", "return self.fc(out[:, -1])"],
)
def test_what_comes_out_is_read_along_axis_1(read: str) -> None:
    assert said(program(read), "RSG4", "RSG6", "RSG7") == [(11, "RSG601")]


@pytest.mark.parametrize(
    "read", [WEIGHED.format(dim=0), "return self.fc(out.mean(dim=0))", "return self.fc(out.max(0)[0])"]
)
def test_what_comes_out_is_read_along_axis_0(read: str) -> None:
    assert said(program(read), "RSG6", "RSG7") == []


@pytest.mark.parametrize("read", [WEIGHED.format(dim=1), "return self.fc(out.mean(dim=1))"])
def test_a_layout_that_is_stated_is_believed(read: str) -> None:
    assert said(program(read, pack=", batch_first=True", pad=", batch_first=True"), "RSG6", "RSG7") == []
    assert said(program(read, pack=", batch_first=False", pad=", batch_first=False"), "RSG601") == []
