"""Right models, as people write them: every way of handling batch, time and state that has to pass in silence."""

# ruff: noqa: A001, B007, E741, F841, RUF059 - names as people write them
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class LanguageModel(nn.Module):
    def __init__(self, ntoken=20, ninp=6, nhid=8, nlayers=2):
        super().__init__()
        self.drop = nn.Dropout(0.2)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid, nlayers, dropout=0.2)
        self.decoder = nn.Linear(nhid, ntoken)
        self.nhid = nhid
        self.nlayers = nlayers
        self.ntoken = ntoken

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        return (weight.new_zeros(self.nlayers, bsz, self.nhid), weight.new_zeros(self.nlayers, bsz, self.nhid))

    def forward(self, tokens, hidden):
        emb = self.drop(self.encoder(tokens))
        output, hidden = self.rnn(emb, hidden)
        output = self.drop(output)
        decoded = self.decoder(output)
        decoded = decoded.view(-1, self.ntoken)
        return (F.log_softmax(decoded, dim=1), hidden)


class Attention(nn.Module):
    def __init__(self, h=8):
        super().__init__()
        self.attn = nn.Linear(h * 3, h)
        self.v = nn.Linear(h, 1, bias=False)

    def forward(self, hidden, enc):
        batch_size = enc.shape[1]
        src_len = enc.shape[0]
        hidden = hidden.unsqueeze(1).repeat(1, src_len, 1)
        enc = enc.permute(1, 0, 2)
        energy = torch.tanh(self.attn(torch.cat((hidden, enc), dim=2)))
        attention = self.v(energy).squeeze(2)
        return F.softmax(attention, dim=1)


class Translator(nn.Module):
    def __init__(self, v=15, e=6, h=8):
        super().__init__()
        self.emb = nn.Embedding(v, e)
        self.enc = nn.GRU(e, h, bidirectional=True)
        self.fc = nn.Linear(2 * h, h)
        self.att = Attention(h)
        self.dec = nn.GRU(2 * h + e, h)
        self.out = nn.Linear(2 * h + h + e, v)
        self.v = v

    def step(self, input, hidden, enc):
        input = input.unsqueeze(0)
        embedded = self.emb(input)
        a = self.att(hidden, enc).unsqueeze(1)
        weighted = torch.bmm(a, enc.permute(1, 0, 2)).permute(1, 0, 2)
        output, hidden = self.dec(torch.cat((embedded, weighted), dim=2), hidden.unsqueeze(0))
        assert (output == hidden).all()
        return (
            self.out(torch.cat((output.squeeze(0), weighted.squeeze(0), embedded.squeeze(0)), dim=1)),
            hidden.squeeze(0),
        )

    def forward(self, src, trg):
        batch_size = src.shape[1]
        trg_len = trg.shape[0]
        outputs = torch.zeros(trg_len, batch_size, self.v)
        enc, hidden = self.enc(self.emb(src))
        hidden = torch.tanh(self.fc(torch.cat((hidden[-2, :, :], hidden[-1, :, :]), dim=1)))
        input = trg[0, :]
        for t in range(1, trg_len):
            o, hidden = self.step(input, hidden, enc)
            outputs[t] = o
            input = trg[t] if t % 2 else o.argmax(1)
        return outputs


class PackedClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(20, 6, padding_idx=0)
        self.lstm = nn.LSTM(6, 8, 2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(16, 3)

    def forward(self, text, lengths):
        e = self.emb(text)
        p = pack_padded_sequence(e, lengths.cpu(), batch_first=True, enforce_sorted=False)
        out, (h, c) = self.lstm(p)
        out, _ = pad_packed_sequence(out, batch_first=True)
        mask = torch.arange(out.size(1))[None, :] < lengths[:, None]
        pooled = out.masked_fill(~mask.unsqueeze(-1), 0).sum(1) / lengths[:, None]
        h = h.view(2, 2, text.size(0), 8)[-1]
        cat = torch.cat([h[0], h[1]], dim=-1)
        return self.fc(pooled + cat)


class LastSteps(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(5, 8, batch_first=True)
        self.fc = nn.Linear(8, 2)

    def forward(self, x, lengths):
        out, _ = self.gru(x)
        idx = (lengths - 1).view(-1, 1, 1).expand(-1, 1, out.size(2))
        return self.fc(out.gather(1, idx).squeeze(1)) + self.fc(out[torch.arange(out.size(0)), lengths - 1])


class ConvolutionBeforeGRU(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(5, 10, 3, padding=1)
        self.bn = nn.BatchNorm1d(10)
        self.gru = nn.GRU(10, 6, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(12, 2)

    def forward(self, x):
        x = self.bn(F.relu(self.conv(x.transpose(1, 2)))).transpose(1, 2)
        out, _ = self.gru(x)
        return self.fc(out.max(dim=1)[0])


class CellsInALoop(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.LSTMCell(1, 5)
        self.c2 = nn.LSTMCell(5, 5)
        self.lin = nn.Linear(5, 1)

    def forward(self, input, future=0):
        outputs = []
        h1 = torch.zeros(input.size(0), 5)
        c1 = torch.zeros(input.size(0), 5)
        h2 = torch.zeros(input.size(0), 5)
        c2 = torch.zeros(input.size(0), 5)
        for t in input.split(1, dim=1):
            h1, c1 = self.c1(t, (h1, c1))
            h2, c2 = self.c2(h1, (h2, c2))
            o = self.lin(h2)
            outputs += [o]
        for i in range(future):
            h1, c1 = self.c1(o, (h1, c1))
            h2, c2 = self.c2(h1, (h2, c2))
            o = self.lin(h2)
            outputs += [o]
        return torch.cat(outputs, dim=1)


class Autoencoder(nn.Module):
    def __init__(self, T=7):
        super().__init__()
        self.e = nn.LSTM(4, 8, batch_first=True)
        self.d = nn.LSTM(8, 8, batch_first=True)
        self.o = nn.Linear(8, 4)

    def forward(self, x):
        _, (h, _) = self.e(x)
        z = h[-1]
        y, _ = self.d(z.unsqueeze(1).repeat(1, x.size(1), 1))
        return self.o(y)


class Documents(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(20, 6)
        self.w = nn.GRU(6, 5, batch_first=True, bidirectional=True)
        self.s = nn.GRU(10, 5, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(10, 2)
        self.a = nn.Linear(10, 1)

    def forward(self, docs):
        B, S, W = docs.shape
        x = self.emb(docs.view(B * S, W))
        out, _ = self.w(x)
        a = torch.softmax(self.a(out), dim=1)
        sent = (a * out).sum(1).view(B, S, -1)
        out, h = self.s(sent)
        h = h.transpose(0, 1).contiguous().view(B, -1)
        return self.fc(h)


class HandmadeAttention(nn.Module):
    def __init__(self, d=8, h=4):
        super().__init__()
        self.q = nn.Linear(d, d)
        self.k = nn.Linear(d, d)
        self.v = nn.Linear(d, d)
        self.h = h
        self.d = d
        self.rnn = nn.GRU(d, d, batch_first=True)

    def forward(self, x):
        x, _ = self.rnn(x)
        B, T, D = x.size()
        q, k, v = [l(x).view(B, T, self.h, D // self.h).transpose(1, 2) for l in (self.q, self.k, self.v)]
        w = q @ k.transpose(-2, -1) / math.sqrt(D // self.h)
        w = w.masked_fill(torch.tril(torch.ones(T, T)) == 0, float("-inf")).softmax(-1)
        return (w @ v).transpose(1, 2).contiguous().view(B, T, D)


class RolloutPolicy(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 8)
        self.lstm = nn.LSTM(8, 8)
        self.pi = nn.Linear(8, 2)

    def get(self, x, state, done):
        hidden = torch.relu(self.fc(x))
        batch_size = state[0].shape[1]
        hidden = hidden.reshape((-1, batch_size, self.lstm.input_size))
        done = done.reshape((-1, batch_size))
        new = []
        for h, d in zip(hidden, done, strict=True):
            h, state = self.lstm(
                h.unsqueeze(0), ((1.0 - d).view(1, -1, 1) * state[0], (1.0 - d).view(1, -1, 1) * state[1])
            )
            new += [h]
        return (torch.flatten(torch.cat(new), 0, 1), state)

    def forward(self, x, state, done):
        h, state = self.get(x, state, done)
        return (self.pi(h), state)


class EncoderBeforeGRU(nn.Module):
    def __init__(self, d=8, n=50):
        super().__init__()
        pe = torch.zeros(n, d)
        position = torch.arange(0, n).unsqueeze(1).float()
        div = torch.exp(torch.arange(0, d, 2).float() * (-math.log(10000.0) / d))
        pe[:, 0::2] = torch.sin(position * div)
        pe[:, 1::2] = torch.cos(position * div)
        self.register_buffer("pe", pe.unsqueeze(0))
        self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 2, 16, batch_first=True), 2)
        self.g = nn.GRU(d, d, batch_first=True)

    def forward(self, x):
        x = x + self.pe[:, : x.size(1)]
        x = self.t(x)
        return self.g(x)[0].mean(dim=1)


class Bridge(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.LSTM(5, 6, 2, bidirectional=True, batch_first=True)
        self.dec = nn.LSTM(5, 12, 2, batch_first=True)

    def _cat(self, h):
        return torch.cat([h[0 : h.size(0) : 2], h[1 : h.size(0) : 2]], 2)

    def forward(self, x, y):
        out, (h, c) = self.enc(x)
        return self.dec(y, (self._cat(h), self._cat(c)))[0]


class KeepsItsState(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True)
        self.state = None
        self.fc = nn.Linear(4, 1)

    def forward(self, x):
        if self.state is None or self.state.size(1) != x.size(0):
            self.state = torch.zeros(1, x.size(0), 4)
        out, h = self.rnn(x, self.state)
        self.state = h.detach()
        return self.fc(out).squeeze(-1)


class Windows(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.fc = nn.Linear(4, 1)

    def forward(self, series):
        # series: (batch, time, feature)
        w = series.unfold(1, 4, 2).permute(0, 1, 3, 2)
        B, N, L, Fe = w.shape
        out, _ = self.rnn(w.reshape(B * N, L, Fe))
        return self.fc(out[:, -1]).view(B, N)


class ResidualStack(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.ModuleList(
            [nn.LSTM(6 if i == 0 else 12, 6, bidirectional=True, batch_first=True) for i in range(3)]
        )
        self.n = nn.LayerNorm(12)
        self.p = nn.Linear(6, 12)

    def forward(self, x):
        r = self.p(x)
        for i, l in enumerate(self.l):
            y, _ = l(x)
            x = self.n(y + r)
            r = x
        f, b = x.chunk(2, -1)
        s = x.view(x.size(0), x.size(1), 2, 6).sum(2)
        return (torch.cat([f[:, -1], b[:, 0]], 1), s)


class VideoFrames(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 4, 3, padding=1)
        self.rnn = nn.LSTM(4 * 4 * 4, 8, batch_first=True)
        self.f = nn.Linear(8, 2)

    def forward(self, v):
        b, t, c, h, w = v.size()
        x = F.max_pool2d(F.relu(self.c(v.view(b * t, c, h, w))), 2).view(b, t, -1)
        out, _ = self.rnn(x)
        return self.f(out[:, -1, :])


class TextLine(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(1, 4, 3, padding=1)
        self.r = nn.LSTM(4 * 8, 8, bidirectional=True)
        self.f = nn.Linear(16, 5)

    def forward(self, img):
        x = self.c(img)
        b, c, h, w = x.size()
        x = x.permute(3, 0, 1, 2).reshape(w, b, c * h)
        r, _ = self.r(x)
        T, b, H = r.size()
        o = self.f(r.view(T * b, H)).view(T, b, -1)
        return F.log_softmax(o, 2)


def words(*sizes):
    return torch.randint(1, 15, sizes)


def cases(batch, steps):
    """Each model with inputs of a batch size and a number of steps."""
    lengths = torch.tensor([steps] + [max(1, steps - 2)] * (batch - 1))
    pair = torch.zeros(1, batch, 8), torch.zeros(1, batch, 8)
    two = torch.zeros(2, batch, 8), torch.zeros(2, batch, 8)
    return [
        (LanguageModel(), (words(steps, batch), two)),
        (Translator(), (words(steps, batch), words(steps, batch))),
        (PackedClassifier(), (words(batch, steps), lengths)),
        (LastSteps(), (torch.randn(batch, steps, 5), lengths)),
        (ConvolutionBeforeGRU(), (torch.randn(batch, steps, 5),)),
        (CellsInALoop(), (torch.randn(batch, steps), 2)),
        (Autoencoder(), (torch.randn(batch, steps, 4),)),
        (Documents(), (words(batch, 3, steps),)),
        (HandmadeAttention(), (torch.randn(batch, steps, 8),)),
        (RolloutPolicy(), (torch.randn(batch * steps, 4), pair, torch.zeros(batch * steps))),
        (EncoderBeforeGRU(), (torch.randn(batch, steps, 8),)),
        (Bridge(), (torch.randn(batch, steps, 5), torch.randn(batch, 4, 5))),
        (KeepsItsState(), (torch.randn(batch, steps, 3),)),
        (Windows(), (torch.randn(batch, max(steps, 6), 3),)),
        (ResidualStack(), (torch.randn(batch, steps, 6),)),
        (VideoFrames(), (torch.randn(batch, steps, 3, 8, 8),)),
        (TextLine(), (torch.randn(batch, 1, 8, steps),)),
    ]
