"""Reading results (RSG401 to RSG408): right programs that look wrong, and wrong ones in other spellings than the pages."""

from __future__ import annotations

import re

import pytest

from tests.checks.programs import said

WRONG = {
    "a reading whose rank another reading of the same tensor settles": """
class Two(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.left = nn.GRU(d, h, batch_first=True)
        self.right = nn.GRU(d, h, batch_first=True)
        self.head = nn.Linear(2 * h, 2)

    def forward(self, x):
        mean = self.left(x)[0].mean(dim=1)
        out, _ = self.right(x)
        return self.head(torch.cat((mean, out[-1]), dim=-1))  # RSG401
""",
    "layers put back into the order of the samples": """
class Sorted(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, num_layers=2)

    def forward(self, x, lengths):
        ordered, by = torch.sort(lengths, descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[:, by], ordered)
        _, h_n = self.rnn(packed)
        return h_n[by.argsort()][-1]  # RSG404

Sorted(3, 4)(torch.randn(6, 5, 3), torch.tensor([3, 6, 2, 6, 1]))
""",
    "a squeeze that drops no layer": """
class Latent(nn.Module):
    def __init__(self, d, h, z, layers):
        super().__init__()
        self.rnn = nn.LSTM(d, h, layers, batch_first=True)
        self.mean = nn.Linear(h, z)

    def forward(self, x):
        _, (h_n, _) = self.rnn(x)
        return self.mean(torch.squeeze(h_n, 0))  # RSG404

Latent(3, 4, 2, 3)(torch.randn(5, 6, 3))
""",
    "one direction of a single layer as its features": """
class Tagger(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True, bidirectional=True)
        self.head = nn.Linear(h, 2)

    def forward(self, x):
        _, h_n = self.rnn(x)
        return self.head(h_n[:1].squeeze(0))  # RSG403

Tagger(3, 4)(torch.randn(2, 6, 3))
""",
    "the reverse half of a padded batch, read at its first step": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True, bidirectional=True)

    def forward(self, x, lens):
        # x: (batch, time, d)
        out, _ = self.rnn(x)  # RSG408
        ahead, back = out.chunk(2, dim=-1)
        return torch.cat([ahead[torch.arange(x.size(0)), lens - 1], back[:, 0]], dim=-1)
""",
    "lengths as a feature, and nothing else": """
class Sessions(nn.Module):
    def __init__(self, n, d):
        super().__init__()
        self.embed = nn.Embedding(n, d, padding_idx=0)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.out = nn.Linear(d + 1, 1)

    def forward(self, clicks, lengths):
        # clicks: (batch, time) padded with zeros; lengths: (batch,)
        _, h = self.rnn(self.embed(clicks))  # RSG408
        size = lengths.float().unsqueeze(-1).log()
        return self.out(torch.cat((h[-1], size), dim=1))
""",
    "a pair taken for the states of two directions": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.lstm = nn.LSTM(d, h, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(2 * h, 2)

    def forward(self, x):
        batch, steps, _ = x.shape
        _, state = self.lstm(x)  # RSG405
        return self.fc(torch.cat([state[0], state[1]], 1))
""",
    "rows of samples counted along the time": """
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h)

    def forward(self, x, lengths):
        packed, _ = self.rnn(pack_padded_sequence(x, lengths, enforce_sorted=False))
        steps, sizes = pad_packed_sequence(packed)
        samples = torch.arange(x.size(1), device=x.device)
        return steps[samples, sizes - 1, :]  # RSG401
""",
    "the last sample of a layer that was told its layout, in a helper": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 3)

    def summary(self, steps):
        return steps[-1, :, :]  # RSG401

    def forward(self, x):
        steps, _ = self.rnn(x)
        return self.fc(self.summary(steps))
""",
    "a state pair detached by the caller of the model": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.lstm = nn.LSTM(d, h)
        self.fc = nn.Linear(h, d)

    def forward(self, x, state=None):
        out, state = self.lstm(x, state)
        return self.fc(out), state

def train(model, pieces, loss):
    state = None
    for x, y in pieces:
        scores, state = model(x, state)
        state = state.detach()  # RSG405
        loss(scores, y).backward()

train(Net(3, 4), [(torch.randn(5, 2, 3), torch.randn(5, 2, 3))], nn.MSELoss())
""",
    "last sample through a dropout and a linear": """
class Net(nn.Module):
    def __init__(self, d, h, n):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.drop = nn.Dropout(0.3)
        self.fc = nn.Linear(h, n)

    def forward(self, x):
        batch_size, seq_len, _ = x.size()
        out, _ = self.rnn(x)
        scores = self.fc(self.drop(out))
        return scores[-1]  # RSG401
""",
    "a state made for the batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x):
        h0 = torch.zeros(1, x.size(0), self.h)
        c0 = torch.zeros(1, x.size(0), self.h)
        out, _ = self.rnn(x, (h0, c0))
        return self.fc(out[-1])  # RSG401
