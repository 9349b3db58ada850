"""Sizes of features and of decoders' states: wrong in other spellings than the pages have, and right though they look wrong."""

from __future__ import annotations

import re

import pytest

from tests.checks.programs import said

WRONG = {
    "directions that an assertion asks for": """
class Tagger(nn.Module):
    def __init__(self, n, bidirectional=True):
        super().__init__()
        assert bidirectional == True
        self.rnn = nn.GRU(n, n, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(n, 3)  # RSG201

    def forward(self, x):
        return self.head(self.rnn(x)[0])
""",
    "steps of which an assertion tells the number": """
STEPS = 12

class Net(nn.Module):
    def __init__(self, d, hidden, n_classes):
        super().__init__()
        self.rnn = nn.GRU(d, hidden, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(STEPS * hidden, n_classes)  # RSG201

    def forward(self, x):
        assert x.dim() == 3 and x.size(1) == STEPS
        out, _ = self.rnn(x)
        return self.fc(out.reshape(x.size(0), -1))
""",
    "sentences of words, weighed by a module of their own": """
class Weigh(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.score = nn.Linear(d, 1)

    def forward(self, h):
        weight = torch.softmax(self.score(h), dim=1)
        return (weight * h).sum(dim=1)

class Documents(nn.Module):
    def __init__(self, d, words, sentences):
        super().__init__()
        self.words = nn.LSTM(d, words, bidirectional=True, batch_first=True)
        self.weigh = Weigh(words * 2)
        self.sentences = nn.LSTM(words, sentences, batch_first=True)  # RSG203

    def forward(self, x):
        n, s, w, d = x.shape
        out, _ = self.words(x.view(n * s, w, d))
        return self.sentences(self.weigh(out).view(n, s, -1))[0]

model = Documents(6, 7, 5)
""",
    "a head after pooling of two directions": """
class Net(nn.Module):
    def __init__(self, vocab_size, embed_dim, hidden_dim, n_classes):
        super().__init__()
        self.emb = nn.Embedding(vocab_size, embed_dim, padding_idx=0)
        self.lstm = nn.LSTM(embed_dim, hidden_dim, num_layers=2, bidirectional=True, batch_first=True, dropout=0.3)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(hidden_dim, n_classes)  # RSG201

    def forward(self, text):
        out, _ = self.lstm(self.emb(text))
        pooled, _ = out.max(dim=1)
        return self.fc(self.drop(pooled))
""",
    "a head in a container": """
class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.rnn = nn.GRU(d, 32, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(32, 16),  # RSG201
            nn.ReLU(),
            nn.Linear(16, 2),
        )

    def forward(self, x):
        y, _ = self.rnn(x)
        return self.head(y[:, -1, :])

Net(4)(torch.randn(2, 3, 4))
""",
    "a head behind packing": """
class Tagger(nn.Module):
    def __init__(self, vocab, emb, hidden, tags):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb)
        self.lstm = nn.LSTM(emb, hidden, batch_first=True, bidirectional=True)
        self.hidden2tag = nn.Linear(hidden, tags)  # RSG201

    def forward(self, sentences, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(sentences), lengths, batch_first=True)
        out, _ = self.lstm(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
        return self.hidden2tag(out.contiguous().view(-1, out.shape[2]))
""",
    "a size that only one construction gets wrong": """
class Net(nn.Module):
    def __init__(self, features, hidden, head_features):
        super().__init__()
        self.rnn = nn.LSTM(features, hidden, batch_first=True)
        self.head = nn.Linear(head_features, 3)

    def forward(self, x):
        return self.head(self.rnn(x)[0])

Net(8, 16, 16)(torch.randn(2, 5, 8))
Net(8, 16, 32)(torch.randn(2, 5, 8))  # RSG201
""",
    "a configuration object": """
@dataclass
class Config:
    n_mels: int = 80
    hidden: int = 256
    classes: int = 10

class Audio(nn.Module):
    def __init__(self, cfg: Config):
        super().__init__()
        self.rnn = nn.GRU(cfg.n_mels, cfg.hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.out = nn.Linear(cfg.hidden, cfg.classes)  # RSG201

    def forward(self, mels):
        out, _ = self.rnn(mels)
        return self.out(out.mean(1))

Audio(Config())(torch.randn(2, 5, 80))
""",
    "joined states into a single width": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.lstm = nn.LSTM(d, h, 2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(h, 1)  # RSG202

    def forward(self, x):
        _, (hn, cn) = self.lstm(x)
        hn = torch.cat([hn[-2, :, :], hn[-1, :, :]], dim=-1)
        return torch.sigmoid(self.fc(hn))
""",
    "one state into a double width": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.gru = nn.GRU(d, h, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(h * 2, 1)

    def forward(self, x):
        _, hn = self.gru(x)
        return self.fc(hn[-1])  # RSG202
""",
    "an encoder of another width in front": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn = nn.Conv1d(1, 64, 5, padding=2)
        self.rnn = nn.LSTM(32, 100, batch_first=True)  # RSG203

    def forward(self, signal):
        x = self.cnn(signal).permute(0, 2, 1)
        return self.rnn(x)[0]

Net()(torch.randn(2, 1, 50))
""",
    "attention's context beside the word": """
class Decoder(nn.Module):
    def __init__(self, vocab, emb, enc, dec):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb)
        self.rnn = nn.GRU(enc + emb, dec)  # RSG203
        self.out = nn.Linear(dec, vocab)

    def forward(self, word, hidden, encoder_outputs):
        # encoder_outputs: (batch, time, features)
        embedded = self.embedding(word.unsqueeze(0))
        weights = torch.randn(4, 1, 7)
        context = torch.bmm(weights, encoder_outputs).permute(1, 0, 2)
        output, hidden = self.rnn(torch.cat((embedded, context), dim=2), hidden.unsqueeze(0))
        return self.out(output.squeeze(0))

decoder = Decoder(30, 8, 12, 12)
decoder(torch.randint(0, 30, (4,)), torch.randn(4, 12), torch.randn(4, 7, 24))
""",
    "the number in the call that builds the part": """
class Encoder(nn.Module):
    def __init__(self, in_size, out_size):
        super().__init__()
        self.rnn = nn.LSTM(in_size, out_size, batch_first=True, bidirectional=True)

    def forward(self, x):
        return self.rnn(x)[0]

class Top(nn.Module):
    def __init__(self, in_size, n):
        super().__init__()
        self.rnn = nn.LSTM(in_size, n, batch_first=True)

    def forward(self, x):
        return self.rnn(x)[0]

lower, upper = Encoder(8, 16), None
upper = Top(16, 4)  # RSG203

def run(x):
    return upper(lower(x))

run(torch.randn(2, 3, 8))
""",
    "layers built in a loop for one width": """
class Stack(nn.Module):
    def __init__(self, input_size, hidden_size, n):
        super().__init__()
        self.layers = nn.ModuleList([nn.GRU(input_size, hidden_size, batch_first=True) for _ in range(n)])  # RSG203

    def forward(self, x):
        for layer in self.layers:
            x, _ = layer(x)
        return x

Stack(5, 7, 3)(torch.randn(2, 4, 5))
""",
    "a packed input": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(100, 50)
        self.rnn = nn.GRU(64, 32, batch_first=True)  # RSG203

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(x), lengths, batch_first=True)
        return self.rnn(packed)[1]
""",
    "a decoder of another width": """
class Encoder(nn.Module):
    def __init__(self, vocab, emb, hid):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb)
        self.rnn = nn.LSTM(emb, hid)

    def forward(self, src):
        outputs, (hidden, cell) = self.rnn(self.embedding(src))
        return hidden, cell

class Decoder(nn.Module):
    def __init__(self, vocab, emb, hid):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb)
        self.rnn = nn.LSTM(emb, hid)
        self.out = nn.Linear(hid, vocab)

    def forward(self, word, hidden, cell):
        output, (hidden, cell) = self.rnn(self.embedding(word.unsqueeze(0)), (hidden, cell))
        return self.out(output.squeeze(0)), hidden, cell

class Seq2Seq(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, src, trg):
        hidden, cell = self.encoder(src)
        output, hidden, cell = self.decoder(trg[0], hidden, cell)
        return output

enc = Encoder(20, 8, 32)
dec = Decoder(
    20,
    8,
    64,  # RSG204
)
model = Seq2Seq(enc, dec)
""",
    "a decoder with fewer layers, in one class": """
class AutoEncoder(nn.Module):
    def __init__(self, features, hidden):
        super().__init__()
        self.encoder = nn.LSTM(features, hidden, num_layers=2, batch_first=True)
        self.decoder = nn.LSTM(features, hidden, num_layers=1, batch_first=True)  # RSG204

    def forward(self, x):
        _, state = self.encoder(x)
        out, _ = self.decoder(torch.zeros_like(x), state)
        return out
""",
    "an encoder in two directions": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.LSTM(8, 16, bidirectional=True)
        self.dec = nn.LSTM(8, 16)

    def forward(self, src, tgt):
        _, (h, c) = self.enc(src)
        return self.dec(tgt, (h, c))[0]  # RSG204
""",
    "one layer's state for a decoder of two": """
class Net(nn.Module):
    def __init__(self, d, h, layers=2):
        super().__init__()
        self.enc = nn.GRU(d, h, layers, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(2 * h, h)
        self.dec = nn.GRU(d, h, layers, batch_first=True)

    def forward(self, src, tgt):
        _, hn = self.enc(src)
        joined = torch.cat((hn[-2], hn[-1]), dim=1)
        first = torch.tanh(self.bridge(joined)).unsqueeze(0)  # RSG204
        return self.dec(tgt, first)[0]

Net(4, 6)(torch.randn(2, 3, 4), torch.randn(2, 5, 4))
""",
    "a norm of one direction": """
class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.rnn = nn.LSTM(dim, dim, bidirectional=True, batch_first=True)
        self.norm = nn.LayerNorm(dim)  # RSG205

    def forward(self, x):
        return self.norm(self.rnn(x)[0])
""",
    "two layers of a head": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(10, 20, batch_first=True)
        self.fc1 = nn.Linear(20, 64)
        self.fc2 = nn.Linear(32, 2)  # RSG205

    def forward(self, x):
        h = F.relu(self.fc1(self.rnn(x)[0][:, -1]))
        return self.fc2(h)
""",
    "attention of another width": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True, bidirectional=True)
        self.attn = nn.MultiheadAttention(h, 4, batch_first=True)  # RSG205

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.attn(out, out, out)[0]
""",
}

RIGHT = {
    "directions that an assertion rules out": """
class Stack(nn.Module):
    def __init__(self, n, bidirectional=False):
        super().__init__()
        assert bidirectional is False, "not supported"
        self.rnn = nn.GRU(n, n, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(n, 3)

    def forward(self, x):
        return self.head(x + self.rnn(x)[0])
""",
    "directions without which it raises": """
class Tagger(nn.Module):
    def __init__(self, n, bidirectional=True):
        super().__init__()
        if bidirectional is not True:
            raise ValueError("both directions are needed")
        self.rnn = nn.GRU(n, n, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(2 * n, 3)

    def forward(self, x):
        return self.head(self.rnn(x)[0])
""",
    "steps of which an assertion tells the number, and both directions": """
class Net(nn.Module):
    def __init__(self, d, hidden, steps):
        super().__init__()
        self.steps = steps
        self.rnn = nn.GRU(d, hidden, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(steps * 2 * hidden, 4)

    def forward(self, x):
        assert x.shape[1] == self.steps
        out, _ = self.rnn(x)
        return self.fc(out.flatten(1))

net = Net(3, 5, 12)
y = net(torch.randn(2, 12, 3))
""",
    "two directions added": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        out = out[:, :, : self.h] + out[:, :, self.h :]
        return self.fc(out.mean(1))

Net(3, 4)(torch.randn(2, 5, 3))
""",
    "half the width for each direction": """
class Net(nn.Module):
    def __init__(self, emb, hidden):
        super().__init__()
        self.rnn = nn.LSTM(emb, hidden // 2, bidirectional=True, batch_first=True)
        self.norm = nn.LayerNorm(hidden)
        self.fc = nn.Linear(hidden, 9)

    def forward(self, x):
        return self.fc(self.norm(self.rnn(x)[0]))

Net(6, 8)(torch.randn(2, 5, 6))
""",
    "a number of directions": """
class Net(nn.Module):
    def __init__(self, d, h, bi=False, layers=1):
        super().__init__()
        self.num_directions = 2 if bi else 1
        self.rnn = nn.LSTM(d, h, layers, batch_first=True, bidirectional=bi)
        self.fc = nn.Linear(h * self.num_directions, 2)
        self.bi = bi

    def forward(self, x):
        out, (h_n, _) = self.rnn(x)
        if self.bi:
            last = torch.cat((h_n[-2], h_n[-1]), dim=1)
        else:
            last = h_n[-1]
        return self.fc(last)

Net(3, 4, True)(torch.randn(2, 5, 3))
Net(3, 4)(torch.randn(2, 5, 3))
""",
    "a number of directions by addition": """
class Net(nn.Module):
    def __init__(self, d, h, bidirectional):
        super().__init__()
        self.rnn = nn.GRU(d, h, bidirectional=bidirectional, batch_first=True)
        self.fc = nn.Linear(h * (1 + int(bidirectional)), 2)

    def forward(self, x):
        return self.fc(self.rnn(x)[0])
""",
    "layers built in a loop, each for its own width": """
class Stack(nn.Module):
    def __init__(self, input_size, hidden_size, n, bidirectional=True):
        super().__init__()
        self.rnns = nn.ModuleList()
        for i in range(n):
            size = input_size if i == 0 else hidden_size * (2 if bidirectional else 1)
            self.rnns.append(nn.LSTM(size, hidden_size, bidirectional=bidirectional, batch_first=True))

    def forward(self, x):
        for rnn in self.rnns:
            x, _ = rnn(x)
        return x

Stack(5, 7, 3)(torch.randn(2, 4, 5))
""",
    "an optional tensor that every caller gives": """
class Net(nn.Module):
    def __init__(self, d, extra, h):
        super().__init__()
        self.rnn = nn.GRU(d + extra, h, batch_first=True)

    def forward(self, x, more=None):
        if more is not None:
            x = torch.cat((x, more), dim=-1)
        return self.rnn(x)[0]

Net(3, 2, 4)(torch.randn(2, 5, 3), torch.randn(2, 5, 2))
""",
    "a bridge over the whole state": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.enc = nn.LSTM(d, h, 2, batch_first=True)
        self.bridge = nn.Linear(h, 2 * h)
        self.dec = nn.LSTM(d, 2 * h, 2, batch_first=True)

    def forward(self, x, y):
        _, (h, c) = self.enc(x)
        return self.dec(y, (self.bridge(h), self.bridge(c)))[0]

Net(3, 4)(torch.randn(2, 5, 3), torch.randn(2, 6, 3))
""",
    "the directions of every layer joined": """
class Net(nn.Module):
    def __init__(self, d, h, layers):
        super().__init__()
        self.layers = layers
        self.h = h
        self.enc = nn.GRU(d, h, layers, batch_first=True, bidirectional=True)
        self.dec = nn.GRU(d, 2 * h, layers, batch_first=True)

    def forward(self, x, y):
        _, h_n = self.enc(x)
        h_n = torch.cat((h_n[0::2], h_n[1::2]), dim=2)
        return self.dec(y, h_n)[0]

Net(3, 4, 2)(torch.randn(2, 5, 3), torch.randn(2, 6, 3))
""",
    "the directions of every layer added": """
class Net(nn.Module):
    def __init__(self, d, h, layers):
        super().__init__()
        self.layers = layers
        self.enc = nn.GRU(d, h, layers, bidirectional=True)
        self.dec = nn.GRU(d, h, layers)

    def forward(self, x, y):
        _, hidden = self.enc(x)
        hidden = hidden[: self.layers] + hidden[self.layers :]
        return self.dec(y, hidden)[0]

Net(3, 4, 2)(torch.randn(5, 2, 3), torch.randn(6, 2, 3))
""",
    "as many rows as the decoder has layers": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.enc = nn.GRU(d, h, bidirectional=True)
        self.dec = nn.GRU(d, h, num_layers=2)

    def forward(self, x, y):
        _, hidden = self.enc(x)
        return self.dec(y, hidden)[0]

Net(3, 4)(torch.randn(5, 2, 3), torch.randn(6, 2, 3))
""",
    "an own linear layer with its own idea of sizes": """
class Linear(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size, 2))

    def forward(self, x):
        return x @ self.weight

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, bidirectional=True)
        self.fc = Linear(2 * h)

    def forward(self, x):
        return self.fc(self.rnn(x)[0])

Net(3, 4)(torch.randn(5, 2, 3))
""",
    "an input that is widened by a residual": """
class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.rnn = nn.LSTM(dim, dim, batch_first=True, bidirectional=True)
        self.proj = nn.Linear(2 * dim, dim)

    def forward(self, x):
        out, _ = self.rnn(self.norm(x))
        return x + self.proj(out)

nn.Sequential(Block(8), Block(8))(torch.randn(2, 3, 8))
""",
    "the reading of one row of the image": """
class Net(nn.Module):
    def __init__(self, input_size=28, hidden=64):
        super().__init__()
        self.rnn = nn.LSTM(input_size, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 10)

    def forward(self, x):
        out, _ = self.rnn(x.reshape(-1, 28, 28))
        return self.fc(out[:, -1])

Net()(torch.randn(3, 1, 28, 28))
""",
    "layers of a kind that is chosen": """
class Net(nn.Module):
    def __init__(self, kind, d, h):
        super().__init__()
        self.rnn = getattr(nn, kind)(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out)

Net("GRU", 3, 4)(torch.randn(2, 5, 3))
""",
    "convolutions between": """
class Net(nn.Module):
    def __init__(self, mels, h):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(mels, 32, 3, padding=1), nn.BatchNorm1d(32), nn.ReLU(), nn.MaxPool1d(2))
        self.rnn = nn.GRU(32, h, batch_first=True, bidirectional=True)
        self.norm = nn.BatchNorm1d(2 * h)
        self.fc = nn.Linear(2 * h, 5)

    def forward(self, x):
        x = self.conv(x.transpose(1, 2)).transpose(1, 2)
        out, _ = self.rnn(x)
        return self.fc(self.norm(out.transpose(1, 2)).transpose(1, 2))

Net(8, 6)(torch.randn(2, 10, 8))
""",
    "heads of attention as the batch": """
class Net(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.rnn = nn.GRU(d // heads, d // heads, batch_first=True)

    def forward(self, x):
        b, t, d = x.shape
        x = x.view(b, t, self.heads, d // self.heads).transpose(1, 2).reshape(b * self.heads, t, d // self.heads)
        out, _ = self.rnn(x)
        return out.view(b, self.heads, t, d // self.heads).transpose(1, 2).reshape(b, t, d)

Net(8, 2)(torch.randn(2, 5, 8))
""",
}


def marked(program: str) -> list[tuple[int, str]]:
    """Rows and codes of the `# RSG201` comments."""
    return [
        (row, mark[1]) for row, line in enumerate(program.split("\n"), 1) if (mark := re.search(r"# (RSG\d{3})", line))
    ]


@pytest.mark.parametrize("name", WRONG)
def test_wrong_sizes_are_found_where_they_stand(name: str) -> None:
    assert said(WRONG[name], "RSG2", "RSG5") == marked(WRONG[name])


@pytest.mark.parametrize("name", RIGHT)
def test_sizes_that_fit_are_not_reported(name: str) -> None:
    assert said(RIGHT[name], "RSG2", "RSG3", "RSG4", "RSG5") == []
