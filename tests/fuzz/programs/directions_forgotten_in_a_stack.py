# directions forgotten in a stack: crash: RuntimeError: The size of tensor a (12) must match the size of tensor b (24) at non-singleton dimension 2
# right: self.rnns = nn.ModuleList([torch.nn.LSTM(nhid * self.num_directions, nhid * self.num_directions, batch_first=True) for _ in range(3)])
import torch
import torch.nn as nn

class ResidualLSTM(nn.Module):
    def __init__(self, input_dim, nhid, output_size):
        super(ResidualLSTM, self).__init__()
        self.num_directions = 2
        self.rnn1 = torch.nn.LSTM(input_dim, nhid, batch_first=True, bidirectional=True)
        self.rnns = nn.ModuleList([torch.nn.LSTM(nhid * self.num_directions, nhid * self.num_directions, batch_first=True, bidirectional=True) for _ in range(3)])
        self.head = nn.Linear(nhid * self.num_directions, output_size)

    def forward(self, x):
        outputs, h = self.rnn1(x)
        for layer in self.rnns:
            y, _ = layer(outputs)
            outputs = outputs + y  # error: [RSG707]
        return self.head(outputs)

