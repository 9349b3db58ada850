"""Comments in source that is quoted."""

from __future__ import annotations

import io
import tokenize


def without_comments(code: str) -> str:
    """Code without its comments; as it is, where it cannot be read alone."""
    lines = f"({code}\n)".splitlines(keepends=True)
    try:
        found = [
            token.start
            for token in tokenize.generate_tokens(io.StringIO("".join(lines)).readline)
            if token.type == tokenize.COMMENT
        ]
    except (tokenize.TokenError, SyntaxError):
        return code
    for row, column in found:
        lines[row - 1] = lines[row - 1][:column] + "\n"
    return "".join(lines).strip()[1:-1]
