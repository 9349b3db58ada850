"""A program while it is being written: its sizes, classes and driver, and the places where it can be made wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from benchmarks.fuzz.program import Line, Measured, Mistake, Program
from benchmarks.fuzz.sizes import NAMES, Config, Parameter, Quantity, Signature, Size, Way

Choice = TypeVar("Choice")

WIDTHS = (4, 5, 6, 8, 9, 10, 12, 14, 16, 20)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A mistake to offer for a line: its row in the table, the faulty text, tags of other right lines."""

    kind: str
    text: str
    also: str = ""
    needs: str = ""


@dataclass(slots=True)
class Block:
    """Statements of one suite."""

    draft: Draft
    indent: int
    lines: list[Line] = field(default_factory=list)

    def add(self, text: str, tags: str = "", wrong: Iterable[Wrong] = ()) -> Line:
        """Write a statement, and what could stand wrong in its place."""
        line = Line(self._indented(text), frozenset(tags.split()))
        self.lines.append(line)
        for one in wrong:
            if one.text != text:
                self.draft.offer(line, Wrong(one.kind, self._indented(one.text), one.also, one.needs))
        return line

    def _indented(self, text: str) -> str:
        pad = "    " * self.indent
        return "\n".join(pad + row if row else row for row in text.split("\n")) if text else ""


@dataclass(slots=True)
class Class:
    """An nn.Module class."""

    draft: Draft
    name: str
    signature: Signature = field(default_factory=Signature)
    base: str = "nn.Module"
    super_arguments: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    class_lines: list[str] = field(default_factory=list)
    init: Block = field(init=False)
    forward: Block = field(init=False)
    methods: list[Block] = field(default_factory=list)
    arguments: list[str] = field(default_factory=lambda: ["x"])
    documented: list[str] = field(default_factory=list)
    flag_mistakes: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    forward_name: str = "forward"

    def __post_init__(self) -> None:
        self.init = Block(self.draft, 2)
        self.forward = Block(self.draft, 2)

    @property
    def has_options(self) -> bool:
        """Whether its constructor takes flags: then only a construction says which of them hold."""
        return any(one.hint == "bool" for one in self.signature.parameters)

    def size(self, quantity: Quantity) -> Size:
        """A quantity as this class spells it."""
        config = self.draft.config
        name = quantity.name
        match quantity.way:
            case "literal":
                return Size(quantity.value, str(quantity.value), lambda: str(quantity.value))
            case "constant":
                return Size(quantity.value, name.upper(), lambda: name.upper())
            case "parameter":
                self.signature.add(Parameter(name, "", quantity, "int"))
                return Size(quantity.value, name, lambda: self.keep(name, name))
            case "default":
                self.signature.add(Parameter(name, str(quantity.value), quantity, "int"))
                return Size(quantity.value, name, lambda: self.keep(name, name))
            case "class":
                line = f"{name} = {quantity.value}"
                if line not in self.class_lines:
                    self.class_lines.append(line)
                return Size(quantity.value, f"self.{name}", lambda: f"self.{name}")
            case "config":
                self.signature.add(Parameter(config.short, "", config.outer))
                return Size(
                    quantity.value,
                    config.read(config.short, name),
                    lambda: config.read(self.keep(config.short, config.short), name),
                )

    def keep(self, name: str, value: str) -> str:
        """Store something on self in the constructor; how a method reads it."""
        self.attributes.setdefault(name, value)
        return f"self.{name}"

    def method(self, header: str) -> Block:
        """A further method, to be filled."""
        block = Block(self.draft, 2)
        block.lines.append(Line("    " + header, frozenset({"header"})))
        self.methods.append(block)
        return block

    def construct(self, spell: Callable[[Quantity], str]) -> str:
        """The call that builds it, from outside or from another class's constructor."""
        given: list[str] = []
        named = False
        rng = self.draft.rng
        for parameter in self.signature.ordered():
            if parameter.given is None:
                named = True
                continue
            if parameter.default and rng.random() < 0.3:
                named = True
                continue
            text = spell(parameter.given) if isinstance(parameter.given, Quantity) else parameter.given
            named = named or (bool(parameter.default) and rng.random() < 0.4) or rng.random() < 0.08
            given.append(f"{parameter.name}={text}" if named else text)
        return f"{self.name}({', '.join(given)})"

    def lines(self) -> list[Line]:
        """The class as it is printed."""
        draft, rng = self.draft, self.draft.rng
        parameters = self.signature.ordered()
        hints = draft.hints
        head = "    def __init__(self" + "".join(", " + one.text(hints=hints) for one in parameters) + "):"
        out = [Line(""), Line(""), Line(f"class {self.name}({self.base}):")]
        if self.documented and draft.documents == "class":
            out += _docstring(self.documented, "    ", rng)
        out += [Line("    " + one) for one in self.class_lines]
        if self.class_lines:
            out.append(Line(""))
        signature = Line(head, frozenset({"signature"}))
        for kind, right, faulty, also, needs in self.flag_mistakes:
            draft.offer(signature, Wrong(kind, head.replace(right, faulty), also, needs))
        out.append(signature)
        out.append(
            Line(
                f"        super({self.name}, self).__init__({self.super_arguments})"
                if draft.old_super
                else f"        super().__init__({self.super_arguments})"
            )
        )
        out += [Line(f"        self.{name} = {value}") for name, value in self.attributes.items()]
        out += self.init.lines
        for block in self.methods:
            out += [Line(""), *block.lines]
        arguments = ", ".join(self.arguments)
        if hints:
            arguments = arguments.replace("x", "x: torch.Tensor", 1) if self.arguments[0] == "x" else arguments
        out += [Line(""), Line(f"    def {self.forward_name}(self, {arguments}):")]
        if self.documented and draft.documents == "forward":
            out += _docstring(self.documented, "        ", rng)
        elif self.documented and draft.documents == "comment":
            out += [Line(f"        # {one}") for one in self.documented]
        return out + self.forward.lines


