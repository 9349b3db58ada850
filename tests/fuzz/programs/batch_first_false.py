# batch_first=False: mixes samples
# right: self.encoder = nn.LSTM(input_size=feature_dim, hidden_size=units, num_layers=n_layers, bidirectional=False, batch_first=True)
import torch.nn as nn

class BiLSTM(nn.Module):
    def __init__(self, feature_dim, units, n_layers):
        super().__init__()
        self.encoder = nn.LSTM(input_size=feature_dim, hidden_size=units, num_layers=n_layers, bidirectional=False, batch_first=False)  # error: [RSG101]

    def forward(self, x):
        out, h_n = self.encoder(x)
        return out


class CRNN(nn.Module):
    def __init__(self, num_classes, feature_dim, units, n_layers):
        super().__init__()
        self.encoder = BiLSTM(feature_dim, units, n_layers)
        self.fc = nn.Linear(units, num_classes)

    def forward(self, x):
        y = self.fc(self.encoder(x))
        return y.mean(1)


