"""From libcst's tree to records: the whole of Python's syntax, a table from node types to the methods that lower them.

No visitors, no metadata and no matchers: this reads the fields that carry meaning and leaves the rest, which makes it
cost about a twentieth of the parse. It never fails on what libcst parses. What has no record becomes a `Formatted`
without values, of which the interpreter knows nothing.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

import libcst as cst

from rnnshape_guard.static import records
from rnnshape_guard.static.records import Expression, Statement

Comments = tuple[records.Comment, ...]

_DEEPEST: Final = 100_000
_LONGEST_WORD: Final = 24
_Line: Final = cst.SimpleStatementLine


def lower(
    module: cst.Module, at: Numbering | None = None, unread: Mapping[str, Any] = MappingProxyType({})
) -> records.Module:
    """The records of a file.

    Own-line comments directly above a statement and the comment behind its line come with it; a statement's node is
    the small statement, not the line. ``pass`` leaves nothing. A function whose body is nothing but a name of `unread`
    has the body that is kept there.
    """
    with room_to_recurse():
        return _Lowering(at or Numbering(), unread).module(module)


def lower_body(module: cst.Module, at: Numbering) -> records.Body:
    """The body of the one function that a module consists of."""
    with room_to_recurse():
        return _Lowering(at, {}).body(module.body[0])


class Numbering:
    """Numbers the nodes of records in their order, from `first` on; lowering the same text again numbers them alike."""

    __slots__ = ("first", "nodes")

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.nodes: list[Any] = []

    def __call__(self, node: Any) -> int:
        """The number of a node."""
        self.nodes.append(node)
        return self.first + len(self.nodes) - 1


@contextmanager
def room_to_recurse() -> Iterator[None]:
    """Let pure Python recurse as deep as a file's nesting asks; Python's own frames take no C stack."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


