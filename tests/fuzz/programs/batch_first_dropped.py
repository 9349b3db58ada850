# batch_first dropped: mixes samples
# right: self.encoder = nn.LSTM(
import torch.nn as nn
import torch.nn.functional as F

N_FEATURES = 8
UNITS = 10


class Classifier(nn.Module):
    def __init__(self, emb_size: int, nlayers: int = 1, output_dim: int = 12):
        super().__init__()
        self.inp = nn.Linear(N_FEATURES, emb_size)
        self.encoder = nn.LSTM(
            input_size=emb_size,
            hidden_size=UNITS,
            num_layers=nlayers,
            bidirectional=True,
        )  # error: [RSG101]
        self.out = nn.Linear(20, output_dim)

    def forward(self, x: torch.Tensor):
        x = F.relu(self.inp(x))
        outputs = self.encoder(x)[0]
        x = F.adaptive_avg_pool1d(outputs.permute(0, 2, 1), 1).squeeze(2)
        return F.log_softmax(self.out(x), dim=-1)