""",
    "the last place counted by hand": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * h, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, x.size(1) - 1, :])  # RSG402
""",
    "both directions of the bottom layer": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, num_layers=2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * h, 2)

    def forward(self, x):
        _, h = self.rnn(x)
        return self.fc(torch.cat((h[0], h[1]), dim=1))  # RSG404
""",
    "the upper half of the states": """
class Net(nn.Module):
    def __init__(self, d, h, layers):
        super().__init__()
        self.layers = layers
        self.encoder = nn.LSTM(d, h, layers, bidirectional=True)
        self.decoder = nn.LSTM(d, h, layers)

    def forward(self, x, y):
        memory, (h, c) = self.encoder(x)
        out, _ = self.decoder(y, (h[-self.layers:], c[-self.layers:]))  # RSG403
        return out, memory
""",
    "the reverse direction, returned with all steps": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, bidirectional=True)
        self.fc = nn.Linear(h, h)

    def forward(self, x):
        out, hidden = self.rnn(x)
        return out, torch.tanh(self.fc(hidden[-1]))  # RSG403
""",
    "a result in three": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.lstm = nn.LSTM(d, h)

    def forward(self, x):
        out, h, c = self.lstm(x)  # RSG405
        return out
""",
    "the data of a pair": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.lstm = nn.LSTM(d, h)

    def forward(self, x):
        out, hidden = self.lstm(x)  # RSG405
        self.hidden = hidden.data
        return out
""",
    "maximum over the batch": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        \"\"\"x: (batch, seq, 8)\"\"\"
        out = self.rnn(x)[0]
        pooled, _ = torch.max(out, dim=0)  # RSG401
        return self.fc(pooled)
