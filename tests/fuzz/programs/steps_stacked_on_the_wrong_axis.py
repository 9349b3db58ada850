# steps stacked on the wrong axis: gives (5, 6, 4), not (6, 5, 4)
# right: return torch.stack(outputs, dim=0)
import torch
import torch.nn as nn
import torch.nn.functional as F
class Encoder(nn.Module):
    def __init__(self, ninp=10, rnn_size=9):
        super().__init__()
        self.emb = nn.Embedding(4, ninp, padding_idx=0)
        self.rnn = nn.GRU(input_size=ninp, hidden_size=rnn_size, bidirectional=False)

    def forward(self, x):
        embedded = self.emb(x)
        out, h = self.rnn(embedded)
        return out, h


class DecoderRNN(nn.Module):
    def __init__(self, ninp=10, rnn_size=9):
        super().__init__()
        self.embedding = nn.Embedding(4, ninp)
        self.rnn = nn.GRU(ninp, rnn_size)
        self.fc = nn.Linear(rnn_size, 4)

    def forward(self, token, hidden):
        e = self.embedding(token).unsqueeze(0)
        out, hidden = self.rnn(e, hidden)
        return self.fc(out[0]), hidden


class Seq2Seq(nn.Module):
    def __init__(self, rnn_size=9, ninp=10):
        super().__init__()
        self.encoder = Encoder(rnn_size=rnn_size)
        self.decoder = DecoderRNN(ninp=ninp, rnn_size=rnn_size)

    def forward(self, x, y):
        memory, hidden = self.encoder(x)
        outputs = []
        for t in range(y.size(0)):
            logits, hidden = self.decoder(y[t], hidden)
            outputs.append(logits)
        return torch.stack(outputs, dim=1)


batch_size, seq_len = 5, 6
model = Seq2Seq(rnn_size=9, ninp=10)
x = torch.randint(0, 4, (seq_len, batch_size))
y = torch.randint(0, 4, (seq_len, batch_size))
logits = model(x, y)
loss = F.cross_entropy(logits.reshape(-1, 4), y.reshape(-1))  # error: [RSG701]
