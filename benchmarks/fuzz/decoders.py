"""Programs of two recurrent parts: encoders with decoders, autoencoders."""

from __future__ import annotations

from benchmarks.fuzz import fronts, readings, recurrent
from benchmarks.fuzz.draft import Block, Class, Draft, Wrong
from benchmarks.fuzz.program import Input, Line, Measured
from benchmarks.fuzz.recurrent import Layout, Rnn, Tensor
from benchmarks.fuzz.sequences import other, step_of
from benchmarks.fuzz.sizes import Quantity, Size


def encoder_decoder(draft: Draft) -> None:
    """An encoder, a decoder that goes step by step, with or without attention."""
    layout: Layout = draft.pick("BT", "BT", "TB")
    kind = draft.pick("LSTM", "GRU", "GRU")
    encoder = draft.module("Encoder", "EncoderRNN")
    source, x = fronts.embedded(encoder, layout)
    source = Input("x", source.axes, source.bound)
    fronts.describe(encoder, source, layout=True)
    bidirectional = draft.chance(0.35)
    layers = 1 if bidirectional else draft.pick(1, 1, 2)
    rnn = recurrent.build(encoder, x.width, layout, kind=kind, bidirectional=bidirectional, layers=layers, name="rnn")
    hidden = draft.quantities["hidden"]
    _encode(encoder, rnn, x, hidden)
    decoder = draft.module("Decoder", "DecoderRNN", "AttnDecoder")
    attends = draft.chance(0.5)
    _decode(decoder, rnn, hidden, layout, kind, layers, attends=attends)
    _join(draft, encoder, decoder, source, layout, attends=attends)


def _encode(cls: Class, rnn: Rnn, x: Tensor, hidden: Quantity) -> None:
    """The encoder's forward: outputs, and a state that fits a decoder of one direction."""
    pair = rnn.is_lstm
    names = "out, (h, c)" if pair else "out, h"
    cls.forward.add(f"{names} = self.{rnn.name}({x.name})", "rnn-call")
    if rnn.directions == 1:
        wrong = [Wrong("one state of two handed on", "return out, h", "dec-call rnn-call join")] if pair else []
        cls.forward.add(f"return out, {'(h, c)' if pair else 'h'}", "bridge", wrong)
        return
    width = cls.size(hidden)
    for one in ("h", "c") if pair else ("h",):
        text = f"self.bridge_{one} = nn.Linear(@, {width.init})"
        wrong = [
            Wrong("bridge for one direction", text.replace("@", rnn.state.init), "bridge"),
            Wrong("Linear of wrong size", text.replace("@", f"{rnn.output.init} + 1"), "bridge"),
        ]
        cls.init.add(text.replace("@", rnn.output.init), "bridge", wrong)
        joined = f"torch.cat(({one}[-2], {one}[-1]), dim=1)"
        right = f"{one} = torch.tanh(self.bridge_{one}({joined})).unsqueeze(0)"
        wrong = [
            Wrong("layer axis missing in a bridge", right.removesuffix(".unsqueeze(0)"), "dec-call join"),
            Wrong("layer axis at the wrong place", right.replace("unsqueeze(0)", "unsqueeze(1)"), "dec-call join"),
            Wrong("directions joined along the batch", right.replace("dim=1", "dim=0"), "dec-call join"),
            Wrong("both directions handed on", "", "dec-call join dec"),
        ]
        cls.forward.add(right, "bridge", wrong)
    cls.forward.add(f"return out, {'(h, c)' if pair else 'h'}", "bridge")


