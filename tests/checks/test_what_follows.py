"""What follows a recurrent layer (RSG701 to RSG706): right programs that look wrong, and wrong ones in other spellings."""

from __future__ import annotations

import pytest

from tests.checks.programs import said
from tests.checks.test_readings import expected

WRONG = {
    "scores by step and targets by sample, whatever axes a sample has": """
class Tagger(nn.Module):
    def __init__(self, words, tags):
        super().__init__()
        self.embed = nn.Embedding(words, 8)
        self.rnn = nn.GRU(8, 8)
        self.out = nn.Linear(8, tags)

    def forward(self, words):
        return self.out(self.rnn(self.embed(words).transpose(0, 1))[0])

def train(model: Tagger, words, tags):
    samples = torch.utils.data.TensorDataset(words, tags)
    for words, tags in torch.utils.data.DataLoader(samples, batch_size=16):
        loss = F.cross_entropy(model(words).flatten(0, 1), tags.reshape(-1))  # RSG701

train(Tagger(30, 5), load("words"), load("tags"))
""",
    "one summary for each step beside the steps of the other layout": """
class Beside(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.mix = nn.Linear(2 * h, h)

    def forward(self, query, keys):
        # query: (batch, h), keys: (batch, time, features)
        out, _ = self.rnn(keys)
        wide = query.repeat(out.size(1), 1, 1)
        return self.mix(torch.cat([wide, out], dim=2))  # RSG707
""",
    "time and batch exchanged in a sum": """
class Twice(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.up = nn.GRU(d, h, batch_first=True)
        self.down = nn.GRU(h, h)

    def forward(self, x):
        # x: (batch, time, features)
        low, _ = self.up(x)
        high, _ = self.down(low.transpose(0, 1))
        return low + high  # RSG707
""",
    "a convolution along the batch": """
class Smooth(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h)
        self.pool = nn.MaxPool1d(2)

    def forward(self, x):
        steps, batch, _ = x.shape
        out, _ = self.rnn(x)
        return self.pool(out.transpose(1, 2))  # RSG703
""",
    "a convolution along the batch, layout given": """
class Smooth(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.conv = nn.Conv1d(h, h, 5, padding=2)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.conv(out.permute(1, 2, 0))  # RSG703
""",
    "tags of which the comment says what the words are": """
class Tagger(nn.Module):
    def __init__(self, vocabulary, tags, d):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.out = nn.Linear(d, tags)
        self.loss = nn.NLLLoss()

    def forward(self, words):
        return self.out(self.rnn(self.embed(words))[0]).log_softmax(-1)

    def validation_step(self, batch):
        words, tags = batch  # both are of shape (batch, time)
        return self.loss(self(words), tags)  # RSG701
""",
    "flattened in the order of time, and by sample": """
class Labels(nn.Module):
    def __init__(self, vocabulary, labels, d):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.rnn = nn.LSTM(d, d)
        self.out = nn.Linear(d, labels)

    def loss(self, sample):
        tokens, labels = sample  # (batch, time), (batch, time)
        out, _ = self.rnn(self.embed(tokens.t()))
        scores = self.out(out)
        return F.cross_entropy(scores.flatten(0, 1), labels.flatten())  # RSG701
""",
    "a difference by hand": """
class Value(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.rnn = nn.GRU(d, 8, batch_first=True)
        self.value = nn.Linear(8, 1)

    def forward(self, x):
        _, h = self.rnn(x)
        return self.value(h[-1])

    def error(self, x, y):
        # x: (batch, time, d), y: (batch,)
        return (y - self(x)).abs().mean()  # RSG705
""",
    "scores in a column, labels of a dataset in a row": """
class Beats(torch.utils.data.Dataset):
    def __init__(self):
        self.beats, self.sick = torch.randn(40, 90, 2), torch.randint(0, 2, (40,))

    def __len__(self):
        return 40

    def __getitem__(self, at):
        return self.beats[at], self.sick[at].float()

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(2, 12, batch_first=True)
        self.fc = nn.Linear(12, 1)

    def forward(self, x):
        return self.fc(self.rnn(x)[1][0][-1])

model, criterion = Net(), nn.BCEWithLogitsLoss()
for beats, sick in torch.utils.data.DataLoader(Beats(), batch_size=8):
    loss = criterion(model(beats), sick)  # RSG705
""",
    "windows of a series, gathered in lists": """
import numpy as np

def windows(series, width):
    xs, ys = [], []
    for at in range(len(series) - width):
        xs.append(series[at : at + width])
        ys.append(series[at + width : at + width + 1])
    return torch.FloatTensor(np.array(xs)).unsqueeze(-1), torch.FloatTensor(np.array(ys))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(1, 8, batch_first=True)
        self.fc = nn.Linear(8, 1)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1]).squeeze(-1)

x, y = windows(np.arange(50.0), 7)
model = Net()
loss = F.l1_loss(model(x), y)  # RSG705
""",
    "a convolution over the widths of an embedding": """
class Net(nn.Module):
    def __init__(self, n, width, filters, hidden):
        super().__init__()
        self.embed = nn.Embedding(n, width)
        self.conv = nn.Conv1d(width, filters, 5, padding=2)
        self.rnn = nn.GRU(filters, hidden, batch_first=True)

    def forward(self, ids):
        maps = self.conv(self.embed(ids))  # RSG703
        return self.rnn(maps.transpose(1, 2))[0]
""",
    "classes last, targets cut from the input": """
class Language(nn.Module):
    def __init__(self, vocabulary, d):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.rnn = nn.LSTM(d, d, batch_first=True)
        self.out = nn.Linear(d, vocabulary)

    def forward(self, tokens):
        return self.out(self.rnn(self.embed(tokens))[0])

    def training_step(self, tokens):
        logits = self(tokens[:, :-1])
        return F.cross_entropy(logits, tokens[:, 1:])  # RSG701
""",
    "log-likelihood of classes last": """
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=True)
        self.out = nn.Linear(16, 5)

    def forward(self, x):
        return F.log_softmax(self.out(self.rnn(x)[0]), dim=-1)

model = Tagger()
criterion = nn.NLLLoss()
for _ in range(3):
    x, y = torch.randn(4, 9, 8), torch.randint(0, 5, (4, 9))
    loss = criterion(model(x), y)  # RSG701
""",
    "scores and targets flattened in different orders": """
class Language(nn.Module):
    def __init__(self, vocabulary, d):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.rnn = nn.LSTM(d, d)
        self.out = nn.Linear(d, vocabulary)

    def forward(self, tokens, target):
        # tokens: (batch, time)
        # target: (batch, time)
        out, _ = self.rnn(self.embed(tokens).transpose(0, 1))
        scores = self.out(out)
        return F.cross_entropy(scores.reshape(-1, scores.size(-1)), target.reshape(-1))  # RSG701
""",
    "targets as a column": """
model = nn.GRU(3, 5, batch_first=True)
head = nn.Linear(5, 4)
x, y = torch.randn(6, 7, 3), torch.randint(0, 4, (6, 1))
out, h = model(x)
loss = F.cross_entropy(head(h[-1]), y)  # RSG701
""",
    "a softmax layer over the batch": """
class Attention(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.score = nn.Sequential(nn.Linear(h, h), nn.Tanh(), nn.Linear(h, 1))
        self.softmax = nn.Softmax(dim=0)

    def forward(self, x):
        out, _ = self.rnn(x)
        weights = self.softmax(self.score(out))  # RSG702
        return (weights * out).sum(dim=1)
""",
    "classes of a batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 3)

    def forward(self, x):
        batch_size = x.size(0)
        out, _ = self.rnn(x)
        return torch.log_softmax(self.fc(out[:, -1]), dim=0)  # RSG702
""",
    "one unit, squeezed behind": """
class Attention(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.score = nn.Linear(h, 1)

    def forward(self, x):
        out, _ = self.rnn(x)
        weights = F.softmax(torch.tanh(self.score(out)), dim=2)  # RSG702
        return torch.bmm(weights.transpose(1, 2), out)
""",
    "channels of a convolution behind an RNN": """
class Net(nn.Module):
    def __init__(self, d, h, channels):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.conv = nn.Conv1d(h, channels, 3)

    def forward(self, x):
        batch_size, seq_len, _ = x.shape
        out, _ = self.rnn(x)
        return self.conv(out)  # RSG703
""",
    "channels of an embedding": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(100, 32)
        self.conv = nn.Sequential(nn.Conv1d(32, 64, 3, padding=1), nn.ReLU())
        self.rnn = nn.LSTM(64, 16, batch_first=True)

    def forward(self, tokens):
        x = self.conv(self.embed(tokens))  # RSG703
        return self.rnn(x.transpose(1, 2))

model = Net()
model(torch.randint(0, 100, (4, 20)))
""",
    "a pool over the hidden units": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.pool = nn.AdaptiveMaxPool1d(1)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.pool(out)  # RSG703
""",
    "a pool over the hidden units, as a function": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * h, 3)

    def forward(self, x):
        out, _ = self.rnn(x)
        pooled = F.max_pool1d(out, kernel_size=out.size(1)).squeeze(2)  # RSG703
        return self.fc(pooled)
""",
    "attention over samples, by hand": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h)
        self.key = nn.Linear(h, h)

    def forward(self, x):
        seq_len, batch_size, _ = x.shape
        out, _ = self.rnn(x)
        scores = out @ self.key(out).permute(0, 2, 1)  # RSG704
        return scores.softmax(-1) @ out
""",
    "a query that has no axis for its step": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x):
        out, h = self.rnn(x)
        energy = torch.matmul(h.squeeze(0), out.permute(0, 2, 1))  # RSG704
        return F.softmax(energy, dim=-1)
""",
    "a column of predictions": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 1)

    def forward(self, x):
        return self.fc(self.rnn(x)[1][-1])

