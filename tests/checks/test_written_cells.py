"""Recurrent cells that are written out by hand: gates cut along the wrong axis, and right cells of all kinds."""

from __future__ import annotations

import pytest

from tests.checks.programs import said
from tests.checks.test_readings import expected

WRONG = {
    "paths of a CRF that go from sample to sample": """
class ChainCRF(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.moves = nn.Parameter(torch.zeros(n, n))

    def forward(self, scores):
        paths = scores[0]
        for row in scores[1:]:  # RSG409
            paths = torch.logsumexp(paths.unsqueeze(2) + self.moves + row.unsqueeze(1), dim=1)
        return paths.logsumexp(dim=1)

class Tagger(nn.Module):
    def __init__(self, words, d, n):
        super().__init__()
        self.embed = nn.Embedding(words, d)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.scores = nn.Linear(d, n)
        self.crf = ChainCRF(n)

    def forward(self, words):
        return self.crf(self.scores(self.rnn(self.embed(words))[0]))
""",
    "paths of a CRF that count to the end of the batch": """
class ChainCRF(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.moves = nn.Parameter(torch.zeros(n, n))

    def forward(self, scores):
        paths = scores[0]
        for i in range(1, len(scores)):
            paths = torch.logsumexp(paths.unsqueeze(2) + self.moves + scores[i].unsqueeze(1), dim=1)  # RSG409
        return paths.logsumexp(dim=1)

class Tagger(nn.Module):
    def __init__(self, words, d, n):
        super().__init__()
        self.embed = nn.Embedding(words, d)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.scores = nn.Linear(d, n)
        self.crf = ChainCRF(n)

    def forward(self, words):
        return self.crf(self.scores(self.rnn(self.embed(words))[0]))
""",
    "a cell written by hand that runs over the batch": """
class OwnGRU(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.update, self.fresh = nn.Linear(d + h, h), nn.Linear(d + h, h)
        self.h = h

    def forward(self, x):
        h = x.new_zeros(x.size(1), self.h)
        outputs = []
        for row in x:  # RSG409
            both = torch.cat([row, h], dim=1)
            z, n = torch.sigmoid(self.update(both)), torch.tanh(self.fresh(both))
            h = (1 - z) * h + z * n
            outputs.append(h)
        return torch.stack(outputs)

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = OwnGRU(d, h)

    def forward(self, x):
        # x: (batch, time, features)
        return self.rnn(x)
""",
    "a cell written by hand, and its batch turned to the front": """
class OwnGRU(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.update, self.fresh = nn.Linear(d + h, h), nn.Linear(d + h, h)
        self.h = h

    def forward(self, x):
        h = x.new_zeros(x.size(1), self.h)
        outputs = []
        for row in x:
            both = torch.cat([row, h], dim=1)
            z, n = torch.sigmoid(self.update(both)), torch.tanh(self.fresh(both))
            h = (1 - z) * h + z * n
            outputs.append(h)
        return torch.stack(outputs)

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = OwnGRU(d, h)

    def forward(self, x):
        # x: (time, batch, features)
        return self.rnn(x.transpose(0, 1))  # RSG409
""",
    "the four gates of an LSTM cut from the batch": """
class OwnLSTM(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.gates = nn.Linear(d + h, 4 * h)

    def forward(self, x, state):
        h, c = state
        i, f, o, g = self.gates(torch.cat([x, h], dim=1)).chunk(4)
        c = torch.sigmoid(i) * torch.tanh(g) + torch.sigmoid(f) * c  # RSG707
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, c

class Tagger(nn.Module):
    def __init__(self, d, h, tags):
        super().__init__()
        self.h = h
        self.lstm = OwnLSTM(d, h)
        self.out = nn.Linear(h, tags)

    def forward(self, x):
        # x: (batch, time, features)
        h = c = x.new_zeros(x.size(0), self.h)
        steps = []
        for t in range(x.size(1)):
            h, c = self.lstm(x[:, t], (h, c))
            steps.append(self.out(h))
        return torch.stack(steps, dim=1)
""",
    "a candidate of twice the width": """
class MinimalGRU(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.gate = nn.Linear(d, h)
        self.candidate = nn.Linear(d, 2 * h)

    def forward(self, x):
        # x: (batch, features)
        z = torch.sigmoid(self.gate(x))
        n = torch.tanh(self.candidate(x))
        return z * n  # RSG707

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = MinimalGRU(d, h)

    def forward(self, x):
        return self.cell(x[:, 0])
""",
}