class _Lowering:
    """One walk over a tree. `yields` says whether the function being lowered has a yield of its own."""

    __slots__ = ("at", "inside", "unread", "words", "yields")

    def __init__(self, at: Numbering, unread: Mapping[str, Any]) -> None:
        self.at = at
        self.unread = unread
        self.yields = False
        self.words: set[str] = set()
        self.inside: list[records.Unread] = []

    # -- the file and its blocks -----------------------------------------------------------------------------------

    def module(self, node: cst.Module) -> records.Module:
        body: list[Statement] = []
        words: list[records.Words] = []
        for each in node.body:
            self.words, self.inside = set(), []
            body += self.statements((each,))
            words += [records.Words(self.words, self.inside)] * (len(body) - len(words))
        docstring, documented = _documented(body)
        words = words[len(body) - len(documented) :]
        body = documented
        if body and docstring is None and node.header:
            body[0].comments = self.comments_above(node.header) + body[0].comments
        footer = [
            records.Comment(self.at(line.comment), line.comment.value[1:], False)
            for line in node.footer
            if line.comment
        ]
        return records.Module(self.at(node), tuple(body), docstring, tuple(footer), tuple(words))

    def block(self, suite: Any) -> tuple[Statement, ...]:
        """The statements of an indented block, or of a suite on the header's line."""
        if type(suite) is cst.IndentedBlock:
            return tuple(self.statements(suite.body))
        found: list[Statement] = []
        self.line(suite, (), found)
        return tuple(found)

    def statements(self, body: Sequence[Any]) -> list[Statement]:
        found: list[Statement] = []
        line = self.line
        for node in body:
            above = node.leading_lines
            comments = self.comments_above(above) if above else ()
            if type(node) is _Line:
                line(node, comments, found)
            else:
                found.append(_COMPOUND[type(node)](self, node, comments))
        return found

    def line(self, node: Any, comments: Comments, found: list[Statement]) -> None:
        """The small statements of one line: the comments above speak of the first, the one behind of the last."""
        behind = node.trailing_whitespace.comment
        trailing = () if behind is None else (records.Comment(self.at(behind), behind.value[1:], True),)
        small = node.body
        if len(small) == 1:
            lowered = _SMALL[type(small[0])](self, small[0], comments + trailing)
            if lowered is not None:
                found.append(lowered)
            return
        several = [lowered for each in small if (lowered := _SMALL[type(each)](self, each, ())) is not None]
        if several:
            several[0].comments = comments
            several[-1].comments += trailing
            found += several

    # -- names, numbers, strings -----------------------------------------------------------------------------------

    def unknown(self, node: Any) -> Expression:
        return records.Formatted(self.at(node), ())

    def name(self, node: Any) -> Expression:
        word = node.value
        if word in _SINGLETONS:
            return records.Constant(self.at(node), _SINGLETONS[word])
        self.words.add(word)
        return records.Name(self.at(node), word)

    def attribute(self, node: Any) -> Expression:
        value = node.value
        name = node.attr.value
        self.words.add(name)
        return records.Attribute(self.at(node), _EXPRESSIONS[type(value)](self, value), name)

    def ellipsis(self, node: Any) -> Expression:
        return records.Constant(self.at(node), ...)

    def integer(self, node: Any) -> Expression:
        text = node.value
        try:
            return records.Constant(self.at(node), int(text) if text.isdigit() else int(text, 0))
        except ValueError:  # more digits than Python converts
            return records.Formatted(self.at(node), ())

    def real(self, node: Any) -> Expression:
        return records.Constant(self.at(node), float(node.value))

    def imaginary(self, node: Any) -> Expression:
        return records.Constant(self.at(node), complex(node.value.replace("_", "")))

    def string(self, node: Any) -> Expression:
        text = node.value
        quote = text[0]
        if quote in "\"'" and "\\" not in text and "\r" not in text:
            width = 3 if len(text) > 5 and text[1] == quote else 1
            if len(text) < _LONGEST_WORD:
                self.words.add(text[width:-width])
            return records.Constant(self.at(node), text[width:-width])
        try:
            return records.Constant(self.at(node), ast.literal_eval(text))
        except (ValueError, SyntaxError):
            return records.Formatted(self.at(node), ())

    def joined_strings(self, node: Any) -> Expression:
        parts: list[Expression] = []
        rest = node
        while type(rest) is cst.ConcatenatedString:
            parts.append(_EXPRESSIONS[type(rest.left)](self, rest.left))
            rest = rest.right
        parts.append(_EXPRESSIONS[type(rest)](self, rest))
        texts = [part.value for part in parts if type(part) is records.Constant]
        if len(texts) == len(parts):
            return records.Constant(self.at(node), type(texts[0])().join(texts))
        return records.Formatted(self.at(node), tuple(parts))

    def formatted(self, node: Any) -> Expression:
        raw = "r" in node.start.lower()
        parts: list[Expression] = []
        for part in node.parts:
            if type(part) is cst.FormattedStringText:
                text = part.value.replace("{{", "{").replace("}}", "}")
                plain = raw or "\\" not in text
                parts.append(records.Constant(self.at(part), text) if plain else records.Formatted(self.at(part), ()))
                continue
            value = _EXPRESSIONS[type(part.expression)](self, part.expression)
            if part.conversion or part.format_spec or part.equal:
                value = records.Formatted(self.at(part), (value, records.Formatted(self.at(part), ())))
            parts.append(value)
        return records.Formatted(self.at(node), tuple(parts))

    # -- operators -------------------------------------------------------------------------------------------------

    def binary(self, node: Any) -> Expression:
        left, right = node.left, node.right
        return records.BinaryOperation(
            self.at(node),
            _OPERATORS[type(node.operator)],
            _EXPRESSIONS[type(left)](self, left),
            _EXPRESSIONS[type(right)](self, right),
        )

    def unary(self, node: Any) -> Expression:
        operand = node.expression
        return records.UnaryOperation(
            self.at(node),
            _OPERATORS[type(node.operator)],
            _EXPRESSIONS[type(operand)](self, operand),
        )

    def boolean(self, node: Any) -> Expression:
        left, right = node.left, node.right
        return records.BooleanOperation(
            self.at(node),
            _OPERATORS[type(node.operator)],
            _EXPRESSIONS[type(left)](self, left),
            _EXPRESSIONS[type(right)](self, right),
        )

    def comparison(self, node: Any) -> Expression:
        left = node.left
        rights = [
            (
                _OPERATORS[type(each.operator)],
                _EXPRESSIONS[type(each.comparator)](self, each.comparator),
            )
            for each in node.comparisons
        ]
        return records.Comparison(self.at(node), _EXPRESSIONS[type(left)](self, left), tuple(rights))

    def conditional(self, node: Any) -> Expression:
        test, body, orelse = node.test, node.body, node.orelse
        return records.Conditional(
            self.at(node),
            _EXPRESSIONS[type(test)](self, test),
            _EXPRESSIONS[type(body)](self, body),
            _EXPRESSIONS[type(orelse)](self, orelse),
        )

    def named(self, node: Any) -> Expression:
        return records.NamedExpression(self.at(node), self.expression(node.target), self.expression(node.value))

    def awaited(self, node: Any) -> Expression:
        return records.Await(self.at(node), self.expression(node.expression))

    def yielded(self, node: Any) -> Expression:
        self.yields = True
        match node.value:
            case None:
                return records.Yield(self.at(node), None, False)
            case cst.From(item=item):
                return records.Yield(self.at(node), self.expression(item), True)
            case value:
                return records.Yield(self.at(node), self.expression(value), False)

    def lambda_(self, node: Any) -> Expression:
        outer = self.yields
        lowered = records.Lambda(self.at(node), self.parameters(node.params), self.expression(node.body))
        self.yields = outer
        return lowered

    # -- calls and subscripts --------------------------------------------------------------------------------------

    def call(self, node: Any) -> Expression:
        function = node.func
        arguments = node.args
        if type(function) is cst.Name and function.value == "self":
            self.words.add("forward")  # what a module called as a function runs
        return records.Call(
            self.at(node),
            _EXPRESSIONS[type(function)](self, function),
            self.arguments(arguments) if arguments else (),
        )

    def arguments(self, nodes: Sequence[Any]) -> tuple[records.Argument, ...]:
        found = []
        for node in nodes:
            value, keyword = node.value, node.keyword
            found.append(
                records.Argument(
                    self.at(node),
                    _EXPRESSIONS[type(value)](self, value),
                    None if keyword is None else keyword.value,
                    node.star,
                )
            )
        return tuple(found)

    def subscript(self, node: Any) -> Expression:
        value, elements = node.value, node.slice
        first = elements[0].slice
        if len(elements) > 1 or type(elements[0].comma) is cst.Comma:
            items, is_tuple = [self.index(element.slice) for element in elements], True
        elif type(first) is cst.Index and type(first.value) is cst.Tuple and not first.star:
            items, is_tuple = self.elements(first.value.elements), True
        else:
            items, is_tuple = [self.index(first)], False
        return records.Subscript(self.at(node), _EXPRESSIONS[type(value)](self, value), tuple(items), is_tuple)

    def index(self, node: Any) -> Expression:
        if type(node) is cst.Index:
            value = _EXPRESSIONS[type(node.value)](self, node.value)
            return records.Starred(self.at(node), value) if node.star else value
        return records.SliceRange(
            self.at(node),
            self.optional(node.lower),
            self.optional(node.upper),
            self.optional(node.step),
        )

    # -- displays and comprehensions -------------------------------------------------------------------------------

    def elements(self, nodes: Sequence[Any]) -> list[Expression]:
        return [
            _EXPRESSIONS[type(node.value)](self, node.value)
            if type(node) is cst.Element
            else records.Starred(self.at(node), self.expression(node.value))
            for node in nodes
        ]

    def tuple_(self, node: Any) -> Expression:
        return records.Sequence(self.at(node), "tuple", tuple(self.elements(node.elements)))

    def list_(self, node: Any) -> Expression:
        return records.Sequence(self.at(node), "list", tuple(self.elements(node.elements)))

    def set_(self, node: Any) -> Expression:
        return records.Sequence(self.at(node), "set", tuple(self.elements(node.elements)))

    def starred(self, node: Any) -> Expression:
        return records.Starred(self.at(node), self.expression(node.value))

    def dict_(self, node: Any) -> Expression:
        items = [
            (
                self.expression(element.key) if type(element) is cst.DictElement else None,
                _EXPRESSIONS[type(element.value)](self, element.value),
            )
            for element in node.elements
        ]
        return records.Mapping(self.at(node), tuple(items))

    def list_comprehension(self, node: Any) -> Expression:
        return records.Comprehension(
            self.at(node), "list", None, self.expression(node.elt), self.generators(node.for_in)
        )

    def set_comprehension(self, node: Any) -> Expression:
        return records.Comprehension(
            self.at(node), "set", None, self.expression(node.elt), self.generators(node.for_in)
        )

    def generator(self, node: Any) -> Expression:
        return records.Comprehension(
            self.at(node),
            "generator",
            None,
            self.expression(node.elt),
            self.generators(node.for_in),
        )

    def dict_comprehension(self, node: Any) -> Expression:
        return records.Comprehension(
            self.at(node),
            "dict",
            self.expression(node.key),
            self.expression(node.value),
            self.generators(node.for_in),
        )

    def generators(self, node: Any) -> tuple[records.Generator, ...]:
        found = []
        while node is not None:
            conditions = tuple([self.expression(condition.test) for condition in node.ifs])
            found.append(
                records.Generator(
                    self.at(node),
                    self.expression(node.target),
                    self.expression(node.iter),
                    conditions,
                )
            )
            node = node.inner_for_in
        return tuple(found)

    def expression(self, node: Any) -> Expression:
        return _EXPRESSIONS[type(node)](self, node)

    def optional(self, node: Any) -> Expression | None:
        return None if node is None else _EXPRESSIONS[type(node)](self, node)

    # -- small statements ------------------------------------------------------------------------------------------

    def nothing(self, *_: Any) -> None:
        return None

    def evaluate(self, node: Any, comments: Comments) -> Statement:
        value = node.value
        return records.Evaluate(self.at(node), comments, _EXPRESSIONS[type(value)](self, value))

    def assign(self, node: Any, comments: Comments) -> Statement:
        value = node.value
        targets = [_EXPRESSIONS[type(each.target)](self, each.target) for each in node.targets]
        return records.Assign(self.at(node), comments, tuple(targets), _EXPRESSIONS[type(value)](self, value))

    def annotated_assign(self, node: Any, comments: Comments) -> Statement:
        return records.AnnotatedAssign(
            self.at(node),
            comments,
            self.expression(node.target),
            self.expression(node.annotation.annotation),
            self.optional(node.value),
        )

    def augmented_assign(self, node: Any, comments: Comments) -> Statement:
        operator = _OPERATORS[type(node.operator)]
        return records.AugmentedAssign(
            self.at(node),
            comments,
            self.expression(node.target),
            operator,
            self.expression(node.value),
        )

    def return_(self, node: Any, comments: Comments) -> Statement:
        return records.Return(self.at(node), comments, self.optional(node.value))

    def raise_(self, node: Any, comments: Comments) -> Statement:
        return records.Raise(self.at(node), comments)

    def assert_(self, node: Any, comments: Comments) -> Statement:
        return records.Assert(self.at(node), comments, self.expression(node.test))

    def delete(self, node: Any, comments: Comments) -> Statement:
        match node.target:
            case cst.Tuple(elements=elements):
                return records.Delete(self.at(node), comments, tuple(self.elements(elements)))
            case target:
                return records.Delete(self.at(node), comments, (self.expression(target),))

    def global_(self, node: Any, comments: Comments) -> Statement:
        return records.Scope(self.at(node), comments, tuple([item.name.value for item in node.names]), True)

    def nonlocal_(self, node: Any, comments: Comments) -> Statement:
        return records.Scope(self.at(node), comments, tuple([item.name.value for item in node.names]), False)

    def break_(self, node: Any, comments: Comments) -> Statement:
        return records.Jump(self.at(node), comments, True)

    def continue_(self, node: Any, comments: Comments) -> Statement:
        return records.Jump(self.at(node), comments, False)

    def import_(self, node: Any, comments: Comments) -> Statement:
        return records.Import(self.at(node), comments, _imported(node.names))

    def import_from(self, node: Any, comments: Comments) -> Statement:
        names = (("*", None),) if type(node.names) is cst.ImportStar else _imported(node.names)
        module = "" if node.module is None else _dotted(node.module)
        return records.ImportFrom(self.at(node), comments, module, len(node.relative), names)

    def type_alias(self, node: Any, comments: Comments) -> Statement:
        return records.Assign(self.at(node), comments, (self.expression(node.name),), self.expression(node.value))

    # -- compound statements ---------------------------------------------------------------------------------------

    def if_(self, node: Any, comments: Comments) -> Statement:
        """The arms of an elif chain, built from the last to the first: a chain may be long."""
        arms = []
        arm = node
        while type(arm) is cst.If:
            above = comments if arm is node else self.comments_above(arm.leading_lines)
            arms.append(
                (
                    arm,
                    above + self.comment_behind(arm.body),
                    self.expression(arm.test),
                    self.block(arm.body),
                )
            )
            arm = arm.orelse
        orelse = () if arm is None else self.block(arm.body)
        for arm, above, test, body in reversed(arms):
            orelse = (records.If(self.at(arm), above, test, body, orelse),)
        return orelse[0]

    def for_(self, node: Any, comments: Comments) -> Statement:
        return records.For(
            self.at(node),
            comments + self.comment_behind(node.body),
            self.expression(node.target),
            self.expression(node.iter),
            self.block(node.body),
            self.orelse(node),
        )

    def while_(self, node: Any, comments: Comments) -> Statement:
        return records.While(
            self.at(node),
            comments + self.comment_behind(node.body),
            self.expression(node.test),
            self.block(node.body),
            self.orelse(node),
        )

    def with_(self, node: Any, comments: Comments) -> Statement:
        items = [
            (
                self.expression(item.item),
                None if item.asname is None else self.expression(item.asname.name),
            )
            for item in node.items
        ]
        return records.With(
            self.at(node),
            comments + self.comment_behind(node.body),
            tuple(items),
            self.block(node.body),
        )

    def try_(self, node: Any, comments: Comments) -> Statement:
        body = self.block(node.body)
        handlers = [
            (
                None if handler.name is None else handler.name.name.value,
                self.block(handler.body),
            )
            for handler in node.handlers
        ]
        final = () if node.finalbody is None else self.block(node.finalbody.body)
        return records.Try(
            self.at(node),
            comments + self.comment_behind(node.body),
            body,
            tuple(handlers),
            self.orelse(node),
            final,
            tuple(
                [
                    word
                    for handler, (_, inner) in zip(node.handlers, handlers, strict=True)
                    if not _raises(inner)
                    for word in _last_words(handler.type)
                ]
            ),
        )

    def orelse(self, node: Any) -> tuple[Statement, ...]:
        return () if node.orelse is None else self.block(node.orelse.body)

    def match(self, node: Any, comments: Comments) -> Statement:
        cases = [self.case(case) for case in node.cases]
        return records.Match(self.at(node), comments, self.expression(node.subject), tuple(cases))

    def case(self, node: Any) -> records.Case:
        pattern = node.pattern
        return records.Case(
            self.at(node),
            self.accepted(pattern),
            tuple(_captures(pattern)),
            type(pattern) is cst.MatchAs and pattern.pattern is None,
            self.optional(node.guard),
            self.block(node.body),
        )

    def accepted(self, pattern: Any) -> tuple[Expression, ...] | None:
        """The values a pattern accepts by equality; None for any other pattern."""
        match pattern:
            case cst.MatchValue(value=value) | cst.MatchSingleton(value=value):
                return (self.expression(value),)
            case cst.MatchAs(pattern=inner) if inner is not None:
                return self.accepted(inner)
            case cst.MatchOr(patterns=patterns):
                found: list[Expression] = []
                for each in patterns:
                    values = self.accepted(each.pattern)
                    if values is None:
                        return None
                    found += values
                return tuple(found)
        return None

    def function(self, node: Any, comments: Comments) -> Statement:
        around, self.words = self.words, set()
        decorators = tuple([self.expression(each.decorator) for each in node.decorators])
        parameters = self.parameters(node.params)
        returns = None if node.returns is None else self.expression(node.returns.annotation)
        header, self.words = self.words, around | self.words
        return records.FunctionDef(
            self.at(node),
            self.comments_of_definition(node, comments),
            node.name.value,
            parameters,
            decorators,
            returns,
            node.asynchronous is not None,
            header,
            self.left_out(node.body) or self.body(node),
        )

    def left_out(self, suite: Any) -> records.Unread | None:
        """The body that was left out of the text, if this is the name that stands for it."""
        match suite:
            case cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[cst.Expr(value=cst.Name(value=word))])]):
                unread = self.unread.get(word)
                if unread is not None:
                    self.inside.append(unread)
                return unread
        return None

    def body(self, node: Any) -> records.Body:
        outer, self.yields = self.yields, False
        around, self.words = self.words, set()
        docstring, body = _documented(self.block(node.body))
        is_generator, self.yields = self.yields, outer
        words = self.words
        self.words = around | words
        return records.Body(tuple(body), docstring, is_generator, words)

    def class_(self, node: Any, comments: Comments) -> Statement:
        decorators = tuple([self.expression(each.decorator) for each in node.decorators])
        bases = self.arguments((*node.bases, *node.keywords))
        docstring, body = _documented(self.block(node.body))
        return records.ClassDef(
            self.at(node),
            self.comments_of_definition(node, comments),
            node.name.value,
            bases,
            tuple(body),
            decorators,
            docstring,
        )

    def parameters(self, node: Any) -> tuple[records.Parameter, ...]:
        found = [self.parameter(each, "positional") for each in node.posonly_params]
        found += [self.parameter(each, "plain") for each in node.params]
        if type(node.star_arg) is cst.Param:
            found.append(self.parameter(node.star_arg, "star"))
        found += [self.parameter(each, "keyword") for each in node.kwonly_params]
        if node.star_kwarg is not None:
            found.append(self.parameter(node.star_kwarg, "double star"))
        return tuple(found)

    def parameter(self, node: Any, kind: str) -> records.Parameter:
        annotation = node.annotation
        return records.Parameter(
            self.at(node),
            node.name.value,
            kind,
            None if annotation is None else self.expression(annotation.annotation),
            self.optional(node.default),
            self.comment_of_parameter(node),
        )

    # -- comments ----------------------------------------------------------------------------------------------------

    def comments_above(self, lines: Sequence[Any]) -> Comments:
        """The comments that touch the statement; an empty line parts the others from it."""
        found: list[records.Comment] = []
        for line in reversed(lines):
            comment = line.comment
            if comment is None:
                break
            found.append(records.Comment(self.at(comment), comment.value[1:], False))
        return tuple(reversed(found)) if found else ()

    def comment_behind(self, suite: Any) -> Comments:
        """The comment behind a block's header."""
        if type(suite) is not cst.IndentedBlock or suite.header.comment is None:
            return ()
        comment = suite.header.comment
        return (records.Comment(self.at(comment), comment.value[1:], True),)

    def comments_of_definition(self, node: Any, comments: Comments) -> Comments:
        between = node.lines_after_decorators
        return comments + (self.comments_above(between) if between else ()) + self.comment_behind(node.body)

    def comment_of_parameter(self, node: Any) -> records.Comment | None:
        comma = node.comma
        space = comma.whitespace_after if type(comma) is cst.Comma else node.whitespace_after_param
        if type(space) is not cst.ParenthesizedWhitespace or space.first_line.comment is None:
            return None
        comment = space.first_line.comment
        return records.Comment(self.at(comment), comment.value[1:], True)


