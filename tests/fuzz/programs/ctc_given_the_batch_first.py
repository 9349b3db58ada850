# CTC given the batch first: crash: RuntimeError: input_lengths must be of size batch_size
# right: return scores.permute(1, 0, 2)
import torch
import torch.nn as nn
from torch.nn import GRU, LSTM, RNN

class SpeechModel(nn.Module):
    def __init__(self, n_features: int = 8, n_filters: int = 12, units: int = 8, layer_dim: int = 3, nout: int = 6):
        super().__init__()
        self.conv = nn.Conv1d(n_features, n_filters, kernel_size=3, padding=1)
        self.encoder = RNN(
            n_filters,
            units // 2,
            layer_dim,
            batch_first=True,
            bidirectional=True,
        )
        self.fc = nn.Linear(units, nout)

    def forward(self, x: torch.Tensor):
        x = x.permute(0, 2, 1)
        x = torch.relu(self.conv(x))
        x = x.permute(0, 2, 1)
        out, _ = self.encoder(x)
        scores = torch.log_softmax(self.fc(out), dim=-1)
        return scores


model = SpeechModel(n_filters=12, layer_dim=3, nout=6)
batch_size, n_frames = 5, 7
x = torch.randn(batch_size, n_frames, 8)
targets = torch.randint(1, 6, (5, 2))
input_lengths = torch.full((5,), 7, dtype=torch.long)
target_lengths = torch.full((5,), 2, dtype=torch.long)
log_probs = model(x)
loss = nn.CTCLoss(zero_infinity=True)(log_probs, targets, input_lengths, target_lengths)  # error: [RSG701]
