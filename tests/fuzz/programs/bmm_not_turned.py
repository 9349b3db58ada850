# bmm not turned: crash: RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [3, 1] but got: [3, 6].
# right: x = torch.bmm(weights.transpose(1, 2), out).squeeze(1)
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset

NUM_TOKENS = 9
EMBED_DIM = 5
H_DIM = 16
LAYER_DIM = 3
N_CLASSES = 8


class Network(nn.Module):
    def __init__(self):
        super(Network, self).__init__()
        self.emb = nn.Embedding(NUM_TOKENS, EMBED_DIM)
        self.lstm = nn.LSTM(EMBED_DIM, H_DIM, LAYER_DIM, batch_first=True)
        self.att_fc = nn.Linear(H_DIM, 1)
        self.decoder = nn.Linear(H_DIM, N_CLASSES)

    def forward(self, x):
        emb = self.emb(x)
        out, _ = self.lstm(emb)
        weights = F.softmax(self.att_fc(torch.tanh(out)), dim=1)
        x = torch.bmm(weights, out).squeeze(1)  # error: [RSG707]
        return F.log_softmax(self.decoder(x), dim=-1)


model = Network()
length = 6
X = torch.randint(0, 9, (6, length))
Y = torch.randint(0, 8, (6,))
dataset = TensorDataset(X, Y)
loader = DataLoader(dataset, batch_size=3)
for i, (x, y) in enumerate(loader):
    pred = model(x)