def _decode(
    cls: Class, encoder: Rnn, hidden: Quantity, layout: Layout, kind: str, layers: int, *, attends: bool
) -> None:
    draft = cls.draft
    vocab, embed, width = cls.size(draft.quantities["vocab"]), cls.size(draft.quantities["embed"]), cls.size(hidden)
    memory = width if encoder.output.value == hidden.value else width.times(2, "2")
    cls.init.add(f"self.embedding = nn.Embedding({vocab.init}, {embed.init})", "front")
    flag = ", batch_first=True" if layout == "BT" else ""
    count = f", {layers}" if layers > 1 or draft.chance(0.2) else ""
    entry = f"{embed.init} + {memory.init}" if attends else embed.init
    prefix = draft.prefix

    def rnn(first: str = entry, second: str = width.init, layers: str = count, flags: str = flag) -> str:
        return f"self.rnn = {prefix}{kind}({first}, {second}{layers}{flags})"

    wrong = [
        Wrong("decoder of other layers", rnn(layers=f", {layers + 1}"), "dec-call bridge join rnn"),
        Wrong("decoder of other width", rnn(second=f"{width.init} * 2"), "dec-call bridge join head rnn"),
        Wrong(
            "decoder's other layout", rnn(flags="" if flag else ", batch_first=True"), "dec-call step bridge join rnn"
        ),
    ]
    if attends:
        wrong.append(Wrong("input_size without the context", rnn(first=embed.init), "dec-call"))
    cls.init.add(rnn(), "dec", wrong)
    cls.arguments = ["token", "hidden", "memory"] if attends else ["token", "hidden"]
    time = 1 if layout == "BT" else 0
    wrong = [
        Wrong(
            "step put on the wrong axis", f"e = self.embedding(token).unsqueeze({1 - time})", "dec-call dec attn-call"
        )
    ]
    cls.forward.add(f"e = self.embedding(token).unsqueeze({time})", "step", wrong)
    if attends:
        _attend(cls, kind, width, memory, layout)
    wrong = [Wrong("result used as a tensor", "out = self.rnn(e, hidden)", "head-call dec-call")]
    cls.forward.add("out, hidden = self.rnn(e, hidden)", "dec-call", wrong)
    text = f"self.fc = nn.Linear(@, {vocab.init})"
    cls.init.add(
        text.replace("@", width.init),
        "head",
        [Wrong("Linear of wrong size", text.replace("@", f"{width.init} * 2"), "head-call")],
    )
    wrong = [Wrong("time axis kept in a step", "return self.fc(out), hidden", "join loss", needs="loss")]
    if draft.chance(0.5):
        cls.forward.add(f"return self.fc(out.squeeze({time})), hidden", "head-call", wrong)
    else:
        cls.forward.add(f"return self.fc({step_of('out', layout, '0')}), hidden", "head-call", wrong)


def _attend(cls: Class, kind: str, width: Size, memory: Size, layout: Layout) -> None:
    """Attention of the decoder's state over the encoder's outputs; the context joins the input."""
    draft = cls.draft
    state = "hidden[0][-1]" if kind == "LSTM" else "hidden[-1]"
    text = f"self.attn = nn.Linear({width.init}, @)"
    cls.init.add(
        text.replace("@", memory.init),
        "attn",
        [Wrong("attention of wrong width", text.replace("@", f"{memory.init} + 1"), "attn-call")],
    )
    cls.forward.add(
        f"query = self.attn({state})",
        "attn-call",
        [Wrong("query of all layers", f"query = self.attn({state.removesuffix('[-1]')})", "attn-call")],
    )
    if layout == "TB":
        cls.forward.add(
            "memory = memory.transpose(0, 1)", "attn-call", [Wrong("encoder's outputs not turned", "", "attn-call")]
        )
    wrong = [Wrong("query on the wrong axis", "scores = torch.bmm(memory, query.unsqueeze(1)).squeeze(2)", "attn-call")]
    cls.forward.add("scores = torch.bmm(memory, query.unsqueeze(2)).squeeze(2)", "attn-call", wrong)
    wrong = [Wrong("softmax over the batch", "weights = F.softmax(scores, dim=0)", "attn-call")]
    cls.forward.add(
        f"weights = {draft.pick('F.softmax(scores, dim=1)', 'torch.softmax(scores, -1)')}", "attn-call", wrong
    )
    wrong = [Wrong("weights on the wrong axis", "context = torch.bmm(weights.unsqueeze(2), memory)", "attn-call")]
    cls.forward.add("context = torch.bmm(weights.unsqueeze(1), memory)", "attn-call", wrong)
    if layout == "TB":
        cls.forward.add(
            "context = context.transpose(0, 1)", "attn-call", [Wrong("context not turned back", "", "attn-call")]
        )
    wrong = [Wrong("context joined on the wrong axis", "e = torch.cat([e, context], dim=1)", "dec-call dec")]
    cls.forward.add(f"e = torch.cat([e, context], dim={draft.pick('2', '-1')})", "attn-call", wrong)