def _documented(
    body: Sequence[Statement],
) -> tuple[records.Constant | None, list[Statement]]:
    """The docstring, if the first statement is one, and the statements without it."""
    match body:
        case [records.Evaluate(value=records.Constant(value=str()) as text), *rest]:
            return text, rest
    return None, list(body)


def _dotted(node: Any) -> str:
    words = []
    while type(node) is cst.Attribute:
        words.append(node.attr.value)
        node = node.value
    return ".".join([node.value, *reversed(words)])


def _imported(names: Sequence[Any]) -> tuple[tuple[str, str | None], ...]:
    return tuple(
        [
            (
                _dotted(each.name),
                None if each.asname is None else each.asname.name.value,
            )
            for each in names
        ]
    )


def _captures(pattern: Any) -> Iterator[str]:
    """The names that a pattern binds, in order."""
    within: tuple[Any, ...] = ()
    bound: Any = None
    match pattern:
        case cst.MatchAs(pattern=inner, name=bound):
            within = (inner,)
        case cst.MatchStar(name=bound):
            pass
        case cst.MatchMapping(elements=inner, rest=bound):
            within = tuple(inner)
        case cst.MatchClass(patterns=inner, kwds=keywords):
            within = (*inner, *keywords)
        case cst.MatchOr(patterns=inner) | cst.MatchList(patterns=inner) | cst.MatchTuple(patterns=inner):
            within = tuple(inner)
        case cst.MatchSequenceElement(value=inner):
            within = (inner,)
        case cst.MatchOrElement() | cst.MatchMappingElement() | cst.MatchKeywordElement():
            within = (pattern.pattern,)
    for each in within:
        yield from _captures(each)
    if bound is not None:
        yield bound.value


