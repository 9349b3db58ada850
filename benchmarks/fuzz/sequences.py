"""Programs that go step by step or side by side: cells in loops, language models, CTC, pairs, policies."""

from __future__ import annotations

from benchmarks.fuzz import fronts, heads, readings, recurrent
from benchmarks.fuzz.draft import Block, Class, Draft, Wrong
from benchmarks.fuzz.program import Input, Measured, Role
from benchmarks.fuzz.recurrent import Called, Layout, Rnn, Tensor
from benchmarks.fuzz.sizes import Size


def axes(draft: Draft, layout: Layout, *last: tuple[Role, int]) -> tuple[tuple[Role, int], ...]:
    """The axes of a batch of sequences."""
    first: list[tuple[Role, int]] = [("batch", draft.batch), ("time", draft.time)]
    return (*(first if layout == "BT" else reversed(first)), *last)


def step_of(x: str, layout: Layout, step: str) -> str:
    """One step of a tensor."""
    return f"{x}[:, {step}]" if layout == "BT" else f"{x}[{step}]"


def other(layout: Layout) -> Layout:
    """The other layout."""
    return "TB" if layout == "BT" else "BT"


def cells(draft: Draft) -> None:
    """A cell in a loop over steps."""
    cls = draft.module("CellRNN", "LSTMCellModel", "Stepper", "CustomRNN")
    layout: Layout = draft.pick("BT", "BT", "TB")
    given, x = draft.pick(fronts.plain, fronts.embedded, fronts.projected)(cls, layout)
    fronts.describe(cls, given, layout=True)
    kind = draft.pick("LSTM", "LSTM", "GRU", "RNN")
    pair = kind == "LSTM"
    hidden = cls.size(draft.quantity("hidden"))
    name = draft.pick("cell", "rnn", "lstm_cell", "step")
    prefix = draft.prefix or "nn."
    also = "cell-call front"

    def built(first: str) -> str:
        return f"self.{name} = {prefix}{kind}Cell({first}, {hidden.init})"

    wrong = [Wrong("cell of wrong input_size", built(f"{x.width.init} + 1"), also, needs="width")]
    wrong.append(Wrong("cell of wrong input_size", built(hidden.init), also, needs="width"))
    cls.init.add(built(x.width.init), "cell", wrong)
    _cell_state(cls, x, hidden, pair=pair)
    outputs = draft.pick("outputs", "outs", "hs", "states")
    cls.forward.add(f"{outputs} = []")
    step = _loop(cls, x)
    block = Block(draft, 3)
    state = "(h, c)" if pair else "h"
    target = "h, c" if pair else "h"
    wrong = []
    if pair:
        wrong.append(Wrong("cell's pair kept as one", f"h = self.{name}({step}, {state})", "cell state"))
        wrong.append(Wrong("cell state missing", f"h, c = self.{name}({step}, h)", "cell state"))
    else:
        wrong.append(Wrong("cell unpacked in two", f"h, _ = self.{name}({step}, h)", "cell"))
        wrong.append(Wrong("cell given a pair", f"h = self.{name}({step}, (h, h))", "cell state"))
    block.add(f"{target} = self.{name}({step}, {state})", "cell-call", wrong)
    block.add(f"{outputs}.append(h)")
    cls.forward.lines += block.lines
    _cell_result(draft, cls, given, layout, hidden, outputs)


def _cell_state(cls: Class, x: Tensor, hidden: Size, *, pair: bool) -> None:
    draft = cls.draft
    batch = recurrent.batch_text(cls, x)
    draft.evidence.add("state")
    width = hidden.later()
    also = "cell-call"
    wrong_axis = f"{x.name}.size({x.time})"
    for one in ("h", "c") if pair else ("h",):
        right = f"{one} = torch.zeros({batch}, {width})"
        wrong = [
            Wrong("cell state of three axes", f"{one} = torch.zeros(1, {batch}, {width})", also),
            Wrong("cell state of wrong width", f"{one} = torch.zeros({batch}, {width} * 2)", also),
            Wrong("cell state sized by the time", f"{one} = torch.zeros({wrong_axis}, {width})", also),
            Wrong("cell state turned", f"{one} = torch.zeros({width}, {batch})", also),
        ]
        cls.forward.add(right, "state", wrong)


