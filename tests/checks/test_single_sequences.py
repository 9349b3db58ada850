"""A batch that was packed with a single number for its lengths is one sequence, and has no padding."""

from __future__ import annotations

from tests.checks.programs import said

SOLVER = """
class Solver(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16)

    def forward(self, problem, length):
        {mask}
        packed = nn.utils.rnn.pack_padded_sequence(problem, length)
        out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0])
        return out[-1]
"""


def test_the_last_step_of_one_sequence_is_its_last() -> None:
    assert said(SOLVER.format(mask="mask = torch.BoolTensor(1, length).fill_(0)"), "RSG4") == []
    assert said(SOLVER.format(mask="mask = torch.zeros(1, length)"), "RSG4") == []


def test_the_last_step_of_several_is_padding() -> None:
    assert [code for _, code in said(SOLVER.format(mask="mask = None"), "RSG4")] == ["RSG408"]


def test_a_tensor_of_lengths_that_is_a_size_holds_one() -> None:
    solver = SOLVER.format(mask="length = torch.tensor(length).long(); mask = torch.BoolTensor(1, length)")
    assert said(solver, "RSG4") == []
    several = SOLVER.format(mask="length = torch.tensor(length).long(); mask = None")
    assert [code for _, code in said(several, "RSG4")] == ["RSG408"]
