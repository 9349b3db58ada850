"""Packing (RSG601 to RSG603): right programs that look wrong, and wrong ones in other spellings than the pages have."""

from __future__ import annotations

import pytest

from tests.checks.programs import said
from tests.checks.test_readings import expected

WRONG = {
    "samples put back by numpy, and divided by lengths that stay sorted": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h)

    def forward(self, x, lengths):
        # x: (time, batch, features)
        import numpy as np
        lengths = np.asarray(lengths)
        order = np.argsort(-lengths)
        back = np.argsort(order, kind="stable")
        lengths = lengths[order]
        packed = nn.utils.rnn.pack_padded_sequence(x[:, torch.from_numpy(order)], torch.from_numpy(lengths.copy()))
        out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0])
        out = out.index_select(1, torch.from_numpy(back))
        return out.sum(0) / torch.as_tensor(lengths).float().unsqueeze(1)  # RSG603
""",
    "samples put back, and divided by lengths that stay sorted": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        ordered, order = lengths.sort(dim=0, descending=True)
        back = order.argsort()
        packed = nn.utils.rnn.pack_padded_sequence(x[order], ordered.cpu(), batch_first=True)
        out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        out = out.index_select(0, back)
        return out.sum(dim=1) / ordered.float().clamp(min=1).unsqueeze(1)  # RSG603
""",
    "lengths sorted without their samples": """
class Net(nn.Module):
    def __init__(self, v, d, h):
        super().__init__()
        self.embed = nn.Embedding(v, d)
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, ids, lengths):
        ordered, index = lengths.sort(0, True)
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(ids), ordered.cpu().tolist(), batch_first=True)  # RSG603
        _, h = self.rnn(packed)
        return h[-1][index.argsort()]
""",
    "a batch in the order in which it was sorted, once more": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, lengths):
        order = lengths.argsort(descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths[order].cpu(), batch_first=True)
        _, h = self.rnn(packed)
        return h[-1][order]  # RSG603
""",
    "a batch sorted by length that nobody can put back": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * h, h)

    def forward(self, frames, n_frames):
        # frames: (batch, time, features)
        n_frames, perm = n_frames.sort(descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(frames[perm], n_frames.cpu(), batch_first=True)
        _, h_n = self.rnn(packed)
        ends = torch.cat([h_n[0], h_n[1]], dim=-1)
        return torch.tanh(self.fc(ends))  # RSG603
""",
    "time-major outputs in the order of an argsort": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h)

    def forward(self, x, lens):
        # x: (time, batch, features)
        idx = torch.argsort(lens, descending=True)
        x = x.index_select(1, idx)
        packed = nn.utils.rnn.pack_padded_sequence(x, lens[idx].tolist())
        out, _ = self.rnn(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out)  # RSG603
        return out
""",
    "batch-first packed as time-major, sizes read from the shape": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        batch_size, max_len, _ = x.shape
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)  # RSG601
        out, h = self.rnn(packed)
        return self.fc(h[-1])
""",
    "time-major packed as batch-first": """
class Net(nn.Module):
    def __init__(self, v, d, h):
        super().__init__()
        self.embed = nn.Embedding(v, d)
        self.rnn = nn.LSTM(d, h, batch_first=True)

    def forward(self, tokens, lengths):
        # tokens: (seq_len, batch)
        emb = self.embed(tokens)
        packed = nn.utils.rnn.pack_padded_sequence(emb, lengths, True)  # RSG601
        _, (h, _) = self.rnn(packed)
        return h[-1]
""",
    "padded to time-major, last step taken batch-first": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, _ = self.rnn(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out)  # RSG601
        return self.fc(out[:, -1])
""",
    "a dropout on a packed batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.drop = nn.Dropout(0.2)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        out, h = self.rnn(packed)
        out = self.drop(out)  # RSG602
        return nn.utils.rnn.pad_packed_sequence(out, batch_first=True)[0]
""",
    "a packed batch asked for its mean": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        return self.rnn(packed)[0].mean(dim=1)  # RSG602
