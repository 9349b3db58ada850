# state sized by the time: crash: RuntimeError: Expected hidden size (4, 5, 4), got [4, 7, 4]
# right: state = self.init_hidden(batch)
import torch
import torch.nn as nn

class Tagger(nn.Module):
    def __init__(self, embedding_dim, output_dim=9):
        super(Tagger, self).__init__()
        self.num_directions = 2
        self.embed = nn.Embedding(6, embedding_dim)
        self.rnn = torch.nn.RNN(embedding_dim, 8 // 2, 2, bidirectional=True, batch_first=False)
        self.linear = nn.Linear(8, output_dim)

    def init_hidden(self, batch_size):
        weight = next(self.parameters())
        return weight.new_zeros(2 * self.num_directions, batch_size, 8 // 2)

    def forward(self, x):
        embedded = self.embed(x)
        batch = embedded.size(1)
        state = self.init_hidden(embedded.size(0))  # error: [RSG503]
        out, h_n = self.rnn(embedded, state)
        return self.linear(out)


