"""What is read of a recurrent layer's results for one vector a sample, each in its spellings and with its mistakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.fuzz.draft import Class, Wrong
from benchmarks.fuzz.recurrent import Called, Rnn, Tensor
from benchmarks.fuzz.sizes import Size


@dataclass(frozen=True, slots=True)
class Vector:
    """One vector a sample: its variable and its features."""

    name: str
    width: Size


def choose(cls: Class, rnn: Rnn, call: Callable[[bool], Called], *, packed: bool = False) -> Vector:
    """One reading that is right for this layer; `call` writes the call, with its state if that is wanted."""
    options: list[Callable[[Class, Rnn, Callable[[bool], Called]], Vector]] = [all_layers]
    if rnn.directions == 1:
        options += [last_state, last_state]
        if not packed:
            options += [last_step, last_step, last_step, attention, query_attention]
    else:
        options += [joined_states, joined_states, viewed_states]
        if not packed:
            options += [joined_halves, attention]
    if not packed:
        options += [mean, mean, peak, pooled]
    return cls.draft.rng.choice(options)(cls, rnn, call)


def last_step(cls: Class, rnn: Rnn, call: Callable[[bool], Called]) -> Vector:
    """The output of the last step."""
    draft = cls.draft
    out = call(False).output
    target = draft.pick("last", "x", "final", out.name, "features")
    rows = f"{out.name}[:, -1]" if draft.chance(0.5) else f"{out.name}[:, -1, :]"
    first = f"{out.name}[-1]" if draft.chance(0.7) else f"{out.name}[-1, :, :]"
    right, wrong = (rows, first) if out.layout == "BT" else (first, rows)
    if draft.chance(0.1):
        right = f"{out.name}.select({out.time}, -1)"
        wrong = f"{out.name}.select({out.batch}, -1)"
    if out.layout == "BT" and draft.chance(0.1):
        right = f"{out.name}[:, {out.name}.size(1) - 1]"
    also = "rnn rnn-call"
    mistakes = [Wrong("last step of wrong axis", f"{target} = {wrong}", also)]
    if target == out.name:
        mistakes.append(Wrong("last step forgotten", "", "head head-call loss", needs="loss"))
    draft.evidence.add("use")
    cls.forward.add(f"{target} = {right}", "reading", mistakes)
    return Vector(target, out.width)


def mean(cls: Class, rnn: Rnn, call: Callable[[bool], Called]) -> Vector:
    """The mean over time."""
    out = call(False).output
    return _reduced(cls, out, cls.draft.pick("mean", "mean", "sum"))


def peak(cls: Class, rnn: Rnn, call: Callable[[bool], Called]) -> Vector:
    """The maximum over time."""
    return _reduced(cls, call(False).output, "max")


def _reduced(cls: Class, out: Tensor, how: str) -> Vector:
    draft = cls.draft
    target = draft.pick("pooled", "x", "features", out.name)
    dim = draft.pick("dim=", "", "dim=")
    spelled = draft.rng.random()

    def text(axis: int) -> str:
        if how == "max":
            if spelled < 0.4:
                return f"{target}, _ = {out.name}.max({dim}{axis})"
            if spelled < 0.7:
                return f"{target} = torch.max({out.name}, {dim}{axis})[0]"
            return f"{target} = {out.name}.max({dim}{axis}).values"
        return (
            f"{target} = {out.name}.{how}({dim}{axis})"
            if spelled < 0.6
            else f"{target} = torch.{how}({out.name}, {dim}{axis})"
        )

    cls.draft.evidence.add("use")
    also = "rnn rnn-call"
    cls.forward.add(
        text(out.time),
        "reading",
        [
            Wrong("reduced over the batch", text(out.batch), also),
            Wrong("reduced over the features", text(2), f"{also} head head-call", needs="sizes"),
        ],
    )
    return Vector(target, out.width)


def pooled(cls: Class, rnn: Rnn, call: Callable[[bool], Called]) -> Vector:
    """Adaptive pooling over the steps, channels second."""
    out = call(False).output
    kind = cls.draft.pick("avg", "max")
    axes = "0, 2, 1" if out.layout == "BT" else "1, 2, 0"
    cls.draft.evidence.add("use")
    wrong = [
        Wrong(
            "pooled over the features",
            f"x = F.adaptive_{kind}_pool1d({out.name}, 1).squeeze(2)",
            "head head-call rnn rnn-call",
        )
    ]
    cls.forward.add(f"x = F.adaptive_{kind}_pool1d({out.name}.permute({axes}), 1).squeeze(2)", "reading", wrong)
    return Vector("x", out.width)


def last_state(cls: Class, rnn: Rnn, call: Callable[[bool], Called]) -> Vector:
    """The final state of the last layer."""
    draft = cls.draft
    h = call(True).h_n
    target = draft.pick("last", "x", "final", h, "features")
    right = f"{h}[-1]" if draft.chance(0.8) or rnn.layers.init != "1" else draft.pick(f"{h}[0]", f"{h}.squeeze(0)")
    wrong = [
        Wrong("state read batch-first", f"{target} = {h}[:, -1]", "rnn-call"),
        Wrong("state flattened", f"{target} = {h}.view({h}.size(1), -1)", "head head-call")
        if rnn.layers.value > 1
        else Wrong("", f"{target} = {right}"),
    ]
    if rnn.layers.value > 1:
        wrong.append(Wrong("first layer's state", f"{target} = {h}[0]", ""))
    if target == h:
        wrong.append(Wrong("layer axis kept", "", "head head-call loss rnn-call", needs="loss"))
    cls.forward.add(f"{target} = {right}", "reading", [one for one in wrong if one.kind])
    return Vector(target, _state_width(rnn, 1))


def joined_states(cls: Class, rnn: Rnn, call: Callable[[bool], Called]) -> Vector:
    """The final states of both directions of the last layer, side by side."""
    draft = cls.draft
    h = call(True).h_n
    target = draft.pick("last", "x", "final", "features", h)
    opening, closing = draft.pick(("(", ")"), ("[", "]"))
    dim = draft.pick("dim=1", "1", "dim=-1", "-1")
    style = draft.rng.randrange(3)
    if style == 0 and rnn.layers.init == "1":
        one, other = f"{h}[0]", f"{h}[1]"
    elif style == 1:
        one, other = f"{h}[-2, :, :]", f"{h}[-1, :, :]"
    else:
        one, other = f"{h}[-2]", f"{h}[-1]"

    def cat(*parts: str, dim: str = dim) -> str:
        return f"torch.cat({opening}{', '.join(parts)}{closing}, {dim})"

    wrong = [
        Wrong("directions joined along the batch", f"{target} = {cat(one, other, dim='dim=0')}", "head head-call loss"),
        Wrong("one direction's state", f"{target} = {h}[-1]", "head head-call"),
    ]
    wrong.append(Wrong("directions flattened", f"{target} = {h}.view({h}.size(1), -1)", "head head-call"))
    wrong.append(Wrong("state read batch-first", f"{target} = {cat(f'{h}[:, -2]', f'{h}[:, -1]')}", "rnn-call"))
    if rnn.layers.value > 1:
        wrong.append(Wrong("first layer's state", f"{target} = {cat(f'{h}[0]', f'{h}[1]')}", ""))
        wrong.append(Wrong("directions of two layers", f"{target} = {cat(f'{h}[-1]', f'{h}[-3]')}", ""))
    else:
        wrong.append(Wrong("same direction twice", f"{target} = {cat(f'{h}[-1]', f'{h}[-1]')}", ""))
    cls.forward.add(f"{target} = {cat(one, other)}", "reading", wrong)
    return Vector(target, _state_width(rnn, 2))


def viewed_states(cls: Class, rnn: Rnn, call: Callable[[bool], Called]) -> Vector:
    """The last layer's states through a view that separates layers from directions."""
    draft = cls.draft
    h = call(True).h_n
    batch = f"{h}.size(1)"
    layers, view = rnn.layers.later(), draft.pick("view", "reshape")
    wrong = (
        [Wrong("layers and directions swapped", f"{h} = {h}.{view}(2, {layers}, {batch}, -1)", "reading")]
        if rnn.layers.value > 1
        else []
    )
    wrong.append(Wrong("state split batch-first", f"{h} = {h}.{view}({layers}, {batch}, 2, -1)", "reading"))
    last = draft.pick("-1", rnn.state.later())
    cls.forward.add(f"{h} = {h}.{view}({layers}, 2, {batch}, {last})", "reading", wrong)
    cls.forward.add(
        f"{h} = {h}[-1]",
        "reading",
        [Wrong("first layer's state", f"{h} = {h}[0]", "reading")] if rnn.layers.value > 1 else [],
    )
    if draft.chance(0.5):
        cls.forward.add(f"x = torch.cat([{h}[0], {h}[1]], dim=1)", "reading")
    else:
        wrong = [Wrong("directions flattened", f"x = {h}.reshape({batch}, -1)", "reading head head-call")]
        cls.forward.add(f"x = {h}.transpose(0, 1).reshape({batch}, -1)", "reading", wrong)
    return Vector("x", _state_width(rnn, 2))


