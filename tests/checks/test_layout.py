"""Which axis is the batch: right programs that look wrong, and wrong ones in other spellings than the pages have."""

from __future__ import annotations

import re

import pytest

from tests.checks.programs import said

WRONG = {
    "sizes read from the shape": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16, 2)  # RSG101

    def forward(self, x):
        n = x.shape[0]
        batch_size = n
        seq_len = x.size(1)
        out, h = self.rnn(x)
        return out.reshape(batch_size, seq_len, 16)
""",
    "evidence in a helper method": """
class Net(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.rnn = nn.LSTM(dim, 16)  # RSG101

    def encode(self, x):
        return self.rnn(x)[0]

    def forward(self, batch):
        # batch: (B, T, D)
        return self.encode(batch)
""",
    "a configuration object": """
@dataclass
class Config:
    width: int = 8
    batch_first: bool = False


class Net(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.rnn = nn.LSTM(config.width, 16, batch_first=config.batch_first)  # RSG101

    def forward(self, x):
        # x: (batch, time, features)
        return self.rnn(x)[0]


net = Net(Config())
""",
    "the output is written down instead of the input": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)  # RSG101

    def forward(self, x):
        out, _ = self.rnn(x)  # out: (batch, seq_len, hidden)
        return out
""",
    "the last step as index": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16)  # RSG101
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1, :])
""",
    "the last step behind a dropout": """
class Net(nn.Module):
    def __init__(self, vocab, size):
        super().__init__()
        self.emb = nn.Embedding(vocab, size)
        self.rnn = nn.GRU(size, 16, num_layers=1)  # RSG101
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(16, 2)

    def forward(self, tokens):
        out, _ = self.rnn(self.emb(tokens))
        out = self.drop(out)
        return self.fc(out[:, -1])
""",
    "a mean over the steps": """
class Net(nn.Module):
    def __init__(self, vocab, size):
        super().__init__()
        self.emb = nn.Embedding(vocab, size)
        self.rnn = nn.GRU(size, 16)  # RSG101
        self.fc = nn.Linear(16, 2)

    def forward(self, tokens):
        tokens = tokens.view(tokens.size(0), tokens.size(1))
        out, _ = self.rnn(self.emb(tokens))
        return self.fc(out.mean(dim=1))
""",
    "time first in a layer that wants the batch first, read at its last step": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16, batch_first=True)  # RSG101

    def forward(self, x):
        x = x.permute(2, 0, 1)
        out, _ = self.rnn(x)
        return out[-1]
""",
    "a batch that pad_sequence made": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16)  # RSG101

    def forward(self, x):
        return self.rnn(x)[0]


def train(model, sequences):
    x = nn.utils.rnn.pad_sequence(sequences, batch_first=True)
    return model(x)


train(Net(), [torch.randn(4, 8), torch.randn(3, 8)])
""",
    "a jaxtyping annotation": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16)  # RSG101

    def forward(self, x: Float[Tensor, "batch time feature"]):
        return self.rnn(x)[0]
""",
    "two layers of one stack": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.encoder = nn.LSTM(size, hidden, batch_first=True)
        self.norm = nn.LayerNorm(hidden)
        self.decoder = nn.LSTM(hidden, size, num_layers=2)  # RSG103

    def forward(self, x):
        out, _ = self.encoder(x)
        out = torch.relu(self.norm(out))
        out, _ = self.decoder(out)
        return out
""",
    "two modules": """
class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=True)

    def forward(self, x):
        return self.rnn(x)[0]


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(16, 8)  # RSG103

    def forward(self, x):
        return self.rnn(x)[0]


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def forward(self, x):
        return self.decoder(self.encoder(x))
""",
    "a state that is expanded in front": """
