# step of the wrong axis: crash: RuntimeError: Sizes of tensors must match except in dimension 2. Expected size 5 but got size 6 for tensor number 1 in the list.
# right: logits, hidden = self.decoder(y[:, t], hidden, memory)
import torch
import torch.nn as nn
class EncoderRNN(nn.Module):
    def __init__(self, n_vocab, ninp, h_dim, n_layers):
        super(EncoderRNN, self).__init__()
        self.num_directions = 2
        self.embed = nn.Embedding(n_vocab, ninp)
        self.rnn = nn.GRU(input_size=ninp, hidden_size=h_dim, num_layers=n_layers, bidirectional=True, batch_first=True)
        self.bridge_h = nn.Linear(self.num_directions * h_dim, h_dim)

    def forward(self, x):
        embedded = self.embed(x)
        out, h = self.rnn(embedded)
        h = torch.tanh(self.bridge_h(torch.cat((h[-2], h[-1]), dim=1))).unsqueeze(0)
        return out, h


class DecoderRNN(nn.Module):
    def __init__(self, n_vocab, ninp, h_dim):
        super(DecoderRNN, self).__init__()
        self.embedding = nn.Embedding(n_vocab, ninp)
        self.rnn = nn.GRU(ninp + h_dim * 2, h_dim, 1, batch_first=True)
        self.attn = nn.Linear(h_dim, h_dim * 2)
        self.fc = nn.Linear(h_dim, n_vocab)

    def forward(self, token, hidden, memory):
        e = self.embedding(token).unsqueeze(1)
        query = self.attn(hidden[-1])
        scores = torch.bmm(memory, query.unsqueeze(2)).squeeze(2)
        weights = torch.softmax(scores, -1)
        context = torch.bmm(weights.unsqueeze(1), memory)
        e = torch.cat([e, context], dim=-1)
        out, hidden = self.rnn(e, hidden)
        return self.fc(out.squeeze(1)), hidden


class Seq2Seq(nn.Module):
    def __init__(self, n_vocab, ninp, h_dim, n_layers):
        super(Seq2Seq, self).__init__()
        self.encoder = EncoderRNN(n_vocab, ninp, h_dim, n_layers)
        self.decoder = DecoderRNN(n_vocab, ninp, h_dim)

    def forward(self, x, y):
        memory, hidden = self.encoder(x)
        outputs = []
        for t in range(y.size(1)):
            logits, hidden = self.decoder(y[t], hidden, memory)  # error: [RSG409]
            outputs.append(logits)
        return torch.stack(outputs, dim=1)
