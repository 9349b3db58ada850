"""The guard among torch's own features: what the bare model does, the guarded one does too."""

from __future__ import annotations

import asyncio
import copy
import io
import pickle
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch._dynamo.utils import counters
from torch.nn.utils import parametrizations
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

from rnnshape_guard import ShapeContractError, guard, guard_all, guarded, unguard

CPU = torch.device("cpu")


class Tagger(nn.Module):
    """A right model, without a guard."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 4, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch time tag"]:
        out, _ = self.lstm(x)
        return self.head(out)


@guard
class GuardedTagger(Tagger):
    """The same, guarded as a class."""


class Plain(nn.Module):
    """No annotations: TorchScript reads jaxtyping's as types and fails, guarded or not."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 4, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x):  # type: ignore[no-untyped-def]
        out, _ = self.lstm(x)
        return self.head(out)


@guard
class GuardedPlain(nn.Module):
    """The same, guarded."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 4, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x):  # type: ignore[no-untyped-def]
        out, _ = self.lstm(x)
        return self.head(out)


class Cell(nn.Module):
    """A time loop over a cell."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(6, 4)

    def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch hidden"]:
        h = x.new_zeros(x.size(0), 4)
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h)
        return h


class GuardedCell(Cell):
    """The same, guarded below."""


guard(GuardedCell)


def pair(bare: type[nn.Module], guarded_class: type[nn.Module]) -> tuple[nn.Module, nn.Module]:
    """A bare model and a guarded one of the same weights."""
    torch.manual_seed(0)
    left, right = bare(), guarded_class()
    right.load_state_dict(left.state_dict())
    return left, right


def x(batch: int = 5, time: int = 7) -> Tensor:
    return torch.randn(batch, time, 6, generator=torch.Generator().manual_seed(1))


def still_guards(model: Any) -> None:
    """A tensor of two axes is refused in our words."""
    with pytest.raises(ShapeContractError):
        model(torch.randn(5, 7))


# -- compiling, exporting, scripting ---------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def graphs(model: nn.Module, fullgraph: bool = False) -> tuple[int, Tensor]:
    torch._dynamo.reset()
    counters.clear()
    made = torch.compile(model, backend="eager", fullgraph=fullgraph)(x())
    return counters["stats"]["unique_graphs"], made


@pytest.mark.parametrize(("bare_class", "guarded_class", "least"), [(Tagger, GuardedTagger, 0), (Cell, GuardedCell, 1)])
def test_compile_gives_as_many_graphs_as_the_bare_model(
    bare_class: type[nn.Module], guarded_class: type[nn.Module], least: int
) -> None:
    bare, ours = pair(bare_class, guarded_class)
    bare_graphs, expected = graphs(bare)
    our_graphs, found = graphs(ours)
    # Torch gives up on a frame that calls an LSTM, so a model that does nothing else has no graph at all.
    assert our_graphs == bare_graphs >= least
    assert torch.equal(expected, found)


def test_compile_after_eager_calls() -> None:
    bare, ours = pair(Cell, GuardedCell)
    bare_graphs, _ = graphs(bare)
    ours(x()), ours(x())
    assert graphs(ours)[0] == bare_graphs


def test_compile_of_an_instance() -> None:
    bare = Tagger()
    bare_graphs, expected = graphs(bare)
    our_graphs, found = graphs(guard(copy.deepcopy(bare)))
    assert our_graphs == bare_graphs
    assert torch.equal(expected, found)


def test_compile_fullgraph_over_a_cell() -> None:
    bare, ours = pair(Cell, GuardedCell)
    count, expected = graphs(bare, fullgraph=True)
    our_count, found = graphs(ours, fullgraph=True)
    assert our_count == count == 1
    assert torch.equal(expected, found)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_compile_fullgraph_over_a_layer_where_torch_allows_it(kind: type[nn.Module]) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = kind(6, 4, batch_first=True)

        def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch time hidden"]:
            return self.rnn(x)[0]

    bare = Model()
    with torch._dynamo.config.patch(allow_rnn=True):
        count, expected = graphs(bare, fullgraph=True)
        our_count, found = graphs(guard(copy.deepcopy(bare)), fullgraph=True)
    assert our_count == count == 1
    assert torch.equal(expected, found)