def _join(draft: Draft, encoder: Class, decoder: Class, source: Input, layout: Layout, *, attends: bool) -> None:
    cls = draft.module("Seq2Seq", "Translator", "EncoderDecoder")
    cls.arguments = ["x", "y"]

    def spell(quantity: Quantity) -> str:
        return cls.size(quantity).init

    cls.init.add(f"self.encoder = {encoder.construct(spell)}")
    cls.init.add(f"self.decoder = {decoder.construct(spell)}")
    time, batch = (1, 0) if layout == "BT" else (0, 1)
    cls.forward.add("memory, hidden = self.encoder(x)", "join")
    cls.forward.add("outputs = []")
    cls.forward.add(
        f"for t in range(y.size({time})):",
        "loop",
        [Wrong("loop over the batch", f"for t in range(y.size({batch})):", "step join")],
    )
    block = Block(draft, 3)
    given = ", memory" if attends else ""
    wrong = [
        Wrong(
            "step of the wrong axis",
            f"logits, hidden = self.decoder({step_of('y', other(layout), 't')}, hidden{given})",
            "loop join dec-call attn-call step",
        )
    ]
    block.add(f"logits, hidden = self.decoder({step_of('y', layout, 't')}, hidden{given})", "join", wrong)
    block.add("outputs.append(logits)")
    cls.forward.lines += block.lines
    wrong = [
        Wrong(
            "steps stacked on the wrong axis",
            f"return torch.stack(outputs, dim={1 - time})",
            "loss",
            needs="loss target",
        )
    ]
    cls.forward.add(f"return torch.stack(outputs, dim={time})", "reading", wrong)
    target = Input("y", source.axes, source.bound)
    draft.measured = Measured(cls.construct(draft.outer), "model(x, y)", (source, target), batch, time)
    vocab = draft.quantities["vocab"].value
    block = draft.driver
    if draft.chance(0.15) and not (encoder.has_options or decoder.has_options):
        block.lines.append(Line("__all__ = []"))
        return
    sizes = [str(size) for size in source.sizes]
    draft.evidence.add("sizes")
    if draft.chance(0.5):
        draft.evidence |= {"driver", "target"}
        block.add(f"batch_size, seq_len = {draft.batch}, {draft.time}")
        sizes = ["batch_size", "seq_len"] if layout == "BT" else ["seq_len", "batch_size"]
    block.add(f"model = {cls.construct(draft.outer)}")
    for one in ("x", "y"):
        block.add(f"{one} = torch.randint(0, {vocab}, ({', '.join(sizes)}))", "input")
    block.add("logits = model(x, y)", "model-call")
    if draft.chance(0.6):
        draft.evidence.add("loss")
        wrong = [Wrong("classes last in a cross entropy", "loss = F.cross_entropy(logits, y)", "")]
        block.add(f"loss = F.cross_entropy(logits.reshape(-1, {vocab}), y.reshape(-1))", "loss", wrong)
        block.add("loss.backward()")


