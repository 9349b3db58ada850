"""No false alarm: right models of many kinds run under tracing as if it were not there, whatever the sizes are."""

import pytest
import torch
from torch import nn

from rnnshape_guard.runtime.tracing import TracingWarning, run_traced
from tests.runtime.right_models import cases

SIZES = [(3, 5), (4, 4), (2, 2), (1, 5), (5, 1), (8, 6)]
CASES = [
    pytest.param(model, inputs, id=f"{type(model).__name__}-{batch}x{steps}")
    for batch, steps in SIZES
    for model, inputs in cases(batch, steps)
]


@pytest.mark.filterwarnings("ignore", f"error::{TracingWarning.__module__}.{TracingWarning.__name__}")
@pytest.mark.parametrize(("model", "inputs"), CASES)
def test_right_models_pass_with_the_results_they_have_without(model: nn.Module, inputs: tuple[object, ...]) -> None:
    model.eval()
    try:
        bare = model(*inputs)
    except RuntimeError as refused:
        bare = refused
    if hasattr(model, "state"):
        model.state = None
    traced = run_traced(model, inputs, module=model)
    assert [str(error) for error in traced.violations] == []
    if isinstance(bare, RuntimeError):
        assert str(traced.error) == str(bare)
        return
    assert traced.error is None
    torch.testing.assert_close(traced.result, bare)