""",
    "a function on a packed batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, sequences):
        packed = nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False)
        out, _ = self.rnn(packed)
        return torch.tanh(out)  # RSG602
""",
    "lengths counted over the batch in a helper": """
class Net(nn.Module):
    def __init__(self, v, d, h):
        super().__init__()
        self.embed = nn.Embedding(v, d, padding_idx=0)
        self.rnn = nn.GRU(d, h, batch_first=True)

    def count(self, tokens):
        return tokens.ne(0).sum(0)  # RSG603

    def forward(self, tokens):
        # tokens: (batch, time)
        lengths = self.count(tokens).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(tokens), lengths, batch_first=True, enforce_sorted=False)
        _, h = self.rnn(packed)
        return h[-1]
""",
    "a column of lengths": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        lengths = lengths.view(-1, 1)  # RSG603
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, h = self.rnn(packed)
        return h[-1]
""",
    "too few lengths": """
rnn = nn.GRU(3, 4, batch_first=True)
x = torch.randn(5, 7, 3)
packed = nn.utils.rnn.pack_padded_sequence(x, [7, 6, 5, 2], batch_first=True)  # RSG603
out, h = rnn(packed)
""",
    "parts of a batch with the lengths of all": """
rnn = nn.GRU(3, 4, batch_first=True)

def split(x):
    lengths = [9, 8, 8, 4]
    return [rnn(nn.utils.rnn.pack_padded_sequence(part, lengths, batch_first=True))[1] for part in x.chunk(2)]  # RSG603
""",
}

RIGHT = {
    "lengths counted from what is sorted by them": """
class Ranker(nn.Module):
    def __init__(self, vocabulary, d, h):
        super().__init__()
        self.emb = nn.Embedding(vocabulary, d)
        self.rnn = nn.GRU(d, h)

    def forward(self, text):
        lengths, order = torch.sort(text.ne(0).sum(1), descending=True)
        steps = self.emb(text.index_select(0, order)).permute(1, 0, 2)
        _, h = self.rnn(nn.utils.rnn.pack_padded_sequence(steps, lengths))
        return h.index_select(1, order.argsort())[-1]
""",
    "samples and lengths put back by numpy": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h)

    def forward(self, x, lengths):
        # x: (time, batch, features)
        import numpy as np
        lengths = np.asarray(lengths)
        order = np.argsort(-lengths)
        back = np.argsort(order, kind="stable")
        lengths = lengths[order]
        packed = nn.utils.rnn.pack_padded_sequence(x[:, torch.from_numpy(order)], torch.from_numpy(lengths.copy()))
        out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0])
        out = out.index_select(1, torch.from_numpy(back))
        return out.sum(0) / torch.as_tensor(lengths[back]).float().unsqueeze(1)
""",
    "samples put back, and divided by the lengths of the input": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        ordered, order = lengths.sort(dim=0, descending=True)
        back = order.argsort()
        packed = nn.utils.rnn.pack_padded_sequence(x[order], ordered.cpu(), batch_first=True)
        out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        out = out.index_select(0, back)
        return out.sum(dim=1) / lengths.float().unsqueeze(1)
""",
    "samples and lengths put back": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        ordered, order = lengths.sort(dim=0, descending=True)
        back = order.argsort()
        packed = nn.utils.rnn.pack_padded_sequence(x[order], ordered.cpu(), batch_first=True)
        out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        out = out.index_select(0, back)
        return out.sum(dim=1) / ordered[back].float().unsqueeze(1)
""",
    "sums divided in the order of the lengths, then put back": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        ordered, order = lengths.sort(dim=0, descending=True)
        back = order.argsort()
        packed = nn.utils.rnn.pack_padded_sequence(x[order], ordered.cpu(), batch_first=True)
        out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        return (out.sum(dim=1) / ordered.unsqueeze(1))[back]
""",
    "a sorted batch whose order goes out with it": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        lengths, order = lengths.sort(descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths.cpu(), batch_first=True)
        _, h_n = self.rnn(packed)
        return h_n[-1], order
""",
    "a sorted batch beside its lengths": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        lengths, order = lengths.sort(descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths.cpu(), batch_first=True)
        out, h_n = self.rnn(packed)
        return nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
""",
    "a sorted batch that is put back by scatter": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        lengths, order = lengths.sort(descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths.cpu(), batch_first=True)
        _, h_n = self.rnn(packed)
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order))
        return h_n[-1][back]
""",
    "a sorted batch whose order is kept on the model": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        lengths, order = lengths.sort(descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths.cpu(), batch_first=True)
        self.order = order
        _, h_n = self.rnn(packed)
        return h_n[-1]
