# state in a pair: crash: AttributeError: 'tuple' object has no attribute 'dim'
# right: outputs, _ = self.gru(x, hidden)
import torch.nn as nn
import torch.nn.functional as F

class Settings:
    n_features = 20
    embed_dim = 8
    nhid = 9
    n_layers = 2


config = Settings()


class LSTMTagger(nn.Module):
    def __init__(self, config, bidirectional=True):
        super().__init__()
        self.bidirectional = bidirectional
        self.config = config
        self.fc_in = nn.Linear(config.n_features, config.embed_dim)
        self.gru = nn.GRU(
            config.embed_dim,
            config.nhid,
            config.n_layers,
            bidirectional=bidirectional,
        )
        self.fc = nn.Linear(config.nhid * (2 if bidirectional else 1), 1)

    def init_hidden(self, n):
        weight = next(self.parameters())
        return weight.new_zeros(self.config.n_layers * (2 if self.bidirectional else 1), n, self.config.nhid)

    def forward(self, x):
        x = F.relu(self.fc_in(x))
        hidden = self.init_hidden(x.size(1))
        outputs, _ = self.gru(x, (hidden, hidden))  # error: [RSG501]
        return self.fc(outputs)
