"""Two recurrences on one path, a cell the later one, that run along different axes (RSG103)."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

_STACK = """
class Stack(nn.Module):
    def __init__(self, d, h, layers):
        super().__init__()
        self.h = h
        self.cells = nn.ModuleList([nn.GRUCell(d if at == 0 else h, h) for at in range(layers)])

    def run(self, cell, x):
        {turn}
        state = x.new_zeros(x.size(1), self.h)
        made = []
        for step in x:
            state = cell(step, state)
            made.append(state)
        return {made}

    def forward(self, x):
        for cell in self.cells:
            x = self.run(cell, x)
        return x

Stack(4, 6, {layers})(torch.randn(16, 20, 4))
"""


def _stack(turn: str, made: str, layers: int = 2) -> str:
    return _STACK.format(turn=turn, made=made, layers=layers)


@pytest.mark.parametrize("layers", [2, 3])
def test_every_layer_turns_what_the_one_before_has_turned(layers: int) -> None:
    program = _stack("x = x.transpose(0, 1)", "torch.stack(made)", layers)
    assert said(program, "RSG1", "RSG8") == [(9, "RSG103")]


def test_every_layer_gives_its_steps_on_another_axis() -> None:
    assert said(_stack("pass", "torch.stack(made, dim=1)"), "RSG1", "RSG8") == [(12, "RSG103")]


def test_a_stack_that_nobody_builds_is_wrong_when_it_has_several_layers() -> None:
    program = _stack("x = x.transpose(0, 1)", "torch.stack(made)").rpartition("\nStack(")[0]
    assert said(program, "RSG1", "RSG8") == [(9, "RSG103")]


RIGHT = {
    "every layer turns back what it has turned": _stack("x = x.transpose(0, 1)", "torch.stack(made, dim=1)"),
    "every layer hands on its steps as they came": _stack("pass", "torch.stack(made)"),
    "one layer alone": _stack("x = x.transpose(0, 1)", "torch.stack(made)", 1),
    "a layer, and a cell along the same steps": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.encoder = nn.GRU(d, h)
        self.cell = nn.GRUCell(h, h)

    def forward(self, x):
        out, _ = self.encoder(x)
        state = out.new_zeros(out.size(1), out.size(2))
        for t in range(out.size(0)):
            state = self.cell(out[t], state)
        return state
""",
    "words into sentences": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.words = nn.GRUCell(d, h)
        self.sentences = nn.GRUCell(h, h)
        self.h = h

    def forward(self, document):
        # document: (words, sentences, features)
        state = document.new_zeros(document.size(1), self.h)
        for word in document:
            state = self.words(word, state)
        summary = state.new_zeros(1, self.h)
        for sentence in state:
            summary = self.sentences(sentence.unsqueeze(0), summary)
        return summary
""",
    "a cell that carries nothing from step to step": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.encoder = nn.GRU(d, h)
        self.cell = nn.GRUCell(h, h)

    def forward(self, x, state):
        out, _ = self.encoder(x)
        return torch.stack([self.cell(out[:, n], state) for n in range(out.size(1))], dim=1)
""",
}


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT)
def test_right(program: str) -> None:
    assert said(program, "RSG101", "RSG103", "RSG8") == []


def test_a_cell_that_steps_along_the_batch_of_the_layer_before_it() -> None:
    program = """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.encoder = nn.GRU(d, h)
        self.cell = nn.GRUCell(h, h)

    def forward(self, x):
        out, _ = self.encoder(x)
        state = out.new_zeros(out.size(0), out.size(2))
        for at in range(out.size(1)):
            state = self.cell(out[:, at], state)
        return state
"""
    assert said(program, "RSG103", "RSG101", "RSG8") == [(12, "RSG103")]