@pytest.mark.parametrize("strict", [False, True])
def test_a_compiled_submodule(strict: bool) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = torch.compile(Cell(), backend="eager")

        def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch hidden"]:
            return self.body(x)

    bare = Model()
    expected = bare(x())
    ours = guard(bare, strict=strict)
    for _ in range(3):
        assert torch.equal(ours(x()), expected)
    still_guards(ours)


@pytest.mark.filterwarnings("ignore:The tensor attributes")
def test_export() -> None:
    bare, ours = pair(Tagger, GuardedTagger)
    expected = torch.export.export(bare, (x(),)).module()(x())
    exported = torch.export.export(ours, (x(),))
    assert torch.equal(exported.module()(x()), expected)


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_jit_script() -> None:
    bare, ours = pair(Plain, GuardedPlain)
    expected = torch.jit.script(bare)(x())
    scripted = torch.jit.script(ours)
    assert torch.equal(scripted(x()), expected)
    assert torch.equal(torch.jit.script(guard(bare))(x()), expected)


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_jit_script_fails_on_jaxtyping_guarded_or_not() -> None:
    for model in pair(Tagger, GuardedTagger):
        with pytest.raises(Exception, match="Unknown type|unknown type|not subscriptable|annotation"):
            torch.jit.script(model)


@pytest.mark.filterwarnings("ignore")
def test_jit_trace() -> None:
    bare, ours = pair(Tagger, GuardedTagger)
    warned, made = [], []
    for model in (bare, ours):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made.append(torch.jit.trace(model, (x(),)))
        warned.append(len([one for one in caught if issubclass(one.category, torch.jit.TracerWarning)]))
    assert warned[0] == warned[1]
    assert torch.equal(made[0](x()), made[1](x()))
    assert str(made[0].graph).count("\n") == str(made[1].graph).count("\n")


def test_fx() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(6, 3)

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.head(x).relu()

    bare = Model()
    expected = torch.fx.symbolic_trace(bare)
    found = torch.fx.symbolic_trace(guard(copy.deepcopy(bare)))
    assert found.code == expected.code


# -- parallel --------------------------------------------------------------------------------------------------------


def test_replicas_of_data_parallel() -> None:
    for model in pair(Tagger, GuardedTagger):
        replica = model._replicate_for_data_parallel()
        for name, part in model._modules.items():
            copied = part._replicate_for_data_parallel()
            for key, value in part._parameters.items():
                copied._parameters[key] = value
            replica._modules[name] = copied
        for _ in range(2):
            assert torch.equal(replica(x()), model(x()))


def _train_together(rank: int, path: str, results: Any) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
    torch.manual_seed(0)
    found = []
    for model in pair(Tagger, GuardedTagger):
        together = nn.parallel.DistributedDataParallel(model)
        optimizer = torch.optim.SGD(together.parameters(), lr=0.1)
        for step in range(3):
            optimizer.zero_grad()
            together(x(5, 7 + step) + rank).square().mean().backward()
            optimizer.step()
        found.append(model.head.weight.detach().clone())
    still_guards(together)
    results.put((rank, torch.equal(found[0], found[1]), found[1].sum().item()))
    torch.distributed.destroy_process_group()


