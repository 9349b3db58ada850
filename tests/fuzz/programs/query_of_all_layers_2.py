# query of all layers: crash: RuntimeError: batch2 must be a 3D tensor
# right: query = self.attn(hidden[-1])
import torch
import torch.nn as nn
import torch.nn.functional as F
NUM_TOKENS = 12


class EncoderRNN(nn.Module):
    def __init__(self, emb_size):
        super(EncoderRNN, self).__init__()
        self.emb = nn.Embedding(NUM_TOKENS, emb_size)
        self.rnn = nn.GRU(
            emb_size,
            9,
            batch_first=True,
            bidirectional=False,
        )

    def forward(self, x):
        e = self.emb(x)
        out, h = self.rnn(e)
        return out, h


class AttnDecoder(nn.Module):
    def __init__(self, emb_size):
        super(AttnDecoder, self).__init__()
        self.embedding = nn.Embedding(NUM_TOKENS, emb_size)
        self.rnn = nn.GRU(emb_size + 9, 9, 1, batch_first=True)
        self.attn = nn.Linear(9, 9)
        self.fc = nn.Linear(9, NUM_TOKENS)

    def forward(self, token, hidden, memory):
        e = self.embedding(token).unsqueeze(1)
        query = self.attn(hidden)
        scores = torch.bmm(memory, query.unsqueeze(2)).squeeze(2)  # error: [RSG707]
        weights = F.softmax(scores, dim=1)
        context = torch.bmm(weights.unsqueeze(1), memory)
        e = torch.cat([e, context], dim=-1)
        out, hidden = self.rnn(e, hidden)
        return self.fc(out[:, 0]), hidden


class EncoderDecoder(nn.Module):
    def __init__(self, emb_size):
        super(EncoderDecoder, self).__init__()
        self.encoder = EncoderRNN(emb_size)
        self.decoder = AttnDecoder(emb_size)

    def forward(self, x, y):
        memory, hidden = self.encoder(x)
        outputs = []
        for t in range(y.size(1)):
            logits, hidden = self.decoder(y[:, t], hidden, memory)
            outputs.append(logits)
        return torch.stack(outputs, dim=1)

