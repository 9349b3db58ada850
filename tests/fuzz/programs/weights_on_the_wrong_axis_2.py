# weights on the wrong axis: crash: RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [3, 1] but got: [3, 6].
# right: context = torch.bmm(weights.unsqueeze(1), memory)
import torch
import torch.nn as nn
import torch.nn.functional as F

class EncoderRNN(nn.Module):
    num_tokens = 20
    embed_dim = 8
    n_hidden = 12

    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(self.num_tokens, self.embed_dim, padding_idx=0)
        self.rnn = torch.nn.LSTM(self.embed_dim, self.n_hidden, batch_first=True)

    def forward(self, x):
        e = self.emb(x)
        out, (h, c) = self.rnn(e)
        return out, (h, c)


class DecoderRNN(nn.Module):
    num_tokens = 20
    embed_dim = 8
    n_hidden = 12

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(self.num_tokens, self.embed_dim)
        self.rnn = torch.nn.LSTM(self.embed_dim + self.n_hidden, self.n_hidden, batch_first=True)
        self.attn = nn.Linear(self.n_hidden, self.n_hidden)
        self.fc = nn.Linear(self.n_hidden, self.num_tokens)

    def forward(self, token, hidden, memory):
        e = self.embedding(token).unsqueeze(1)
        query = self.attn(hidden[0][-1])
        scores = torch.bmm(memory, query.unsqueeze(2)).squeeze(2)
        weights = F.softmax(scores, dim=1)
        context = torch.bmm(weights.unsqueeze(2), memory)  # error: [RSG707]
        e = torch.cat([e, context], dim=-1)
        out, hidden = self.rnn(e, hidden)
        return self.fc(out.squeeze(1)), hidden


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = EncoderRNN()
        self.decoder = DecoderRNN()

    def forward(self, x, y):
        memory, hidden = self.encoder(x)
        outputs = []
        for t in range(y.size(1)):
            logits, hidden = self.decoder(y[:, t], hidden, memory)
            outputs.append(logits)
        return torch.stack(outputs, dim=1)


batch_size, seq_len = 3, 6
model = Seq2Seq()
x = torch.randint(0, 20, (batch_size, seq_len))
y = torch.randint(0, 20, (batch_size, seq_len))
logits = model(x, y)
