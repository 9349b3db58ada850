# state sized by the time: crash: RuntimeError: Input batch size 3 doesn't match hidden0 batch size 6
# right: batch_size = x.shape[0]
import torch
import torch.nn as nn


class CustomRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.step = nn.LSTMCell(9, 8)
        self.fc = nn.Linear(8, 1)

    def forward(self, x):
        batch_size = x.shape[1]
        h = torch.zeros(batch_size, 8)  # error: [RSG802]
        c = torch.zeros(batch_size, 8)
        for x_t in x.unbind(1):
            h, c = self.step(x_t, (h, c))
        return self.fc(h)[:, 0]