def _docstring(rows: Sequence[str], pad: str, rng: random.Random) -> list[Line]:
    match rng.randrange(3):
        case 0 if len(rows) == 1:
            return [Line(f'{pad}"""{rows[0]}"""')]
        case 1:
            body = [f'{pad}"""', f"{pad}Args:", *(f"{pad}    {row}" for row in rows), f'{pad}"""']
        case _:
            body = [f'{pad}"""Forward pass.', "", *(f"{pad}{row}" for row in rows), f'{pad}"""']
    return [Line("\n".join(body))]


class Draft:
    """One program in the making, from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        rng = self.rng
        self.mistakes: list[Mistake] = []
        self.evidence: set[str] = set()
        self.quantities: dict[str, Quantity] = {}
        self.classes: list[Class] = []
        self.functions: list[Line] = []
        self.hints = rng.random() < 0.2
        self.old_super = rng.random() < 0.35
        self.documents = self.pick("class", "forward", "comment")
        self.prefix = self.pick("nn.", "nn.", "nn.", "torch.nn.", "")
        self.style: str = self.pick(
            "literal", "parameter", "parameter", "default", "constant", "config", "config", "class", "mixed", "mixed"
        )
        kind = self.pick("dataclass", "dict", "argparse", "namespace", "class")
        self.config = Config(kind, *self.pick(("config", "config"), ("cfg", "CFG"), ("args", "args"), ("opt", "opt")))
        self.driver = Block(self, 0)
        batch, time = rng.sample((3, 4, 5, 6, 7), 2)
        self.same = rng.random() < 0.3
        self.batch = batch
        self.time = batch if self.same else time
        self.measured: Measured | None = None
        self.family = ""

    def pick(self, *options: Choice) -> Choice:
        """One of some options."""
        return self.rng.choice(options)

    def chance(self, probability: float) -> bool:
        """Whether something happens."""
        return self.rng.random() < probability

    def quantity(self, role: str, value: int | None = None) -> Quantity:
        """A size of the program, made when it is first asked for."""
        if role not in self.quantities:
            taken = {one.value for one in self.quantities.values()} | {self.batch, self.time}
            free = [one for one in WIDTHS if one not in taken] or [24]
            names = [one for one in NAMES[role] if all(one != other.name for other in self.quantities.values())]
            chosen = value if value is not None else self.rng.choice(free)
            self.quantities[role] = Quantity(role, chosen, self.rng.choice(names), self._way())
        return self.quantities[role]

    def _way(self) -> Way:
        ways: tuple[Way, ...] = ("literal", "parameter", "default", "constant")
        match self.style:
            case "literal" | "parameter" | "default" | "constant" | "config" | "class":
                return self.style
            case _:
                return self.rng.choice(ways)

    def outer(self, quantity: Quantity) -> str:
        """A size as code outside of classes writes it."""
        match quantity.way:
            case "constant":
                return quantity.name.upper()
            case "config":
                return self.config.read(self.config.outer, quantity.name)
            case _:
                return str(quantity.value)

    def module(self, *names: str) -> Class:
        """A new class."""
        taken = {one.name for one in self.classes}
        made = Class(self, self.rng.choice([one for one in names if one not in taken] or [names[0] + "Net"]))
        self.classes.append(made)
        return made

    def offer(self, line: Line, wrong: Wrong) -> None:
        """A mistake that could be planted."""
        self.mistakes.append(Mistake(wrong.kind, line, wrong.text, frozenset(wrong.also.split()), wrong.needs))

    def finish(self) -> Program:
        """The program."""
        assert self.measured is not None
        body = [line for one in self.classes for line in one.lines()]
        lines = [Line(text) for text in self._head()]
        lines += body
        if self.functions:
            lines += [Line(""), Line(""), *self.functions]
        lines += [Line(""), Line(""), *self.driver.lines]
        return Program(
            self.seed, self.family, tuple(lines), tuple(self.mistakes), self.measured, frozenset(self.evidence)
        )

    def _head(self) -> list[str]:
        out = ["import argparse"] if self.config.kind == "argparse" and self._configured() else []
        if self.config.kind == "dataclass" and self._configured():
            out.append("from dataclasses import dataclass")
        if self.config.kind == "namespace" and self._configured():
            out.append("from types import SimpleNamespace")
        out += ["", "import torch", "import torch.nn as nn", "import torch.nn.functional as F"]
        if not self.prefix:
            out.append("from torch.nn import GRU, LSTM, RNN")
        out += [
            "from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence",
            "from torch.utils.data import DataLoader, Dataset, TensorDataset",
        ]
        constants = [one for one in self.quantities.values() if one.way == "constant"]
        if constants:
            out += ["", *(f"{one.name.upper()} = {one.value}" for one in constants)]
        return out + self._config_lines()

    def _configured(self) -> list[Quantity]:
        return [one for one in self.quantities.values() if one.way == "config"]

    def _config_lines(self) -> list[str]:
        fields = self._configured()
        if not fields:
            return []
        outer = self.config.outer
        match self.config.kind:
            case "dict":
                return ["", f"{outer} = {{", *(f'    "{one.name}": {one.value},' for one in fields), "}"]
            case "namespace":
                return ["", f"{outer} = SimpleNamespace({', '.join(f'{one.name}={one.value}' for one in fields)})"]
            case "dataclass":
                rows = [f"    {one.name}: int = {one.value}" for one in fields]
                return ["", "", "@dataclass", "class Settings:", *rows, "", "", f"{outer} = Settings()"]
            case "argparse":
                rows = [f'parser.add_argument("--{one.name}", type=int, default={one.value})' for one in fields]
                return ["", "parser = argparse.ArgumentParser()", *rows, f"{outer} = parser.parse_args([])"]
            case _:
                rows = [f"    {one.name} = {one.value}" for one in fields]
                return ["", "", "class Settings:", *rows, "", "", f"{outer} = Settings()"]