class Auto(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.encoder = nn.GRU(size, hidden, batch_first=True)
        self.decoder = nn.GRU(hidden, size, batch_first=True)

    def forward(self, x):
        _, h = self.encoder(x)
        code = h.expand(x.size(1), -1, -1)  # RSG103
        out, _ = self.decoder(code)
        return out
""",
    "the batch is named, the state is repeated": """
class Auto(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.encoder = nn.LSTM(size, hidden, batch_first=True)
        self.decoder = nn.LSTM(hidden, size, batch_first=True)

    def forward(self, x):
        batch_size, seq_len, _ = x.shape
        _, (h, _) = self.encoder(x)
        h = h[-1].unsqueeze(0)
        h = h.repeat(seq_len, 1, 1)  # RSG103
        out, _ = self.decoder(h)
        return out
""",
    "a batch of vectors from a loader": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(10, 16, batch_first=True)

    def forward(self, x):
        out, _ = self.lstm(x)  # RSG104
        return out


data = torch.utils.data.TensorDataset(torch.randn(20, 10), torch.randn(20))
net = Net()
for x, y in torch.utils.data.DataLoader(data, batch_size=4):
    net(x)
""",
    "the final state of another layer": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.GRU(10, 16, batch_first=True)
        self.decoder = nn.GRU(16, 10, batch_first=True)

    def forward(self, x):
        _, h = self.encoder(x)
        out, _ = self.decoder(h[-1])  # RSG104
        return out
""",
    "a flag in the wrong place": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16, 1, True)  # RSG105

    def forward(self, x):
        out, _ = self.rnn(x)
        return out[:, -1, :]
""",
    "a flag in the place of the layers": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.RNN(size, 16, True)  # RSG105

    def forward(self, x):
        return self.rnn(x)[0]
""",
}

RIGHT = {
    "time first throughout": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16)

    def forward(self, x):
        # x: (batch, time, features)
        out, _ = self.rnn(x.transpose(0, 1))
        return out[-1]
""",
    "turned there and back": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        B, T, D = x.shape
        out, _ = self.rnn(x.permute(1, 0, 2))
        out = out.permute(1, 0, 2)
        return self.fc(out[:, -1])
""",
    "one sample: the batch is 1": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16)

    def forward(self, sentence):
        out, _ = self.rnn(sentence.view(len(sentence), 1, -1))
        return out[:, -1]
""",
    "one step at a time": """
class Decoder(nn.Module):
    def __init__(self, vocab, size):
        super().__init__()
        self.emb = nn.Embedding(vocab, size)
        self.rnn = nn.GRU(size, 16)

    def forward(self, token, hidden):
        # token: (batch,)
        batch_size = token.size(0)
        x = self.emb(token).unsqueeze(0)
        out, hidden = self.rnn(x, hidden)
        return out.squeeze(0), hidden
""",
    "packed": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, _ = self.rnn(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
        return out.mean(1)
""",
    "windows of samples as the batch": """
class Sentences(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.words = nn.GRU(size, 16, batch_first=True)
        self.lines = nn.GRU(16, 16, batch_first=True)

    def forward(self, x):
        batch, lines, words, size = x.shape
        _, h = self.words(x.reshape(batch * lines, words, size))
        out, _ = self.lines(h[-1].view(batch, lines, -1))
        return out[:, -1]
""",
    "along both axes of a picture": """
class ReNet(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rows = nn.GRU(size, 16, batch_first=True)
        self.columns = nn.GRU(16, 16, batch_first=True)

    def forward(self, x):
        b, h, w, c = x.shape
        out, _ = self.rows(x.reshape(b * h, w, c))
        out = out.reshape(b, h, w, -1).permute(0, 2, 1, 3).reshape(b * w, h, -1)
        out, _ = self.columns(out)
        return out.reshape(b, w, h, -1)
""",
    "the layout is the caller's choice": """
class Net(nn.Module):
    def __init__(self, size, batch_first=False):
        super().__init__()
        self.batch_first = batch_first
        self.rnn = nn.LSTM(size, 16, batch_first=batch_first)

    def forward(self, x):
        # x: (batch, time, features) if batch_first
        out, _ = self.rnn(x)
        return out[:, -1] if self.batch_first else out[-1]
""",
    "a sequence without a batch": """
lstm = nn.LSTM(5, 7, batch_first=True)
signal = torch.randn(30, 5)
out, _ = lstm(signal)
print(out[-1])
""",
    "the mean over the hidden units": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16)

    def forward(self, x):
        out, _ = self.rnn(x)
        return out.mean(dim=2)
""",
    "a decoder fed with the state in its own layout": """
class Auto(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.encoder = nn.LSTM(size, hidden, batch_first=True)
        self.decoder = nn.LSTM(hidden, size)

    def forward(self, x):
        batch_size, seq_len, _ = x.shape
        _, (h, _) = self.encoder(x)
        out, _ = self.decoder(h[-1].unsqueeze(0).repeat(seq_len, 1, 1))
        return out.transpose(0, 1)
""",
    "the state of one layer for the next": """
class Seq2Seq(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.encoder = nn.GRU(size, hidden, batch_first=True)
        self.decoder = nn.GRU(size, hidden, batch_first=True)

    def forward(self, source, target):
        _, state = self.encoder(source)
        out, _ = self.decoder(target, state)
        return out
""",
    "stated flags": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16, 2, True, True)
        self.other = nn.RNN(16, 16, 1, "tanh", True, True)

    def forward(self, x):
        # x: (batch, time, features)
        return self.other(self.rnn(x)[0])[0][:, -1]
""",
    "the written shape is of another tensor": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16)

    def forward(self, x, mask):
        # mask: (batch, time)
        seq_len, batch, _ = x.shape
        out, _ = self.rnn(x)
        return out[-1]
""",
    "evidence that disagrees with itself": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16)

    def forward(self, x):
        # x: (batch, time, features)
        out, _ = self.rnn(x)  # out: (time, batch, hidden)
        return out
""",
    "last sample on purpose: a name says so": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16)

    def forward(self, x):
        seq_len, batch_size, _ = x.shape
        out, _ = self.rnn(x)
        last_step = out[-1, :, :]
        return last_step
""",
    "unbatched with its state": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16)

    def forward(self, x):
        # x: (batch, features)
        h = torch.zeros(1, 16)
        out, _ = self.rnn(x, h)
        return out
""",
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG.keys())
def test_finds(program: str) -> None:
    expected = [(row, code) for row, line in enumerate(program.splitlines(), 1) for code in re.findall(r"RSG\d+", line)]
    assert said(program, "RSG101", "RSG103", "RSG104", "RSG105", "RSG301") == expected


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT.keys())
def test_is_silent(program: str) -> None:
    assert said(program, "RSG101", "RSG103", "RSG104", "RSG105", "RSG3") == []


def test_a_default_is_asked_about_once_and_not_where_it_is_wrong() -> None:
    program = """
class Net(nn.Module):
    def __init__(self, size, options):
        super().__init__()
        self.silent = nn.LSTM(size, 16, batch_first=False)
        self.positional = nn.LSTM(size, 16, 1, True, False)
        self.spread = nn.LSTM(size, 16, **options)
        self.asked = nn.LSTM(size, 16)
        self.wrong = nn.LSTM(size, 16)

    def forward(self, x, y):
        # y: (batch, time, features)
        return self.asked(x), self.wrong(y)
"""
    assert said(program, "RSG1") == [(8, "RSG102"), (9, "RSG101")]
