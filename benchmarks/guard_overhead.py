"""What the guard adds to a call in the steady state, beside what jaxtyping and beartype add: ratios measured in one run.

    python benchmarks/guard_overhead.py [--rounds 40] [--seconds 0.008] [--device cpu] [--memory 100000]

Each row is one model and one kind of input. The same forward is measured bare, under jaxtyping with beartype, under
`guard`, and under `guard` with RNNSHAPE_GUARD=off, in turn, several rounds; the shortest time of each counts. The stub
returns what it is given, so that nothing but the checks is measured; the other rows are a training step of an LSTM
tagger: forward, backward. "share" is what the guard adds over what jaxtyping and beartype add.
"""

# ruff: noqa: F722 - jaxtyping writes axes as strings

from __future__ import annotations

import argparse
import gc
import itertools
import os
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import torch
from beartype import beartype
from jaxtyping import Float, jaxtyped
from torch import Tensor, nn

from rnnshape_guard import guard

Input = Float[Tensor, "time batch word"]
State = tuple[Float[Tensor, "layers batch hidden"], Float[Tensor, "layers batch hidden"]]
WORDS, HIDDEN = 16, 32


class Stub(nn.Module):
    """The parts of a tagger and none of its work: input and state come out as they went in."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(WORDS, HIDDEN)
        self.head = nn.Linear(HIDDEN, WORDS)

    def forward(self, x: Input, state: State | None = None) -> tuple[Input, State | None]:
        return x, state


class Narrow(Stub):
    """One argument, one result: the least that jaxtyping has to do."""

    def forward(self, x: Input) -> Input:  # type: ignore[override]
        return x


class Tagger(Stub):
    """An LSTM and a linear layer."""

    def forward(self, x: Input, state: State | None = None) -> tuple[Input, State]:  # type: ignore[override]
        out, state = self.lstm(x, state)
        return self.head(out), state


@dataclass(frozen=True, slots=True)
class Row:
    """A model, its batch and time, whether lengths change from call to call, and whether a state is given."""

    name: str
    model: type[Stub]
    batch: int
    time: int
    varying: bool = False
    state: bool = False
    trains: bool = False

    def inputs(self, device: str) -> list[tuple[object, ...]]:
        """What the calls are given, in turn."""
        times = [self.time + extra for extra in range(8 if self.varying else 1)]
        found: list[tuple[object, ...]] = []
        for steps in times:
            x = torch.randn(steps, self.batch, WORDS, device=device)
            pair = tuple(torch.zeros(1, self.batch, HIDDEN, device=device) for _ in range(2))
            found.append((x, pair) if self.state else (x,))
        return found


SIZES = ((1, 1), (8, 16), (32, 64))
ROWS = (
    Row("stub, x alone", Narrow, 8, 16),
    Row("stub, x alone", Narrow, 8, 16, varying=True),
    Row("stub", Stub, 8, 16),
    Row("stub", Stub, 8, 16, varying=True),
    Row("stub", Stub, 8, 16, state=True),
    Row("stub", Stub, 8, 16, varying=True, state=True),
    *(
        Row("LSTM step", Tagger, batch, steps, varying, state, trains=True)
        for (batch, steps), varying, state in itertools.product(SIZES, (False, True), (False, True))
    ),
)


def variants(model: type[Stub], device: str) -> dict[str, nn.Module]:
    """The model bare, checked by jaxtyping and beartype, guarded, and guarded while the guard is off."""
    made: dict[str, nn.Module] = {}
    for name in ("bare", "jaxtyping", "guard", "off"):
        own = type(model.__name__, (model,), {"forward": model.forward})
        if name == "jaxtyping":
            own.forward = jaxtyped(model.forward, typechecker=beartype)  # type: ignore[method-assign]
        if name == "guard":
            guard(own)
        if name == "off":
            os.environ["RNNSHAPE_GUARD"] = "off"
            guard(own)
            del os.environ["RNNSHAPE_GUARD"]
        torch.manual_seed(0)
        made[name] = own().to(device)
    return made


def step(model: nn.Module, given: tuple[object, ...], trains: bool) -> None:
    """One call, and its backward."""
    result = model(*given)
    if trains:
        result[0].sum().backward()


def measure(row: Row, device: str, rounds: int, seconds: float) -> dict[str, float]:
    """Microseconds of a call for each variant: the shortest of the rounds."""
    models = variants(row.model, device)
    inputs = row.inputs(device)
    synchronize: Callable[[], None] = torch.cuda.synchronize if device == "cuda" else lambda: None
    # On the CPU the time of this thread counts, so that other processes do not.
    clock = time.perf_counter if device == "cuda" else time.thread_time
    for model in models.values():
        for given in inputs * 2:
            step(model, given, row.trains)
    start = clock()
    for given in inputs:
        step(models["bare"], given, row.trains)
    synchronize()
    calls = max(1, int(seconds / (clock() - start)))
    shortest = dict.fromkeys(models, float("inf"))
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for name, model in models.items():
            synchronize()
            start = clock()
            for _ in range(calls):
                for given in inputs:
                    step(model, given, row.trains)
            synchronize()
            shortest[name] = min(shortest[name], (clock() - start) / calls / len(inputs))
    gc.enable()
    return {name: value * 1e6 for name, value in shortest.items()}


def memory(calls: int) -> tuple[int, int]:
    """Bytes held after a tenth of the calls and after all of them; every call has other sizes than the last."""
    model = variants(Narrow, "cpu")["guard"]
    tracemalloc.start()
    held = 0
    for number in range(calls):
        model(torch.empty(2 + number % 101, 2 + number % 97, WORDS))
        if number == calls // 10:
            gc.collect()
            held = tracemalloc.get_traced_memory()[0]
    gc.collect()
    end = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held, end


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=0.008)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--memory", type=int, default=100_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    head = f"{'model':<15}{'batch×time':>11}{'lengths':>9}{'state':>7}{'bare':>10}{'+jaxtyping':>12}{'+guard':>9}"
    print(f"torch {torch.__version__}, {options.device}; microseconds a call, the shortest of {options.rounds} rounds")
    print(f"{head}{'+off':>8}{'share':>8}{'of bare':>9}")
    for row in ROWS:
        found = measure(row, options.device, options.rounds, options.seconds)
        bare = found["bare"]
        theirs, ours, off = (found[name] - bare for name in ("jaxtyping", "guard", "off"))
        print(
            f"{row.name:<15}{f'{row.batch}×{row.time}':>11}{'varying' if row.varying else 'fixed':>9}"
            f"{'given' if row.state else '-':>7}{bare:>10.2f}{theirs:>12.2f}{ours:>9.2f}{off:>8.2f}"
            f"{ours / theirs if theirs > 0 else float('nan'):>8.1%}{ours / bare:>9.1%}"
        )
    held, end = memory(options.memory)
    print(
        f"\nmemory: {held:,} bytes after {options.memory // 10:,} calls of changing sizes, {end:,} after {options.memory:,}"
    )


if __name__ == "__main__":
    main()