def all_layers(cls: Class, rnn: Rnn, call: Callable[[bool], Called]) -> Vector:
    """The final states of all layers and directions, side by side for each sample."""
    draft = cls.draft
    h = call(True).h_n
    batch = f"{h}.size(1)"
    turned = draft.pick(f"{h}.permute(1, 0, 2)", f"{h}.transpose(0, 1)")
    tail = draft.pick(f".reshape({batch}, -1)", f".contiguous().view({batch}, -1)", ".flatten(1)")
    wrong = []
    if rnn.depth > 1:
        wrong.append(
            Wrong("state flattened", f"x = {h}.{draft.pick('view', 'reshape')}({batch}, -1)", "head head-call")
        )
    if "contiguous" in tail and rnn.depth > 1:
        wrong.append(Wrong("view needs a copy", f"x = {turned}{tail.replace('.contiguous()', '')}", ""))
    cls.forward.add(f"x = {turned}{tail}", "reading", wrong)
    one = _state_width(rnn, 1)
    depth = rnn.depth
    if depth == 1 and rnn.layers.init == "1":
        return Vector("x", one)
    text = rnn.layers.init if rnn.directions == 1 else f"{rnn.layers.init} * {rnn.factor}"
    return Vector("x", one.times(depth, text))


def joined_halves(cls: Class, rnn: Rnn, call: Callable[[bool], Called]) -> Vector:
    """The forward half of the last step and the reverse half of the first."""
    draft = cls.draft
    out = call(False).output
    half = rnn.state.later()
    if "//" in half or draft.chance(0.2):
        cls.forward.add(f"half = {half if '//' in half else f'{out.name}.size(2) // 2'}")
        half = "half"

    def part(step: str, features: str) -> str:
        return f"{out.name}[:, {step}, {features}]" if out.layout == "BT" else f"{out.name}[{step}, :, {features}]"

    right = f"x = torch.cat([{part('-1', ':' + half)}, {part('0', half + ':')}], dim={draft.pick('1', '-1')})"
    wrong = [
        Wrong("half-seen last step", f"x = {out.name}[:, -1]" if out.layout == "BT" else f"x = {out.name}[-1]", ""),
        Wrong(
            "halves of wrong steps", f"x = torch.cat([{part('0', ':' + half)}, {part('-1', half + ':')}], dim=1)", ""
        ),
    ]
    draft.evidence.add("use")
    cls.forward.add(right, "reading", wrong)
    return Vector("x", out.width)