def autoencoder(draft: Draft) -> None:
    """A sequence into one vector, repeated or decoded from a state, and back; perhaps through a random code."""
    cls = draft.module("Autoencoder", "LSTMAutoencoder", "SequenceVAE", "Reconstructor")
    layout: Layout = draft.pick("BT", "BT", "BT", "TB")
    given, x = fronts.plain(cls, layout)
    fronts.describe(cls, given, layout=True)
    cls.forward.add(f"length = x.size({x.time})", "count")
    kind = recurrent.kind_of(draft)
    encoder = recurrent.build(cls, x.width, layout, kind=kind, bidirectional=False, layers=1, name="encoder")
    called = recurrent.call(cls, encoder, x, wants_state=True)
    vector = readings.last_state(cls, encoder, lambda _: called)
    width = vector.width
    name = vector.name
    if draft.chance(0.5):
        name, width = _code(cls, name, width)
    steps = "length"
    batch, time = x.batch, x.time
    many = f"1, {steps}, 1" if layout == "BT" else f"{steps}, 1, 1"
    repeat, expand = f"repeat({many})", f"expand({_expanded(layout, steps)})"
    right = f"seq = {name}.unsqueeze({time}).{draft.pick(repeat, repeat, expand)}"
    swapped = f"1, {steps}, 1" if layout == "TB" else f"{steps}, 1, 1"
    wrong = [
        Wrong(
            "repeated in the other layout",
            f"seq = {name}.unsqueeze({1 - time}).repeat({swapped})",
            "decoder-call decoder rnn",
        ),
        Wrong("repeated along the batch", f"seq = {name}.unsqueeze({time}).repeat({swapped})", "decoder-call loss"),
        Wrong("repeated as often as there are samples", right.replace(steps, f"{name}.size(0)"), "loss", needs="loss"),
    ]
    cls.forward.add(right, "repeat", wrong)
    role = draft.pick("hidden", "decoder")
    decoder = recurrent.build(
        cls, width, layout, kind=kind, bidirectional=False, layers=1, role=role, name="decoder", tag="decoder"
    )
    out = recurrent.call(cls, decoder, Tensor("seq", layout, width), tag="decoder").output
    text = f"self.out = nn.Linear(@, {x.width.init})"
    cls.init.add(
        text.replace("@", out.width.init),
        "head",
        [Wrong("Linear of wrong size", text.replace("@", f"{out.width.init} + 1"), "head-call")],
    )
    cls.forward.add(f"return self.out({out.name})", "head-call")
    draft.measured = Measured(cls.construct(draft.outer), "model(x)", (given,), batch, time)
    _drive_autoencoder(draft, cls, given)


def _expanded(layout: Layout, steps: str) -> str:
    return f"-1, {steps}, -1" if layout == "BT" else f"{steps}, -1, -1"


def _code(cls: Class, name: str, width: Size) -> tuple[str, Size]:
    """A random code around the vector: mean, logarithm of the variance, a sample."""
    draft = cls.draft
    latent = cls.size(draft.quantity("latent"))
    for one in ("mu", "logvar"):
        text = f"self.{one} = nn.Linear(@, {latent.init})"
        cls.init.add(
            text.replace("@", width.init),
            "head",
            [Wrong("Linear of wrong size", text.replace("@", f"{width.init} + 1"), "code")],
        )
    cls.forward.add(f"mu, logvar = self.mu({name}), self.logvar({name})", "code")
    cls.forward.add("z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)", "code")
    return "z", latent


def _drive_autoencoder(draft: Draft, cls: Class, given: Input) -> None:
    block = draft.driver
    if draft.chance(0.15) and not cls.has_options:
        block.lines.append(Line("__all__ = []"))
        return
    draft.evidence |= {"sizes", "loss"}
    sizes = [str(size) for size in given.sizes]
    if draft.chance(0.5):
        names = {"batch": "batch_size", "time": draft.pick("seq_len", "n_steps", "T")}
        block.add(f"batch_size, {names['time']} = {draft.batch}, {draft.time}")
        draft.evidence |= {"driver", "target"}
        sizes = [names.get(role, str(size)) for role, size in given.axes]
    block.add(f"model = {cls.construct(draft.outer)}")
    block.add(f"x = torch.randn({', '.join(sizes)})", "input")
    wrong = [Wrong("loss broadcast", "loss = F.mse_loss(model(x).unsqueeze(1), x)", "")]
    block.add("loss = F.mse_loss(model(x), x)", "loss", wrong)
    block.add("loss.backward()")