def test_distributed_data_parallel(tmp_path: Any) -> None:
    context = torch.multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    workers = [
        context.Process(target=_train_together, args=(rank, str(tmp_path / "meet"), results)) for rank in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    first, second = results.get(), results.get()
    assert first[1] and second[1]
    assert first[2] == pytest.approx(second[2])


@pytest.mark.filterwarnings("ignore")
def test_fully_shard(tmp_path: Any) -> None:
    from torch.distributed.fsdp import fully_shard

    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    try:
        mesh = torch.distributed.init_device_mesh("cpu", (1,))
        bare, ours = pair(Tagger, GuardedTagger)
        instance = guard(copy.deepcopy(bare))
        expected = fully_shard(bare, mesh=mesh)(x())
        for model in (ours, instance):
            sharded = fully_shard(model, mesh=mesh)
            assert torch.equal(sharded(x()), expected)
            assert torch.equal(sharded(x()), expected)
            still_guards(sharded)
    finally:
        torch.distributed.destroy_process_group()


# -- modes -----------------------------------------------------------------------------------------------------------


def test_autocast() -> None:
    bare, ours = pair(Tagger, GuardedTagger)
    for _ in range(2):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = ours(x())
            assert found.dtype is bare(x()).dtype is torch.bfloat16
        assert ours(x()).dtype is torch.float32


def test_inference_mode() -> None:
    bare, ours = pair(Tagger, GuardedTagger)
    with torch.inference_mode():
        assert torch.equal(ours(x()), bare(x()))
        assert ours(x()).is_inference()
    assert ours(x()).requires_grad


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointing(reentrant: bool) -> None:
    gradients = []
    for model in pair(Tagger, GuardedTagger):
        for _ in range(2):
            model.zero_grad()
            given = x().requires_grad_()
            checkpoint(model, given, use_reentrant=reentrant).square().sum().backward()
            gradients.append(given.grad)
    assert all(torch.equal(gradients[0], one) for one in gradients)


# -- copies and files ------------------------------------------------------------------------------------------------


def test_deepcopy() -> None:
    bare, ours = pair(Tagger, GuardedTagger)
    ours(x())
    copied = copy.deepcopy(ours)
    assert torch.equal(copied(x()), bare(x()))
    still_guards(copied)
    assert type(copy.deepcopy(guard(bare))) is Tagger


def test_pickle_of_an_instance_names_the_original_class() -> None:
    model = guard(Tagger())
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps(model, protocol)
        assert b"rnnshape_guard" not in data
        assert type(pickle.loads(data)) is Tagger
    expected = model(x())
    assert torch.equal(pickle.loads(pickle.dumps(GuardedTagger()))(x()).new_zeros(1), torch.zeros(1))
    assert torch.equal(pickle.loads(pickle.dumps(model))(x()), expected)


def test_torch_save() -> None:
    bare, ours = pair(Tagger, GuardedTagger)
    for model in (ours, guard(bare)):
        file = io.BytesIO()
        torch.save(model, file)
        file.seek(0)
        loaded = torch.load(file, weights_only=False)
        assert torch.equal(loaded(x()), model(x()))


def test_weights_only_loading_and_state_dict_keys() -> None:
    bare, ours = pair(Tagger, GuardedTagger)
    ours(x())
    assert list(ours.state_dict()) == list(bare.state_dict()) == list(guard(copy.deepcopy(bare)).state_dict())
    file = io.BytesIO()
    torch.save(ours.state_dict(), file)
    file.seek(0)
    bare.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(bare(x()), ours(x()))


def test_nothing_is_written_into_a_model() -> None:
    ours = GuardedTagger()
    before = set(vars(ours))
    ours(x()), ours(x(3, 4))
    assert set(vars(ours)) == before
    assert not ours._forward_hooks and not ours.lstm._forward_hooks and not ours.lstm._forward_pre_hooks


# -- functional ------------------------------------------------------------------------------------------------------


def test_functional_call() -> None:
    bare, ours = pair(Tagger, GuardedTagger)
    weights = {name: torch.ones_like(value) for name, value in bare.named_parameters()}
    for _ in range(2):
        expected = torch.func.functional_call(bare, weights, (x(),))
        assert torch.equal(torch.func.functional_call(ours, weights, (x(),)), expected)


@pytest.mark.filterwarnings("ignore:There is a performance drop")
def test_vmap_over_a_cell() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(6, 4)

        def forward(self, x: Float[Tensor, "word"], h: Float[Tensor, "hidden"]) -> Float[Tensor, "hidden"]:
            return self.cell(x, h)

    bare = Model()
    given = torch.randn(5, 6), torch.randn(5, 4)
    expected = torch.func.vmap(bare)(*given)
    ours = guard(bare)
    for _ in range(3):
        assert torch.allclose(torch.func.vmap(ours)(*given), expected)


def test_parametrizations() -> None:
    bare, ours = pair(Tagger, GuardedTagger)
    for model in (bare, ours):
        model(x())
        torch.manual_seed(2)
        parametrizations.weight_norm(model.head)
        parametrizations.orthogonal(model.lstm, "weight_hh_l0")
    for _ in range(2):
        assert torch.allclose(ours(x()), bare(x()))
    still_guards(ours)


@pytest.mark.filterwarnings("ignore")
def test_dynamic_quantization() -> None:
    bare, ours = pair(Tagger, GuardedTagger)
    expected = torch.ao.quantization.quantize_dynamic(bare, {nn.LSTM, nn.Linear})
    for model in (ours, guard(bare)):
        quantized = torch.ao.quantization.quantize_dynamic(model, {nn.LSTM, nn.Linear})
        assert "quantized" in type(quantized.lstm).__module__
        for _ in range(2):
            assert torch.equal(quantized(x()), expected(x()))


# -- Python ----------------------------------------------------------------------------------------------------------


def test_a_subclass_that_calls_super() -> None:
    class Doubled(GuardedTagger):
        def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch time tag"]:
            return super().forward(x) * 2

    model = Doubled()
    assert torch.equal(model(x()), GuardedTagger.forward(model, x()) * 2)
    still_guards(model)
    both = guard(Doubled)()
    for _ in range(2):
        assert both(x()).shape == (5, 7, 3)
    still_guards(both)


def test_threads() -> None:
    bare, ours = pair(Tagger, GuardedTagger)
    wrong: list[object] = []

    def run(number: int) -> None:
        for step in range(20):
            given = x(2 + number, 3 + step % 4)
            if not torch.allclose(ours(given), bare(given)):
                wrong.append(number)
            try:
                ours(torch.randn(4, 4))
            except ShapeContractError:
                continue
            wrong.append("not refused")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_asyncio() -> None:
    class Model(Tagger):
        async def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch time tag"]:  # type: ignore[override]
            await asyncio.sleep(0)
            return Tagger.forward(self, x)

    bare = Model()
    ours = guard(copy.deepcopy(bare))
    assert asyncio.iscoroutinefunction(ours.forward)

    async def together() -> list[Tensor]:
        return await asyncio.gather(*[ours(x(2 + at, 3 + at)) for at in range(4)] * 2)

    for at, found in enumerate(asyncio.run(together())):
        assert torch.equal(found, asyncio.run(bare(x(2 + at % 4, 3 + at % 4))))
    with pytest.raises(ShapeContractError):
        asyncio.run(ours(torch.randn(4, 4)))


def test_a_generator_that_suspends_inside_forward() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(6, 4)

        def forward(self, x: Float[Tensor, "batch time word"]) -> Iterator[Tensor]:
            h = x.new_zeros(x.size(0), 4)
            for t in range(x.size(1)):
                h = self.cell(x[:, t], h)
                yield h

    bare = Model()
    ours = guard(copy.deepcopy(bare))
    for _ in range(2):
        mixed = zip(ours(x(5, 3)), ours(x(2, 3)), bare(x(5, 3)), bare(x(2, 3)), strict=True)
        for one, two, first, second in mixed:
            assert torch.equal(one, first) and torch.equal(two, second)
    with pytest.raises(ShapeContractError):
        list(ours(torch.randn(4, 4)))


def test_hooks_of_others() -> None:
    seen: list[str] = []
    for model in pair(Tagger, GuardedTagger):
        seen.clear()
        model.register_forward_pre_hook(lambda *_: seen.append("before"))
        model.register_forward_hook(lambda *_: seen.append("after"))
        model.lstm.register_forward_hook(lambda *_: seen.append("lstm"))
        handle = nn.modules.module.register_module_forward_hook(
            lambda module, *_: seen.append("global") if isinstance(module, nn.Linear) else None
        )
        for _ in range(2):
            model(x())
        handle.remove()
        assert seen == ["before", "lstm", "global", "after"] * 2


def test_no_operation_is_added_and_so_no_synchronisation() -> None:
    class Operations(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.names: list[str] = []

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.names.append(str(func))
            return func(*args, **(kwargs or {}))

    seen = []
    for model in pair(Tagger, GuardedTagger):
        for _ in range(2):  # a traced call, and a known structure
            with Operations() as operations:
                model(x())
            seen.append(operations.names)
    assert seen[0] and all(names == seen[0] for names in seen)


def test_the_context_manager_and_unguard_leave_the_class_as_it_was() -> None:
    model = Tagger()
    with guarded(model) as ours:
        assert ours is model
        still_guards(model)
    assert type(model) is Tagger
    assert type(unguard(guard(model))) is Tagger
    forward = GuardedPlain.forward
    assert unguard(GuardedPlain).forward is not forward
    guard(GuardedPlain)


def test_all_layers() -> None:
    model = Tagger()
    forward = nn.LSTM.forward
    with guard_all():
        expected = model(x())
        assert torch.equal(model(x()), expected)
        with pytest.raises(ShapeContractError, match="RSG203"):
            model(torch.randn(2, 3, 5))
        with pytest.raises(ShapeContractError, match="RSG502"):
            nn.GRU(6, 4, batch_first=True)(x(), torch.zeros(5, 1, 4))
    assert nn.LSTM.forward is forward