def train(windows, targets):
    net = Net(3, 8)
    x = torch.randn(32, 10, 3)
    y = torch.randn(32)
    return nn.L1Loss()(net(x), y)  # RSG705
""",
    "a prediction for every step, a target for each sample": """
rnn, fc = nn.LSTM(1, 8, batch_first=True), nn.Linear(8, 1)
x, y = torch.randn(16, 12, 1), torch.randn(16, 1)
loss = F.smooth_l1_loss(fc(rnn(x)[0]).squeeze(-1), y)  # RSG705
""",
    "a dropout in front of nothing": """
class Net(nn.Module):
    def __init__(self, d, h, p=0.5):
        super().__init__()
        self.one = nn.LSTM(d, h, 1, batch_first=True, dropout=0.2)  # RSG706
        self.two = nn.LSTM(h, h, num_layers=2, batch_first=True, dropout=0.2)
        self.three = nn.LSTM(h, h, batch_first=True, dropout=p)
""",
}

RIGHT = {
    "classes of a single sequence, for which it means nothing that the batch would be first": """
class Tokens(nn.Module):
    def __init__(self, d, tokens):
        super().__init__()
        self.rnn = nn.LSTM(d, d, 2, batch_first=True)
        self.out = nn.Linear(d, tokens)
        self.norm = nn.LogSoftmax(dim=1)

    def forward(self, x):
        x, _ = self.rnn(x)
        return self.norm(self.out(x))