""",
    "labels sorted with their samples": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths, labels):
        # x: (batch, time, features)
        lengths, order = lengths.sort(descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths.cpu(), batch_first=True)
        _, h_n = self.rnn(packed)
        return F.cross_entropy(self.fc(h_n[-1]), labels[order])
""",
    "a mean over a sorted batch": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        lengths, order = lengths.sort(descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths.cpu(), batch_first=True)
        _, h_n = self.rnn(packed)
        return self.fc(h_n[-1]).mean(dim=0)
""",
    "a batch that came sorted, and is sorted once more": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def encode(self, x, lengths):
        lengths, order = lengths.sort(descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths.cpu(), batch_first=True)
        _, h_n = self.rnn(packed)
        return h_n[-1]

    def forward(self, x, lengths):
        # x: (batch, time, features)
        lengths, order = torch.sort(lengths, descending=True)
        ends = self.encode(x[order], lengths)
        return ends[torch.argsort(order)]
""",
    "a beam that picks its samples by score": """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, lengths, scores):
        # x: (batch, time, features)
        scores, order = scores.sort(descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths[order].cpu(), batch_first=True, enforce_sorted=False)
        _, h_n = self.rnn(packed)
        return h_n[-1], scores
""",
    "samples put in order by a list of numbers": """
class Net(nn.Module):
    def __init__(self, v, d, h):
        super().__init__()
        self.embed = nn.Embedding(v, d)
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, ids, lengths):
        lengths, order = torch.sort(lengths, descending=True)
        x = self.embed(ids)[order.tolist()]
        return self.rnn(nn.utils.rnn.pack_padded_sequence(x, lengths.cpu(), batch_first=True))[1]
""",
    "a batch brought back into its order": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, lengths):
        lengths, order = lengths.sort(descending=True)
        back = order.argsort()
        packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths.cpu(), batch_first=True)
        _, h = self.rnn(packed)
        return h[-1][back]
""",
    "all batch-first": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        out, _ = self.rnn(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True, total_length=x.size(1))
        return self.fc(out.sum(dim=1) / lengths.unsqueeze(1))
""",
    "turned, packed and turned back": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        packed = nn.utils.rnn.pack_padded_sequence(x.transpose(0, 1), lengths)
        out, _ = self.rnn(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out)
        return self.fc(out.transpose(0, 1).max(dim=1)[0])
""",
    "packed time-major, padded batch-first": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths):
        # x: (time, batch, features)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths)
        out, _ = self.rnn(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
        return self.fc(out).mean(dim=1)
""",
    "an RNN that is time-major and packed batch-first": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h)

    def forward(self, x, lengths):
        # x: (batch, time, features)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        _, (h, _) = self.rnn(packed)
        return h[-1]
""",
    "the numbers of a packed batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h)
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(h, 3)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths)
        out, _ = self.rnn(packed.to(x.device))
        out = out._replace(data=self.drop(out.data))
        return self.fc(out.data), self.fc(out[0]), out.batch_sizes
""",
    "packed on one path": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.fc = nn.Linear(h, 2)

    def forward(self, x, lengths=None):
        if lengths is not None:
            x = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        out, _ = self.rnn(x)
        if lengths is not None:
            out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
        return self.fc(out)
""",
    "lengths of each part": """
rnn = nn.GRU(3, 4, batch_first=True)
x, lengths = torch.randn(8, 9, 3), torch.tensor([9, 8, 7, 6, 5, 4, 3, 2])
states = []
for part, lens in zip(x.chunk(2), lengths.chunk(2)):
    packed = nn.utils.rnn.pack_padded_sequence(part, lens, batch_first=True)
    states.append(rnn(packed)[1])
""",
    "lengths as a list": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, sequences):
        lengths = [len(one) for one in sequences]
        x = nn.utils.rnn.pad_sequence(sequences, batch_first=True)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, lens = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        return out.masked_fill(torch.arange(out.size(1)) >= lens[:, None, None], 0)
""",
    "lengths sorted by hand": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, mask):
        # x: (batch, time, features); mask: (batch, time)
        lengths = mask.long().sum(1)
        lengths, order = lengths.sort(descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(x[order], lengths.tolist(), batch_first=True)
        _, h = self.rnn(packed)
        return h[-1][order.argsort()]
""",
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG)
def test_wrong(program: str) -> None:
    assert said(program, "RSG4", "RSG6") == expected(program)


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT)
def test_right(program: str) -> None:
    assert said(program, "RSG4", "RSG6") == []
