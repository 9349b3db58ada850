"""What stands before the recurrent layer: nothing, an embedding, a Linear, convolutions over steps, frames or images."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.fuzz.draft import Class, Wrong
from benchmarks.fuzz.program import Input, Role
from benchmarks.fuzz.recurrent import Layout, Tensor

WORDS: dict[Role, tuple[tuple[str, ...], ...]] = {
    "batch": (("batch", "batch_size", "batch"), ("B", "N", "B")),
    "time": (("seq_len", "time", "seq"), ("T", "T", "L")),
    "feature": (("features", "input_size", "dim"), ("D", "E", "C")),
    "channel": (("channels", "channels", "channels"), ("C", "C", "C")),
    "height": (("height", "height", "height"), ("H", "H", "H")),
    "width": (("width", "width", "width"), ("W", "W", "W")),
}


def swap(cls: Class, x: Tensor, *, forgotten: bool = True, into: str = "", tag: str = "turn") -> Tensor:
    """Turn batch and time of a three-axis tensor."""
    draft = cls.draft
    name = into or x.name
    other: Layout = "BT" if x.layout == "TB" else "TB"
    turned = draft.pick(
        f"{x.name}.permute(1, 0, 2)",
        f"{x.name}.transpose(0, 1)",
        f"{x.name}.transpose(1, 0)",
        f"torch.transpose({x.name}, 0, 1)",
        f"{x.name}.swapaxes(0, 1)",
        f"torch.permute({x.name}, (1, 0, 2))",
    )
    sizes = f"{x.name}.size(1), {x.name}.size(0), {x.name}.size(2)"
    wrong = [
        Wrong("view instead of permute", f"{name} = {x.name}.{draft.pick('view', 'reshape')}({sizes})", "rnn-call"),
        Wrong(
            "permute turns features",
            f"{name} = {x.name}.permute({draft.pick('0, 2, 1', '2, 1, 0', '1, 2, 0')})",
            "rnn-call rnn",
        ),
        Wrong("permute of too few axes", f"{name} = {x.name}.permute(1, 0)", ""),
    ]
    if forgotten:
        missing = "" if name == x.name else f"{name} = {x.name}"
        wrong.append(Wrong("permute forgotten", missing, "rnn rnn-call reading turn", needs="input"))
        if name == x.name:
            wrong.append(Wrong("permute thrown away", turned, "rnn rnn-call"))
    cls.forward.add(f"{name} = {turned}", tag, wrong)
    return Tensor(name, other, x.width)


def describe(cls: Class, given: Input, *, layout: bool) -> None:
    """Write what the input's axes are, where the program does; only a text that names batch and time is evidence."""
    draft = cls.draft
    if not draft.chance(0.4):
        return
    long = draft.rng.randrange(2)
    column = draft.rng.randrange(3)
    words = [WORDS[role][long][column] for role, _ in given.axes]
    opening, closing = draft.pick(("(", ")"), ("[", "]"))
    shape = f"{opening}{', '.join(words)}{closing}"
    row = draft.pick(
        f"{given.name}: {shape}",
        f"{given.name}: tensor of shape {shape}",
        f"{given.name} - {shape}",
        f"{given.name}: {shape} input",
    )
    if layout and not row.startswith(f"{given.name} - "):
        draft.evidence.add("document")
    cls.documented.append(row)


def unpack(cls: Class, given: Input, layout: Layout) -> bool:
    """Maybe unpack the input's sizes by name at the head of the forward."""
    draft = cls.draft
    if not draft.chance(0.25):
        return False
    names = {"B": draft.pick("batch_size", "B", "batch", "bsz"), "T": draft.pick("seq_len", "T", "steps", "length")}
    rest = ["_"] * (len(given.axes) - 2)
    text = ", ".join([names[axis] for axis in layout] + rest)
    read = draft.pick(f"{given.name}.shape", f"{given.name}.size()")
    cls.forward.add(f"{text} = {read}", "count")
    draft.evidence.add("unpacked")
    return True


Front = Callable[[Class, Layout], tuple[Input, Tensor]]


def plain(cls: Class, layout: Layout) -> tuple[Input, Tensor]:
    """Real features come in as they are."""
    draft = cls.draft
    width = cls.size(draft.quantity("feature"))
    given = _input(cls, layout, width.value)
    return given, Tensor("x", layout, width)