""",
    "samples by steps, both turned": """
class Tagger(nn.Module):
    def __init__(self, words, tags):
        super().__init__()
        self.embed = nn.Embedding(words, 8)
        self.rnn = nn.GRU(8, 8)
        self.out = nn.Linear(8, tags)

    def forward(self, words):
        return self.out(self.rnn(self.embed(words).transpose(0, 1))[0])

def train(model: Tagger, words, tags):
    samples = torch.utils.data.TensorDataset(words, tags)
    for words, tags in torch.utils.data.DataLoader(samples, batch_size=16):
        loss = F.cross_entropy(model(words).flatten(0, 1), tags.transpose(0, 1).reshape(-1))

train(Tagger(30, 5), load("words"), load("tags"))
""",
    "steps by samples, turned back": """
class Tagger(nn.Module):
    def __init__(self, words, tags):
        super().__init__()
        self.embed = nn.Embedding(words, 8)
        self.rnn = nn.GRU(8, 8)
        self.out = nn.Linear(8, tags)

    def forward(self, words):
        return self.out(self.rnn(self.embed(words).transpose(0, 1))[0])

def train(model: Tagger, words, tags):
    samples = torch.utils.data.TensorDataset(words, tags)
    for words, tags in torch.utils.data.DataLoader(samples, batch_size=16):
        loss = F.cross_entropy(model(words).transpose(0, 1).flatten(0, 1), tags.reshape(-1))

train(Tagger(30, 5), load("words"), load("tags"))
""",
    "one target for each sample": """
class Tagger(nn.Module):
    def __init__(self, words, tags):
        super().__init__()
        self.embed = nn.Embedding(words, 8)
        self.rnn = nn.GRU(8, 8)
        self.out = nn.Linear(8, tags)

    def forward(self, words):
        return self.out(self.rnn(self.embed(words).transpose(0, 1))[0])