""",
    "select instead of a subscript": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):  # x: (seq_len, batch, 8)
        out, state = self.rnn(x)
        return self.fc(out.select(1, -1))  # RSG401
""",
    "last sample of a packed batch padded batch-first": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, _ = self.rnn(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
        return self.fc(out[-1])  # RSG401
""",
    "half seen, a configured width": """
@dataclass
class Config:
    width: int = 32
    hidden: int = 64

class Net(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.lstm = nn.LSTM(config.width, config.hidden, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(config.hidden * 2, 4)

    def forward(self, x):
        out, _ = self.lstm(x)
        out = F.relu(out)
        out = out[:, -1, :]  # RSG402
        return self.fc(out)
""",
    "half seen behind a linear": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 16, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(32, 4)

    def forward(self, x):
        scores = self.fc(self.lstm(x)[0])
        return scores[:, -1]  # RSG402
""",
    "half seen by arange and lengths": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(32, 4)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, h = self.gru(packed)
        out, sizes = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
        last = out[torch.arange(out.size(0)), sizes - 1]  # RSG402
        return self.fc(last)
""",
    "half seen in a loop over layers": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.layers = nn.ModuleList([nn.GRU(d, h, batch_first=True), nn.GRU(h, h, batch_first=True, bidirectional=True)])
        self.fc = nn.Linear(2 * h, 3)

    def forward(self, x):
        for layer in self.layers:
            x, _ = layer(x)
        return self.fc(x[:, -1])  # RSG402
""",
    "half seen when bidirectional": """
class Net(nn.Module):
    def __init__(self, d, h, bidirectional):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True, bidirectional=bidirectional)
        self.fc = nn.Linear(h * (2 if bidirectional else 1), 3)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1, :])  # RSG402
""",
    "the cell state of one direction": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 16, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        _, state = self.lstm(x)
        return self.fc(state[0][-1])  # RSG403
""",
    "the forward direction of one layer": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, bidirectional=True)
        self.fc = nn.Linear(h, 4)

    def forward(self, x):
        out, hidden = self.rnn(x)
        return self.fc(hidden[0])  # RSG403
""",
    "half of the states for a decoder, output used": """
class Net(nn.Module):
    def __init__(self, d, h, n_layers):
        super().__init__()
        self.encoder = nn.GRU(d, h, n_layers, bidirectional=True)
        self.decoder = nn.GRU(d, h, n_layers)
        self.attend = nn.Linear(2 * h, h)

    def forward(self, x, y):
        memory, hidden = self.encoder(x)
        out, _ = self.decoder(y, hidden[:self.decoder.num_layers])  # RSG403
        return out, self.attend(memory)
""",
    "a sample for a layer": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        out, (hidden, cell) = self.lstm(x)
        return self.fc(hidden[:, -1, :])  # RSG404
""",
    "the bottom layer": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, num_layers=3, batch_first=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        hidden = self.gru(x)[1]
        return self.fc(hidden[0, :, :])  # RSG404
""",
    "a state pair into a linear": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        out, hidden = self.lstm(x)  # RSG405
        return self.fc(hidden)
""",
    "a state pair joined with a tensor": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 16, batch_first=True)

    def forward(self, x, context):
        _, state = self.lstm(x)  # RSG405
        return state.permute(1, 0, 2)
""",
    "an RNN's state as a pair": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.RNN(d, h, num_layers=3, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x):
        out, (h, c) = self.rnn(x)  # RSG405
        return self.fc(h[-1]) + c.sum()
""",
    "the whole result into another layer": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.LSTM(8, 16, batch_first=True)
        self.two = nn.LSTM(16, 16, batch_first=True)

    def forward(self, x):
        y = self.one(x)  # RSG406
        y, _ = self.two(y)
        return y
""",
    "the whole result through a dropout": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        return self.fc(self.drop(self.gru(x)))  # RSG406
""",
    "the whole result into a function": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(self, x):
        out = self.gru(x)  # RSG406
        return torch.relu(out)
""",
    "the whole result asked for its mean": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(self, x):
        return self.gru(x).mean(dim=1)  # RSG406
""",
    "an RNN in a Sequential that a function makes": """
def make(d, h):
    return nn.Sequential(
        nn.GRU(d, h),  # RSG406
        nn.ReLU(),
    )

def train(loader):
    model = make(3, 4)
    for x, y in loader:
        loss = F.mse_loss(model(x), y)
""",
    "an RNN in a Sequential of a module": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(d, h),
            nn.LSTM(h, h, batch_first=True),  # RSG406
            nn.Linear(h, 2),
        )

    def forward(self, x):
        return self.body(x)
""",
    "hidden, then directions": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, bidirectional=True, batch_first=True)

    def forward(self, x):
        out, _ = self.rnn(x)
        out = out.reshape(x.size(0), x.size(1), self.h, 2)  # RSG407
        return out.sum(dim=-1)
""",
    "a padded batch in time-major layout": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths)
        out, _ = self.rnn(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out)
        return self.fc(F.dropout(out, 0.2)[-1])  # RSG408
""",
    "lengths that nobody reads": """
class Net(nn.Module):
    def __init__(self, vocabulary, d, h):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, tokens, seq_lens):
        # tokens: (batch, time)
        emb = self.embed(tokens)
        out, (h, c) = self.rnn(emb)  # RSG408
        return self.fc(h.squeeze(0))
""",
    "lengths that nobody reads, and the last step": """
class Net(nn.Module):
    def __init__(self, vocabulary, d, h):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, tokens, lengths):
        batch_size, max_len = tokens.shape
        out, _ = self.rnn(self.embed(tokens))  # RSG408
        return self.fc(out[:, -1])
""",
    "a class gathered along the steps of a time-major output": """
class Scores(nn.Module):
    def __init__(self, d, h, n):
        super().__init__()
        self.rnn = nn.GRU(d, h)
        self.fc = nn.Linear(h, n)

    def forward(self, x, labels):
        # x: (time, batch, features), labels: (time, batch)
        logp = F.log_softmax(self.fc(self.rnn(x)[0]), dim=-1)
        return torch.gather(logp, 0, labels[:, :, None])  # RSG410
""",
    "the last step gathered without its features": """
class Ends(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        out, _ = self.rnn(x)
        last = (lengths - 1).reshape(-1, 1, 1)
        return torch.gather(out, 1, last).squeeze(1)  # RSG410
""",
    "the last step gathered without its features, by methods alone": """
class Ends(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        out, _ = self.rnn(x)
        return out.gather(1, lengths.sub(1).long().unsqueeze(1).unsqueeze(2)).squeeze(1)  # RSG410
""",
    "samples reversed for a backward layer, and its output reversed back": """
class Backward(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x):
        batch_size, steps, _ = x.shape
        out, _ = self.rnn(F.dropout(torch.flip(x, dims=[0]), 0.1))  # RSG401
        return out.flip(0)
""",
    "time-major samples reversed beside those that are not": """
class Both(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.one = nn.LSTM(d, h)
        self.two = nn.LSTM(d, h)

    def forward(self, x):
        # x: (time, batch, features)
        ahead, _ = self.one(x)
        back, _ = self.two(x.flip([1]))  # RSG401
        return torch.cat([ahead, back.flip([0])], dim=2)
""",
    "the last feature of every step, where the head takes all of the last step": """
class Net(nn.Module):
    def __init__(self, d, h, n):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * h, n)

    def forward(self, x):
        out, _ = self.rnn(x)
        last = F.dropout(out, 0.1)[..., -1]  # RSG401
        return self.fc(last)
""",
    "the mean of all steps, the padding with them": """
class Calls(nn.Module):
    def __init__(self, bands, h):
        super().__init__()
        self.rnn = nn.LSTM(bands, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * h, 2)

    def forward(self, frames, frame_lengths):
        # frames: (batch, time, bands)
        out, _ = self.rnn(frames)
        return self.fc(torch.mean(F.relu(out), dim=1))  # RSG408
""",
    "the greatest of all time-major steps, the lengths a feature": """
class Baskets(nn.Module):
    def __init__(self, n, h):
        super().__init__()
        self.embed = nn.Embedding(n, h)
        self.rnn = nn.GRU(h, h)
        self.count = nn.Linear(1, h)

    def forward(self, items, lens):
        # items: (time, batch)
        out, _ = self.rnn(self.embed(items))
        best = out.max(dim=0)[0]  # RSG408
        return best + self.count(lens.float().unsqueeze(1))
""",
}

RIGHT = {
    "a squeeze of a state that has one layer, or may have": """
class Latent(nn.Module):
    def __init__(self, d, h, z, layers=1):
        super().__init__()
        self.rnn = nn.GRU(d, h, layers, batch_first=True)
        self.mean = nn.Linear(h, z)

    def forward(self, x):
        _, h_n = self.rnn(x)
        return self.mean(h_n.squeeze(0))
""",
    "samples put back into their order": """
class Sorted(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, num_layers=2)

    def forward(self, x, lengths):
        ordered, by = torch.sort(lengths, descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[:, by], ordered)
        _, h_n = self.rnn(packed)
        return h_n.index_select(1, by.argsort())[-1]

Sorted(3, 4)(torch.randn(6, 5, 3), torch.tensor([3, 6, 2, 6, 1]))
""",
    "a decoder that goes on from the forward direction": """
class Pair(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.encoder = nn.LSTM(d, h, batch_first=True, bidirectional=True)
        self.decoder = nn.LSTM(d, h, batch_first=True)

    def forward(self, x, y):
        _, (h_n, c_n) = self.encoder(x)
        return self.decoder(y, (h_n[:1].contiguous(), c_n[:1].contiguous()))[0]

Pair(3, 4)(torch.randn(2, 6, 3), torch.randn(2, 5, 3))
""",
    "lengths as a feature, and as an index": """
class Sessions(nn.Module):
    def __init__(self, n, d):
        super().__init__()
        self.embed = nn.Embedding(n, d, padding_idx=0)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.out = nn.Linear(2 * d + 1, 1)

    def forward(self, clicks, lengths):
        # clicks: (batch, time) padded with zeros; lengths: (batch,)
        out, h = self.rnn(self.embed(clicks))
        size = lengths.float().unsqueeze(-1)
        last = out[torch.arange(len(clicks)), lengths - 1]
        return self.out(torch.cat((h[-1], last, size), dim=1))
""",
    "a pair joined side by side": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.lstm = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(2 * h, 2)

    def forward(self, x):
        batch, steps, _ = x.shape
        _, state = self.lstm(x)
        return self.fc(torch.cat(state, dim=-1)), torch.cat(state, dim=0)
""",
    "rows of samples counted along the batch": """
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h)

    def forward(self, x, lengths):
        packed, _ = self.rnn(pack_padded_sequence(x, lengths, enforce_sorted=False))
        steps, sizes = pad_packed_sequence(packed)
        samples = torch.arange(x.size(1), device=x.device)
        return steps[sizes - 1, samples, :]
""",
    "the last step, batch-first": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        # x: (batch, time, 8)
        out, _ = self.rnn(x)
        return self.fc(out[:, -1]), self.fc(out.mean(1))
""",
    "a normalisation over batch and time": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=True)

    def forward(self, x):
        # x: (batch, time, 8)
        out, _ = self.rnn(x)
        return (out - out.mean(dim=(0, 1))) / out.std(dim=(0, 1))
