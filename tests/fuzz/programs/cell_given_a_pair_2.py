# cell given a pair: crash: AttributeError: 'tuple' object has no attribute 'dim'
# right: h = self.cell(x_t, h)
import torch
import torch.nn as nn

args = {
    "n_vocab": 16,
    "embedding_dim": 4,
    "nhid": 9,
    "tagset_size": 14,
}


class Stepper(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.args = args
        self.embed = nn.Embedding(args["n_vocab"], args["embedding_dim"], padding_idx=0)
        self.cell = torch.nn.RNNCell(args["embedding_dim"], args["nhid"])
        self.fc = nn.Linear(args["nhid"], args["tagset_size"])

    def forward(self, x: torch.Tensor):
        x = self.embed(x)
        batch_size = x.shape[0]
        h = torch.zeros(batch_size, self.args["nhid"])
        outputs = []
        for x_t in x.unbind(1):
            h = self.cell(x_t, (h, h))  # error: [RSG802]
            outputs.append(h)
        out = torch.stack(outputs, dim=1)
        return self.fc(out)

