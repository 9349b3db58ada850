"""Every piece of Python's syntax becomes records that say the same."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import sys
import typing
from types import ModuleType

import libcst as cst
import pytest

from rnnshape_guard.static import records
from rnnshape_guard.static.lowering import lower
from rnnshape_guard.static.records import Expression, Statement


def lowered(code: str) -> tuple[Statement, ...]:
    return lower(cst.parse_module(code)).body


def statement(code: str) -> Statement:
    (only,) = lowered(code)
    return only


def expression(code: str) -> Expression:
    only = statement(code)
    assert isinstance(only, records.Evaluate)
    return only.value


def shown(value: object) -> object:
    """A record as plain data without its node: enough to compare with."""
    if isinstance(value, records.Record):
        parts = [shown(getattr(value, part.name)) for part in dataclasses.fields(value) if part.name != "at"]
        return (type(value).__name__, *parts)
    return [shown(part) for part in value] if isinstance(value, tuple) else value


class TestConstants:
    @pytest.mark.parametrize(
        "code",
        [
            "1", "0", "1_000", "0x1F", "0o17", "0b11", "00", "1.5", "1e-3", "1_0.5", ".5", "2j", "1_0j", "True", "False",
            "None", "...", "'a'", '"a"', "''", '""', "'''a\nb'''", '""""quoted" word"""', "'\\n\\x41'", "r'\\n'", "b'\\x00a'",
            "rb'\\d'", "u'a'", "'a' \"b\" r'\\c'", "b'a' b'b'", "'日本'", "'it\\'s'", '""""""',
        ],
    )  # fmt: skip
    def test_they_are_what_python_makes_of_them(self, code: str) -> None:
        found = lower(cst.parse_module(f"x = {code}\n")).body[0]
        assert isinstance(found, records.Assign)
        assert isinstance(found.value, records.Constant)
        wanted = ast.literal_eval(code)
        assert found.value.value == wanted
        assert type(found.value.value) is type(wanted)

    def test_a_number_too_long_to_convert_is_unknown(self) -> None:
        assert shown(expression("1" * 5000)) == ("Formatted", [])

    def test_a_formatted_string_holds_its_texts_and_expressions(self) -> None:
        assert shown(expression("f'rnn_{i}{{}}'")) == (
            "Formatted",
            [("Constant", "rnn_"), ("Name", "i"), ("Constant", "{}")],
        )

    def test_what_a_format_makes_of_an_expression_is_unknown(self) -> None:
        unknown: tuple[str, list[object]] = ("Formatted", [])
        assert shown(expression("f'{i:02d}'")) == ("Formatted", [("Formatted", [("Name", "i"), unknown])])
        assert shown(expression("f'{i!r}'")) == ("Formatted", [("Formatted", [("Name", "i"), unknown])])
        assert shown(expression("f'\\t{i}'")) == ("Formatted", [unknown, ("Name", "i")])

    def test_strings_joined_with_a_formatted_one(self) -> None:
        assert shown(expression("'a' f'{b}' 'c'")) == (
            "Formatted",
            [("Constant", "a"), ("Formatted", [("Name", "b")]), ("Constant", "c")],
        )


def name(word: str) -> tuple[str, str]:
    return ("Name", word)


A, B, C, X, Y = map(name, "abcxy")


class TestExpressions:
    @pytest.mark.parametrize("operator", ["+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "<<", ">>"])
    def test_binary_operators(self, operator: str) -> None:
        assert shown(expression(f"a {operator} b")) == ("BinaryOperation", operator, A, B)
        assert shown(statement(f"a {operator}= b")) == ("AugmentedAssign", [], A, operator, B)

    @pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"])
    def test_comparisons(self, operator: str) -> None:
        found = expression(f"a {operator} b < c")
        assert isinstance(found, records.Comparison)
        assert [(word, shown(right)) for word, right in found.rights] == [(operator, B), ("<", C)]

    @pytest.mark.parametrize(
        ("code", "wanted"),
        [
            ("-a", ("UnaryOperation", "-", A)),
            ("not a", ("UnaryOperation", "not", A)),
            ("a and b", ("BooleanOperation", "and", A, B)),
            ("a or b", ("BooleanOperation", "or", A, B)),
            ("a if b else c", ("Conditional", B, A, C)),
            ("a.b.c", ("Attribute", ("Attribute", A, "b"), "c")),
            ("a(b, *c, x=y, **b)", ("Call", A, [("Argument", B, None, ""), ("Argument", C, None, "*"),
                                    ("Argument", Y, "x", ""), ("Argument", B, None, "**")])),
            ("a()", ("Call", A, [])),
            ("a[b]", ("Subscript", A, [B], False)),
            ("a[b,]", ("Subscript", A, [B], True)),
            ("a[b, c]", ("Subscript", A, [B, C], True)),
            ("a[(b, c)]", ("Subscript", A, [B, C], True)),
            ("a[[b, c]]", ("Subscript", A, [("Sequence", "list", [B, C])], False)),
            ("a[:, b:c:x, ...]", ("Subscript", A, [("SliceRange", None, None, None), ("SliceRange", B, C, X),
                                                   ("Constant", ...)], True)),
            ("a[*b, c]", ("Subscript", A, [("Starred", B), C], True)),
            ("(a, b)", ("Sequence", "tuple", [A, B])),
            ("a, *b", ("Sequence", "tuple", [A, ("Starred", B)])),
            ("()", ("Sequence", "tuple", [])),
            ("[a, b]", ("Sequence", "list", [A, B])),
            ("{a, b}", ("Sequence", "set", [A, B])),
            ("(a := b)", ("NamedExpression", A, B)),
            ("lambda: a", ("Lambda", [], A)),
            ("[a for b in c if x if y]", ("Comprehension", "list", None, A, [("Generator", B, C, [X, Y])])),
            ("{a for b in c}", ("Comprehension", "set", None, A, [("Generator", B, C, [])])),
            ("{a: b for b in c}", ("Comprehension", "dict", A, B, [("Generator", B, C, [])])),
            ("f(a for b in c)", ("Call", name("f"), [("Argument", ("Comprehension", "generator", None, A,
                                                     [("Generator", B, C, [])]), None, "")])),
            ("[a for b in c for x in y]", ("Comprehension", "list", None, A, [("Generator", B, C, []),
                                                                             ("Generator", X, Y, [])])),
        ],
    )  # fmt: skip
    def test_the_rest(self, code: str, wanted: object) -> None:
        assert shown(expression(code)) == wanted

    def test_dict_displays(self) -> None:
        found = expression("{a: b, **c}")
        assert isinstance(found, records.Mapping)
        assert [(shown(key), shown(value)) for key, value in found.items] == [(A, B), (None, C)]


class TestStatements:
    @pytest.mark.parametrize(
        ("code", "wanted"),
        [
            ("a = b = c", ("Assign", [], [A, B], C)),
            ("a, b = c", ("Assign", [], [("Sequence", "tuple", [A, B])], C)),
            ("a: b", ("AnnotatedAssign", [], A, B, None)),
            ("a: b = c", ("AnnotatedAssign", [], A, B, C)),
            ("if a: b\nelif c: x\nelse: y", ("If", [], A, [("Evaluate", [], B)], [("If", [], C, [("Evaluate", [], X)],
                                             [("Evaluate", [], Y)])])),
            ("for a in b:\n  break\nelse:\n  c", ("For", [], A, B, [("Jump", [], True)], [("Evaluate", [], C)])),
            ("while a: continue", ("While", [], A, [("Jump", [], False)], [])),
            ("with a: b", ("With", [], [[A, None]], [("Evaluate", [], B)])),
            ("with (a as b, c as x,): y", ("With", [], [[A, B], [C, X]], [("Evaluate", [], Y)])),
            ("assert a, b", ("Assert", [], A)),
            ("raise a from b", ("Raise", [])),
            ("del a, b.c", ("Delete", [], [A, ("Attribute", B, "c")])),
            ("del a", ("Delete", [], [A])),
            ("global a, b", ("Scope", [], ["a", "b"], True)),
            ("import a.b.c as d, e", ("Import", [], [["a.b.c", "d"], ["e", None]])),
            ("from a.b import c as d, e", ("ImportFrom", [], "a.b", 0, [["c", "d"], ["e", None]])),
            ("from .. import c", ("ImportFrom", [], "", 2, [["c", None]])),
            ("from .a import *", ("ImportFrom", [], "a", 1, [["*", None]])),
            ("type A = b", ("Assign", [], [name("A")], B)),
        ],
    )  # fmt: skip
    def test_statements(self, code: str, wanted: object) -> None:
        assert shown(statement(code)) == wanted

    def test_try(self) -> None:
        found = statement("try: a\nexcept E as e: b\nexcept (F, G): c\nelse: x\nfinally: y")
        assert isinstance(found, records.Try)
        assert shown(found.body) == [("Evaluate", [], A)]
        assert [(word, shown(body)) for word, body in found.handlers] == [
            ("e", [("Evaluate", [], B)]),
            (None, [("Evaluate", [], C)]),
        ]
        assert (shown(found.orelse), shown(found.final)) == ([("Evaluate", [], X)], [("Evaluate", [], Y)])
        assert isinstance(statement("try: a\nexcept* E: b"), records.Try)

    def test_several_statements_on_a_line(self) -> None:
        assert shown(lowered("a = 1; b; pass; return_()"))[1:2] == [("Evaluate", [], B)]  # type: ignore[index]
        assert len(lowered("a = 1; b; c")) == 3

    def test_pass_leaves_nothing(self) -> None:
        assert lowered("pass\npass; pass") == ()

    def test_matching(self) -> None:
        found = statement(
            "match a:\n"
            "    case 1 | 'two' | None: b\n"
            "    case -1 as c: b\n"
            "    case [1, *x]: b\n"
            "    case {'k': y, **z}: b\n"
            "    case P(q, r=s): b\n"
            "    case t if u: b\n"
            "    case _: b\n"
        )
        assert isinstance(found, records.Match)
        rows = [(shown(case.values), case.captures, case.is_wildcard, shown(case.guard)) for case in found.cases]
        assert rows == [
            ([("Constant", 1), ("Constant", "two"), ("Constant", None)], (), False, None),
            ([("UnaryOperation", "-", ("Constant", 1))], ("c",), False, None),
            (None, ("x",), False, None),
            (None, ("y", "z"), False, None),
            (None, ("q", "s"), False, None),
            (None, ("t",), True, name("u")),
            (None, (), True, None),
        ]


class TestDefinitions:
    def test_a_function(self) -> None:
        found = statement(
            "@a\n@b(c)\nasync def f(self, x: y = 1, /, *args, z, **rest) -> int:\n    'Do.'\n    return z\n"
        )
        assert isinstance(found, records.FunctionDef)
        assert (found.name, found.is_async, found.contents.is_generator) == ("f", True, False)
        assert [(each.name, each.kind) for each in found.parameters] == [
            ("self", "positional"), ("x", "positional"), ("args", "star"), ("z", "keyword"), ("rest", "double star"),
        ]  # fmt: skip
        assert shown(found.parameters[1].annotation) == Y
        assert shown(found.parameters[1].default) == ("Constant", 1)
        assert shown(found.decorators) == [A, ("Call", B, [("Argument", C, None, "")])]
        assert shown(found.returns) == name("int")
        assert shown(found.docstring) == ("Constant", "Do.")
        assert shown(found.body) == [("Return", [], name("z"))]

    @pytest.mark.parametrize(
        ("body", "is_generator"),
        [
            ("yield a", True),
            ("x = yield", True),
            ("yield from a", True),
            ("if a:\n        for b in c: yield b", True),
            ("def g(): yield a", False),
            ("return lambda: (yield)", False),
            ("return a", False),
        ],
    )
    def test_a_generator_has_a_yield_of_its_own(self, body: str, is_generator: bool) -> None:
        found = statement(f"def f():\n    {body}\n")
        assert isinstance(found, records.FunctionDef)
        assert found.contents.is_generator is is_generator

    def test_a_yield_after_a_nested_function_still_counts(self) -> None:
        found = statement("def f():\n    yield a\n    def g(): return b\n    class K:\n        def h(self): return c\n")
        assert isinstance(found, records.FunctionDef)
        assert found.contents.is_generator

    def test_a_class(self) -> None:
        found = statement("@a\nclass K(b.C, metaclass=c):\n    'Doc.'; x = 1\n    def f(self): pass\n")
        assert isinstance(found, records.ClassDef)
        assert shown(found.bases) == [
            ("Argument", ("Attribute", B, "C"), None, ""),
            ("Argument", C, "metaclass", ""),
        ]
        assert shown(found.docstring) == ("Constant", "Doc.")
        assert [type(each) for each in found.body] == [records.Assign, records.FunctionDef]

    @pytest.mark.parametrize("first", ["f'doc'", "b'doc'", "1", "a.b"])
    def test_only_a_plain_string_is_a_docstring(self, first: str) -> None:
        found = statement(f"def f():\n    {first}\n")
        assert isinstance(found, records.FunctionDef)
        assert found.docstring is None
        assert len(found.body) == 1

    def test_the_docstring_of_a_file(self) -> None:
        module = lower(cst.parse_module('"""What it is for."""\nimport a\n'))
        assert shown(module.docstring) == ("Constant", "What it is for.")
        assert [type(each) for each in module.body] == [records.Import]


def comments(found: Statement | records.Module) -> list[tuple[str, bool]]:
    return [(comment.text, comment.trailing) for comment in found.comments]


class TestComments:
    def test_above_and_behind(self) -> None:
        _, found = lowered("a\n# far\n\n# x: (B, T)\n# near\nb  # behind\n")
        assert comments(found) == [(" x: (B, T)", False), (" near", False), (" behind", True)]

    def test_at_the_top_of_a_file(self) -> None:
        assert comments(statement("# coding: x\n\n# first\na = 1\n")) == [(" first", False)]

    @pytest.mark.parametrize(
        "header",
        ["if a:", "for a in b:", "while a:", "with a:", "def f():", "class K:", "@a\ndef f():", "try:"],
    )
    def test_behind_a_header(self, header: str) -> None:
        tail = "except E: pass\n" if header == "try:" else ""
        code = f"# above\n{header}  # header\n    # inner\n    b\n{tail}"
        found = statement(code)
        assert comments(found) == [(" above", False), (" header", True)]
        (inner,) = found.body  # type: ignore[attr-defined]
        assert comments(inner) == [(" inner", False)]

    def test_between_a_decorator_and_its_function(self) -> None:
        assert comments(statement("@a\n# here\ndef f(): pass\n")) == [(" here", False)]

    def test_above_an_elif(self) -> None:
        found = statement("if a: b\n# here\nelif c:  # and here\n    x\n")
        assert isinstance(found, records.If)
        assert comments(found.orelse[0]) == [(" here", False), (" and here", True)]

    def test_behind_parameters(self) -> None:
        found = statement("def f(\n    a,  # (B, T)\n    *,\n    b: int = 1,  # width\n    c  # last\n): pass\n")
        assert isinstance(found, records.FunctionDef)
        texts = [each.comment.text if each.comment else None for each in found.parameters]
        assert texts == [" (B, T)", " width", " last"]

    def test_a_line_of_several_statements(self) -> None:
        first, last = lowered("# above\na; b  # behind\n")
        assert comments(first) == [(" above", False)]
        assert comments(last) == [(" behind", True)]

    def test_the_last_lines_belong_to_the_file(self) -> None:
        assert comments(lower(cst.parse_module("a\n# the end\n"))) == [(" the end", False)]

    def test_inside_a_call_they_are_left_out(self) -> None:
        assert comments(statement("f(\n    a,  # one\n)\n")) == []


DEEP = {
    "brackets": "[" * 200 + "]" * 200,
    "calls": "f(" * 200 + ")" * 200,
    "operators": "+".join("a" * 501),
    "attributes": "a" + ".b" * 500,
    "powers": "**".join("a" * 400),
    "negations": "not " * 400 + "a",
    "conditionals": " if a else ".join("b" * 300),
    "subscripts": "a" + "(b)[c]" * 250,
    "elifs": "if a: pass\n" + "elif a: pass\n" * 499,
    "strings": "x = " + "'a' " * 500,
    "all at once": "f(f(a)+[{1:(lambda x: -x if x else " * 40 + "1+2" + ")}])" * 40,
}


@pytest.mark.parametrize("code", DEEP.values(), ids=DEEP.keys())
def test_nesting_that_the_byte_scan_lets_through(code: str) -> None:
    limit = sys.getrecursionlimit()
    assert len(lowered(code + "\n")) == 1
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize("module", [argparse, dataclasses, typing, inspect, ast], ids=lambda module: module.__name__)
def test_the_standard_library_says_the_same_as_pythons_own_parser(module: ModuleType) -> None:
    """Names, attributes, calls and definitions, counted in the records and in Python's tree."""
    source = inspect.getsource(module)
    counted: dict[str, int] = {}
    _count(lower(cst.parse_module(source)), counted)
    tree = list(ast.walk(ast.parse(source)))

    def wanted(*kinds: type) -> int:
        return sum(isinstance(node, kinds) for node in tree)

    assert counted["Call"] == wanted(ast.Call) - _left_out(tree, ast.Call)
    assert counted["Attribute"] == wanted(ast.Attribute) - _left_out(tree, ast.Attribute)
    assert counted["FunctionDef"] == wanted(ast.FunctionDef, ast.AsyncFunctionDef)
    assert counted["ClassDef"] == wanted(ast.ClassDef)
    assert counted["Assign"] == wanted(ast.Assign)
    assert counted["Return"] == wanted(ast.Return)
    assert counted["If"] == wanted(ast.If)
    assert counted["For"] == wanted(ast.For)


def _left_out(tree: list[ast.AST], kind: type) -> int:
    """The nodes that records leave out: the types of ``except``, what is raised and what a failed assert says."""
    left_out: list[ast.expr | None] = []
    for node in tree:
        match node:
            case ast.ExceptHandler(type=left) | ast.Assert(msg=left):
                left_out.append(left)
            case ast.Raise(exc=exception, cause=cause):
                left_out += [exception, cause]
    return sum(isinstance(part, kind) for node in left_out if node is not None for part in ast.walk(node))


def _count(value: object, counted: dict[str, int]) -> None:
    if isinstance(value, tuple):
        for part in value:
            _count(part, counted)
    elif isinstance(value, records.Record | records.Body):
        kind = type(value).__name__
        counted[kind] = counted.get(kind, 0) + 1
        for part in dataclasses.fields(value):
            if part.name != "at":
                _count(getattr(value, part.name), counted)
