# model's pair used as a tensor: crash: AttributeError: 'tuple' object has no attribute 'reshape'
# right: logits, hidden = model(x, hidden)
import torch
import torch.nn as nn

CFG = {
    "n_vocab": 14,
    "d_model": 8,
    "hidden_dim": 20,
    "n_layers": 2,
}


class WordLSTM(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.emb = nn.Embedding(cfg["n_vocab"], cfg["d_model"])
        self.rnn = nn.GRU(
            input_size=cfg["d_model"],
            hidden_size=cfg["hidden_dim"],
            num_layers=cfg["n_layers"],
        )
        self.decoder = nn.Linear(cfg["hidden_dim"], cfg["n_vocab"])

    def init_hidden(self, n):
        return torch.zeros(self.cfg["n_layers"], n, self.cfg["hidden_dim"])

    def forward(self, x, hidden):
        e = self.emb(x)
        out, hidden = self.rnn(e, hidden)
        return self.decoder(out), hidden


model = WordLSTM(CFG)
criterion = nn.CrossEntropyLoss()
hidden = model.init_hidden(4)
for step in range(2):
    x = torch.randint(0, 14, (4, 4))
    y = torch.randint(0, 14, (4, 4))
    logits = model(x, hidden)  # error: [RSG406]
    loss = criterion(logits.reshape(-1, 14), y.reshape(-1))
