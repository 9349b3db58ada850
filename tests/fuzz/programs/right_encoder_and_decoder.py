# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset

NUM_TOKENS = 14
EMBEDDING_DIM = 5
HIDDEN_DIM = 4


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.word_embeddings = nn.Embedding(NUM_TOKENS, EMBEDDING_DIM, padding_idx=0)
        self.rnn = nn.GRU(
            EMBEDDING_DIM,
            HIDDEN_DIM,
            batch_first=True,
            bidirectional=True,
        )
        self.bridge_h = nn.Linear(HIDDEN_DIM * 2, HIDDEN_DIM)

    def forward(self, x: torch.Tensor):
        # x: tensor of shape (batch_size, time)
        embedded = self.word_embeddings(x)
        out, h = self.rnn(embedded)
        h = torch.tanh(self.bridge_h(torch.cat((h[-2], h[-1]), dim=1))).unsqueeze(0)
        return out, h


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(NUM_TOKENS, EMBEDDING_DIM)
        self.rnn = nn.GRU(EMBEDDING_DIM, HIDDEN_DIM, batch_first=True)
        self.fc = nn.Linear(HIDDEN_DIM, NUM_TOKENS)

    def forward(self, token, hidden):
        e = self.embedding(token).unsqueeze(1)
        out, hidden = self.rnn(e, hidden)
        return self.fc(out[:, 0]), hidden


class EncoderDecoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def forward(self, x: torch.Tensor, y):
        memory, hidden = self.encoder(x)
        outputs = []
        for t in range(y.size(1)):
            logits, hidden = self.decoder(y[:, t], hidden)
            outputs.append(logits)
        return torch.stack(outputs, dim=1)


model = EncoderDecoder()
x = torch.randint(0, 14, (6, 6))
y = torch.randint(0, 14, (6, 6))
logits = model(x, y)
loss = F.cross_entropy(logits.reshape(-1, 14), y.reshape(-1))
loss.backward()
