# loop over the batch: crash: ValueError: Expected input batch_size (25) to match target batch_size (35).
# right: for t in range(T):
import torch
import torch.nn as nn
import torch.nn.functional as F
NIN = 4
EMBEDDING_DIM = 14
RNN_SIZE = 16
NUM_CLASSES = 12


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(NIN, EMBEDDING_DIM)
        self.gru = torch.nn.GRU(EMBEDDING_DIM, RNN_SIZE)
        self.actor = nn.Linear(RNN_SIZE, NUM_CLASSES)

    def forward(self, x, masks):
        T, B = x.shape[:2]
        x = torch.relu(self.body(x))
        h = torch.zeros(1, B, RNN_SIZE)
        outputs = []
        for t in range(B):
            out, h = self.gru(x[t].unsqueeze(0), h)  # error: [RSG409]
            outputs.append(out)
        out = torch.cat(outputs, dim=0)
        return self.actor(out)


model = ActorCritic()
x = torch.randn(7, 5, 4)
masks = torch.ones(7, 5)
actions = torch.randint(0, 12, (7, 5))
logits = model(x, masks)
loss = F.cross_entropy(logits.reshape(-1, 12), actions.reshape(-1))  # error: [RSG701]
