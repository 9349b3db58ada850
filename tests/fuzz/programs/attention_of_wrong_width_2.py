# attention of wrong width: crash: RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [4, 20] but got: [4, 21].
# right: self.attn = nn.Linear(h_dim, h_dim)
import torch
import torch.nn as nn

class Encoder(nn.Module):
    def __init__(self, vocab_size: int = 5, embedding_dim: int = 9, h_dim: int = 20, n_layers: int = 2):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, embedding_dim, padding_idx=0)
        self.dropout = nn.Dropout(0.2)
        self.rnn = nn.GRU(embedding_dim, h_dim, n_layers, batch_first=True)

    def forward(self, x: torch.Tensor):
        emb = self.dropout(self.word_embeddings(x))
        out, h = self.rnn(emb)
        return out, h


class AttnDecoder(nn.Module):
    def __init__(self, vocab_size: int = 5, embedding_dim: int = 9, h_dim: int = 20):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.rnn = nn.GRU(embedding_dim + h_dim, h_dim, 2, batch_first=True)
        self.attn = nn.Linear(h_dim, h_dim + 1)
        self.fc = nn.Linear(h_dim, vocab_size)

    def forward(self, token, hidden, memory):
        e = self.embedding(token).unsqueeze(1)
        query = self.attn(hidden[-1])
        scores = torch.bmm(memory, query.unsqueeze(2)).squeeze(2)  # error: [RSG707]
        weights = torch.softmax(scores, -1)
        context = torch.bmm(weights.unsqueeze(1), memory)
        e = torch.cat([e, context], dim=-1)
        out, hidden = self.rnn(e, hidden)
        return self.fc(out.squeeze(1)), hidden


class Seq2Seq(nn.Module):
    def __init__(self, vocab_size: int = 5, embedding_dim: int = 9, h_dim: int = 20):
        super().__init__()
        self.encoder = Encoder(vocab_size, embedding_dim, h_dim)
        self.decoder = AttnDecoder(vocab_size, embedding_dim)

    def forward(self, x: torch.Tensor, y):
        memory, hidden = self.encoder(x)
        outputs = []
        for t in range(y.size(1)):
            logits, hidden = self.decoder(y[:, t], hidden, memory)
            outputs.append(logits)
        return torch.stack(outputs, dim=1)


model = Seq2Seq()
