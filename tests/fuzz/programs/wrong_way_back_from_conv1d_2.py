# wrong way back from Conv1d: crash: RuntimeError: input.size(-1) must be equal to input_size. Expected 12, got 4
# right: x = x.permute(2, 0, 1)
import torch
import torch.nn as nn
from torch.nn import GRU, LSTM, RNN


class SpeechModel(nn.Module):
    def __init__(self):
        super(SpeechModel, self).__init__()
        self.conv = nn.Conv1d(8, 12, kernel_size=3, padding=1)
        self.bn = nn.BatchNorm1d(12)
        self.encoder = RNN(input_size=12, hidden_size=10, bidirectional=True)
        self.fc = nn.Linear(2 * 10, 16)

    def forward(self, x):
        x = x.permute(1, 2, 0)
        x = torch.relu(self.bn(self.conv(x)))
        x = x.permute(2, 1, 0)  # error: [RSG301]
        y, _ = self.encoder(x)
        scores = torch.log_softmax(self.fc(y), dim=-1)
        return scores


model = SpeechModel()
batch_size, n_frames = 4, 5
x = torch.randn(n_frames, batch_size, 8)
log_probs = model(x)
