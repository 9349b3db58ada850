"""A recurrent layer in a program: its construction, its initial state, its call, packed or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.fuzz.draft import Class, Draft, Wrong
from benchmarks.fuzz.sizes import Parameter, Size

Layout = Literal["BT", "TB"]


@dataclass(slots=True)
class Tensor:
    """A tensor in a forward: its variable, which of batch and time comes first, and its features."""

    name: str
    layout: Layout
    width: Size

    @property
    def batch(self) -> int:
        """The batch axis."""
        return self.layout.index("B")

    @property
    def time(self) -> int:
        """The time axis."""
        return self.layout.index("T")


@dataclass(slots=True)
class Rnn:
    """A recurrent layer of a class. `factor` is how the class spells the number of directions."""

    name: str
    kind: str
    layout: Layout
    hidden: Size
    layers: Size
    directions: int
    factor: str
    factor_later: str
    output: Size
    state: Size

    @property
    def is_lstm(self) -> bool:
        """Whether its state is a pair."""
        return self.kind == "LSTM"

    @property
    def depth(self) -> int:
        """Layers times directions."""
        return self.layers.value * self.directions

    def depth_text(self) -> str:
        """Layers times directions, in a method."""
        if self.directions == 1:
            return self.layers.later()
        return f"{self.layers.later()} * {self.factor_later}"


@dataclass(slots=True)
class Called:
    """The names a call's results have: empty where there is none."""

    output: Tensor
    h_n: str
    c_n: str


def kind_of(draft: Draft) -> str:
    """LSTM half of the time."""
    return draft.pick("LSTM", "LSTM", "LSTM", "GRU", "GRU", "RNN")


