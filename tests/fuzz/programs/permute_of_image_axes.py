# permute of image axes: mixes samples
# right: x = x.permute(0, 3, 1, 2)
import torch
import torch.nn as nn
import torch.nn.functional as F


class Settings:
    channels = 20
    h_dim = 6
    nlayers = 3
    n_classes = 12


CFG = Settings()


class Forecaster(nn.Module):
    def __init__(self, cfg):
        super(Forecaster, self).__init__()
        self.cfg = cfg
        self.conv = nn.Conv2d(1, cfg.channels, kernel_size=3, padding=1)
        self.gru = torch.nn.GRU(input_size=cfg.channels * 4, hidden_size=cfg.h_dim, num_layers=cfg.nlayers, batch_first=True)  # error: [RSG101]
        self.linear = nn.Linear(cfg.h_dim, cfg.n_classes)

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = x.permute(3, 0, 1, 2)
        x = x.reshape(x.size(0), x.size(1), -1)
        B = x.size(0)
        hidden = torch.zeros(self.cfg.nlayers, B, self.cfg.h_dim)
        output = self.gru(x, hidden)[0]
        return self.linear(output)


