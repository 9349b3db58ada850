"""The kinds of programs that are written: what is read of one sequence, of every step, of packed batches, of stacks."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.fuzz import decoders, fronts, heads, readings, recurrent, sequences
from benchmarks.fuzz.draft import Class, Draft, Wrong
from benchmarks.fuzz.program import Input, Line, Measured, Role
from benchmarks.fuzz.recurrent import Called, Layout, Rnn, Tensor
from benchmarks.fuzz.sizes import Quantity, Size

Family = Callable[[Draft], None]


def begin(draft: Draft, *names: str) -> tuple[Class, Layout, Input, Tensor]:
    """A class with its front; the layout of what comes in, and the tensor for the recurrent layer."""
    cls = draft.module(*names, "Model", "Net", "Network")
    layout: Layout = draft.pick("BT", "BT", "BT", "TB")
    given, x = _front(cls, layout)
    return cls, layout, given, x


def _front(cls: Class, layout: Layout) -> tuple[Input, Tensor]:
    draft = cls.draft
    if draft.chance(0.2):
        unpacked = fronts.unpack(
            cls, Input("x", (("batch", draft.batch), ("time", draft.time), ("feature", 1))), layout
        )
        if unpacked:
            given, x = fronts.plain(cls, layout)
            return given, x
    return fronts.choose(cls, layout)


def into_layer(cls: Class, x: Tensor) -> Tensor:
    """The tensor as the layer is to read it, turned or not."""
    draft = cls.draft
    if not draft.chance(0.25):
        return x
    return fronts.swap(cls, x, into=draft.pick(x.name, x.name, "seq"))


def measured(draft: Draft, cls: Class, given: Input, *, batch: int, time: int | None, causal: bool) -> None:
    """How the model is run for the truth."""
    build = cls.construct(draft.outer)
    draft.measured = Measured(build, "model(x)", (given,), batch, time, causal=causal)


def layout_of(given: Input) -> Layout:
    """Whether the batch comes first in the input."""
    return "TB" if given.axis("batch") == 1 else "BT"


def one_of_many(draft: Draft) -> None:
    """One result for each sequence: a class or a number."""
    cls, _, given, x = begin(
        draft, "Classifier", "SequenceClassifier", "Regressor", "LSTMModel", "RNNModel", "SentimentNet", "GRUNet"
    )
    fronts.describe(cls, given, layout=given.axis("time") is not None)
    x = into_layer(cls, x)
    rnn = recurrent.build(cls, x.width, x.layout, projected=draft.chance(0.08))
    state = recurrent.state_for(cls, rnn, x)

    def call(wants_state: bool) -> Called:
        return recurrent.call(cls, rnn, x, state, wants_state=wants_state)

    vector = readings.choose(cls, rnn, call)
    head = heads.for_vector(cls, rnn, vector.name, vector.width, draft.pick("classes", "classes", "regression"))
    measured(draft, cls, given, batch=0, time=None, causal=False)
    heads.drive(draft, cls, given, head, layout_of(given))


def each_step(draft: Draft) -> None:
    """A result for every step: tags or a series."""
    cls, _, given, x = begin(draft, "Tagger", "BiLSTMTagger", "SequenceLabeler", "Forecaster", "LSTMTagger", "CharRNN")
    fronts.describe(cls, given, layout=given.axis("time") is not None)
    x = into_layer(cls, x)
    rnn = recurrent.build(cls, x.width, x.layout, projected=draft.chance(0.08))
    state = recurrent.state_for(cls, rnn, x)
    out = recurrent.call(cls, rnn, x, state).output
    if out.layout != layout_of(given):
        out = fronts.swap(cls, out, forgotten=False)
    head = heads.for_sequence(cls, rnn, out, draft.pick("tags", "tags", "series"))
    layout = layout_of(given)
    local = not any("conv" in line.text or "attn" in line.text for line in cls.forward.lines)
    measured(draft, cls, given, batch=out.batch, time=out.time, causal=rnn.directions == 1 and local)
    heads.drive(draft, cls, given, head, layout)


def stacked(draft: Draft) -> None:
    """Several recurrent layers, one after the other: in a ModuleList, by hand, or in a loop, with norms between."""
    cls, _, given, x = begin(draft, "StackedRNN", "DeepRNN", "ResidualLSTM", "StackedEncoder")
    fronts.describe(cls, given, layout=given.axis("time") is not None)
    x = into_layer(cls, x)
    kind = recurrent.kind_of(draft)
    first = recurrent.build(cls, x.width, x.layout, kind=kind, layers=1, name="rnn1")
    out = recurrent.call(cls, first, x).output
    style = draft.rng.randrange(3)
    if style == 0:
        rnn = recurrent.build(
            cls, out.width, out.layout, kind=kind, layers=1, bidirectional=False, name="rnn2", tag="rnn2"
        )
        out = recurrent.call(cls, rnn, out, tag="rnn2").output
    else:
        rnn = _list_of_layers(cls, kind, out, residual=draft.chance(0.4))
        out = Tensor(out.name, out.layout, rnn.output)
    if draft.chance(0.5):
        if out.layout != layout_of(given):
            out = fronts.swap(cls, out, forgotten=False)
        head = heads.for_sequence(cls, rnn, out, "tags")
        measured(draft, cls, given, batch=out.batch, time=out.time, causal=False)
    else:
        kept = out

        def call(wants_state: bool) -> Called:
            return Called(kept, "", "")

        reading = (
            draft.pick(readings.mean, readings.last_step, readings.attention)
            if rnn.directions == 1 and first.directions == 1
            else draft.pick(readings.mean, readings.attention)
        )
        vector = reading(cls, rnn, call)
        head = heads.for_vector(cls, rnn, vector.name, vector.width, "classes")
        measured(draft, cls, given, batch=0, time=None, causal=False)
    heads.drive(draft, cls, given, head, layout_of(given))


def _list_of_layers(cls: Class, kind: str, out: Tensor, *, residual: bool) -> Rnn:
    draft = cls.draft
    width = out.width
    flag = ", batch_first=True" if out.layout == "BT" else ""
    count = draft.pick("2", "3")
    prefix = draft.prefix
    hidden = width
    name = draft.pick("layers", "rnns", "blocks")
    build = f"{prefix}{kind}({width.init}, {hidden.init}{flag})"
    listed = f"self.{name} = nn.ModuleList([{build} for _ in range({count})])"
    wrong = [
        Wrong(
            "directions forgotten in a stack",
            listed.replace(flag + ")", f"{flag}, bidirectional=True)")
            if flag
            else listed.replace(f"{hidden.init})", f"{hidden.init}, bidirectional=True)"),
            "rnn2-call head head-call",
        )
    ]
    if flag:
        wrong.append(Wrong("layouts of a stack differ", listed.replace(flag, ""), "rnn2-call rnn rnn-call"))
    else:
        wrong.append(
            Wrong(
                "layouts of a stack differ",
                listed.replace(f"{hidden.init})", f"{hidden.init}, batch_first=True)"),
                "rnn2-call rnn rnn-call",
            )
        )
    wrong.append(Wrong("input_size wrong", listed.replace(f"({width.init},", f"({width.init} + 1,"), "rnn2-call rnn"))
    cls.init.add(listed, "rnn2", wrong)
    norm = draft.chance(0.4)
    if norm:
        cls.init.add(f"self.norms = nn.ModuleList([nn.LayerNorm({hidden.init}) for _ in range({count})])")
    cls.forward.add(f"for layer, norm in zip(self.{name}, self.norms):" if norm else f"for layer in self.{name}:")
    target = "y" if residual else out.name
    inner = f"    {target}, _ = layer({out.name})"
    cls.forward.add(
        inner,
        "rnn2-call",
        [Wrong("result used as a tensor", f"    {target} = layer({out.name})", "rnn2-call head-call")],
    )
    if residual:
        cls.forward.add(f"    {out.name} = {out.name} + y", "rnn2-call")
    if norm:
        cls.forward.add(f"    {out.name} = norm({out.name})", "rnn2-call")
    return Rnn(name, kind, out.layout, hidden, Size(1, "1", lambda: "1"), 1, "1", "1", hidden, hidden)


def packed(draft: Draft) -> None:
    """Sequences of different lengths, packed."""
    cls = draft.module("PackedLSTM", "Encoder", "TextClassifier", "VariableLengthRNN")
    layout: Layout = draft.pick("BT", "BT", "TB")
    front = draft.pick(fronts.plain, fronts.embedded, fronts.embedded, fronts.projected)
    given, x = front(cls, layout)
    lengths = draft.pick("lengths", "lens", "seq_lengths", "x_len")
    cls.arguments = ["x", lengths]
    fronts.describe(cls, given, layout=True)
    rnn = recurrent.build(cls, x.width, x.layout, tag="rnn")
    # What is packed carries its own layout, so the layer's flag is never looked at.
    flags = ("batch_first dropped", "batch_first=False", "True lands on bias", "batch_first added")
    draft.mistakes = [one for one in draft.mistakes if one.kind not in flags]
    cls.flag_mistakes.clear()
    first = ", batch_first=True" if x.layout == "BT" else ""
    unsorted = draft.pick(", enforce_sorted=False", "")
    cpu = draft.pick("", ".cpu()")
    name = draft.pick("packed", "packed_input", "x_packed")

    def pack(flag: str) -> str:
        return f"{name} = pack_padded_sequence({x.name}, {lengths}{cpu}{flag}{unsorted})"

    wrong = [
        Wrong(
            "packed in the other layout",
            pack("" if first else ", batch_first=True"),
            "pad rnn rnn-call",
            needs="layout",
        )
    ]
    wrong.append(Wrong("lengths without need of packing", f"{name} = {x.name}", "pad"))
    cls.forward.add(pack(first), "pack", wrong[:1])
    source = Tensor(name, x.layout, x.width)
    if draft.chance(0.5):
        called = recurrent.call(cls, rnn, source, wants_state=True)
        kept = called
        vector = readings.choose(cls, rnn, lambda _: kept, packed=True)
        head = heads.for_vector(cls, rnn, vector.name, vector.width, "classes")
        batch, time = 0, None
    else:
        out = recurrent.call(cls, rnn, source).output
        padded = draft.pick("out", "output", "unpacked", out.name)

        def pad(flag: str) -> str:
            return f"{padded}, _ = pad_packed_sequence({out.name}{flag})"

        wrong = [
            Wrong(
                "padded in the other layout",
                pad("" if first else ", batch_first=True"),
                "reading loss pack",
                needs="use",
            ),
            Wrong("packed used as a tensor", f"{padded} = {out.name}", "reading head-call pad"),
            Wrong(
                "result of padding used as a tensor",
                f"{padded} = pad_packed_sequence({out.name}{first})",
                "reading head-call",
            ),
        ]
        cls.forward.add(pad(first), "pad", wrong)
        out = Tensor(padded, x.layout, rnn.output)
        if rnn.directions == 1 and x.layout == "BT" and draft.chance(0.5):
            index = f"({lengths} - 1).view(-1, 1, 1).expand(-1, 1, {out.name}.size(2))"
            wrong = [
                Wrong("padding read as the last step", f"x = {out.name}[:, -1]", ""),
                Wrong("gather along the batch", f"x = {out.name}.gather(0, {index}).squeeze(1)", ""),
            ]
            wrong.append(
                Wrong(
                    "gather past the end",
                    f"x = {out.name}.gather(1, ({lengths}).view(-1, 1, 1).expand(-1, 1, {out.name}.size(2))).squeeze(1)",
                    "",
                )
            )
            cls.forward.add(f"x = {out.name}.gather(1, {index}).squeeze(1)", "reading", wrong[:2])
            draft.evidence.add("use")
            head = heads.for_vector(cls, rnn, "x", out.width, "classes")
            batch, time = 0, None
        else:
            head = heads.for_sequence(cls, rnn, out, "tags")
            batch, time = out.batch, out.time
    # All results have the longest sequence's length.
    longest = draft.time
    counts = tuple(sorted((draft.rng.randint(2, longest) for _ in range(draft.batch - 1)), reverse=True))
    counts = (longest, *counts)
    build = cls.construct(draft.outer)
    draft.measured = Measured(build, f"model(x, {lengths})", (given,), batch, time, lengths=counts, causal=False)
    _drive_packed(draft, cls, given, lengths, counts, head)


def _drive_packed(
    draft: Draft, cls: Class, given: Input, lengths: str, counts: tuple[int, ...], head: heads.Head
) -> None:
    block = draft.driver
    if draft.chance(0.15) and not cls.has_options:
        block.lines.append(Line("__all__ = []"))
        return
    draft.evidence.add("sizes")
    block.add(f"model = {cls.construct(draft.outer)}")
    sizes = [str(size) for size in given.sizes]
    if draft.chance(0.4):
        draft.evidence.add("driver")
        for at, (role, size) in enumerate(given.axes[:2]):
            name = {"batch": "batch_size", "time": "max_len"}[role]
            block.add(f"{name} = {size}")
            sizes[at] = name
    text = (
        f"torch.randint(0, {given.bound}, ({', '.join(sizes)}))" if given.bound else f"torch.randn({', '.join(sizes)})"
    )
    block.add(f"x = {text}", "input")
    block.add(f"{lengths} = torch.tensor([{', '.join(map(str, counts))}])", "input")
    block.add(f"scores = model(x, {lengths})", "model-call")
    if head.task == "classes" and draft.chance(0.6):
        loss = "F.nll_loss" if head.logarithms else "F.cross_entropy"
        block.add(f"y = torch.randint(0, {head.scores.value}, ({draft.batch},))", "input")
        draft.evidence.add("loss")
        block.add(f"loss = {loss}(scores, y)", "loss")
        block.add("loss.backward()")


def wrapped(draft: Draft) -> None:
    """A module around the layer that returns its output alone, used by another, perhaps in a Sequential."""
    inner = draft.module("Recurrent", "OutputOnly", "BiLSTM", "RNNBlock")
    outer = draft.module("Model", "Net", "Classifier", "CRNN")
    layout: Layout = draft.pick("BT", "BT", "TB")
    feature = draft.quantity("feature")
    given = Input("x", _sequence_axes(draft, layout, feature.value))
    x = Tensor("x", layout, inner.size(feature))
    rnn = recurrent.build(inner, x.width, layout)
    out = recurrent.call(inner, rnn, x).output
    inner.forward.add(f"return {out.name}", "rnn-call")
    width = rnn.output
    classes = outer.size(draft.quantity("classes"))

    def spell(quantity: object) -> str:
        assert isinstance(quantity, Quantity)
        return outer.size(quantity).init

    construct = inner.construct(spell)
    text = _outer_width(draft, outer, rnn)
    scores = f"nn.Linear({text}, {classes.init})"
    kinds = [("Linear of wrong size", f"nn.Linear({text} + 1, {classes.init})")]
    if rnn.directions == 2 and text.endswith("* 2"):
        kinds.append(("directions forgotten in a Linear", f"nn.Linear({text.removesuffix(' * 2')}, {classes.init})"))
    if rnn.directions == 1:
        kinds.append(("Linear doubled without need", f"nn.Linear({text} * 2, {classes.init})"))
    del width
    fronts.describe(outer, given, layout=True)
    if draft.chance(0.5):
        outer.init.add(
            f"self.net = nn.Sequential({construct}, {scores})",
            "head rnn",
            [Wrong(kind, f"self.net = nn.Sequential({construct}, {one})", "head-call rnn") for kind, one in kinds],
        )
        out_name = "y"
        outer.forward.add("y = self.net(x)", "head-call")
    else:
        outer.init.add(f"self.encoder = {construct}")
        outer.init.add(
            f"self.fc = {scores}", "head", [Wrong(kind, f"self.fc = {one}", "head-call") for kind, one in kinds]
        )
        out_name = "y"
        outer.forward.add("y = self.fc(self.encoder(x))", "head-call")
    pooled_axis = x.time
    if draft.chance(0.5):
        outer.forward.add(
            f"return {out_name}.mean({pooled_axis})",
            "reading",
            [Wrong("reduced over the batch", f"return {out_name}.mean({x.batch})", "rnn rnn-call")],
        )
        draft.evidence.add("use")
        head = heads.Head("classes", classes)
        measured(draft, outer, given, batch=0, time=None, causal=False)
    else:
        outer.forward.add(f"return {out_name}", "head-call")
        head = heads.Head("tags", classes)
        measured(draft, outer, given, batch=x.batch, time=x.time, causal=False)
    heads.drive(draft, outer, given, head, layout)


def _outer_width(draft: Draft, outer: Class, rnn: Rnn) -> str:
    hidden = outer.size(draft.quantities["hidden"]).init
    return hidden if rnn.output.value == draft.quantities["hidden"].value else f"{hidden} * 2"


def _sequence_axes(draft: Draft, layout: Layout, width: int) -> tuple[tuple[Role, int], ...]:
    axes: list[tuple[Role, int]] = [("batch", draft.batch), ("time", draft.time), ("feature", width)]
    if layout == "TB":
        axes[0], axes[1] = axes[1], axes[0]
    return tuple(axes)


FAMILIES: dict[str, tuple[Family, int]] = {
    "one of many": (one_of_many, 8),
    "each step": (each_step, 6),
    "stacked": (stacked, 2),
    "packed": (packed, 3),
    "wrapped": (wrapped, 2),
    "cells": (sequences.cells, 3),
    "language model": (sequences.language_model, 2),
    "encoder and decoder": (decoders.encoder_decoder, 3),
    "autoencoder": (decoders.autoencoder, 2),
    "speech": (sequences.speech, 1),
    "pairs": (sequences.pairs, 1),
    "policy": (sequences.policy, 1),
}
