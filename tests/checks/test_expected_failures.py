"""What a program expects to fail is no mistake of it."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

MODEL = """
class Model(nn.Module):
    def __init__(self, bidirectional):
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0])

"""

USES = {
    "try": "try:\n    Model(True)(torch.randn(3, 4, 8))\nexcept RuntimeError as error:\n    print(error)\n",
    "raises": "import pytest\nwith pytest.raises(RuntimeError):\n    Model(True)(torch.randn(3, 4, 8))\n",
    "contract": "try:\n    Model(True)(torch.randn(3, 4, 8))\nexcept (KeyError, guard.ShapeContractError):\n    pass\n",
}


@pytest.mark.parametrize("use", USES)
def test_a_refusal_that_is_waited_for_is_no_finding(use: str) -> None:
    assert said(MODEL + USES[use], "RSG2") == []


@pytest.mark.parametrize("caught", ["KeyError", "ImportError"])
def test_another_exception_excuses_nothing(caught: str) -> None:
    assert [code for _, code in said(MODEL + USES["try"].replace("RuntimeError", caught), "RSG2")] == ["RSG201"]


@pytest.mark.parametrize(
    "handler",
    ["raise ValueError('no') from error", "if 'memory' in str(error):\n        print(error)\n    else:\n        raise"],
)
def test_a_refusal_that_is_raised_again_was_not_waited_for(handler: str) -> None:
    use = USES["try"].replace("print(error)", handler)
    assert [code for _, code in said(MODEL + use, "RSG2")] == ["RSG201"]