def build(
    cls: Class,
    given: Size,
    layout: Layout,
    *,
    kind: str = "",
    bidirectional: bool | None = None,
    layers: int | None = None,
    role: str = "hidden",
    name: str = "",
    projected: bool = False,
    tag: str = "rnn",
) -> Rnn:
    """Construct a recurrent layer in the class's constructor."""
    draft = cls.draft
    kind = kind or kind_of(draft)
    bidirectional = draft.chance(0.35) if bidirectional is None else bidirectional
    count = layers if layers is not None else draft.pick(1, 1, 2, 3)
    halved = bidirectional and draft.chance(0.2)
    quantity = draft.quantity(role, None if not halved else _even(draft))
    hidden = cls.size(quantity)
    name = name or draft.pick("rnn", kind.lower(), "encoder", "layer", kind.lower())
    halved = halved and quantity.value % 2 == 0
    unit = Size(quantity.value // 2, f"{hidden.init} // 2", lambda: f"{hidden.later()} // 2") if halved else hidden
    depth = _layers(cls, count)
    factor, factor_later, flag = _directions(cls, bidirectional)
    output = state = unit
    if bidirectional:
        first = draft.chance(0.3)
        output = hidden if halved else hidden.times(2, factor, lambda: factor_later, first=first)
    flags: dict[str, str] = {}
    if projected and kind == "LSTM" and not halved:
        state = projection = cls.size(draft.quantity("middle", 3))
        flags["proj_size"] = projection.init
        output = projection.times(2, factor, lambda: factor_later) if bidirectional else projection
    _batch_first(cls, layout, flags, tag)
    if flag:
        flags["bidirectional"] = flag
    if count > 1 and draft.chance(0.3):
        flags["dropout"] = draft.pick("0.1", "0.5", "0.2")
    _write(cls, name, kind, given, unit, depth, flags, layout, tag)
    return Rnn(name, kind, layout, unit, depth, 2 if bidirectional else 1, factor, factor_later, output, state)


def _even(draft: Draft) -> int:
    return draft.pick(6, 8, 10, 12)


def _layers(cls: Class, count: int) -> Size:
    draft = cls.draft
    if "layers" in draft.quantities and draft.quantities["layers"].value != count:
        return Size(count, str(count), lambda: str(count))
    if count == 1 and draft.chance(0.6):
        return Size(1, "1", lambda: "1")
    return cls.size(draft.quantity("layers", count))


def _directions(cls: Class, bidirectional: bool) -> tuple[str, str, str]:
    """How the number of directions is written in the constructor and elsewhere, and the flag's text."""
    draft = cls.draft
    if not bidirectional:
        return "1", "1", draft.pick("", "", "", "False")
    if draft.chance(0.55):
        if draft.chance(0.3):
            kept = cls.keep("num_directions", "2")
            return kept, kept, "True"
        return "2", "2", "True"
    cls.signature.add(Parameter("bidirectional", "True", "True" if draft.chance(0.5) else None, "bool"))
    match draft.rng.randrange(3):
        case 0:
            kept = cls.keep(draft.pick("num_directions", "directions", "D"), "2 if bidirectional else 1")
            return kept, kept, "bidirectional"
        case 1:
            cls.keep("bidirectional", "bidirectional")
            return "(2 if bidirectional else 1)", "(2 if self.bidirectional else 1)", "bidirectional"
        case _:
            kept = cls.keep("num_directions", "1 + int(bidirectional)")
            return kept, kept, "bidirectional"


def _batch_first(cls: Class, layout: Layout, flags: dict[str, str], tag: str) -> None:
    draft = cls.draft
    if layout == "TB":
        if draft.chance(0.2):
            flags["batch_first"] = "False"
        return
    if draft.chance(0.1):
        cls.signature.add(Parameter("batch_first", "True", None, "bool"))
        colon = ": bool = " if draft.hints else "="
        wrong = (
            "batch_first dropped",
            f"batch_first{colon}True",
            f"batch_first{colon}False",
            f"{tag} {tag}-call turn count state",
            "layout",
        )
        if wrong not in cls.flag_mistakes:
            cls.flag_mistakes.append(wrong)
        flags["batch_first"] = "batch_first"
        return
    flags["batch_first"] = "True"


def _write(
    cls: Class,
    name: str,
    kind: str,
    given: Size,
    unit: Size,
    depth: Size,
    flags: dict[str, str],
    layout: Layout,
    tag: str,
) -> None:
    draft = cls.draft
    keywords = draft.chance(0.35)
    keys = ("input_size", "hidden_size", "num_layers")
    broken = draft.chance(0.15)
    order = list(flags)
    draft.rng.shuffle(order)
    prefix = draft.prefix

    def text(sizes: tuple[str, ...], words: dict[str, str], extra: str = "") -> str:
        shown = [f"{key}={size}" if keywords else size for key, size in zip(keys, sizes, strict=False)]
        if extra:
            shown.append(extra)
        shown += [
            f"{key}={words[key]}" for key in [*order, *(one for one in words if one not in order)] if key in words
        ]
        joined = ", ".join(shown)
        if broken:
            joined = "\n    " + ",\n    ".join(shown) + ",\n"
        return f"self.{name} = {prefix}{kind}({joined})"

    shown: tuple[str, ...] = (given.init, unit.init)
    if depth.init != "1" or draft.chance(0.15):
        shown = (*shown, depth.init)
    calls = f"{tag}-call turn count state repeat rnn2 rnn2-call"
    wrong: list[Wrong] = []
    if flags.get("batch_first") == "True":
        without = {key: value for key, value in flags.items() if key != "batch_first"}
        wrong.append(Wrong("batch_first dropped", text(shown, without), calls, needs="layout"))
        wrong.append(Wrong("batch_first=False", text(shown, without | {"batch_first": "False"}), calls, needs="layout"))
        if not keywords:
            full = (*shown, "1") if len(shown) == 2 else shown
            wrong.append(Wrong("True lands on bias", text(full, without, "True"), calls, needs="layout"))
    elif layout == "TB":
        wrong.append(
            Wrong("batch_first added", text(shown, flags | {"batch_first": "True"}), f"{calls} reading", needs="layout")
        )
    sizes = f"{tag}-call front"
    for other in (unit.init, f"{given.init} + 1", f"{given.init} * 2"):
        # Two parameters may be equal; numbers are, or are not, and so is what a driver gives.
        fixed = all(one.isdigit() or one.isupper() for one in (other, given.init))
        needs = "width" if other is not unit.init or fixed else "width sizes"
        wrong.append(Wrong("input_size wrong", text((other, *shown[1:]), flags), sizes, needs=needs))
    if "bidirectional" not in flags:
        wrong.append(
            Wrong(
                "bidirectional added",
                text(shown, flags | {"bidirectional": "True"}),
                "head head-call reading state rnn2 rnn2-call dec dec-call bridge attn attn-call join",
            )
        )
    if flags.get("bidirectional") == "True":
        without = {key: value for key, value in flags.items() if key != "bidirectional"}
        wrong.append(
            Wrong(
                "bidirectional dropped",
                text(shown, without),
                "head head-call reading state rnn2 rnn2-call dec dec-call bridge attn attn-call join",
            )
        )
    cls.init.add(text(shown, flags), tag, wrong)


def zero_state(cls: Class, rnn: Rnn, x: Tensor, batch: str, tag: str = "state") -> str:
    """Build zeros as the initial state in the forward; the argument to give to the call.

    `batch` is the text of the number of samples. Returns the text of the state.
    """
    draft = cls.draft
    wrong_axis = f"{x.name}.size({x.time})"
    good = (rnn.depth_text(), batch, rnn.hidden.later())

    def zeros(sizes: tuple[str, ...]) -> str:
        return f"torch.zeros({', '.join(sizes)})"

    def wrongs(name: str) -> list[Wrong]:
        depth, samples, hidden = good
        also = f"{tag} {tag}-call rnn-call"
        out = [
            Wrong("state batch-first", f"{name} = {zeros((samples, depth, hidden))}", also),
            Wrong("state sized by the time", f"{name} = {zeros((depth, wrong_axis, hidden))}", also),
            Wrong("state of wrong width", f"{name} = {zeros((depth, samples, hidden + ' + 1'))}", also),
        ]
        if rnn.directions == 2:
            out.append(
                Wrong("state without directions", f"{name} = {zeros((rnn.layers.later(), samples, hidden))}", also)
            )
        if rnn.depth > 1:
            out.append(Wrong("state of one layer", f"{name} = {zeros(('1', samples, hidden))}", also))
        if rnn.layers.value == 1 and rnn.directions == 1 and draft.chance(0.5):
            out.append(Wrong("state of two axes", f"{name} = {zeros((samples, hidden))}", also))
        return out

    h, c = draft.pick(("h0", "c0"), ("h_0", "c_0"), ("hidden", "cell"), ("hx", "cx"))
    cls.forward.add(f"{h} = {zeros(good)}", tag, wrongs(h))
    if not rnn.is_lstm:
        return h
    if draft.chance(0.3):
        cls.forward.add(f"{c} = torch.zeros_like({h})", tag)
    else:
        cls.forward.add(f"{c} = {zeros(good)}", tag, wrongs(c))
    return f"({h}, {c})"


def init_hidden(cls: Class, rnn: Rnn, tag: str = "state") -> str:
    """A method that makes the initial state for a number of samples; its name."""
    draft = cls.draft
    name = draft.pick("init_hidden", "init_state", "initial_state", "_init_hidden")
    size = draft.pick("batch_size", "bsz", "n", "batch_size")
    block = cls.method(f"def {name}(self, {size}):")
    depth, hidden = rnn.depth_text(), rnn.hidden.later()
    if draft.chance(0.3):
        block.add("weight = next(self.parameters())")

        def zeros(*sizes: str) -> str:
            return f"weight.new_zeros({', '.join(sizes)})"

    else:

        def zeros(*sizes: str) -> str:
            return f"torch.zeros({', '.join(sizes)})"

    def text(*sizes: str) -> str:
        return f"return ({zeros(*sizes)}, {zeros(*sizes)})" if rnn.is_lstm else f"return {zeros(*sizes)}"

    also = f"{tag} rnn-call {tag}-call"
    wrong = [
        Wrong("state batch-first", text(size, depth, hidden), also),
        Wrong("state of wrong width", text(depth, size, f"{hidden} * 2"), also),
    ]
    if rnn.directions == 2:
        wrong.append(Wrong("state without directions", text(rnn.layers.later(), size, hidden), also))
    if rnn.depth > 1:
        wrong.append(Wrong("state of one layer", text("1", size, hidden), also))
    if rnn.is_lstm:
        wrong.append(Wrong("cell state missing", f"return {zeros(depth, size, hidden)}", also))
    block.add(text(depth, size, hidden), tag, wrong)
    return name


def learned_state(cls: Class, rnn: Rnn, batch: str, tag: str = "state") -> str:
    """A state that is learned and expanded over the samples."""
    depth = rnn.layers.init if rnn.directions == 1 else f"{rnn.layers.init} * {rnn.factor}"
    names = ("h0", "c0") if rnn.is_lstm else ("h0",)
    for one in names:
        cls.init.add(
            f"self.{one} = nn.Parameter(torch.zeros({depth}, 1, {rnn.hidden.init}))",
            "state",
            [
                Wrong(
                    "state of wrong width",
                    f"self.{one} = nn.Parameter(torch.zeros({depth}, 1, {rnn.hidden.init} + 1))",
                    f"{tag} rnn-call",
                )
            ],
        )

    def expanded(one: str, *, wrong: bool = False) -> str:
        return f"self.{one}.expand({batch}, -1, -1)" if wrong else f"self.{one}.expand(-1, {batch}, -1).contiguous()"

    if not rnn.is_lstm:
        return expanded("h0")
    return f"({expanded('h0')}, {expanded('c0')})"


def batch_text(cls: Class, x: Tensor) -> str:
    """The number of samples, as the forward reads it: a name that says so, or in place."""
    draft = cls.draft
    if draft.chance(0.4):
        return f"{x.name}.size({x.batch})" if draft.chance(0.6) else f"{x.name}.shape[{x.batch}]"
    name = draft.pick("batch_size", "batch", "bs", "B", "n")
    shape = draft.chance(0.3)
    right = f"{name} = {x.name}.shape[{x.batch}]" if shape else f"{name} = {x.name}.size({x.batch})"
    wrong = f"{name} = {x.name}.shape[{x.time}]" if shape else f"{name} = {x.name}.size({x.time})"
    # The name is evidence of its own: whether it or the layer is wrong, nothing else may tell.
    cls.forward.add(right, "count", [Wrong("state sized by the time", wrong, "state rnn-call rnn")])
    return name


def call(cls: Class, rnn: Rnn, x: Tensor, state: str = "", *, wants_state: bool = False, tag: str = "rnn") -> Called:
    """Call the layer on a tensor; what its results are called."""
    draft = cls.draft
    out, h, c = draft.pick(
        ("out", "h_n", "c_n"),
        ("output", "hidden", "cell"),
        ("outputs", "h", "c"),
        ("rnn_out", "hn", "cn"),
        ("y", "state", "memory"),
    )
    given = f"{x.name}, {state}" if state else x.name
    invoked = f"self.{rnn.name}({given})"
    also = f"{tag} state {tag}-call"
    wrong: list[Wrong] = []
    if rnn.is_lstm and state.startswith("("):
        first = state[1:].split(", c")[0].split(", self.c0")[0]
        wrong.append(Wrong("cell state missing", f"@self.{rnn.name}({x.name}, {first})", also))
        wrong.append(Wrong("state as two arguments", f"@self.{rnn.name}({x.name}, {state[1:-1]})", also))
    elif state not in ("", "None") and not state.startswith("(") and "init" not in state and not rnn.is_lstm:
        wrong.append(Wrong("state in a pair", f"@self.{rnn.name}({x.name}, ({state}, {state}))", also))

    def wrongs(target: str) -> list[Wrong]:
        return [Wrong(one.kind, one.text.replace("@", target, 1), one.also) for one in wrong]

    unused = Wrong("result used as a tensor", f"{out} = {invoked}", "reading head-call turn pad rnn2-call front2-call")
    if not wants_state:
        match draft.rng.randrange(4):
            case 0 if draft.chance(0.4):
                cls.forward.add(f"{out} = {invoked}[0]", f"{tag}-call", [unused, *wrongs(f"{out} = ")])
            case 1:
                cls.forward.add(f"{out}, {h} = {invoked}", f"{tag}-call", [unused, *wrongs(f"{out}, {h} = ")])
            case _:
                cls.forward.add(f"{out}, _ = {invoked}", f"{tag}-call", [unused, *wrongs(f"{out}, _ = ")])
        return Called(Tensor(out, rnn.layout, rnn.output), "", "")
    if not rnn.is_lstm:
        cls.forward.add(
            f"{out}, {h} = {invoked}",
            f"{tag}-call",
            [*wrongs(f"{out}, {h} = "), Wrong("GRU state unpacked in two", f"{out}, ({h}, {c}) = {invoked}", tag)],
        )
        return Called(Tensor(out, rnn.layout, rnn.output), h, "")
    taken = Wrong("pair used as a tensor", f"{out}, {h} = {invoked}", "reading head-call state repeat")
    match draft.rng.randrange(3):
        case 0:
            cls.forward.add(f"{out}, {h} = {invoked}", f"{tag}-call", wrongs(f"{out}, {h} = "))
            cls.forward.add(
                f"{h} = {h}[0]",
                "reading",
                [Wrong("pair used as a tensor", "", f"{tag}-call reading head-call repeat loss")],
            )
            return Called(Tensor(out, rnn.layout, rnn.output), h, "")
        case 1:
            cls.forward.add(
                f"_, ({h}, _) = {invoked}" if draft.chance(0.5) else f"{out}, ({h}, _) = {invoked}",
                f"{tag}-call",
                wrongs(f"{out}, ({h}, _) = "),
            )
        case _:
            cls.forward.add(f"{out}, ({h}, {c}) = {invoked}", f"{tag}-call", [taken, *wrongs(f"{out}, ({h}, {c}) = ")])
    return Called(Tensor(out, rnn.layout, rnn.output), h, c)


def state_for(cls: Class, rnn: Rnn, x: Tensor) -> str:
    """An initial state in one of its spellings, or none; the text to give to the call."""
    draft = cls.draft
    draft_choice = draft.rng.random()
    if draft_choice < 0.5 or rnn.state.value != rnn.hidden.value:
        return draft.pick("", "", "", "None")
    batch = batch_text(cls, x)
    draft.evidence.add("state")
    if draft_choice < 0.75:
        return zero_state(cls, rnn, x, batch)
    if draft_choice < 0.92:
        name = init_hidden(cls, rnn)
        if draft.chance(0.5):
            return f"self.{name}({batch})"
        kept = draft.pick("hidden", "state", "h0")
        cls.forward.add(
            f"{kept} = self.{name}({batch})",
            "state",
            [Wrong("state sized by the time", f"{kept} = self.{name}({x.name}.size({x.time}))", "rnn-call")],
        )
        return kept
    return learned_state(cls, rnn, batch)
