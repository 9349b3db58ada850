# loop over the batch: depends on other steps
# right: for step in range(embedded.size(1)):
import torch
import torch.nn as nn
class LSTMCellModel(nn.Module):
    def __init__(self, ntoken, embedding_dim, n_hidden):
        super().__init__()
        self.n_hidden = n_hidden
        self.encoder_embed = nn.Embedding(ntoken, embedding_dim)
        self.cell = nn.LSTMCell(embedding_dim, n_hidden)
        self.decoder = nn.Linear(n_hidden, 1)

    def forward(self, x):
        """
        Args:
            x: [B, L]
        """
        embedded = self.encoder_embed(x)
        h = torch.zeros(embedded.size(0), self.n_hidden)
        c = torch.zeros(embedded.size(0), self.n_hidden)
        for step in range(embedded.size(0)):
            h, c = self.cell(embedded[:, step], (h, c))  # error: [RSG409]
        return self.decoder(h)