def attention(cls: Class, rnn: Rnn, call: Callable[[bool], Called]) -> Vector:
    """A weighted mean of the steps, by a learned score of each."""
    draft = cls.draft
    out = call(False).output
    name = draft.pick("attn", "attention", "score", "att_fc")
    time = out.time
    cls.init.add(
        f"self.{name} = nn.Linear({out.width.init}, 1)",
        "front2",
        _linear_wrongs(rnn, f"self.{name} = nn.Linear(@, 1)", "front2-call"),
    )
    soft = draft.pick("F.softmax", "torch.softmax")
    scores = draft.pick(f"self.{name}({out.name})", f"self.{name}(torch.tanh({out.name}))")
    wrong = [
        Wrong("softmax over the batch", f"weights = {soft}({scores}, dim={out.batch})", "reading"),
        Wrong("softmax over one score", f"weights = {soft}({scores}, dim=-1)", "reading"),
    ]
    cls.forward.add(f"weights = {soft}({scores}, dim={time})", "reading front2-call", wrong)
    wrong = [Wrong("reduced over the batch", f"x = (weights * {out.name}).sum({out.batch})", "reading rnn rnn-call")]
    if out.layout == "BT" and draft.chance(0.4):
        wrong = [Wrong("bmm not turned", f"x = torch.bmm(weights, {out.name}).squeeze(1)", "reading")]
        cls.forward.add(f"x = torch.bmm(weights.transpose(1, 2), {out.name}).squeeze(1)", "reading", wrong)
    else:
        cls.forward.add(f"x = (weights * {out.name}).sum({draft.pick('dim=', '')}{time})", "reading", wrong)
    draft.evidence.add("use")
    return Vector("x", out.width)


