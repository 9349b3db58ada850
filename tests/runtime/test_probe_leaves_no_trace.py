"""A probe runs a model many times; afterwards the model, its inputs and all random states are what they were."""

from __future__ import annotations

import copy
import random
from collections import deque
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnnshape_guard.runtime.probe import probe


class Remembering(nn.Module):
    """A stateful model with everything that a run may leave behind."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, 2)
        self.state: tuple[Tensor, Tensor] | None = None
        self.seen: deque[Tensor] = deque(maxlen=3)
        self.log: dict[str, list[float]] = {"norms": []}
        self.calls = 0
        self.register_buffer("running", torch.zeros(4))
        self.generator = torch.Generator().manual_seed(4)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        out, self.state = self.lstm(x, self.state)
        self.seen.append(x)
        self.log["norms"].append(float(x.norm()))
        self.running.mul_(0.9).add_(out.detach().mean(dim=(0, 1)))
        noise = torch.rand(out.shape[-1], generator=self.generator)
        _ = random.random() + np.random.rand()
        x.zero_()
        return self.head(self.drop(self.norm(out[:, -1] + noise)))


@pytest.fixture
def model() -> Remembering:
    torch.manual_seed(0)
    model = Remembering()
    model.head.eval()
    return model


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(1))


def test_parameters_buffers_modes_and_gradients_are_what_they_were(model: Remembering, x: Tensor) -> None:
    before = copy.deepcopy(model.state_dict())
    model.head.weight.grad = gradient = torch.ones_like(model.head.weight)
    modes = {name: module.training for name, module in model.named_modules()}
    probe(model, x)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.head.weight.grad is gradient
    assert torch.equal(gradient, torch.ones_like(gradient))
    assert model.lstm.weight_ih_l0.grad is None
    assert modes == {name: module.training for name, module in model.named_modules()}


def test_state_kept_on_modules_is_what_it_was(model: Remembering, x: Tensor) -> None:
    h, c = torch.randn(1, 4, 4), torch.randn(1, 4, 4)
    model.state = kept = (h, c)
    values = h.clone(), c.clone()
    generator = model.generator.get_state()
    attributes = set(vars(model))
    probe(model, x)
    assert model.state is kept
    assert torch.equal(h, values[0])
    assert torch.equal(c, values[1])
    assert (model.calls, list(model.seen), model.log) == (0, [], {"norms": []})
    assert torch.equal(model.generator.get_state(), generator)
    assert set(vars(model)) == attributes
    assert "forward" not in vars(model.norm)


def test_inputs_are_what_they_were(model: Remembering, x: Tensor) -> None:
    before = x.clone()
    probe(model, x)
    assert torch.equal(x, before)


def test_random_states_are_what_they_were(model: Remembering, x: Tensor) -> None:
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    drawn = random.random(), np.random.rand(), torch.rand(2)
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    probe(model, x)
    assert random.random() == drawn[0]
    assert np.random.rand() == drawn[1]
    assert torch.equal(torch.rand(2), drawn[2])


def test_a_model_that_raises_is_put_back_too(model: Remembering) -> None:
    with pytest.raises(RuntimeError, match="input"):
        probe(model, torch.randn(4, 5, 99))
    assert model.calls == 0
    assert model.state is None


def test_the_same_probe_gives_the_same_result(model: Remembering, x: Tensor) -> None:
    assert str(probe(model, x)) == str(probe(model, x))


def test_no_hook_is_left(model: Remembering, x: Tensor) -> None:
    import torch.nn.modules.module as module

    probe(model, x)
    assert not module._global_forward_hooks
    assert not module._global_forward_pre_hooks
    assert all(not each._forward_hooks and not each._forward_pre_hooks for each in model.modules())


def test_a_kept_state_makes_no_dependence(x: Tensor) -> None:
    """Without putting the state back, each run would differ from the one before."""

    class Stateful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(3, 4, batch_first=True)
            self.h: Tensor | None = None

        def forward(self, x: Tensor) -> Tensor:
            out, self.h = self.rnn(x, self.h)
            return out

    seen = probe(Stateful(), x)
    assert seen.independent is True
    assert seen.causal is True
    assert not any("differ" in note for note in seen.notes)


def test_a_graph_from_before_can_still_be_run_backward(model: Remembering, x: Tensor) -> None:
    loss = model(x.clone()).sum()
    probe(model, x)
    loss.backward()
    assert model.lstm.weight_ih_l0.grad is not None


def test_a_training_step_is_undone(x: Tensor) -> None:
    """Parameters, optimizer and a counter of the enclosing function are put back after backward and step."""
    net = nn.Linear(3, 1)
    optimizer = torch.optim.Adam(net.parameters())
    weight = net.weight.detach().clone()
    steps = 0

    def training_step(rows: Tensor, target: Tensor) -> Tensor:
        nonlocal steps
        steps += 1
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(rows), target)
        loss.backward()
        optimizer.step()
        return loss

    seen = probe(training_step, x[:, 0], x[:, 1, :1])
    assert seen.independent is True
    assert torch.equal(net.weight, weight)
    assert net.weight.grad is None
    assert not optimizer.state
    assert steps == 0


KEPT: dict[str, Any] = {"h": None}
CELL = nn.GRUCell(3, 4)


def test_state_in_a_global_is_what_it_was(x: Tensor) -> None:
    def step(frames: Tensor) -> Tensor:
        KEPT["h"] = CELL(frames, KEPT["h"])
        return KEPT["h"]

    assert probe(step, x[:, 0]).independent is True
    assert KEPT == {"h": None}