def _loop(cls: Class, x: Tensor) -> str:
    """Write the loop over steps; the text of one step in it."""
    draft = cls.draft
    also = "cell-call state"
    t = draft.pick("t", "i", "step")
    match draft.rng.randrange(4):
        case 0 | 1:
            wrong = [Wrong("loop over the batch", f"for {t} in range({x.name}.size({x.batch})):", f"{also} step")]
            cls.forward.add(f"for {t} in range({x.name}.size({x.time})):", "loop", wrong)
            right = step_of(x.name, x.layout, t)
            if draft.chance(0.5):
                return right
            block = Block(draft, 3)
            wrong = [
                Wrong("step of the wrong axis", f"x_t = {step_of(x.name, other(x.layout), t)}", "cell-call loop"),
                Wrong("step with its axis kept", f"x_t = {step_of(x.name, x.layout, f'{t}:{t} + 1')}", "cell-call"),
            ]
            block.add(f"x_t = {right}", "step", wrong)
            cls.forward.lines += block.lines
            return "x_t"
        case 2:
            wrong = [Wrong("loop over the batch", f"for x_t in {x.name}.unbind({x.batch}):", also)]
            cls.forward.add(f"for x_t in {x.name}.unbind({x.time}):", "loop", wrong)
            return "x_t"
        case _:
            wrong = [Wrong("loop over the batch", f"for x_t in {x.name}.split(1, dim={x.batch}):", also)]
            cls.forward.add(
                f"for x_t in {x.name}.{draft.pick('split(1, ', 'chunk(' + x.name + f'.size({x.time}), ')}dim={x.time}):",
                "loop",
                wrong,
            )
            return f"x_t.squeeze({x.time})"


def _cell_result(draft: Draft, cls: Class, given: Input, layout: Layout, hidden: Size, outputs: str) -> None:
    if draft.chance(0.4):
        head = heads.for_vector(cls, None, "h", hidden, draft.pick("classes", "regression"))
        batch, time = 0, None
    else:
        at = 1 if layout == "BT" else 0
        wrong = [
            Wrong(
                "steps stacked on the wrong axis",
                f"out = torch.stack({outputs}, dim={1 - at})",
                "loss head head-call",
                needs="loss target",
            )
        ]
        wrong.append(
            Wrong(
                "steps joined, not stacked",
                f"out = torch.cat({outputs}, dim={1 - at})",
                "loss head head-call",
                needs="loss target",
            )
        )
        right = (
            f"out = torch.stack({outputs}, dim={at})" if at or draft.chance(0.5) else f"out = torch.stack({outputs})"
        )
        cls.forward.add(right, "reading", wrong)
        head = heads.for_sequence(cls, None, Tensor("out", layout, hidden), "tags")
        batch, time = (0, 1) if at else (1, 0)
    build = cls.construct(draft.outer)
    draft.measured = Measured(build, "model(x)", (given,), batch, time, causal=time is not None)
    heads.drive(draft, cls, given, head, layout)


def language_model(draft: Draft) -> None:
    """Tokens in, scores of the next ones out, the state handed on from chunk to chunk."""
    cls = draft.module("LanguageModel", "CharLM", "WordLSTM", "RNNLM")
    layout: Layout = draft.pick("BT", "BT", "TB")
    given, x = fronts.embedded(cls, layout)
    cls.arguments = ["x", "hidden"]
    fronts.describe(cls, given, layout=True)
    rnn = recurrent.build(cls, x.width, layout, bidirectional=False, kind=draft.pick("LSTM", "LSTM", "GRU"))
    init = recurrent.init_hidden(cls, rnn)
    cls.forward.add(
        f"out, hidden = self.{rnn.name}({x.name}, hidden)",
        "rnn-call",
        [Wrong("result used as a tensor", f"out = self.{rnn.name}({x.name}, hidden)", "head-call rnn-call")],
    )
    vocab = cls.size(draft.quantities["vocab"])
    wrongs = heads.wrong_widths(rnn, rnn.output)
    cls.init.add(
        f"self.decoder = nn.Linear({rnn.output.init}, {vocab.init})",
        "head",
        [Wrong(kind, f"self.decoder = nn.Linear({size}, {vocab.init})", "head-call") for kind, size in wrongs],
    )
    at_b = x.batch
    cls.forward.add("return self.decoder(out), hidden", "head-call")
    build = cls.construct(draft.outer)
    call = f"model(x, model.{init}(x.size({at_b})))[0]"
    draft.measured = Measured(build, call, (given,), at_b, 1 - at_b, causal=True)
    _drive_language_model(draft, cls, given, rnn, init, layout, vocab.value)


