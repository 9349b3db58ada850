# reduced over the batch: crash: ValueError: Expected input batch_size (4) to match target batch_size (6).
# right: x = (weights * outputs).sum(dim=1)
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset


class Settings:
    input_size: int = 10
    num_filters: int = 9
    units: int = 20
    n_classes: int = 8


opt = Settings()


class ResidualLSTM(nn.Module):
    def __init__(self, opt, batch_first=True):
        super(ResidualLSTM, self).__init__()
        self.conv = nn.Conv1d(opt.input_size, opt.num_filters, kernel_size=3, padding=1)
        self.rnn1 = torch.nn.LSTM(opt.num_filters, opt.units, 1, bidirectional=False, batch_first=batch_first)
        self.layers = nn.ModuleList([torch.nn.LSTM(opt.units, opt.units, batch_first=True) for _ in range(2)])
        self.norms = nn.ModuleList([nn.LayerNorm(opt.units) for _ in range(2)])
        self.attn = nn.Linear(opt.units, 1)
        self.linear = nn.Linear(opt.units, opt.n_classes)

    def forward(self, x):
        x = x.transpose(1, 2)
        x = torch.tanh(self.conv(x))
        x = x.transpose(1, 2)
        outputs, h = self.rnn1(x)
        for layer, norm in zip(self.layers, self.norms):
            outputs, _ = layer(outputs)
        weights = F.softmax(self.attn(outputs), dim=1)
        x = (weights * outputs).sum(0)  # error: [RSG401]
        return F.log_softmax(self.linear(x), dim=-1)


model = ResidualLSTM(opt)
data = torch.randn(12, 4, 10)
labels = torch.randint(0, 8, (12,))
loader = DataLoader(TensorDataset(data, labels), batch_size=6, shuffle=True)
criterion = nn.NLLLoss()
for i, (xb, yb) in enumerate(loader):
    scores = model(xb)
    loss = criterion(scores, yb)  # error: [RSG701]
