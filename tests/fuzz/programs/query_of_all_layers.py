# query of all layers: crash: RuntimeError: batch2 must be a 3D tensor
# right: query = self.attn(hidden[-1])
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn import GRU, LSTM, RNN


class EncoderRNN(nn.Module):
    def __init__(self, dict_size, emb_size, rnn_size, bidirectional=True):
        super(EncoderRNN, self).__init__()
        self.directions = 2 if bidirectional else 1
        self.encoder_embed = nn.Embedding(dict_size, emb_size, padding_idx=0)
        self.rnn = GRU(emb_size, rnn_size, bidirectional=bidirectional)
        self.bridge_h = nn.Linear(rnn_size * self.directions, rnn_size)

    def forward(self, x):
        emb = self.encoder_embed(x)
        out, h = self.rnn(emb)
        h = torch.tanh(self.bridge_h(torch.cat((h[-2], h[-1]), dim=1))).unsqueeze(0)  # error: [RSG202]
        return out, h


class DecoderRNN(nn.Module):
    def __init__(self, dict_size, emb_size, rnn_size):
        super(DecoderRNN, self).__init__()
        self.embedding = nn.Embedding(dict_size, emb_size)
        self.rnn = GRU(emb_size + rnn_size * 2, rnn_size)
        self.attn = nn.Linear(rnn_size, rnn_size * 2)
        self.fc = nn.Linear(rnn_size, dict_size)

    def forward(self, token, hidden, memory):
        e = self.embedding(token).unsqueeze(0)
        query = self.attn(hidden)
        memory = memory.transpose(0, 1)
        scores = torch.bmm(memory, query.unsqueeze(2)).squeeze(2)  # error: [RSG707]
        weights = F.softmax(scores, dim=1)
        context = torch.bmm(weights.unsqueeze(1), memory)
        context = context.transpose(0, 1)
        e = torch.cat([e, context], dim=2)
        out, hidden = self.rnn(e, hidden)
        return self.fc(out.squeeze(0)), hidden


class Seq2Seq(nn.Module):
    def __init__(self, dict_size, emb_size, rnn_size):
        super(Seq2Seq, self).__init__()
        self.encoder = EncoderRNN(dict_size, emb_size, rnn_size)
        self.decoder = DecoderRNN(dict_size, emb_size, rnn_size)

    def forward(self, x, y):
        memory, hidden = self.encoder(x)
        outputs = []
        for t in range(y.size(0)):
            logits, hidden = self.decoder(y[t], hidden, memory)
            outputs.append(logits)
        return torch.stack(outputs, dim=0)