def _drive_language_model(
    draft: Draft, cls: Class, given: Input, rnn: Rnn, init: str, layout: Layout, vocab: int
) -> None:
    block = draft.driver
    draft.evidence |= {"sizes", "loss"}
    names = draft.pick(("batch_size", "seq_len"), ("bsz", "bptt"), ("B", "T"))
    named = draft.chance(0.6)
    if named:
        block.add(f"{names[0]}, {names[1]} = {draft.batch}, {draft.time}")
        draft.evidence |= {"driver", "target"}
    if named:
        draft.evidence.add("state")  # the samples that the state is made for
    else:
        draft.evidence.discard("state")
    shown = names if named else (str(draft.batch), str(draft.time))
    order = shown if layout == "BT" else (shown[1], shown[0])
    block.add(f"model = {cls.construct(draft.outer)}")
    block.add("criterion = nn.CrossEntropyLoss()")
    block.add("optimizer = torch.optim.Adam(model.parameters())")
    batch, time = shown
    hidden = f"hidden = model.{init}({batch})"
    block.add(
        hidden, "state", [Wrong("state sized by the time", f"hidden = model.{init}({time})", "rnn-call model-call")]
    )
    block.add("for step in range(2):")
    inner = Block(draft, 1)
    size = f"({order[0]}, {order[1]})"
    inner.add(f"x = torch.randint(0, {vocab}, {size})", "input")
    inner.add(f"y = torch.randint(0, {vocab}, {size})", "input")
    if rnn.is_lstm:
        inner.add(
            draft.pick(
                "hidden = tuple(h.detach() for h in hidden)", "hidden = (hidden[0].detach(), hidden[1].detach())"
            ),
            "state",
        )
    else:
        inner.add("hidden = hidden.detach()")
    inner.add("optimizer.zero_grad()")
    inner.add(
        "logits, hidden = model(x, hidden)",
        "model-call",
        [Wrong("model's pair used as a tensor", "logits = model(x, hidden)", "loss")],
    )
    wrong = [
        Wrong("classes last in a cross entropy", "loss = criterion(logits, y)", ""),
        Wrong(
            "targets in the other order",
            f"loss = criterion(logits.reshape(-1, {vocab}), y.t().reshape(-1))",
            "",
            needs="target",
        ),
    ]
    inner.add(f"loss = criterion(logits.reshape(-1, {vocab}), y.reshape(-1))", "loss", wrong)
    inner.add("loss.backward()")
    inner.add("optimizer.step()")
    block.lines += inner.lines


def speech(draft: Draft) -> None:
    """Frames into log-probabilities for CTC, time first."""
    cls = draft.module("SpeechModel", "CTCModel", "AcousticModel")
    layout: Layout = draft.pick("BT", "BT", "TB")
    given, x = draft.pick(fronts.plain, fronts.convolved, fronts.projected)(cls, layout)
    fronts.describe(cls, given, layout=True)
    rnn = recurrent.build(cls, x.width, x.layout, bidirectional=draft.chance(0.7))
    out = recurrent.call(cls, rnn, x).output
    classes = cls.size(draft.quantity("classes"))
    text = f"self.fc = nn.Linear(@, {classes.init})"
    cls.init.add(
        text.replace("@", out.width.init),
        "head",
        [Wrong(kind, text.replace("@", size), "head-call") for kind, size in heads.wrong_widths(rnn, out.width)],
    )
    soft = draft.pick("F.log_softmax", "torch.log_softmax")
    cls.forward.add(
        f"scores = {soft}(self.fc({out.name}), dim=@)".replace("@", draft.pick("2", "-1")),
        "head-call",
        [
            Wrong("softmax over the batch", f"scores = {soft}(self.fc({out.name}), dim={out.batch})", ""),
            Wrong("softmax over the steps", f"scores = {soft}(self.fc({out.name}), dim={out.time})", ""),
        ],
    )
    if x.layout == "BT":
        turned = draft.pick("scores.transpose(0, 1)", "scores.permute(1, 0, 2)")
        wrong = [
            Wrong("CTC given the batch first", "return scores", "loss", needs="loss input"),
            Wrong("view instead of permute", "return scores.reshape(scores.size(1), scores.size(0), -1)", ""),
        ]
        cls.forward.add(f"return {turned}", "reading", wrong)
    else:
        cls.forward.add("return scores", "reading")
    draft.measured = Measured(cls.construct(draft.outer), "model(x)", (given,), 1, 0)
    block = draft.driver
    draft.evidence |= {"sizes", "loss"}
    block.add(f"model = {cls.construct(draft.outer)}")
    sizes = [str(size) for size in given.sizes]
    if draft.chance(0.5):
        block.add(f"batch_size, n_frames = {draft.batch}, {draft.time}")
        draft.evidence.add("driver")
        sizes = [{"batch": "batch_size", "time": "n_frames"}.get(role, str(size)) for role, size in given.axes]
    block.add(f"x = torch.randn({', '.join(sizes)})", "input")
    block.add(f"targets = torch.randint(1, {classes.value}, ({draft.batch}, 2))", "input")
    block.add(f"input_lengths = torch.full(({draft.batch},), {draft.time}, dtype=torch.long)", "input")
    block.add(f"target_lengths = torch.full(({draft.batch},), 2, dtype=torch.long)", "input")
    block.add("log_probs = model(x)", "model-call")
    call = draft.pick(
        "F.ctc_loss(log_probs, targets, input_lengths, target_lengths, zero_infinity=True)",
        "nn.CTCLoss(zero_infinity=True)(log_probs, targets, input_lengths, target_lengths)",
    )
    block.add(f"loss = {call}", "loss")
    block.add("loss.backward()")


