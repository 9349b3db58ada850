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
    "an image whose columns are put first": """
class CRNN(nn.Module):
    def __init__(self, n_class):
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(64, 128, 3, padding=1), nn.AdaptiveAvgPool2d((1, None)))
        self.rnn = nn.LSTM(128, 64, bidirectional=True, batch_first=True)  # RSG101
        self.fc = nn.Linear(128, n_class)
    def forward(self, x):
        conv = self.cnn(x)
        b, c, h, w = conv.size()
        conv = conv.squeeze(2)
        conv = conv.permute(2, 0, 1)  # [w, b, c]
        out, _ = self.rnn(conv)
        return self.fc(out)
""",
    "sizes by name in a view": """
sequence_length = 28
input_size = 28
hidden_size = 128
class RNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, 2)  # RSG101
        self.fc = nn.Linear(hidden_size, 10)
    def forward(self, x):
        x = x.view(-1, sequence_length, input_size)
        out, (h, c) = self.lstm(x)
        return self.fc(h[-1])
""",
    "sizes of attributes in a reshape": """
class RNN(nn.Module):
    def __init__(self, seq_len, n_features, hidden):
        super().__init__()
        self.seq_len, self.n_features = seq_len, n_features
        self.lstm = nn.LSTM(n_features, hidden)  # RSG101
        self.fc = nn.Linear(hidden, 10)
    def forward(self, x):
        x = x.reshape((-1, self.seq_len, self.n_features))
        out, (h, c) = self.lstm(x)
        return self.fc(out)
""",
    "a convolution whose channels stay in the middle": """
class Net(nn.Module):
    def __init__(self, inp, hid):
        super().__init__()
        self.conv = nn.Conv1d(inp, 32, 3)
        self.lstm = nn.LSTM(32, hid, batch_first=True)
    def forward(self, x):
        x = F.relu(self.conv(x))
        out, _ = self.lstm(x)  # RSG101
        return out
""",
    "a convolution turned for the other layout": """
class Net(nn.Module):
    def __init__(self, inp, hid):
        super().__init__()
        self.conv = nn.Conv1d(inp, 32, 3)
        self.lstm = nn.LSTM(32, hid)  # RSG101
    def forward(self, x):
        x = F.relu(self.conv(x)).permute(0, 2, 1)
        out, _ = self.lstm(x)
        return out
""",
    "a mean in front of a Linear": """
def collate(batch):
    xs, ys = zip(*batch)
    return torch.stack(xs), torch.tensor(ys)
class Net(nn.Module):
    def __init__(self, inp, hid):
        super().__init__()
        self.gru = nn.GRU(inp, hid, 2)  # RSG101
        self.fc = nn.Linear(hid, 1)
    def forward(self, x):
        out, h = self.gru(x)
        out = out.mean(1)
        return self.fc(out)
""",
    "steps of a cell, stacked in front": """
class RNN(nn.Module):
    def __init__(self, n_features, hidden):
        super().__init__()
        self.hidden = hidden
        self.cell = nn.LSTMCell(n_features, hidden)
        self.top = nn.LSTM(hidden, hidden, batch_first=True)  # RSG101
    def forward(self, x):
        batch_size, seq_len, _ = x.size()
        h = torch.zeros(batch_size, self.hidden)
        c = torch.zeros(batch_size, self.hidden)
        outs = []
        for t in range(seq_len):
            h, c = self.cell(x[:, t], (h, c))
            outs.append(h)
        outs = torch.stack(outs)
        out, _ = self.top(outs)
        return out
""",
    "a decoder that adds its step behind the batch": """
class Decoder(nn.Module):
    def __init__(self, vocab, emb, hid):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb)
        self.rnn = nn.GRU(emb, hid)  # RSG101
        self.out = nn.Linear(hid, vocab)
    def forward(self, token, hidden):
        # token: (batch,)
        embedded = self.embedding(token).unsqueeze(1)
        output, hidden = self.rnn(embedded, hidden)
        return self.out(output.squeeze(1)), hidden
""",
    "rows of a table as one step, in front": """
class Net(nn.Module):
    def __init__(self, inp, hid):
        super().__init__()
        self.rnn = nn.LSTM(inp, hid, batch_first=True)  # RSG101
        self.fc = nn.Linear(hid, 2)
    def forward(self, x):
        out, _ = self.rnn(x.unsqueeze(0))
        return self.fc(out.squeeze(0))
net = Net(4, 8)
ds = torch.utils.data.TensorDataset(torch.randn(100, 4), torch.randn(100, 2))
for xb, yb in torch.utils.data.DataLoader(ds, batch_size=16, shuffle=True):
    loss = F.mse_loss(net(xb), yb)
""",
    "rows of a table as one step, behind": """
class Net(nn.Module):
    def __init__(self, inp, hid):
        super().__init__()
        self.rnn = nn.LSTM(inp, hid)  # RSG101
        self.fc = nn.Linear(hid, 2)
    def forward(self, x):
        out, _ = self.rnn(x.unsqueeze(1))
        return self.fc(out.squeeze(1))
def train():
    net = Net(4, 8)
    ds = torch.utils.data.TensorDataset(torch.randn(100, 4), torch.randn(100, 2))
    loader = torch.utils.data.DataLoader(ds, batch_size=16, shuffle=True)
    for epoch in range(3):
        for xb, yb in loader:
            loss = F.mse_loss(net(xb), yb)
train()
""",
    "windows of a data set of its own": """
class Windows(torch.utils.data.Dataset):
    def __init__(self, data, window):
        self.data, self.window = data, window
    def __len__(self):
        return len(self.data) - self.window
    def __getitem__(self, i):
        return self.data[i:i + self.window], self.data[i + self.window]
class Net(nn.Module):
    def __init__(self, inp, hid):
        super().__init__()
        self.rnn = nn.LSTM(inp, hid)  # RSG101
        self.fc = nn.Linear(hid, inp)
    def forward(self, x):
        out, (h, c) = self.rnn(x)
        return self.fc(h[-1])
net = Net(3, 8)
for x, y in torch.utils.data.DataLoader(Windows(torch.randn(100, 3), 10), batch_size=8):
    net(x)
""",
    "a convolution for each frame": """
class Comb(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn = CNN()
        self.rnn = nn.LSTM(input_size=320, hidden_size=64, num_layers=1)  # RSG101
        self.linear = nn.Linear(64, 10)
    def forward(self, x):
        batch_size, timesteps, C, H, W = x.size()
        c_in = x.view(batch_size * timesteps, C, H, W)
        c_out = self.cnn(c_in)
        r_in = c_out.view(batch_size, timesteps, -1)
        r_out, (h_n, h_c) = self.rnn(r_in)
        r_out2 = self.linear(r_out[:, -1, :])
        return F.log_softmax(r_out2, dim=1)
class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        return x.view(-1, 320)
""",
    "numbers named side by side": """
rnn = nn.LSTM(10, 20, 2)  # RSG101
batch_size, seq_len = 4, 7
x = torch.randn(batch_size, seq_len, 10)
out, (h, c) = rnn(x)
""",
    "the last step of the scores": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16)  # RSG101
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out)[:, -1]
""",
    "the last step by select": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16)  # RSG101
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out.select(1, -1))
""",
    "the last step by its number": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16)  # RSG101
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, out.size(1) - 1])
""",
    "the last step as a slice": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16)  # RSG101
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1:])
""",
    "the largest of all steps": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16)  # RSG101
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out.max(dim=1)[0])
""",
}

WRONG["one step after the other of a batch-first output, read along the samples"] = """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)

    def forward(self, x):
        return self.rnn(x)[0]

