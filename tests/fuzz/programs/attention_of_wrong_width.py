# attention of wrong width: crash: RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [5, 20] but got: [5, 21].
# right: self.attn = nn.Linear(hidden_size, hidden_size)
import torch
import torch.nn as nn
import torch.nn.functional as F
class EncoderRNN(nn.Module):
    def __init__(self, n_vocab, embed_dim, hidden_size):
        super(EncoderRNN, self).__init__()
        self.embedding = nn.Embedding(n_vocab, embed_dim)
        self.dropout = nn.Dropout(0.2)
        self.rnn = nn.GRU(input_size=embed_dim, hidden_size=hidden_size, batch_first=True, bidirectional=False)

    def forward(self, x):
        e = self.dropout(self.embedding(x))
        out, h = self.rnn(e)
        return out, h


class Decoder(nn.Module):
    def __init__(self, n_vocab, embed_dim, hidden_size):
        super(Decoder, self).__init__()
        self.embedding = nn.Embedding(n_vocab, embed_dim)
        self.rnn = nn.GRU(embed_dim + hidden_size, hidden_size, 1, batch_first=True)
        self.attn = nn.Linear(hidden_size, hidden_size + 1)
        self.fc = nn.Linear(hidden_size, n_vocab)

    def forward(self, token, hidden, memory):
        e = self.embedding(token).unsqueeze(1)
        query = self.attn(hidden[-1])
        scores = torch.bmm(memory, query.unsqueeze(2)).squeeze(2)  # error: [RSG707]
        weights = F.softmax(scores, dim=1)
        context = torch.bmm(weights.unsqueeze(1), memory)
        e = torch.cat([e, context], dim=-1)
        out, hidden = self.rnn(e, hidden)
        return self.fc(out[:, 0]), hidden


class Translator(nn.Module):
    def __init__(self, n_vocab, embed_dim, hidden_size):
        super(Translator, self).__init__()
        self.encoder = EncoderRNN(n_vocab, embed_dim, hidden_size)
        self.decoder = Decoder(n_vocab, embed_dim, hidden_size)

    def forward(self, x, y):
        memory, hidden = self.encoder(x)
        outputs = []
        for t in range(y.size(1)):
            logits, hidden = self.decoder(y[:, t], hidden, memory)
            outputs.append(logits)
        return torch.stack(outputs, dim=1)
