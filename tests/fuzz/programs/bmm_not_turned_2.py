# bmm not turned: crash: RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [6, 1] but got: [6, 5].
# right: x = torch.bmm(weights.transpose(1, 2), output).squeeze(1)
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset

FEATURE_DIM = 16
NUM_FILTERS = 12
UNITS = 4
NLAYERS = 3


class Classifier(nn.Module):
    def __init__(self):
        super(Classifier, self).__init__()
        self.conv = nn.Conv1d(FEATURE_DIM, NUM_FILTERS, kernel_size=3, padding=1)
        self.lstm = nn.LSTM(NUM_FILTERS, UNITS, NLAYERS, batch_first=True)
        self.attn = nn.Linear(UNITS, 1)
        self.head = nn.Linear(UNITS, 1)

    def forward(self, x):
        x = x.transpose(1, 2)
        x = torch.relu(self.conv(x))
        x = x.transpose(1, 2)
        B = x.size(0)
        h_0 = torch.zeros(NLAYERS, B, UNITS)
        c_0 = torch.zeros_like(h_0)
        output, _ = self.lstm(x, (h_0, c_0))
        weights = F.softmax(self.attn(torch.tanh(output)), dim=1)
        x = torch.bmm(weights, output).squeeze(1)  # error: [RSG707]
        return self.head(x).squeeze(1)


model = Classifier()
seq_len = 5
inputs = torch.randn(12, seq_len, 16)
targets = torch.randn(12)
dataset = TensorDataset(inputs, targets)
loader = DataLoader(dataset, batch_size=6)
for inp, target in loader:
    output = model(inp)
