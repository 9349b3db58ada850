"""Tracing: what raises, in whose words and at whose line; and what it leaves as it was."""

from __future__ import annotations

import pickle
import sys
import threading
import traceback
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnshape_guard import ShapeContractError, trace
from rnnshape_guard.runtime import concluding, tracer
from rnnshape_guard.runtime.tracing import Traced, TracingWarning, run_traced


def call(model: nn.Module, *inputs: Tensor) -> Traced:
    return run_traced(model, inputs, module=model)


def codes(traced: Traced) -> list[str]:
    return [error.code for error in traced.violations]


class Turned(nn.Module):
    """Feeds a batch-first input to a layer that reads time first."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(6, 8, batch_first=False)

    def forward(self, x: Tensor) -> Tensor:
        batch_size, steps, _ = x.shape  # noqa: RUF059 - the names are the evidence
        out, _ = self.rnn(x)
        return out


class Narrow(nn.Module):
    """A head that is half as wide as what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"lstm": nn.LSTM(6, 8, batch_first=True, bidirectional=True)})
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.encoder["lstm"](x)
        return self.head(out)


# -- what is raised ------------------------------------------------------------------------------------------------


def test_a_crash_is_raised_in_the_checkers_words_from_torchs_error() -> None:
    traced = call(Narrow(), torch.randn(4, 7, 6))
    with pytest.raises(ShapeContractError) as caught:
        traced.raise_first()
    error = caught.value
    assert isinstance(error, ValueError)
    assert isinstance(error, TypeError)
    assert error.code == "RSG201"
    assert error.message == "`self.head` takes 8 features, but `out` brings 2·8 = 16"
    assert (error.expected, error.found) == ("(batch = 4, time = 7, 8)", "(batch = 4, time = 7, direction·hidden = 16)")
    assert error.layer == "head"
    assert error.help == "nn.Linear(2 * 8, 3)"
    assert isinstance(error.__cause__, RuntimeError)
    assert "mat1 and mat2" in str(error.__cause__)


def test_the_traceback_ends_at_the_users_line() -> None:
    with pytest.raises(ShapeContractError) as caught:
        call(Narrow(), torch.randn(4, 7, 6)).raise_first()
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.filename == __file__
    assert last.line == "self.head = nn.Linear(8, 3)"
    assert caught.value.place.span.start.row == last.lineno


def test_an_error_survives_pickling() -> None:
    with pytest.raises(ShapeContractError) as caught:
        call(Narrow(), torch.randn(4, 7, 6)).raise_first()
    error = caught.value
    error.finding = error.finding.__class__(code=error.code, message=error.message, place=error.place)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.code, copy.message, copy.layer, str(copy)) == (error.code, error.message, error.layer, str(error))


def test_what_torch_refuses_and_no_rule_knows_stays_torchs_error() -> None:
    def broken(x: Tensor) -> Tensor:
        return torch.linalg.inv(x)

    traced = run_traced(broken, (torch.zeros(2, 2),))
    assert traced.findings == []
    with pytest.raises(torch.linalg.LinAlgError):
        traced.raise_first()


def test_a_note_does_not_raise() -> None:
    class Implicit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 8)

        def forward(self, x: Tensor) -> Tensor:
            out, _ = self.rnn(x)
            return out

    traced = call(Implicit(), torch.randn(7, 4, 6))
    assert traced.violations == []
    traced.raise_first()


def test_a_call_inside_a_traced_call_is_not_traced_again() -> None:
    inner = Turned()

    def outer(x: Tensor) -> Tensor:
        traced = run_traced(inner, (x,))
        assert traced.log.events == []
        result: Tensor = traced.result
        return result

    assert codes(run_traced(outer, (torch.randn(4, 7, 6),))) == ["RSG101"]


# -- identity ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [4, 7])
def test_equal_batch_and_time_hide_nothing(steps: int) -> None:
    assert codes(call(Turned(), torch.randn(4, steps, 6))) == ["RSG101"]


