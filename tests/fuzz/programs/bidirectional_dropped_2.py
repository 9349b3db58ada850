# bidirectional dropped: crash: IndexError: index 1 is out of bounds for dimension 0 with size 1
# right: self.lstm = nn.LSTM(n_filters * 4, hidden_dim, batch_first=True, bidirectional=True)
import torch
import torch.nn as nn

class RNNModel(nn.Module):
    def __init__(self, n_filters=9, hidden_dim=20):
        super().__init__()
        self.conv = nn.Conv2d(1, n_filters, kernel_size=3, padding=1)
        self.lstm = nn.LSTM(n_filters * 4, hidden_dim, batch_first=True)
        self.head = nn.Linear(2 * hidden_dim, 1)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        x = x.permute(0, 3, 1, 2)
        x = x.flatten(2)
        outputs, h = self.lstm(x)
        h = h[0]
        final = torch.cat([h[0], h[1]], 1)  # error: [RSG403]
        return self.head(final).squeeze(1)