_SINGLETONS: Final = {"True": True, "False": False, "None": None}

_OPERATORS: Final[dict[type, str]] = {
    cst.Plus: "+",
    cst.Minus: "-",
    cst.BitInvert: "~",
    cst.Not: "not",
    cst.And: "and",
    cst.Or: "or",
    cst.Add: "+",
    cst.Subtract: "-",
    cst.Multiply: "*",
    cst.Divide: "/",
    cst.FloorDivide: "//",
    cst.Modulo: "%",
    cst.Power: "**",
    cst.MatrixMultiply: "@",
    cst.LeftShift: "<<",
    cst.RightShift: ">>",
    cst.BitOr: "|",
    cst.BitAnd: "&",
    cst.BitXor: "^",
    cst.LessThan: "<",
    cst.GreaterThan: ">",
    cst.Equal: "==",
    cst.LessThanEqual: "<=",
    cst.GreaterThanEqual: ">=",
    cst.NotEqual: "!=",
    cst.In: "in",
    cst.NotIn: "not in",
    cst.Is: "is",
    cst.IsNot: "is not",
    cst.AddAssign: "+",
    cst.SubtractAssign: "-",
    cst.MultiplyAssign: "*",
    cst.MatrixMultiplyAssign: "@",
    cst.DivideAssign: "/",
    cst.ModuloAssign: "%",
    cst.BitAndAssign: "&",
    cst.BitOrAssign: "|",
    cst.BitXorAssign: "^",
    cst.LeftShiftAssign: "<<",
    cst.RightShiftAssign: ">>",
    cst.PowerAssign: "**",
    cst.FloorDivideAssign: "//",
}