@pytest.mark.parametrize("batch", [2, 5])
def test_as_many_samples_as_layers_hide_no_flattened_state(batch: int) -> None:
    class Flattened(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 8, num_layers=2, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            _, h_n = self.rnn(x)
            return h_n.view(x.size(0), -1)

    assert codes(call(Flattened(), torch.randn(batch, 7, 6))) == ["RSG304"]


def test_a_size_keeps_its_axis_through_arithmetic() -> None:
    class Windows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 8, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            out, _ = self.rnn(x)
            half = x.size(1) // 2
            return out.reshape(half * 2, x.size(0), 8)

    assert codes(call(Windows(), torch.randn(4, 4, 6))) == ["RSG303"]


@pytest.mark.parametrize(("hidden", "expected"), [(16, ["RSG304"]), (5, [])])
def test_a_plain_number_stands_for_an_axis_that_it_alone_fits(hidden: int, expected: list[str]) -> None:
    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, hidden, num_layers=2, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            _, h_n = self.rnn(x)
            return h_n.view(5, -1)

    assert codes(call(Fixed(), torch.randn(5, 7, 6))) == expected


def test_sizes_are_plain_integers_once_the_call_is_over() -> None:
    class Keeps(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, int, dict[str, list[int]]]:
            self.batch = x.size(0)
            self.shapes = [x.shape, {"steps": x.size(1) * 2}]
            return x, x.size(0), {"sizes": [x.size(1)]}

    model = Keeps()
    _, batch, sizes = call(model, torch.randn(4, 7, 6)).result
    kept = [model.batch, *model.shapes[0], model.shapes[1]["steps"], batch, *sizes["sizes"]]  # type: ignore[index]
    assert kept == [4, 4, 7, 6, 14, 4, 7]
    assert {type(size) for size in kept} == {int}


def test_sizes_behave_as_integers_inside() -> None:
    seen: list[object] = []

    def uses(x: Tensor) -> Tensor:
        n = x.size(0)
        seen.extend([n + 1, 1 + n, n - 1, 9 - n, n * 2, 2 * n, n // 2, 9 // n, n % 3, -n, n / 2, n**2, n == 4, [0] * n])
        seen.extend([range(n), f"{n}", int(n), {n: 1}[4], isinstance(n, int), pickle.loads(pickle.dumps(n)), n * 0.5])
        return torch.zeros(n) * n + n

    expected = [5, 5, 3, 5, 8, 8, 2, 2, 1, -4, 2.0, 16, True, [0] * 4, range(4), "4", 4, 1, True, 4, 2.0]
    assert torch.equal(run_traced(uses, (torch.randn(4, 7),)).result, torch.full((4,), 4.0))
    assert seen == expected


# -- what happens to tensors ---------------------------------------------------------------------------------------


def test_operations_in_place_change_what_is_known() -> None:
    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 8, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            # x: (batch, time, features)
            y = x.clone()
            y.transpose_(0, 1).add_(1)
            out, _ = self.rnn(y)
            return out

    assert codes(call(InPlace(), torch.randn(4, 4, 6))) == ["RSG301"]


def test_packed_sequences_keep_their_axes() -> None:
    class Packs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 8, batch_first=True)
            self.again = nn.GRU(8, 3, batch_first=False)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            # x: (batch, time, features)
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            out, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
            final, _ = self.again(out)
            return final

    assert codes(call(Packs(), torch.randn(3, 7, 6), torch.tensor([5, 7, 2]))) == ["RSG101"]


OPERATIONS = """
x.permute(1, 0, 2).contiguous().view(x.size(1), -1); x.unsqueeze(1).expand(-1, 5, -1, -1).reshape(-1, 4, 6)
x.clone().resize_(2, 3); x[..., 0]; x[:, None, :, None]; x[x > 0]; x[:, torch.tensor([0, 1])]; x.mH; x[True]
x.split([1, 3], 1); x.chunk(3, -1); x.unbind(0); torch.hstack([x, x]); x.max(1).values; x.topk(2, -1); x.mode(1)
torch.fft.rfft(x); torch.cdist(x, x); torch.kron(x[0], x[1]); torch.tensordot(x, x[0], dims=2); torch.cov(x[0])
torch.rot90(x, 1, (1, 2)); x.diff(dim=1); x.unique(); torch.block_diag(x[0], x[1]); x.view(torch.int32); 2**x; 1 - x
torch.broadcast_tensors(x, x[:1]); torch.std_mean(x, 1); torch.linalg.svd(x); torch.vmap(lambda row: row.sum(0))(x)
torch.nn.functional.interpolate(x, size=9); torch.nn.functional.fold(torch.randn(1, 4, 1), (2, 2), (2, 2))
nn.Transformer(6, 2, 1, 1, 8, batch_first=True)(x, x); nn.LSTM(6, 4, 2, proj_size=2, bidirectional=True)(x)
nn.MultiheadAttention(6, 2, batch_first=True)(x, x, x); nn.Unflatten(1, (-1, 1))(x); nn.GRU(6, 4)(x[0])
nn.utils.rnn.unpack_sequence(nn.utils.rnn.pack_sequence([x[0], x[0, :2]])); torch.jit.script(nn.Linear(6, 2))(x)
nn.AdaptiveLogSoftmaxWithLoss(6, 10, [3])(x[:, 0], torch.zeros(3, dtype=torch.long)); nn.LSTMCell(6, 3)(x[:, 0])
"""


@pytest.mark.filterwarnings("ignore:LSTM with projections", "ignore:enable_nested_tensor")
@pytest.mark.parametrize("text", [one.strip() for one in OPERATIONS.replace("\n", ";").split(";") if one.strip()])
def test_traced_axes_are_the_real_ones(text: str, tmp_path: Path) -> None:
    path = tmp_path / "operation.py"
    path.write_text(f"def run(x):\n    return {text}\n", encoding="utf-8")
    names: dict[str, object] = {"torch": torch, "nn": nn}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TracingWarning)
        traced = run_traced(names["run"], (torch.randn(3, 4, 6),))  # type: ignore[arg-type]
    assert traced.error is None
    assert traced.violations == []
    assert traced.log.events


# -- our own mistakes ----------------------------------------------------------------------------------------------


def test_traced_axes_that_are_wrong_are_our_bug_and_stop_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concluding, "agreed", lambda shape, tensor: None)
    model = nn.Sequential(nn.Linear(6, 3))
    with pytest.warns(TracingWarning, match=r"traced wrong axes \(its bug\): nn.Linear"):
        traced = call(model, torch.randn(4, 6))
    assert traced.result.shape == (4, 3)
    assert traced.violations == []


