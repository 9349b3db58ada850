# input_size wrong: crash: RuntimeError: input.size(-1) must be equal to input_size. Expected 16, got 12
# right: self.encoder = nn.RNN(input_size=input_dim, hidden_size=rnn_size, num_layers=layer_dim)
import torch
import torch.nn as nn
class Matcher(nn.Module):
    def __init__(self, input_dim, rnn_size, layer_dim):
        super().__init__()
        self.encoder = nn.RNN(input_size=rnn_size, hidden_size=rnn_size, num_layers=layer_dim)  # error: [RSG203]
        self.compare = nn.Linear(2 * rnn_size, 1)

    def encode_one(self, x):
        output, hidden = self.encoder(x)
        last = hidden[-1]
        return last

    def forward(self, x, y):
        both = torch.cat([self.encode_one(x), self.encode_one(y)], dim=1)
        return self.compare(both).view(-1)


model = Matcher(12, 16, 3)
batch_size, seq_len = 6, 3
x = torch.randn(seq_len, batch_size, 12)
y = torch.randn(seq_len, batch_size, 12)
score = model(x, y)