_NODES: Final = [kind for kind in vars(cst).values() if isinstance(kind, type) and issubclass(kind, cst.CSTNode)]

# Every node type has an entry, so that a lookup never fails: syntax newer than these tables is unknown, not an error.
_EXPRESSIONS: Final[dict[type, Callable[[_Lowering, Any], Expression]]] = {
    **dict.fromkeys(_NODES, _Lowering.unknown),
    cst.Name: _Lowering.name,
    cst.Attribute: _Lowering.attribute,
    cst.Ellipsis: _Lowering.ellipsis,
    cst.Integer: _Lowering.integer,
    cst.Float: _Lowering.real,
    cst.Imaginary: _Lowering.imaginary,
    cst.SimpleString: _Lowering.string,
    cst.ConcatenatedString: _Lowering.joined_strings,
    cst.FormattedString: _Lowering.formatted,
    cst.BinaryOperation: _Lowering.binary,
    cst.UnaryOperation: _Lowering.unary,
    cst.BooleanOperation: _Lowering.boolean,
    cst.Comparison: _Lowering.comparison,
    cst.IfExp: _Lowering.conditional,
    cst.NamedExpr: _Lowering.named,
    cst.Await: _Lowering.awaited,
    cst.Yield: _Lowering.yielded,
    cst.Lambda: _Lowering.lambda_,
    cst.Call: _Lowering.call,
    cst.Subscript: _Lowering.subscript,
    cst.Tuple: _Lowering.tuple_,
    cst.List: _Lowering.list_,
    cst.Set: _Lowering.set_,
    cst.StarredElement: _Lowering.starred,
    cst.Dict: _Lowering.dict_,
    cst.ListComp: _Lowering.list_comprehension,
    cst.SetComp: _Lowering.set_comprehension,
    cst.GeneratorExp: _Lowering.generator,
    cst.DictComp: _Lowering.dict_comprehension,
}