def train(model: Tagger, words, tags):
    samples = torch.utils.data.TensorDataset(words, tags)
    for words, tags in torch.utils.data.DataLoader(samples, batch_size=16):
        loss = F.cross_entropy(model(words)[-1], tags.reshape(-1))

train(Tagger(30, 5), load("words"), load("tags"))
""",
    "weights that add up along the axis they are taken over, under a stale comment": """
class Attention(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.score = nn.Linear(h, 1)

    def forward(self, x):
        memory, _ = self.rnn(x)
        scores = self.score(memory).squeeze(2)
        weights = F.softmax(scores, dim=1)
        context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
        shown = weights.clone()  # (seq_len, batch)
        return context, shown
""",
    "one summary for each step, moved to where the steps are": """
class Beside(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.mix = nn.Linear(2 * h, h)

    def forward(self, query, keys):
        # query: (batch, h), keys: (batch, time, features)
        out, _ = self.rnn(keys)
        wide = query.repeat(out.size(1), 1, 1).transpose(0, 1)
        scores = torch.bmm(out, out.transpose(1, 2))
        return self.mix(torch.cat([wide, out], dim=2)), scores + scores.transpose(1, 2)
""",
    "a convolution along time, of a time-major output": """
class Smooth(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h)
        self.conv = nn.Conv1d(h, h, 5, padding=2)

    def forward(self, x):
        # x: (time, batch, d)
        out, _ = self.rnn(x)
        return self.conv(out.permute(1, 2, 0)).permute(2, 0, 1)
""",
    "a table of differences, meant": """
class Ranks(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.rnn = nn.GRU(d, 8, batch_first=True)
        self.value = nn.Linear(8, 1)

    def forward(self, x, y):
        # x: (batch, time, d), y: (batch,)
        _, h = self.rnn(x)
        score = self.value(h[-1])
        table = score - score.squeeze(1)
        far = y.unsqueeze(1) - y
        return (table * far).clamp(min=0).mean()
""",
    "differences of what is alike": """
class Value(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.rnn = nn.GRU(d, 8, batch_first=True)
        self.value = nn.Linear(8, 1)

    def forward(self, x, y, z):
        # x: (batch, time, d), y: (batch,), z: (batch, 1)
        _, h = self.rnn(x)
        value = self.value(h[-1])
        return (value.squeeze(1) - y).pow(2).mean() + (value - z).abs().mean() + (value - 0.5).mean()
""",
    "scores and labels alike, in a column": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(2, 12, batch_first=True)
        self.fc = nn.Linear(12, 1)

    def forward(self, x):
        return self.fc(self.rnn(x)[1][0][-1])

model, criterion = Net(), nn.BCEWithLogitsLoss()
x, y = torch.randn(6, 9, 2), torch.rand(6)
loss = criterion(model(x), y[:, None]) + criterion(model(x).squeeze(-1), y)
""",
    "a convolution over an embedding that was turned": """
class Net(nn.Module):
    def __init__(self, n, width, filters, hidden):
        super().__init__()
        self.embed = nn.Embedding(n, width)
        self.conv = nn.Conv1d(width, filters, 5, padding=2)
        self.rnn = nn.GRU(filters, hidden, batch_first=True)

    def forward(self, ids):
        maps = self.conv(self.embed(ids).transpose(1, 2))
        return self.rnn(maps.transpose(1, 2))[0]
""",
    "classes moved to the second axis": """
class Language(nn.Module):
    def __init__(self, vocabulary, d):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.rnn = nn.LSTM(d, d, batch_first=True)
        self.out = nn.Linear(d, vocabulary)

    def forward(self, tokens):
        return self.out(self.rnn(self.embed(tokens))[0])

    def training_step(self, tokens):
        logits = self(tokens[:, :-1])
        return F.cross_entropy(logits.permute(0, 2, 1), tokens[:, 1:]) + F.cross_entropy(
            logits.flatten(0, 1), tokens[:, 1:].flatten()
        )
""",
    "probabilities for targets": """
rnn, fc = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 4)
x, y = torch.randn(16, 12, 3), torch.rand(16, 4)
loss = F.cross_entropy(fc(rnn(x)[1][-1]), y)
""",
    "targets that nobody knows": """
def train(model: nn.LSTM, loader):
    rnn, fc = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 4)
    for x, y in loader:
        scores = fc(rnn(x)[0])
        loss = F.cross_entropy(scores.view(-1, 4), y.view(-1)) + F.mse_loss(scores, y)
""",
    "time-major scores, the softmax over time": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h)
        self.score = nn.Linear(h, 1)

    def forward(self, x):
        seq_len, batch, _ = x.shape
        out, _ = self.rnn(x)
        weights = F.softmax(self.score(out), dim=0)
        return (weights * out).sum(0)
""",
    "rows of a table of all pairs": """
class Contrast(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, left, right):
        # left: (batch, time, d)
        # right: (batch, time, d)
        one, two = self.rnn(left)[1][-1], self.rnn(right)[1][-1]
        table = one @ two.t()
        same = one @ one.t()
        return F.log_softmax(table, dim=1) + F.log_softmax(table, dim=0) + F.softmax(same, dim=0)
""",
    "a softmax over an axis whose layout is not said": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h)
        self.score = nn.Linear(h, 1)

    def forward(self, x):
        out, _ = self.rnn(x)
        return F.softmax(self.score(out), dim=1)
""",
    "as many classes as an option says": """
class Net(nn.Module):
    def __init__(self, d, h, classes=1):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, classes)

    def forward(self, x):
        return F.softmax(self.fc(self.rnn(x)[1][-1]), dim=-1)

Net(3, 4)(torch.randn(2, 5, 3))
""",
    "a norm of each step": """
class Net(nn.Module):
    def __init__(self, steps, d, h):
        super().__init__()
        self.norm = nn.BatchNorm1d(steps)
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x):
        # x: (batch, time, features)
        out, _ = self.rnn(self.norm(x))
        return out

Net(7, 3, 16)(torch.randn(4, 7, 3))
""",
    "a pool over time, as a function": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * h, 3)

    def forward(self, x):
        out, _ = self.rnn(x)
        out = out.permute(0, 2, 1)
        pooled = F.max_pool1d(out, out.size(2)).squeeze(2)
        return self.fc(pooled) + self.fc(F.adaptive_avg_pool1d(out, 1).squeeze(-1))
""",
    "a norm of each feature, there and back": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.norm = nn.BatchNorm1d(h)
        self.last = nn.LayerNorm(h)
        self.pool = nn.MaxPool1d(2)

    def forward(self, x):
        out, h = self.rnn(x)
        out = self.norm(out.transpose(1, 2)).transpose(1, 2)
        return self.pool(self.last(out).transpose(1, 2)), self.norm(h[-1])
""",
    "attention inside each sample": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x):
        # x: (batch, time, features)
        out, h = self.rnn(x)
        scores = torch.bmm(out, out.transpose(1, 2)).softmax(-1)
        one = torch.bmm(out, h[-1].unsqueeze(2)).squeeze(2).softmax(dim=1)
        two = torch.matmul(h.transpose(0, 1), out.transpose(1, 2)).softmax(-1)
        return scores @ out, one, two @ out
""",
    "attention behind a transpose": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h)

    def forward(self, x):
        # x: (time, batch, features)
        out, _ = self.rnn(x)
        out = out.transpose(0, 1)
        return torch.bmm(out, out.transpose(1, 2))
""",
    "the same shapes": """
rnn, fc = nn.LSTM(1, 8, batch_first=True), nn.Linear(8, 1)
x, y = torch.randn(16, 12, 1), torch.randn(16, 1)
out, (h, c) = rnn(x)
loss = F.mse_loss(fc(h[-1]), y) + F.mse_loss(fc(h[-1]).squeeze(), y.squeeze()) + nn.MSELoss()(fc(out), x)
""",
    "one number for all": """
rnn, fc = nn.LSTM(1, 8, batch_first=True), nn.Linear(8, 1)
loss = F.mse_loss(fc(rnn(torch.randn(16, 12, 1))[0]), torch.tensor(0.0))
""",
    "a dropout that depends on the layers": """
class Net(nn.Module):
    def __init__(self, d, h, layers=1, p=0.5):
        super().__init__()
        self.one = nn.LSTM(d, h, layers, dropout=p if layers > 1 else 0, batch_first=True)
        self.two = nn.LSTM(d, h, layers, dropout=p, batch_first=True)
        self.three = nn.LSTM(d, h, dropout=0.0, batch_first=True)

Net(3, 4)
""",
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG)
def test_wrong(program: str) -> None:
    assert said(program, "RSG4", "RSG6", "RSG7") == expected(program)


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT)
def test_right(program: str) -> None:
    assert said(program, "RSG4", "RSG6", "RSG7") == []
