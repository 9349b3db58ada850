# weights on the wrong axis: crash: RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [6, 1] but got: [6, 6].
# right: context = torch.bmm(weights.unsqueeze(1), memory)
import torch
import torch.nn as nn
import torch.nn.functional as F
class Encoder(nn.Module):
    def __init__(self, vocab_size, d_model, hidden_size):
        super(Encoder, self).__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.dropout = nn.Dropout(0.2)
        self.rnn = nn.GRU(input_size=d_model, hidden_size=hidden_size, batch_first=True, bidirectional=True)
        self.bridge_h = nn.Linear(hidden_size * 2, hidden_size)

    def forward(self, x):
        e = self.dropout(self.embedding(x))
        out, h = self.rnn(e)
        h = torch.tanh(self.bridge_h(torch.cat((h[-2], h[-1]), dim=1))).unsqueeze(0)
        return out, h


class Decoder(nn.Module):
    def __init__(self, vocab_size, d_model, hidden_size):
        super(Decoder, self).__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.rnn = nn.GRU(d_model + hidden_size * 2, hidden_size, batch_first=True)
        self.attn = nn.Linear(hidden_size, hidden_size * 2)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, token, hidden, memory):
        e = self.embedding(token).unsqueeze(1)
        query = self.attn(hidden[-1])
        scores = torch.bmm(memory, query.unsqueeze(2)).squeeze(2)
        weights = F.softmax(scores, dim=1)
        context = torch.bmm(weights.unsqueeze(2), memory)  # error: [RSG707]
        e = torch.cat([e, context], dim=-1)
        out, hidden = self.rnn(e, hidden)
        return self.fc(out[:, 0]), hidden


class EncoderDecoder(nn.Module):
    def __init__(self, vocab_size, d_model, hidden_size):
        super(EncoderDecoder, self).__init__()
        self.encoder = Encoder(vocab_size, d_model, hidden_size)
        self.decoder = Decoder(vocab_size, d_model, hidden_size)

    def forward(self, x, y):
        memory, hidden = self.encoder(x)
        outputs = []
        for t in range(y.size(1)):
            logits, hidden = self.decoder(y[:, t], hidden, memory)
            outputs.append(logits)
        return torch.stack(outputs, dim=1)


batch_size, seq_len = 6, 6
model = EncoderDecoder(vocab_size=5, d_model=14, hidden_size=4)
x = torch.randint(0, 5, (batch_size, seq_len))
y = torch.randint(0, 5, (batch_size, seq_len))
logits = model(x, y)
