"""Docstrings that state a shape which the code could not take: the code has run, the docstring has not."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

RIGHT = {
    "lengths written as if they were padded themselves": '''
class Parser(nn.Module):
    def __init__(self, words, width):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.encoder = nn.LSTM(width, width, batch_first=True)

    def forward(self, words, seq_len):
        """
        :param words: [batch_size, seq_len]
        :param seq_len: [batch_size, seq_len]
        """
        lengths, order = torch.sort(seq_len, dim=0, descending=True)
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(words)[order], lengths, batch_first=True)
        return self.encoder(packed)[1][0][:, torch.argsort(order)]
''',
    "a packed sequence written by the axes of what was packed": '''
class Steps(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.cell = nn.GRUCell(width, width)

    def forward(self, input_x, hidden, mask):
        """
        :param PackedSequence input_x: [seq_len, batch_size, width]
        :param mask: [batch_size, width]
        """
        steps, sizes = input_x.data, input_x.batch_sizes
        at = 0
        for size in sizes:
            step = steps[at : at + size] * mask[:size]
            hidden = self.cell(step, hidden[:size])
            at += size
        return hidden
''',
    "the pair of an LSTM's states written as one tensor": '''
class Decoder(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.rnn = nn.LSTM(width, width, batch_first=True)

    def forward(self, x, prev_state):
        """
        Args:
            prev_state (torch.Tensor): Previous decoder state, with size [batch, width].
        """
        return self.rnn(x.unsqueeze(1), prev_state)
''',
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_written_shape_that_the_code_would_refuse_is_not_believed(name: str) -> None:
    assert said(RIGHT[name], "RSG2", "RSG5", "RSG6", "RSG8") == []


def test_a_written_shape_that_the_code_takes_is_still_believed() -> None:
    program = '''
class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.lstm = nn.LSTM(width, width)

    def forward(self, x):
        """
        :param x: [batch, seq_len, width]
        """
        return self.lstm(x)[0]
'''
    assert said(program, "RSG101") == [(5, "RSG101")]


@pytest.mark.parametrize("after", ["", ", scale=1.0"])
def test_what_stands_before_an_arrow_is_the_one_parameter_that_a_call_must_give(after: str) -> None:
    program = f"""
class Tagger(nn.Module):
    '''Tags the words of a sentence.

    (batch, time, features) -> (batch, time, tags)
    '''
    def __init__(self, width, tags):
        super().__init__()
        self.encoder = nn.GRU(width, tags)

    def forward(self, vectors{after}):
        return self.encoder(vectors)[0]
"""
    assert said(program, "RSG101") == [(9, "RSG101")]


def test_what_stands_before_an_arrow_is_neither_of_two_parameters() -> None:
    program = """
class Tagger(nn.Module):
    '''Tags the words of a sentence.

    (batch, time, features) -> (batch, time, tags)
    '''
    def __init__(self, width, tags):
        super().__init__()
        self.encoder = nn.GRU(width, tags)

    def forward(self, vectors, others):
        return self.encoder(vectors)[0] + self.encoder(others)[0]
"""
    assert said(program, "RSG101") == []


def _rollout(axis: int) -> str:
    return f'''
class Critic(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.rnn = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, 1)

    def forward(self, seen, state=None):
        out, state = self.rnn(seen.unsqueeze({axis}), state)
        return self.head(out.squeeze({axis})), state

def run(critic: Critic, rollout):
    """rollout: (n_steps, n_envs, width) -> values (n_steps, n_envs)"""
    values, state = [], None
    for seen in rollout:
        value, state = critic(seen, state)
        values.append(value)
    return torch.stack(values)

run(Critic(5), torch.randn(4, 3, 5))
'''


def test_environments_that_were_written_for_a_rollout_are_a_batch() -> None:
    assert said(_rollout(0), "RSG101") == [(5, "RSG101")]
    assert said(_rollout(1)) == []
