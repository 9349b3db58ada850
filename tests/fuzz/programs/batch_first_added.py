# batch_first added: mixes samples
# right: self.lstm = torch.nn.LSTM(NIN, H_DIM, NUM_LAYERS)
import torch
import torch.nn as nn
NIN = 10
H_DIM = 8
NUM_LAYERS = 2
OUTPUT_DIM = 12


class OutputOnly(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(NIN, H_DIM, NUM_LAYERS, batch_first=True)

    def forward(self, x: torch.Tensor):
        y = self.lstm(x)[0]
        return y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = OutputOnly()
        self.fc = nn.Linear(H_DIM, OUTPUT_DIM)

    def forward(self, x: torch.Tensor):
        y = self.fc(self.encoder(x))
        return y.mean(0)  # error: [RSG401]


model = Net()
x = torch.randn(3, 6, 10)
for epoch in range(2):
    logits = model(x)