def embedded(cls: Class, layout: Layout) -> tuple[Input, Tensor]:
    """Tokens through an embedding, perhaps with dropout."""
    draft = cls.draft
    draft.evidence.add("front")
    vocab, width = cls.size(draft.quantity("vocab")), cls.size(draft.quantity("embed"))
    given = _input(cls, layout, 0, vocab.value)
    name = draft.pick("embedding", "embed", "emb", "encoder_embed", "word_embeddings")
    padding = draft.pick("", "", ", padding_idx=0")
    cls.init.add(f"self.{name} = nn.Embedding({vocab.init}, {width.init}{padding})", "front")
    target = draft.pick("x", "embedded", "emb", "e")
    if draft.chance(0.2):
        cls.init.add("self.dropout = nn.Dropout(0.2)")
        cls.forward.add(f"{target} = self.dropout(self.{name}(x))", "front-call")
    else:
        cls.forward.add(f"{target} = self.{name}(x)", "front-call")
    return given, Tensor(target, layout, width)


def one_hot(cls: Class, layout: Layout) -> tuple[Input, Tensor]:
    """Tokens as one-hot vectors."""
    draft = cls.draft
    draft.evidence.add("front")
    vocab = cls.size(draft.quantity("vocab"))
    given = _input(cls, layout, 0, vocab.value)
    cls.forward.add(f"x = F.one_hot(x, {vocab.later()}).float()", "front-call")
    return given, Tensor("x", layout, vocab)


def projected(cls: Class, layout: Layout) -> tuple[Input, Tensor]:
    """A Linear over the features, with an activation."""
    draft = cls.draft
    draft.evidence.add("front")
    before, width = cls.size(draft.quantity("feature")), cls.size(draft.quantity("embed"))
    given = _input(cls, layout, before.value)
    name = draft.pick("input_layer", "proj", "fc_in", "inp")
    wrong = [
        Wrong(
            "Linear before it of wrong size",
            f"self.{name} = nn.Linear({width.init}, {width.init})",
            "front-call",
            needs="sizes",
        )
    ]
    cls.init.add(f"self.{name} = nn.Linear({before.init}, {width.init})", "front", wrong)
    cls.forward.add(f"x = {draft.pick('F.relu', 'torch.relu', 'torch.tanh')}(self.{name}(x))", "front-call")
    if draft.chance(0.3):
        cls.init.add(f"self.norm = nn.LayerNorm({width.init})")
        cls.forward.add("x = self.norm(x)")
    return given, Tensor("x", layout, width)


def convolved(cls: Class, layout: Layout) -> tuple[Input, Tensor]:
    """A Conv1d along the steps."""
    draft = cls.draft
    draft.evidence.add("front")
    before, width = cls.size(draft.quantity("feature")), cls.size(draft.quantity("channels"))
    given = _input(cls, layout, before.value)
    normed = draft.chance(0.3)
    cls.init.add(f"self.conv = nn.Conv1d({before.init}, {width.init}, kernel_size=3, padding=1)", "front")
    if normed:
        cls.init.add(f"self.bn = nn.BatchNorm1d({width.init})", "front")
    there, back = ("0, 2, 1", "0, 2, 1") if layout == "BT" else ("1, 2, 0", "2, 0, 1")
    plainly = layout == "BT" and draft.chance(0.5)

    def turn(axes: str, value: str) -> str:
        return f"{value}.transpose(1, 2)" if plainly else f"{value}.permute({axes})"

    activation = draft.pick("F.relu", "torch.relu", "torch.tanh")
    inner = "self.bn(self.conv(x))" if normed else "self.conv(x)"
    cls.forward.add(f"x = {turn(there, 'x')}", "front-call", [Wrong("Conv1d on features last", "", "front front-call")])
    cls.forward.add(f"x = {activation}({inner})", "front-call")
    wrong = [
        Wrong("no way back from Conv1d", "", "rnn rnn-call front-call"),
        Wrong("wrong way back from Conv1d", "x = x.permute(2, 1, 0)", "rnn rnn-call"),
    ]
    cls.forward.add(f"x = {turn(back, 'x')}", "turn", wrong)
    draft.evidence.add("convolution")
    return given, Tensor("x", layout, width)