def test_a_tracer_that_fails_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, *arguments: object) -> None:
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(concluding.Conclusions, "conclude", fail)
    with pytest.warns(TracingWarning, match=r"failed to trace \(its bug\): ZeroDivisionError\('broken'\)"):
        traced = call(Turned(), torch.randn(4, 7, 6))
    assert traced.result.shape == (4, 7, 8)


def test_a_long_call_is_watched_up_to_a_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracer, "MOST_EVENTS", 40)

    def long(x: Tensor) -> Tensor:
        for _ in range(100):
            x = x + 1
        return x

    traced = run_traced(long, (torch.zeros(3),))
    assert len(traced.log.events) == 41
    assert torch.equal(traced.result, torch.full((3,), 100.0))


# -- what it leaves as it was --------------------------------------------------------------------------------------


def test_hooks_and_modes_are_as_before_after_an_error() -> None:
    heard: list[str] = []

    def listen(frame: object, event: str, argument: object) -> None:
        heard.append(event)

    def fail(x: Tensor) -> Tensor:
        raise KeyError("mine")

    sys.setprofile(listen)
    try:
        traced = run_traced(fail, (torch.zeros(2),))
        assert sys.getprofile() is listen
    finally:
        sys.setprofile(None)
    assert isinstance(traced.error, KeyError)
    assert type(torch.zeros(2).size(0)) is int
    assert tracer.current() is None


def test_tensors_are_not_kept() -> None:
    import gc
    import weakref

    gone: list[weakref.ref[Tensor]] = []

    def makes(x: Tensor) -> Tensor:
        big = x.repeat(3, 1)
        gone.append(weakref.ref(big))
        total = big.sum(0)
        del big
        gc.collect()
        assert gone[0]() is None
        return total

    traced = run_traced(makes, (torch.zeros(2, 3),))
    assert traced.error is None


def test_threads_are_separate() -> None:
    found: dict[str, list[str]] = {}
    untraced: list[bool] = []
    model = Turned()

    def work(name: str) -> None:
        found[name] = codes(
            call(Turned() if name == "faulty" else nn.Sequential(nn.Linear(6, 2)), torch.randn(4, 7, 6))
        )

    def inside(x: Tensor) -> Tensor:
        threads = [threading.Thread(target=work, args=(name,)) for name in ("faulty", "right")]
        other = threading.Thread(target=lambda: untraced.append(type(x.size(0)) is int))
        for thread in (*threads, other):
            thread.start()
        for thread in (*threads, other):
            thread.join()
        result: Tensor = model(x.transpose(0, 1))
        return result

    traced = run_traced(inside, (torch.randn(4, 7, 6),))
    assert found == {"faulty": ["RSG101"], "right": []}
    assert untraced == [True]
    assert traced.error is None


# -- the table -----------------------------------------------------------------------------------------------------