""",
    "a batch of one": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        # x: (time, 8)
        out, _ = self.rnn(x.unsqueeze(0))
        return self.fc(out[-1])
""",
    "turned before the last step is taken": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        # x: (batch, time, 8)
        out = self.rnn(x)[0].transpose(0, 1)
        return self.fc(out[-1])
""",
    "both ends": """
class Net(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(8, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * h, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        forward, backward = out[:, -1, :self.h], out[:, 0, self.h:]
        return self.fc(torch.cat([forward, backward], dim=-1))
""",
    "directions apart, then both ends": """
class Net(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(8, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * h, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        out = out.view(x.size(0), x.size(1), 2, self.h)
        return self.fc(torch.cat((out[:, -1, 0], out[:, 0, 1]), 1))
""",
    "cut after the step is taken": """
class Net(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.h = h
        self.rnn = nn.LSTM(8, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * h, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        last, first = out[:, -1], out[:, 0]
        return self.fc(torch.cat((last[:, :self.h], first[:, self.h:]), 1))
""",
    "the last step beside attention over all steps": """
class Net(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.rnn = nn.LSTM(8, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(4 * h, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        query = out[:, -1]
        weights = torch.bmm(out, query.unsqueeze(2)).softmax(dim=1)
        context = (weights * out).sum(dim=1)
        return self.fc(torch.cat([query, context], dim=1))
""",
    "the last step beside the state": """
class Net(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.rnn = nn.GRU(8, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(3 * h, 2)

    def forward(self, x):
        out, hidden = self.rnn(x)
        return self.fc(torch.cat([out[:, -1], hidden[-1]], dim=1))
""",
    "the output handed to a module of somebody else": """
from somewhere import Attention

class Net(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.rnn = nn.GRU(8, h, batch_first=True, bidirectional=True)
        self.attend = Attention(h)
        self.fc = nn.Linear(2 * h, 2)

    def forward(self, x):
        out, hidden = self.rnn(x)
        return self.fc(out[:, -1]) + self.attend(out)
""",
    "an option that decides": """
class Net(nn.Module):
    def __init__(self, d, h, bidirectional=False):
        super().__init__()
        self.bidirectional = bidirectional
        self.rnn = nn.GRU(d, h, batch_first=True, bidirectional=bidirectional)
        self.fc = nn.Linear(h * (1 + bidirectional), 3)

    def forward(self, x):
        out, hidden = self.rnn(x)
        if self.bidirectional:
            last = torch.cat([hidden[-2], hidden[-1]], dim=1)
        else:
            last = hidden[-1]
        return self.fc(last)
""",
    "an option that is never turned on": """
class Net(nn.Module):
    def __init__(self, d, h, bidirectional=False):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True, bidirectional=bidirectional)
        self.fc = nn.Linear(h, 3)

    def forward(self, x):
        out, hidden = self.rnn(x)
        return self.fc(out[:, -1]) + self.fc(hidden[-1])

model = Net(3, 4)
""",
    "one direction of each end, by a sum": """
class Net(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.rnn = nn.LSTM(8, h, num_layers=2, bidirectional=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x):
        _, (hidden, cell) = self.rnn(x)
        return self.fc(hidden[-1] + hidden[-2]), self.fc(cell.mean(dim=0))
""",
    "the reverse state beside all steps": """
class Net(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.rnn = nn.GRU(8, h, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(3 * h, 2)

    def forward(self, x):
        out, hidden = self.rnn(x)
        return self.fc(torch.cat([out.mean(dim=1), hidden[-1]], dim=1))
""",
    "a state kept for the next call": """
class Net(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.rnn = nn.GRU(8, h, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x):
        _, hidden = self.rnn(x)
        self.hidden = hidden
        return self.fc(hidden[-1])
""",
    "a state of one layer": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        _, hidden = self.gru(x)
        return self.fc(hidden[0])
""",
    "first and last layer": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, num_layers=2, batch_first=True)
        self.fc = nn.Linear(32, 4)

    def forward(self, x):
        _, hidden = self.gru(x)
        return self.fc(torch.cat((hidden[0], hidden[1]), dim=1))
""",
    "a state turned batch-first": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, num_layers=2, batch_first=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        _, hidden = self.gru(x)
        return self.fc(hidden.transpose(0, 1)[:, -1])
""",
    "one sample of the state, in a loop": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(self, x):
        _, hidden = self.gru(x)
        return [hidden[:, i] for i in range(x.size(0))]
""",
    "the two of a pair": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        out, state = self.lstm(x)
        out, state = self.lstm(out.new_zeros(4, 7, 8), state)
        return self.fc(state[0][-1]) + self.fc(state[1].squeeze(0))
""",
    "the two directions of a state": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, bidirectional=True)
        self.fc = nn.Linear(32, 4)

    def forward(self, x):
        out, (forward, backward) = self.gru(x)
        return self.fc(torch.cat((forward, backward), dim=1))
""",
    "a kind that is chosen when it runs": """
class Net(nn.Module):
    def __init__(self, kind, d, h):
        super().__init__()
        self.kind = kind
        self.rnn = getattr(nn, kind)(d, h, batch_first=True)
        self.fc = nn.Linear(h, 4)

    def forward(self, x):
        out, state = self.rnn(x)
        if self.kind == "LSTM":
            state = state[0]
        return self.fc(state[-1])
""",
    "a state that is asked what it is": """
class Net(nn.Module):
    def __init__(self, kind, d, h):
        super().__init__()
        cls = {"lstm": nn.LSTM, "gru": nn.GRU}[kind]
        self.rnn = cls(d, h, batch_first=True)
        self.fc = nn.Linear(h, 4)

    def forward(self, x):
        out, state = self.rnn(x)
        if isinstance(state, tuple):
            state = state[0]
        return self.fc(state.squeeze(0))
""",
    "the output of a result": """
class Take(nn.Module):
    def forward(self, result):
        return result[0]

model = nn.Sequential(nn.GRU(3, 4), Take(), nn.Linear(4, 2))
out = model(torch.randn(7, 2, 3))
""",
    "directions, then hidden": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, bidirectional=True, batch_first=True)

    def forward(self, x):
        out, _ = self.rnn(x)
        out = out.view(x.size(0), x.size(1), 2, self.h)
        return out.sum(dim=2)
""",
    "heads cut from both directions": """
class Net(nn.Module):
    def __init__(self, d, h, heads):
        super().__init__()
        self.heads, self.size = heads, 2 * h // heads
        self.rnn = nn.GRU(d, h, bidirectional=True, batch_first=True)

    def forward(self, x):
        out, _ = self.rnn(x)
        return out.view(x.size(0), x.size(1), self.heads, self.size).transpose(1, 2)
""",
    "the state of a packed batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, (h, _) = self.rnn(packed)
        return self.fc(h[-1])
""",
    "lengths that pick the step": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        out, (h, _) = self.rnn(x)
        return self.fc(out[torch.arange(len(x)), lengths - 1])
""",
    "lengths that mask every step, and a state beside": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        out, (h, _) = self.rnn(x)
        mask = torch.arange(x.size(1))[None, :] < lengths[:, None]
        return self.fc(out) * mask.unsqueeze(-1), h[-1]
""",
    "steps reversed for a layer of their own": """
class Both(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.one = nn.LSTM(d, h)
        self.two = nn.LSTM(d, h)

    def forward(self, x):
        # x: (time, batch, features)
        ahead, _ = self.one(x)
        back, _ = self.two(x.flip(0))
        return torch.cat([ahead, back.flip(0)], dim=2)
""",
    "samples reversed, so that each meets a stranger": """
class Contrast(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.same = nn.Bilinear(h, h, 1)

    def forward(self, x):
        # x: (batch, time, features)
        _, own = self.rnn(x)
        _, other = self.rnn(x.flip(0))
        return self.same(own[-1], other[-1])
""",
    "samples mixed with their mirror images": """
class Mixed(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, share):
        # x: (batch, time, features)
        mixed = 0.7 * x + 0.3 * x.flip(0)
        return self.rnn(mixed)[0]
""",
    "one unit of every step, for a head over the window": """
class Net(nn.Module):
    def __init__(self, d, h, window, n):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(window, n)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, :, -1])
""",
    "one unit of every step, and the features beside it": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, h)

    def forward(self, x):
        out, _ = self.rnn(x)
        gate = torch.sigmoid(out[:, :, -1])
        return self.fc(out) * gate.unsqueeze(-1)
""",
    "a class gathered along the classes": """
class Scores(nn.Module):
    def __init__(self, d, h, n):
        super().__init__()
        self.rnn = nn.GRU(d, h)
        self.fc = nn.Linear(h, n)

    def forward(self, x, labels):
        # x: (time, batch, features), labels: (time, batch)
        logp = F.log_softmax(self.fc(self.rnn(x)[0]), dim=-1)
        return torch.gather(logp, 2, labels[:, :, None]).squeeze(-1)
""",
    "the last step gathered with all its features": """
class Ends(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        out, _ = self.rnn(x)
        last = (lengths - 1).view(-1, 1, 1).expand(-1, 1, out.shape[-1])
        return out.gather(1, last).squeeze(1)
""",
    "one score for each step, and the step gathered": """
class Ends(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.score = nn.Linear(h, 1)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        out, _ = self.rnn(x)
        return self.score(out).gather(1, (lengths - 1).view(-1, 1, 1)).squeeze()
""",
    "the step that a pointer names, gathered from weights": """
class Pointer(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.score = nn.Linear(h, 1)

    def forward(self, x, target):
        # x: (batch, time, features), target: (batch,)
        out, _ = self.rnn(x)
        logp = self.score(out).squeeze(-1).log_softmax(dim=1)
        return logp.gather(1, target.unsqueeze(1))
""",
    "lengths that mask the steps before their mean": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        out, _ = self.rnn(x)
        mask = torch.arange(x.size(1))[None, :] < lengths[:, None]
        out = out.masked_fill(~mask.unsqueeze(-1), 0.0)
        return self.fc(out.sum(dim=1) / lengths.unsqueeze(1))
""",
    "a mean over the steps of a window, lengths of something else": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.words = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(2 * h, 2)

    def forward(self, x, words, lengths):
        # x: (batch, time, features)
        out, _ = self.rnn(x)
        packed = nn.utils.rnn.pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        _, h_n = self.words(packed)
        return self.fc(torch.cat([out.mean(dim=1), h_n[-1]], dim=-1))
""",
    "a mean over time that nobody gave lengths for": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x):
        # x: (batch, time, features)
        out, _ = self.rnn(x)
        return self.fc(out.mean(dim=1))
""",
    "a mask by a method of its own, and a mean of what it left": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def mask(self, lengths):
        return torch.arange(int(lengths.max()))[None, :] < lengths[:, None]

    def forward(self, x, lengths):
        # x: (batch, time, features)
        out, _ = self.rnn(x)
        real = self.mask(lengths)
        return self.fc((out * real.unsqueeze(-1)).mean(dim=1))
""",
    "lengths that may be left out": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths=None):
        # x: (batch, time, features)
        out, (h, _) = self.rnn(x)
        return self.fc(h[-1])
""",
    "padded in front": """
class Net(nn.Module):
    \"\"\"Sequences are padded on the left.\"\"\"

    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        \"\"\"x: (batch, time, features), left-padded\"\"\"
        out, (h, _) = self.rnn(x)
        return self.fc(h[-1])
""",
    "all steps of a padded batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(2 * h, 5)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        out, _ = self.rnn(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
        return self.fc(out)
""",
    "one step at a time": """
class Decoder(nn.Module):
    def __init__(self, v, h):
        super().__init__()
        self.embed = nn.Embedding(v, h)
        self.gru = nn.GRU(h, h)
        self.fc = nn.Linear(h, v)

    def forward(self, token, hidden):
        out, hidden = self.gru(self.embed(token).view(1, 1, -1), hidden)
        return self.fc(out[0]), hidden
""",
}


def expected(program: str) -> list[tuple[int, str]]:
    """The rows with a code behind them."""
    lines = enumerate(program.split("\n"), start=1)
    return [(row, code) for row, line in lines for code in re.findall(r"# (RSG\d+)", line)]


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG)
def test_wrong(program: str) -> None:
    assert said(program, "RSG4") == expected(program)


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT)
def test_right(program: str) -> None:
    assert said(program, "RSG4") == []