def pairs(draft: Draft) -> None:
    """Two sequences through one encoder, compared by what is made of both."""
    cls = draft.module("Siamese", "PairModel", "Matcher")
    layout: Layout = draft.pick("BT", "BT", "TB")
    given, x = fronts.plain(cls, layout)
    rnn = recurrent.build(cls, x.width, layout, name="encoder")
    block = cls.method(f"def {draft.pick('encode', 'embed_sequence', 'encode_one')}(self, x):")
    encode = block.lines[0].text.split("def ")[1].split("(")[0]
    outer, cls.forward = cls.forward, block

    def call(wants_state: bool) -> Called:
        return recurrent.call(cls, rnn, x, wants_state=wants_state)

    vector = readings.choose(cls, rnn, call)
    block.add(f"return {vector.name}", "reading")
    cls.forward = outer
    cls.arguments = ["x", "y"]
    joined = draft.pick("dim=1", "dim=-1")
    wrong = [
        Wrong(
            "pairs joined along the batch",
            f"both = torch.cat([self.{encode}(x), self.{encode}(y)], dim=0)",
            "head head-call loss",
        )
    ]
    cls.forward.add(f"both = torch.cat([self.{encode}(x), self.{encode}(y)], {joined})", "join", wrong)
    text = "self.compare = nn.Linear(@, 1)"
    width = vector.width
    once = f"({width.init})" if " " in width.init else width.init
    cls.init.add(
        text.replace("@", f"2 * {once}"),
        "head",
        [Wrong("Linear for one of a pair", text.replace("@", width.init), "head-call join")],
    )
    head = heads.returned(cls, "compare", "both", "regression", Size(1, "1", lambda: "1"))
    second = Input("y", given.axes, given.bound)
    draft.measured = Measured(cls.construct(draft.outer), "model(x, y)", (given, second), 0, None)
    driver = draft.driver
    draft.evidence.add("sizes")
    driver.add(f"model = {cls.construct(draft.outer)}")
    sizes = [str(size) for size in given.sizes]
    if draft.chance(0.5):
        driver.add(f"batch_size, seq_len = {draft.batch}, {draft.time}")
        draft.evidence |= {"driver", "target"}
        sizes = [{"batch": "batch_size", "time": "seq_len"}.get(role, str(size)) for role, size in given.axes]
    for one in ("x", "y"):
        driver.add(f"{one} = torch.randn({', '.join(sizes)})", "input")
    driver.add("score = model(x, y)", "model-call")
    if draft.chance(0.6):
        draft.evidence.add("loss")
        shape = f"({draft.batch},)" if head.squeezed else f"({draft.batch}, 1)"
        driver.add(f"label = torch.rand({shape})", "input")
        wrong = [Wrong("loss broadcast", "loss = F.mse_loss(score.unsqueeze(1), label)", "")]
        driver.add("loss = F.mse_loss(score, label)", "loss", wrong)
        driver.add("loss.backward()")