class Decoder(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.rnn = nn.LSTM(h, h)  # RSG103

    def forward(self, x):
        state, found = None, []
        for step in x.transpose(0, 1):
            out, state = self.rnn(step.unsqueeze(1), state)
            found.append(out)
        return torch.cat(found, dim=1)

encoder, decoder = Encoder(4, 5), Decoder(5)

def both(x):
    return decoder(encoder(x))
"""

WRONG["a code repeated for the steps along the batch"] = """
class Autoencoder(nn.Module):
    def __init__(self, d, h, z):
        super().__init__()
        self.encoder = nn.LSTM(d, h, batch_first=True)
        self.code, self.back = nn.Linear(h, z), nn.Linear(z, h)
        self.decoder = nn.LSTM(h, d, batch_first=True)

    def forward(self, x):
        _, (h, _) = self.encoder(x)
        steps = self.back(self.code(h)).repeat(1, x.size(1), 1)  # RSG103
        return self.decoder(steps)[0]
"""

RIGHT = {
    "a code repeated for the steps": """
class Autoencoder(nn.Module):
    def __init__(self, d, h, z):
        super().__init__()
        self.encoder = nn.LSTM(d, h, batch_first=True)
        self.code, self.back = nn.Linear(h, z), nn.Linear(z, h)
        self.decoder = nn.LSTM(h, d, batch_first=True)

    def forward(self, x):
        _, (h, _) = self.encoder(x)
        steps = self.back(self.code(h[-1])).unsqueeze(1).repeat(1, x.size(1), 1)
        return self.decoder(steps)[0]
""",
    "one step after the other of a batch-first output": """
class Both(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.encoder = nn.LSTM(d, h, batch_first=True)
        self.decoder = nn.LSTM(h, h)

    def forward(self, x):
        out, state = self.encoder(x)
        found = []
        for step in out.transpose(0, 1):
            read, state = self.decoder(step.unsqueeze(0), state)
            found.append(read)
        return torch.cat(found)
""",
    "a layer of a kind that a name tells, which cannot be recurrent": """
class Block(nn.Module):
    def __init__(self, width, activation):
        super().__init__()
        self.activation = getattr(nn, activation)()
        self.stack = [nn.Linear(width, width) for _ in range(3)]
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        for layer in self.stack:
            x = self.activation(layer(x))
        return self.head(x)


class Net(nn.Module):
    def __init__(self, width, activation):
        super().__init__()
        self.block = Block(width, activation)
        self.rnn = nn.GRU(width, width, batch_first=True)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.block(out)
""",
    "a layer of another layout in a derived class": """
class Base(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h)

    def forward(self, frames):
        # frames: (time, batch, d)
        return self.rnn(frames)[0]

class Turned(Base):
    def __init__(self, d, h):
        super().__init__(d, h)
        self.rnn = nn.LSTM(d, h, batch_first=True)
""",
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
    "the layout is the caller's choice, the written shape tells of one": """
class Net(nn.Module):
    def __init__(self, size, batch_first=True):
        super().__init__()
        self.batch_first = batch_first
        self.rnn = nn.LSTM(size, 16, batch_first=batch_first)

    def forward(self, x):
        # x: (batch, time, features)
        out, _ = self.rnn(x)
        if self.batch_first:
            return out[:, -1]
        return out[-1]
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


def test_a_batch_of_windows_without_features_is_one_finding() -> None:
    program = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 16, batch_first=True)
        self.fc = nn.Linear(16, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])


net = Net()
data = torch.utils.data.TensorDataset(torch.randn(100, 20), torch.randn(100, 1))
for x, y in torch.utils.data.DataLoader(data, batch_size=8):
    net(x)
"""
    assert said(program, "RSG1", "RSG2", "RSG3") == [(9, "RSG104")]
