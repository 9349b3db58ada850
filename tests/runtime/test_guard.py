"""The guard as users meet it: what raises, where, in which words, and what stays as it was."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import traceback
import tracemalloc
import typing
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jaxtyping
import pytest
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnnshape_guard import ShapeContractError, ShapeContractWarning, guard, guard_all, guarded, unguard

State = tuple[Float[Tensor, "layers batch hidden"], Float[Tensor, "layers batch hidden"]]


class Encoder(nn.Module):
    def __init__(self, batch_first: bool = True) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 4, batch_first=batch_first)

    def forward(
        self, x: Float[Tensor, "batch time word"], state: State | None = None
    ) -> Float[Tensor, "batch time hidden"]:
        out, _ = self.lstm(x, state)
        return out


def last_line(error: BaseException) -> traceback.FrameSummary:
    return traceback.extract_tb(error.__traceback__)[-1]


def line_of(text: str) -> int:
    """The row of this file that holds a text first."""
    lines = Path(__file__).read_text().splitlines()
    return next(row for row, line in enumerate(lines, 1) if text in line)


# -- arguments and results -------------------------------------------------------------------------------------------


def test_a_wrong_argument_is_refused_in_the_models_own_names_at_the_users_line() -> None:
    model = guard(Encoder())
    model(torch.randn(2, 3, 6))
    with pytest.raises(ShapeContractError) as caught:
        model(torch.randn(2, 3, 6), (torch.zeros(1, 3, 4), torch.zeros(1, 3, 4)))  # a state of another batch
    error = caught.value
    assert error.code == "RSG901"
    assert error.message == "axis 1 of `state[0]` is 3, but `batch` is 2"
    assert (error.expected, error.found) == ("(layers = 1, batch = 2, hidden)", "(1, 3, 4)")
    assert error.bindings["batch"].size == 2 and "axis 0 of `x`" in error.bindings["batch"].origin
    assert isinstance(error, ValueError) and isinstance(error, TypeError)
    assert last_line(error).lineno == line_of("# a state of another batch")
    assert last_line(error).filename == __file__
    assert any('annotated "layers batch hidden"' in one for one in error.evidence)


def test_a_wrong_result_points_at_the_return() -> None:
    @guard
    def steps(x: Float[Tensor, "batch time"]) -> Float[Tensor, "time"]:
        return x[:, 0]  # the wrong axis

    assert steps(torch.randn(3, 3)).shape == (3,)
    for _ in range(2):
        with pytest.raises(ShapeContractError) as caught:
            steps(torch.randn(3, 5))
        assert caught.value.message == "axis 0 of the result is 3, but `time` is 5"
        assert last_line(caught.value).lineno == line_of("# the wrong axis")


def test_the_dtype_is_compared() -> None:
    @guard
    def words(x: Int[Tensor, "batch time"]) -> None: ...

    words(torch.zeros(2, 3, dtype=torch.long))
    with pytest.raises(ShapeContractError, match="a tensor of float32, but an Int tensor is stated"):
        words(torch.zeros(2, 3))


@pytest.mark.parametrize("warm", [False, True], ids=["first call", "known structure"])
def test_every_call_is_compared(warm: bool) -> None:
    @guard
    def add(a: Float[Tensor, "batch hidden"], b: Float[Tensor, "batch hidden"]) -> Float[Tensor, "batch hidden"]:
        return a + b

    if warm:
        add(torch.zeros(2, 3), torch.zeros(2, 3)), add(torch.zeros(4, 5), torch.zeros(4, 5))
    with pytest.raises(ShapeContractError, match="axis 1 of `b` is 4, but `hidden` is 3"):
        add(torch.zeros(2, 3), torch.zeros(2, 4))


class Batch(NamedTuple):
    x: Float[Tensor, "batch time word"]
    lengths: Int[Tensor, "batch"]


@dataclass
class Pair:
    left: Float[Tensor, "batch hidden"]
    right: Float[Tensor, "batch hidden"] | None = None


@guard
def everything(
    first: Float[Tensor, "batch hidden"],
    /,
    batch: Batch,
    *more: Float[Tensor, "batch hidden"],
    pair: Pair | None = None,
    named: dict[str, Float[Tensor, "batch _"]] | None = None,
    listed: list[Float[Tensor, "*any batch"]] = [],  # noqa: B006 - a default that is never changed
    flag: bool = True,
    **others: Float[Tensor, "hidden"],
) -> tuple[Float[Tensor, "batch"], dict[str, Any]]:
    return first.sum(1), {"more": len(more), "flag": flag, **others}


def batch_of(size: int) -> Batch:
    return Batch(torch.zeros(size, 3, 6), torch.zeros(size, dtype=torch.long))


RIGHT: dict[str, Callable[[], Any]] = {
    "plain": lambda: everything(torch.zeros(2, 4), batch_of(2)),
    "varargs": lambda: everything(torch.zeros(2, 4), batch_of(2), torch.zeros(2, 4), torch.zeros(2, 4)),
    "keywords": lambda: everything(torch.zeros(2, 4), batch=batch_of(2), flag=False, bias=torch.zeros(4)),
    "dataclass": lambda: everything(torch.zeros(2, 4), batch_of(2), pair=Pair(torch.zeros(2, 4))),
    "dict": lambda: everything(torch.zeros(2, 4), batch_of(2), named={"a": torch.zeros(2, 9), "b": torch.zeros(2, 1)}),
    "list": lambda: everything(torch.zeros(2, 4), batch_of(2), listed=[torch.zeros(7, 8, 2)]),
}
WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "NamedTuple": (lambda: everything(torch.zeros(2, 4), batch_of(3)), "`batch.x`|`batch`"),
    "varargs": (
        lambda: everything(torch.zeros(2, 4), batch_of(2), torch.zeros(2, 4), torch.zeros(2, 5)),
        r"`more\[1\]`",
    ),
    "keywords": (lambda: everything(torch.zeros(2, 4), batch_of(2), bias=torch.zeros(5)), r"`others\['bias'\]`"),
    "dataclass": (lambda: everything(torch.zeros(2, 4), batch_of(2), pair=Pair(torch.zeros(2, 5))), "`pair.left`"),
    "dict": (lambda: everything(torch.zeros(2, 4), batch_of(2), named={"a": torch.zeros(3, 9)}), r"`named\['a'\]`"),
    "list": (lambda: everything(torch.zeros(2, 4), batch_of(2), listed=[torch.zeros(7, 8, 3)]), r"`listed\[0\]`"),
}


@pytest.mark.parametrize("case", RIGHT)
def test_arguments_of_every_kind_are_handed_on(case: str) -> None:
    results = [RIGHT[case]() for _ in range(3)]
    bare = unguard(everything)
    assert all(result[1].keys() == results[0][1].keys() for result in results)
    assert bare.__defaults__ == everything.__defaults__ and bare.__kwdefaults__ == everything.__kwdefaults__


@pytest.mark.parametrize("case", WRONG)
def test_arguments_of_every_kind_are_compared(case: str) -> None:
    call, words = WRONG[case]
    for _ in range(2):
        with pytest.raises(ShapeContractError, match=words):
            call()
        RIGHT[{"NamedTuple": "plain"}.get(case, case)]()


def test_a_call_that_python_refuses_reads_as_it_did() -> None:
    def bare(x: Float[Tensor, "batch"], y: int = 1) -> None: ...

    messages = []
    for function in (bare, guard(bare)):
        with pytest.raises(TypeError) as caught:
            function(z=2)  # type: ignore[call-arg]
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_methods_of_other_classes() -> None:
    class Trainer:
        def __init__(self) -> None:
            self.model = Encoder()

        @guard
        def training_step(self, x: Float[Tensor, "batch time word"], *, scale: float = 1.0) -> Float[Tensor, ""]:
            return self.model(x).sum() * scale

        @guard
        @staticmethod
        def loss(x: Float[Tensor, "batch"]) -> Float[Tensor, ""]:
            return x.sum()

        @classmethod
        @guard
        def made(cls, x: Float[Tensor, "batch"]) -> str:
            return cls.__name__

    trainer = Trainer()
    for _ in range(2):
        assert trainer.training_step(torch.randn(2, 3, 6), scale=2.0).shape == ()
        assert trainer.loss(torch.zeros(2)) == 0
        assert trainer.made(torch.zeros(2)) == "Trainer"
    for wrong in (lambda: trainer.training_step(torch.zeros(2)), lambda: trainer.loss(torch.zeros(2, 2))):
        with pytest.raises(ShapeContractError):
            wrong()


# -- what an annotation may say --------------------------------------------------------------------------------------


def test_no_type_check_and_jaxtypings_switch_are_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    @guard
    @typing.no_type_check
    def unchecked(x: Float[Tensor, "batch"]) -> None: ...

    @guard
    def checked(x: Float[Tensor, "batch"]) -> None: ...

    unchecked(torch.zeros(2, 2))
    with pytest.raises(ShapeContractError):
        checked(torch.zeros(2, 2))
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    checked(torch.zeros(2, 2))


def test_a_default_fits_whatever_its_annotation_says() -> None:
    @guard
    def f(x: Float[Tensor, "batch"], y: Float[Tensor, "batch"] = None) -> None: ...  # type: ignore[assignment]

    f(torch.zeros(2)), f(torch.zeros(2), None)
    with pytest.raises(ShapeContractError):
        f(torch.zeros(2), torch.zeros(3))


# -- silent mistakes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [5, 7], ids=["batch differs from time", "batch equals time"])
def test_a_layout_mistake_raises_at_the_first_batch(batch: int) -> None:
    model = guard(Encoder(batch_first=False))
    with pytest.raises(ShapeContractError) as caught:
        model(torch.randn(batch, 7, 6))
    assert caught.value.code == "RSG101"
    assert caught.value.layer == "lstm"
    assert "batch_first=True" in caught.value.help
    with pytest.raises(ShapeContractError):
        model(torch.randn(batch, 7, 6))


def test_features_that_a_layer_does_not_take_are_refused_in_our_words_at_later_calls_too() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 4, batch_first=True)

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.rnn(x)[0]

    model = guard(Model())
    model(torch.randn(2, 3, 6)), model(torch.randn(4, 5, 6))
    with pytest.raises(ShapeContractError) as caught:
        model(torch.randn(2, 3, 5))
    assert caught.value.code == "RSG203"
    assert caught.value.layer == "rnn"
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_changes_of_the_module_are_noticed() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 4, batch_first=True)
            self.head = nn.Linear(4, 2)

        def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch tag"]:
            out, _ = self.rnn(x)
            return self.head(out[:, -1] if self.training else out[-1])

    model = guard(Model())
    model(torch.randn(2, 3, 6)), model(torch.randn(2, 3, 6))
    model.eval()
    with pytest.raises(ShapeContractError, match="RSG401"):
        model(torch.randn(3, 3, 6))
    model.train()
    model(torch.randn(2, 3, 6))
    model.rnn = nn.GRU(6, 4)
    with pytest.raises(ShapeContractError, match="RSG101"):
        model(torch.randn(3, 3, 6))
    model.rnn = nn.GRU(6, 4, batch_first=True)
    model(torch.randn(3, 3, 6))
    model.rnn.batch_first = False
    with pytest.raises(ShapeContractError, match="RSG101"):
        model(torch.randn(3, 3, 6))


def test_torchs_own_errors_come_through() -> None:
    @guard
    def wrong(x: Float[Tensor, "batch hidden"]) -> Tensor:
        raise KeyError("mine")

    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            wrong(torch.zeros(2, 2))


# -- options ---------------------------------------------------------------------------------------------------------


def test_warning_instead_of_raising() -> None:
    model = guard(Encoder(batch_first=False), on_violation="warn")
    with pytest.warns(ShapeContractWarning, match="RSG101") as caught:
        out = model(torch.randn(5, 7, 6))
    assert out.shape == (5, 7, 4)
    assert caught[0].filename == __file__


def test_a_function_that_takes_the_error() -> None:
    found: list[ShapeContractError] = []
    model = guard(Encoder(), on_violation=found.append)
    with pytest.raises(RuntimeError):
        model(torch.randn(2, 3, 5))
    assert [one.code for one in found] == ["RSG203"]


def test_strict_judges_every_call() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 4, batch_first=True)
            self.steps_last = True

        def forward(self, x: Float[Tensor, "batch time word"]) -> Tensor:
            out, _ = self.rnn(x)
            return out[:, -1] if self.steps_last else out[-1]

    loose, strict = guard(Model()), guard(Model(), strict=True)
    for model in (loose, strict):
        model(torch.randn(3, 3, 6))
        model.steps_last = False
    loose(torch.randn(3, 3, 6))  # judged by the path first taken
    with pytest.raises(ShapeContractError, match="RSG401"):
        strict(torch.randn(3, 3, 6))


def test_arguments_of_guard_are_refused() -> None:
    for wrong in (3, "model", int, len, [Encoder()]):
        with pytest.raises(TypeError, match="guard takes"):
            guard(wrong)
        with pytest.raises(TypeError, match="unguard takes"):
            unguard(wrong)
    with pytest.raises(ValueError, match="on_violation"):
        guard(on_violation="explode")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="strict"):
        guard(Encoder, strict="yes")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="no forward"):
        guard(nn.Module)
    with pytest.raises(TypeError, match="then compile"):
        guard(torch.compile(Encoder()))

    async def generator(x: Float[Tensor, "batch"]) -> typing.AsyncIterator[Tensor]:
        yield x

    with pytest.raises(TypeError, match="async generator"):
        guard(generator)


# -- on and off ------------------------------------------------------------------------------------------------------


def test_a_class_guard_is_taken_back() -> None:
    class Model(Encoder):
        pass

    assert guard(Model) is Model
    with pytest.raises(ShapeContractError):
        Model()(torch.zeros(2))
    unguard(Model)
    assert "forward" not in vars(Model) and Model.forward is Encoder.forward


def test_guarding_twice_is_guarding_once() -> None:
    model = guard(guard(Encoder()))
    with guarded(model):
        pass
    with pytest.raises(ShapeContractError):
        model(torch.zeros(2))
    assert type(unguard(model)) is Encoder


def test_registries_of_subclasses_are_not_told() -> None:
    told: list[str] = []

    class Registered(Encoder):
        def __init_subclass__(cls, **words: Any) -> None:
            told.append(cls.__name__)

    model = guard(Registered())
    assert told == [] and isinstance(model, Registered) and type(model).__name__ == "Registered"


@pytest.mark.parametrize("value", ["off", "0", "OFF"])
def test_switched_off_nothing_is_touched(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("RNNSHAPE_GUARD", value)
    forward = Encoder.forward
    model = Encoder()
    assert guard(Encoder) is Encoder and Encoder.forward is forward
    assert type(guard(model)) is Encoder
    with guard_all():
        assert nn.LSTM.forward.__code__.co_filename == sys.modules[nn.LSTM.__module__].__file__
    with guarded(model):
        assert type(model) is Encoder


def test_importing_the_package_loads_neither_torch_nor_libcst() -> None:
    code = "import rnnshape_guard, sys; dir(rnnshape_guard); print({'torch', 'libcst', 'jaxtyping'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# -- memory ----------------------------------------------------------------------------------------------------------


def test_memory_is_flat_over_calls_of_changing_sizes() -> None:
    class Stub(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(6, 6)

        def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch time word"]:
            return x

    model = guard(Stub())

    def run(calls: int) -> None:
        for number in range(calls):
            model(torch.empty(2 + number % 97, 2 + number % 89, 6))

    run(2000)
    gc.collect()
    tracemalloc.start()
    run(20_000)
    before = tracemalloc.get_traced_memory()[0]
    run(80_000)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 10_000


def test_a_guarded_model_dies_when_it_is_dropped() -> None:
    @guard
    class Model(Encoder):
        pass

    for model in (Model(), guard(Encoder())):
        model(torch.randn(2, 3, 6))
        with pytest.raises(ShapeContractError):
            model(torch.zeros(2))
    refs = [weakref.ref(model), weakref.ref(model.lstm)]
    del model
    gc.collect()
    assert [ref() for ref in refs] == [None, None]


# -- pytest ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--rnnshape-guard"], ["--rnnshape-guard-strict"]])
def test_the_pytest_option(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "test_model.py").write_text(
        textwrap.dedent(
            """
            import pytest, torch
            from torch import nn

            def test_state():
                with pytest.raises(RuntimeError):
                    nn.GRU(4, 8, batch_first=True)(torch.randn(3, 2, 4), torch.zeros(3, 1, 8))
            """
        )
    )
    plugin = "rnnshape_guard.runtime.pytest_plugin"
    command = [sys.executable, "-m", "pytest", "-q", "-p", plugin, *options, str(tmp_path)]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == bool(options), done.stdout
    assert ("RSG502" in done.stdout) == bool(options)