def query_attention(cls: Class, rnn: Rnn, call: Callable[[bool], Called]) -> Vector:
    """Dot products of the final state with all outputs."""
    draft = cls.draft
    called = call(True)
    out, h = called.output, called.h_n
    unread = all(out.name not in line.text for line in cls.forward.lines)
    if out.width.value != rnn.hidden.value or out.layout != "BT" or unread:
        cls.forward.add(f"x = {h}[-1]", "reading")
        return Vector("x", rnn.state)
    draft.evidence.add("use")
    wrong = [
        Wrong("query without an axis", f"query = {h}[-1]", "reading"),
        Wrong("query batch in front of layers", f"query = {h}.transpose(0, 1)", "reading")
        if rnn.layers.value > 1
        else Wrong("query of the layer axis", f"query = {h}", "reading"),
    ]
    cls.forward.add(f"query = {h}[-1].unsqueeze({draft.pick('2', '-1')})", "reading", wrong)
    cls.forward.add(f"scores = torch.bmm({out.name}, query).squeeze(2)", "reading")
    soft = draft.pick("F.softmax(scores, dim=1)", "torch.softmax(scores, dim=-1)", "scores.softmax(1)")
    wrong = [Wrong("softmax over the batch", "weights = F.softmax(scores, dim=0)", "reading")]
    cls.forward.add(f"weights = {soft}", "reading", wrong)
    wrong = [Wrong("bmm not turned", f"x = torch.bmm(weights.unsqueeze(2), {out.name}).squeeze(1)", "reading")]
    cls.forward.add(f"x = torch.bmm(weights.unsqueeze(1), {out.name}).squeeze(1)", "reading", wrong)
    return Vector("x", out.width)


def _state_width(rnn: Rnn, directions: int) -> Size:
    """The width of one or two directions' final state."""
    return rnn.output if directions == 2 else rnn.state


def _linear_wrongs(rnn: Rnn, text: str, also: str) -> list[Wrong]:
    if rnn.directions == 2:
        return [Wrong("directions forgotten in a Linear", text.replace("@", rnn.hidden.init), also)]
    return [Wrong("Linear doubled without need", text.replace("@", f"{rnn.hidden.init} * 2"), also)]