def test_trace_prints_operations_lines_shapes_and_axes() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(6, 8, batch_first=True, bidirectional=True)
            self.head = nn.Linear(16, 3)

        def forward(self, x: Tensor) -> Tensor:
            batch, time, _ = x.shape  # noqa: RUF059 - the names are the evidence
            out, _ = self.lstm(x)
            return self.head(out.mean(1))

    shown = str(trace(Model(), torch.randn(4, 7, 6)))
    lines = shown.splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["nn.LSTM", "mean", "nn.Linear"]
    assert "(batch = 4, time = 7, direction·hidden = 16)" in lines[1]
    assert lines[1].endswith("self.lstm(x)")
    assert "(batch = 4, direction·hidden = 16)" in lines[2]
    assert "(batch = 4, feature = 3)" in lines[3]
    assert lines[1].split()[0] == str(Model.forward.__code__.co_firstlineno + 2)


def test_trace_raises_what_the_model_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        trace(lambda x: x / (1 // 0), torch.zeros(2))


# -- what the project says of the rules ----------------------------------------------------------------------------


def silenced(path: Path, comment: str) -> list[str]:
    path.write_text(
        "import torch\nfrom torch import nn\n\n\nclass Model(nn.Module):\n    def __init__(self):\n"
        "        super().__init__()\n        self.rnn = nn.GRU(6, 16, batch_first=True)\n"
        f"        self.head = nn.Linear(8, 3){comment}\n\n"
        "    def forward(self, x):\n        return self.head(self.rnn(x)[0])\n",
        encoding="utf-8",
    )
    names: dict[str, type[nn.Module]] = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    return codes(call(names["Model"](), torch.randn(2, 3, 6)))


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("", True),
        ("  # noqa", False),
        ("  # noqa: RSG201", False),
        ("  # rnnshape: ignore[RSG2]", False),
        ("  # noqa: RSG101", True),
    ],
)
def test_comments_that_silence_the_checker_silence_the_guard(tmp_path: Path, comment: str, expected: bool) -> None:
    assert bool(silenced(tmp_path / "model.py", comment)) is expected


def test_rules_that_a_project_switches_off_do_not_raise(tmp_path: Path) -> None:
    (tmp_path / "rnnshape-guard.toml").write_text('ignore = ["RSG2"]\n', encoding="utf-8")
    assert silenced(tmp_path / "model.py", "") == []


def test_words_of_a_project_name_axes(tmp_path: Path) -> None:
    (tmp_path / "rnnshape-guard.toml").write_text('[roles]\nbatch = ["episodes"]\n', encoding="utf-8")
    path = tmp_path / "model.py"
    path.write_text(
        "from torch import nn\nclass Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.rnn = nn.GRU(6, 8)\n    def forward(self, x):\n        episodes = x.size(0)\n"
        "        return self.rnn(x)[0]\n",
        encoding="utf-8",
    )
    names: dict[str, type[nn.Module]] = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    assert codes(call(names["Model"](), torch.randn(4, 4, 6))) == ["RSG101"]


# -- code of other kinds -------------------------------------------------------------------------------------------


def test_code_without_a_source_is_judged_in_fewer_words() -> None:
    names: dict[str, type[nn.Module]] = {}
    program = (
        "from torch import nn\nclass Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.rnn = nn.LSTM(6, 5, bidirectional=True)\n        self.head = nn.Linear(5, 2)\n"
        "    def forward(self, x):\n        return self.head(self.rnn(x)[0])\n"
    )
    exec(compile(program, "<typed>", "exec"), names)
    (error,) = call(names["Model"](), torch.randn(3, 4, 6)).violations
    assert error.message == "`head` takes 5 features, but this value brings 2·5 = 10"
    assert (error.layer, str(error.place)) == ("head", "<typed>:3")


def test_a_subclass_that_calls_its_base_is_the_layer_it_derives_from() -> None:
    class Only(nn.LSTM):
        def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
            return super().forward(x)[0]

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = Only(6, 5, bidirectional=True, batch_first=True)
            self.head = nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.rnn(x))

    (error,) = call(Model(), torch.randn(3, 4, 6)).violations
    assert error.message == "`self.head` takes 5 features, but `self.rnn(x)` brings 2·5 = 10"


def test_functions_that_suspend_are_followed() -> None:
    class Steps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(6, 5)
            self.head = nn.Linear(4, 2)

        def steps(self, x: Tensor) -> "object":
            h = None
            for step in x.unbind(1):
                h = self.cell(step, h)
                yield h

        def forward(self, x: Tensor) -> Tensor:
            return self.head(torch.stack(list(self.steps(x)), 1))  # type: ignore[call-overload]

    traced = call(Steps(), torch.randn(3, 4, 6))
    assert isinstance(traced.error, RuntimeError)
    assert codes(traced) == ["RSG205"]