def policy(draft: Draft) -> None:
    """A recurrent policy over a rollout, time first, with masks at the ends of episodes."""
    cls = draft.module("RecurrentPolicy", "ActorCritic", "Agent")
    width = cls.size(draft.quantity("feature"))
    middle, hidden, actions = (
        cls.size(draft.quantity("embed")),
        cls.size(draft.quantity("hidden")),
        cls.size(draft.quantity("classes")),
    )
    given = Input("x", axes(draft, "TB", ("feature", width.value)))
    masks = Input("masks", axes(draft, "TB"))
    cls.arguments = ["x", "masks"]
    cls.init.add(f"self.body = nn.Linear({width.init}, {middle.init})", "front")
    prefix = draft.prefix
    text = f"self.gru = {prefix}GRU(@, {hidden.init})"
    wrong = [
        Wrong("input_size wrong", text.replace("@", width.init), "rnn-call front"),
        Wrong(
            "batch_first added",
            text.replace("@", middle.init).replace(")", ", batch_first=True)"),
            "rnn-call state",
            needs="layout",
        ),
    ]
    cls.init.add(text.replace("@", middle.init), "rnn", wrong)
    cls.init.add(
        f"self.actor = nn.Linear({hidden.init}, {actions.init})",
        "head",
        [Wrong("Linear of wrong size", f"self.actor = nn.Linear({middle.init}, {actions.init})", "head-call")],
    )
    steps, envs = draft.pick(("T", "B"), ("steps", "batch"), ("num_steps", "num_envs"), ("time", "n"))
    fronts.describe(cls, given, layout=True)
    if draft.chance(0.6):
        cls.forward.add(f"{steps}, {envs} = x.shape[:2]", "count")
        if envs in ("B", "batch", "n"):
            draft.evidence.add("unpacked")
    else:
        cls.forward.add(f"{steps}, {envs} = x.size(0), x.size(1)", "count")
    cls.forward.add("x = torch.relu(self.body(x))", "front-call")
    wrong = [
        Wrong("state batch-first", f"h = torch.zeros({envs}, 1, {hidden.later()})", "rnn-call"),
        Wrong("state sized by the time", f"h = torch.zeros(1, {steps}, {hidden.later()})", "rnn-call"),
    ]
    cls.forward.add(f"h = torch.zeros(1, {envs}, {hidden.later()})", "state", wrong)
    draft.evidence.add("state")
    cls.forward.add("outputs = []")
    cls.forward.add(
        f"for t in range({steps}):", "loop", [Wrong("loop over the batch", f"for t in range({envs}):", "rnn-call step")]
    )
    block = Block(draft, 3)
    block.add(
        "h = h * masks[t].view(1, -1, 1)",
        "step",
        [Wrong("mask on the wrong axis", "h = h * masks[t].view(-1, 1, 1)", "rnn-call state")],
    )
    wrong = [
        Wrong("step without its axis", "out, h = self.gru(x[t], h)", "state"),
        Wrong("step of the wrong axis", "out, h = self.gru(x[:, t].unsqueeze(0), h)", "state step loop"),
        Wrong("step put on the wrong axis", "out, h = self.gru(x[t].unsqueeze(1), h)", "state step loop"),
    ]
    block.add(
        "out, h = self.gru(x[t].unsqueeze(0), h)" if draft.chance(0.5) else "out, h = self.gru(x[t : t + 1], h)",
        "rnn-call",
        wrong,
    )
    block.add("outputs.append(out)")
    cls.forward.lines += block.lines
    wrong = [
        Wrong("steps joined along the batch", "out = torch.cat(outputs, dim=1)", "loss", needs="loss target"),
        Wrong("steps stacked, not joined", "out = torch.stack(outputs)", "loss", needs="loss target"),
    ]
    cls.forward.add(draft.pick("out = torch.cat(outputs, dim=0)", "out = torch.cat(outputs)"), "reading", wrong)
    cls.forward.add("return self.actor(out)", "head-call")
    draft.measured = Measured(cls.construct(draft.outer), "model(x, masks)", (given, masks), 1, 0, causal=True)
    driver = draft.driver
    draft.evidence |= {"sizes", "loss"}
    driver.add(f"model = {cls.construct(draft.outer)}")
    driver.add(f"x = torch.randn({draft.time}, {draft.batch}, {width.value})", "input")
    driver.add(f"masks = torch.ones({draft.time}, {draft.batch})", "input")
    driver.add(f"actions = torch.randint(0, {actions.value}, ({draft.time}, {draft.batch}))", "input")
    driver.add("logits = model(x, masks)", "model-call")
    wrong = [Wrong("classes last in a cross entropy", "loss = F.cross_entropy(logits, actions)", "")]
    driver.add(f"loss = F.cross_entropy(logits.reshape(-1, {actions.value}), actions.reshape(-1))", "loss", wrong)
    driver.add("loss.backward()")