def frames(cls: Class, layout: Layout) -> tuple[Input, Tensor]:
    """Frames through a small CNN, all at once."""
    draft = cls.draft
    draft.evidence.add("front")
    width = cls.size(draft.quantity("channels"))
    axes: tuple[tuple[Role, int], ...] = (
        ("batch", draft.batch),
        ("time", draft.time),
        ("channel", 3),
        ("height", 6),
        ("width", 6),
    )
    if layout == "TB":
        axes = (axes[1], axes[0], *axes[2:])
    given = Input("x", axes)
    cls.init.add(f"self.cnn = nn.Conv2d(3, {width.init}, kernel_size=3, padding=1)", "front")
    b, t = draft.pick(("batch_size", "seq_len"), ("B", "T"), ("b", "t"), ("n", "steps"))
    first, second = (b, t) if layout == "BT" else (t, b)
    cls.forward.add(f"{first}, {second}, c, h, w = x.{draft.pick('shape', 'size()')}", "count")
    view = draft.pick("view", "reshape")
    cls.forward.add(
        f"x = x.{view}({first} * {second}, c, h, w)",
        "front-call",
        [Wrong("frames stacked in channels", f"x = x.{view}({first}, {second} * c, h, w)", "front front-call")],
    )
    cls.forward.add(f"x = {draft.pick('F.relu', 'torch.relu')}(self.cnn(x))", "front-call")
    cls.forward.add(
        f"x = {draft.pick('x.mean(dim=(2, 3))', 'F.adaptive_avg_pool2d(x, 1).flatten(1)', 'x.mean([2, 3])')}",
        "front-call",
    )
    last = draft.pick("-1", width.later())
    cls.forward.add(
        f"x = x.view({first}, {second}, {last})",
        "turn",
        [Wrong("view instead of permute", f"x = x.view({second}, {first}, {last})", "rnn rnn-call")],
    )
    draft.evidence.add("unpacked")
    return given, Tensor("x", layout, width)


def image_columns(cls: Class, layout: Layout) -> tuple[Input, Tensor]:
    """An image through a CNN; its columns are the steps."""
    draft = cls.draft
    draft.evidence.add("front")
    channels = cls.size(draft.quantity("channels"))
    height = 4
    given = Input("x", (("batch", draft.batch), ("channel", 1), ("height", height), ("width", draft.time)), steps=3)
    cls.init.add(f"self.conv = nn.Conv2d(1, {channels.init}, kernel_size=3, padding=1)", "front")
    cls.forward.add(f"x = {draft.pick('F.relu', 'torch.relu')}(self.conv(x))", "front-call")
    axes = "0, 3, 1, 2" if layout == "BT" else "3, 0, 1, 2"
    other = "3, 0, 1, 2" if layout == "BT" else "0, 3, 1, 2"
    wrong = [
        Wrong("permute of image axes", f"x = x.permute({other})", "rnn rnn-call turn", needs="input"),
        Wrong("permute turns features", "x = x.permute(0, 2, 1, 3)", "rnn rnn-call turn"),
    ]
    cls.forward.add(f"x = x.permute({axes})", "turn", wrong)
    flat = draft.pick("x.flatten(2)", "x.reshape(x.size(0), x.size(1), -1)", "torch.flatten(x, 2)")
    cls.forward.add(f"x = {flat}", "turn", [Wrong("view needs a copy", "x = x.view(x.size(0), x.size(1), -1)", "")])
    draft.evidence.add("convolution")
    width = channels.times(height, str(height))
    return given, Tensor("x", layout, width)


def image_rows(cls: Class, layout: Layout) -> tuple[Input, Tensor]:
    """An image with one channel; its rows are the steps."""
    draft = cls.draft
    width = cls.size(draft.quantity("feature"))
    given = Input(
        "x", (("batch", draft.batch), ("channel", 1), ("height", draft.time), ("width", width.value)), steps=2
    )
    sizes = f"{draft.time}, {width.later()}"
    cls.forward.add(
        f"x = {draft.pick('x.squeeze(1)', f'x.view(-1, {sizes})', f'x.reshape(-1, {sizes})', 'x[:, 0]')}", "front-call"
    )
    x = Tensor("x", "BT", width)
    if layout == "BT":
        return given, x
    return given, swap(cls, x)


def _input(cls: Class, layout: Layout, width: int, bound: int = 0) -> Input:
    draft = cls.draft
    axes: list[tuple[Role, int]] = [("batch", draft.batch), ("time", draft.time)]
    if layout == "TB":
        axes.reverse()
    if not bound:
        axes.append(("feature", width))
    return Input("x", tuple(axes), bound)


def choose(cls: Class, layout: Layout) -> tuple[Input, Tensor]:
    """One of the fronts; it may ask for another input layout than it gives."""
    draft = cls.draft
    options: list[Front] = [
        plain,
        plain,
        plain,
        plain,
        embedded,
        embedded,
        embedded,
        projected,
        projected,
        convolved,
        frames,
        one_hot,
    ]
    images: list[Front] = [image_columns, image_rows]
    return draft.rng.choice(options + images)(cls, layout)
