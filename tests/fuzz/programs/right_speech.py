# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset

opt = {
    "in_dim": 16,
    "num_filters": 5,
    "rnn_size": 4,
    "output_dim": 6,
}


class SpeechModel(nn.Module):
    def __init__(self, opt, bidirectional=True):
        super().__init__()
        self.D = 2 if bidirectional else 1
        self.conv = nn.Conv1d(opt["in_dim"], opt["num_filters"], kernel_size=3, padding=1)
        self.encoder = nn.LSTM(input_size=opt["num_filters"], hidden_size=opt["rnn_size"], bidirectional=bidirectional, batch_first=True)
        self.fc = nn.Linear(opt["rnn_size"] * self.D, opt["output_dim"])

    def forward(self, x):
        # x - (B, L, C)
        x = x.transpose(1, 2)
        x = torch.tanh(self.conv(x))
        x = x.transpose(1, 2)
        rnn_out, _ = self.encoder(x)
        scores = torch.log_softmax(self.fc(rnn_out), dim=2)
        return scores.permute(1, 0, 2)


model = SpeechModel(opt)
batch_size, n_frames = 3, 3
x = torch.randn(batch_size, n_frames, 16)
targets = torch.randint(1, 6, (3, 2))
input_lengths = torch.full((3,), 3, dtype=torch.long)
target_lengths = torch.full((3,), 2, dtype=torch.long)
log_probs = model(x)
loss = nn.CTCLoss(zero_infinity=True)(log_probs, targets, input_lengths, target_lengths)
loss.backward()
