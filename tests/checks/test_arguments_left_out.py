"""Calls that leave arguments out, or give too many, are the interpreter's to complain about: no check fails on them."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

PROGRAM = """
rnn, cell, fc = nn.LSTM(4, 5, batch_first=True), nn.GRUCell(4, 5), nn.Linear(5, 3)
attention = nn.MultiheadAttention(4, 2)
x, lengths = torch.randn(2, 7, 4), torch.tensor([7, 3])
out, (h, c) = rnn(x)
packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
index = torch.zeros(2, 1, 5, dtype=torch.long)
result = {call}
fc(out[:, -1])
"""

CALLS = (
    """
rnn()|rnn(x, )|rnn(x, h)|rnn(x, (h,))|rnn(x, hx=None)|rnn(input=x)|cell()|cell(x[:, 0], hx=None)|fc()|attention()|attention(x)
nn.utils.rnn.pack_padded_sequence()|nn.utils.rnn.pack_padded_sequence(x)|nn.utils.rnn.pack_padded_sequence(lengths=lengths)
nn.utils.rnn.pad_packed_sequence()|nn.utils.rnn.pad_packed_sequence(packed, True, 0.0, None, 1)|nn.utils.rnn.pad_sequence()
out.gather()|out.gather(1)|out.gather(index=index)|out.gather(1, index=index)|out.gather(dim=1, index=index)|torch.gather(out)
out.select(0)|out.select()|out.narrow(1)|out.narrow(1, 0)|out.index_select(1)|out.index_select(index=lengths)|out.chunk()
torch.cat()|torch.cat(dim=1)|torch.cat((out,))|torch.stack()|torch.einsum()|torch.einsum("bth")|torch.bmm(out)|out.bmm()
out.view()|out.reshape()|out.permute()|out.transpose()|out.transpose(0)|out.unsqueeze()|out.squeeze(9)|out.expand()|out.repeat()
F.softmax(out)|F.softmax()|out.softmax()|F.log_softmax(dim=1)|F.cross_entropy()|F.cross_entropy(out)|nn.CrossEntropyLoss()(out)
F.ctc_loss(out)|nn.CTCLoss()(out, lengths)|out.sum(dim=None)|out.max(1, 2, 3)|out.sort(descending=True)|out.topk()|out.flip()
torch.zeros()|torch.zeros_like()|torch.full()|out.masked_fill()|torch.where(out > 0)|out[...]|out[()]|out[None]|h[0][0][0][0][0]
nn.LSTM()|nn.LSTM(4)|nn.GRU(4, 5, 1, True, True, 0.0, False, 0, 1)|nn.Linear(4)|nn.LSTMCell(4)|nn.Conv1d(4)|nn.Embedding(3)
torch.scatter(out)|out.scatter_(1, index)|out.index_copy_(0)|torch.split(out)|out.split(size=2)|out.unbind(dim=7)|torch.argsort()
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("call", CALLS)
def test_no_check_fails(call: str) -> None:
    said(PROGRAM.format(call=call))