_SMALL: Final[dict[type, Callable[[_Lowering, Any, Comments], Statement | None]]] = {
    **dict.fromkeys(_NODES, _Lowering.nothing),
    cst.Expr: _Lowering.evaluate,
    cst.Assign: _Lowering.assign,
    cst.AnnAssign: _Lowering.annotated_assign,
    cst.AugAssign: _Lowering.augmented_assign,
    cst.Return: _Lowering.return_,
    cst.Raise: _Lowering.raise_,
    cst.Assert: _Lowering.assert_,
    cst.Del: _Lowering.delete,
    cst.Global: _Lowering.global_,
    cst.Nonlocal: _Lowering.nonlocal_,
    cst.Break: _Lowering.break_,
    cst.Continue: _Lowering.continue_,
    cst.Import: _Lowering.import_,
    cst.ImportFrom: _Lowering.import_from,
    cst.TypeAlias: _Lowering.type_alias,
}

_COMPOUND: Final[dict[type, Callable[[_Lowering, Any, Comments], Statement]]] = {
    cst.If: _Lowering.if_,
    cst.For: _Lowering.for_,
    cst.While: _Lowering.while_,
    cst.With: _Lowering.with_,
    cst.Try: _Lowering.try_,
    cst.TryStar: _Lowering.try_,
    cst.Match: _Lowering.match,
    cst.FunctionDef: _Lowering.function,
    cst.ClassDef: _Lowering.class_,
}


def _raises(body: Sequence[Statement]) -> bool:
    """Whether some way through a handler raises again: then the failure was not what it waited for."""
    for statement in body:
        match statement:
            case records.Raise():
                return True
            case records.If() if _raises(statement.body) or _raises(statement.orelse):
                return True
            case records.With() if _raises(statement.body):
                return True
    return False


def _last_words(node: Any) -> list[str]:
    """The last words of a dotted name, or of each in a tuple of such."""
    match node:
        case cst.Name(value=word) | cst.Attribute(attr=cst.Name(value=word)):
            return [word]
        case cst.Tuple(elements=elements):
            return [word for element in elements for word in _last_words(element.value)]
    return []