RIGHT = {
    "paths of a CRF that go from step to step": """
class ChainCRF(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.moves = nn.Parameter(torch.zeros(n, n))

    def forward(self, scores):
        paths = scores[0]
        for t in range(1, len(scores)):
            paths = torch.logsumexp(paths.unsqueeze(2) + self.moves + scores[t].unsqueeze(1), dim=1)
        return paths.logsumexp(dim=1)

class Tagger(nn.Module):
    def __init__(self, words, d, n):
        super().__init__()
        self.embed = nn.Embedding(words, d)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.scores = nn.Linear(d, n)
        self.crf = ChainCRF(n)

    def forward(self, words):
        return self.crf(self.scores(self.rnn(self.embed(words))[0]).transpose(0, 1))
""",
    "paths of a CRF from sentence to sentence, one score for each": """
class ChainCRF(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.moves = nn.Parameter(torch.zeros(n, n))

    def forward(self, scores):
        paths = scores[0]
        for row in scores[1:]:
            paths = torch.logsumexp(paths.unsqueeze(2) + self.moves + row.unsqueeze(1), dim=1)
        return paths.logsumexp(dim=1)

class Tagger(nn.Module):
    def __init__(self, words, d, n):
        super().__init__()
        self.embed = nn.Embedding(words, d)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.scores = nn.Linear(d, n)
        self.crf = ChainCRF(n)

    def forward(self, words):
        ends = self.rnn(self.embed(words))[1][-1]
        return self.crf(self.scores(ends).unsqueeze(1))
""",
    "a cell written by hand over the steps": """
class OwnGRU(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.update, self.fresh = nn.Linear(d + h, h), nn.Linear(d + h, h)
        self.h = h

    def forward(self, x):
        h = x.new_zeros(x.size(1), self.h)
        outputs = []
        for row in x:
            both = torch.cat([row, h], dim=1)
            z, n = torch.sigmoid(self.update(both)), torch.tanh(self.fresh(both))
            h = (1 - z) * h + z * n
            outputs.append(h)
        return torch.stack(outputs)

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = OwnGRU(d, h)

    def forward(self, x):
        # x: (batch, time, features)
        return self.rnn(x.transpose(0, 1))
""",
    "samples one by one, each with steps of its own": """
class OwnLSTM(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.gates = nn.Linear(d + h, 4 * h)
        self.h = h

    def forward(self, x):
        # x: (batch, time, features)
        found = []
        for sample in x:
            h = c = x.new_zeros(1, self.h)
            for step in sample:
                i, f, o, g = self.gates(torch.cat([step.unsqueeze(0), h], dim=1)).chunk(4, dim=1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
            found.append(h)
        return torch.cat(found)

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = OwnLSTM(d, h)

    def forward(self, x):
        # x: (batch, time, features)
        return self.rnn(x)
""",
    "utterance after utterance, each summed up over its words": """
class Dialogue(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.words = nn.LSTM(d, h, batch_first=True)
        self.update, self.fresh = nn.Linear(2 * h, h), nn.Linear(2 * h, h)
        self.h = h

    def forward(self, x):
        # x: (batch, time, features), a batch for the utterances
        out, _ = self.words(x)
        state = x.new_zeros(self.h)
        for utterance in out:
            both = torch.cat([utterance.mean(dim=0), state])
            z = torch.sigmoid(self.update(both))
            state = (1 - z) * state + z * torch.tanh(self.fresh(both))
        return state
""",
    "the gates of an LSTM along the features": """
class OwnLSTM(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.gates = nn.Linear(d + h, 4 * h)

    def forward(self, x, state):
        h, c = state
        i, f, o, g = self.gates(torch.cat([x, h], dim=1)).chunk(4, dim=1)
        c = torch.sigmoid(i) * torch.tanh(g) + torch.sigmoid(f) * c
        return torch.sigmoid(o) * torch.tanh(c), c

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = OwnLSTM(d, h)

    def forward(self, x, h, c):
        return self.cell(x, (h, c))
""",
    "gates stacked on an axis of their own": """
class OwnLSTM(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.gates = nn.Linear(d + h, 4 * h)

    def forward(self, x, h, c):
        gates = self.gates(torch.cat([x, h], dim=1)).view(-1, 4, self.h).transpose(0, 1)
        i, f, o, g = gates.chunk(4)
        c = torch.sigmoid(i[0]) * torch.tanh(g[0]) + torch.sigmoid(f[0]) * c
        return torch.sigmoid(o[0]) * torch.tanh(c), c

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = OwnLSTM(d, h)

    def forward(self, x, h, c):
        return self.cell(x, h, c)
""",
    "one gate for all units": """
class LSTMish(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.gate = nn.Linear(d, 1)
        self.candidate = nn.Linear(d, h)
        self.out = nn.Linear(h, 3)

    def forward(self, x):
        return self.out(torch.sigmoid(self.gate(x)) * torch.tanh(self.candidate(x)))

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = LSTMish(d, h)

    def forward(self, x, h, c):
        return self.cell(x)
""",
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG)
def test_wrong(program: str) -> None:
    assert said(program, "RSG101", "RSG103", "RSG2", "RSG4", "RSG7", "RSG8") == expected(program)


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT)
def test_right(program: str) -> None:
    assert said(program, "RSG101", "RSG103", "RSG2", "RSG3", "RSG4", "RSG7", "RSG8") == []
