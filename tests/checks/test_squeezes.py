"""A bare squeeze of scores (batch, 1): it drops a batch of one too, unless the program is ready for that."""

from __future__ import annotations

from tests.checks.programs import said

NET = """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, bidirectional=True)
        self.fc = nn.Linear(2 * h, 1)

    def forward(self, x):
        # x: (time, batch, features)
        _, (state, _) = self.rnn(x)
        return self.fc(torch.cat((state[-2], state[-1]), dim=1))

def collate(rows):
    return torch.stack(rows, dim=1)

class Data(torch.utils.data.Dataset):
    def __init__(self, rows):
        self.rows = rows

    def __getitem__(self, at):
        return self.rows[at]

def predict(rows):
    net, found = Net(4, 5), []
    for x in torch.utils.data.DataLoader(Data(rows), batch_size=4, collate_fn=collate):
        found.append(net(x).squeeze())
    {end}
"""


def test_the_last_batch_may_hold_one() -> None:
    assert said(NET.format(end="return torch.cat(found)"), "RSG307") == [(26, "RSG307")]
    assert said(NET.replace("squeeze()", "squeeze(1)").format(end="return torch.cat(found)"), "RSG307") == []


def test_a_program_that_asks_for_the_number_of_axes_is_ready() -> None:
    end = "scores = torch.stack(found); return scores.unsqueeze(0) if scores.{rank} == 1 else scores"
    assert said(NET.format(end=end.format(rank="dim()")), "RSG307") == []
    assert said(NET.format(end=end.format(rank="ndim")), "RSG307") == []
