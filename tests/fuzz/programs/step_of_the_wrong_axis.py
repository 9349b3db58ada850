# step of the wrong axis: mixes samples
# right: out, h = self.gru(x[t].unsqueeze(0), h)
import torch
import torch.nn as nn
class ActorCritic(nn.Module):
    def __init__(self, hidden_size, embedding_dim=6):
        super().__init__()
        self.hidden_size = hidden_size
        self.body = nn.Linear(4, embedding_dim)
        self.gru = torch.nn.GRU(embedding_dim, hidden_size)
        self.actor = nn.Linear(hidden_size, 20)

    def forward(self, x, masks):
        T, B = x.size(0), x.size(1)
        x = torch.relu(self.body(x))
        h = torch.zeros(1, B, self.hidden_size)
        outputs = []
        for t in range(T):
            out, h = self.gru(x[:, t].unsqueeze(0), h)  # error: [RSG409]
            outputs.append(out)
        out = torch.cat(outputs)
        return self.actor(out)


model = ActorCritic(hidden_size=12, embedding_dim=6)
x = torch.randn(3, 3, 4)
masks = torch.ones(3, 3)
logits = model(x, masks)
