# scores viewed, not turned: another loss
# right: loss = criterion(output.reshape(-1, 14), batch_y.reshape(-1))
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset, TensorDataset


class Tagger(nn.Module):
    def __init__(self, feature_dim, output_size):
        super(Tagger, self).__init__()
        self.rnn = torch.nn.RNN(input_size=feature_dim, hidden_size=20, num_layers=3, batch_first=True, bidirectional=True)
        self.head = nn.Linear(20 * 2, output_size)

    def forward(self, x):
        h0 = torch.zeros(3 * 2, x.size(0), 20)
        y, state = self.rnn(x, h0)
        return self.head(y)


model = Tagger(10, 14)
T = 6
X = torch.randn(12, T, 10)
Y = torch.randint(0, 14, (12, T))
loader = DataLoader(TensorDataset(X, Y), batch_size=6)
criterion = nn.CrossEntropyLoss()
for i, (batch_x, batch_y) in enumerate(loader):
    output = model(batch_x)
    loss = criterion(output.view(output.size(0), 14, -1), batch_y)  # error: [RSG303]
