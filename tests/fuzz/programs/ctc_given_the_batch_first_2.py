# CTC given the batch first: mixes samples
# right: return scores.transpose(0, 1)
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn import GRU, LSTM, RNN

class SpeechModel(nn.Module):
    def __init__(self):
        super(SpeechModel, self).__init__()
        self.conv = nn.Conv1d(10, 12, kernel_size=3, padding=1)
        self.encoder = RNN(input_size=12, hidden_size=9, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(9 * 2, 6)

    def forward(self, x):
        x = x.transpose(1, 2)
        x = F.relu(self.conv(x))
        x = x.transpose(1, 2)
        out = self.encoder(x)[0]
        scores = torch.log_softmax(self.fc(out), dim=-1)
        return scores


model = SpeechModel()
x = torch.randn(5, 5, 10)
targets = torch.randint(1, 6, (5, 2))
input_lengths = torch.full((5,), 5, dtype=torch.long)
target_lengths = torch.full((5,), 2, dtype=torch.long)
log_probs = model(x)
loss = F.ctc_loss(log_probs, targets, input_lengths, target_lengths, zero_infinity=True)  # error: [RSG701]
