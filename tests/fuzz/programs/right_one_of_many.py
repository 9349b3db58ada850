# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn import GRU, LSTM, RNN
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset


class GRUNet(nn.Module):
    """
    Args:
        x: [batch_size, time, input_size] input
    """
    def __init__(self, feature_dim, hidden_dim, layer_dim, output_size, fc_dim):
        super().__init__()
        self.layer = LSTM(
            feature_dim,
            hidden_dim,
            layer_dim,
            batch_first=True,
        )
        self.fc1 = nn.Linear(hidden_dim, fc_dim)
        self.out = nn.Linear(fc_dim, output_size)

    def forward(self, x):
        outputs, _ = self.layer(x)
        outputs, _ = outputs.max(dim=1)
        outputs = F.relu(self.fc1(outputs))
        return self.out(outputs)


model = GRUNet(9, 10, 2, 5, 20)
batch = 4
steps = 6
x = torch.randn(batch, steps, 9)
y = torch.randint(0, 5, (batch,))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(2):
    optimizer.zero_grad()
    output = model(x)
    loss = criterion(output, y)
    loss.backward()
    optimizer.step()
