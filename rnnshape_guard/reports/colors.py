"""The few colours of a terminal report. Every format for people paints through this, so that none is painted twice."""

from __future__ import annotations

from rnnshape_guard.findings import Severity

_RESET = "\x1b[0m"
_CODES = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.NOTE: "\x1b[1;36m"}


class Paint:
    """Paints words, or leaves them alone if colours are off."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def severity(self, severity: Severity, text: str) -> str:
        """Red for an error, yellow for a warning, cyan for a note."""
        return self._painted(_CODES[severity], text)

    def bold(self, text: str) -> str:
        """What the eye should land on."""
        return self._painted("\x1b[1m", text)

    def frame(self, text: str) -> str:
        """Line numbers, bars and arrows."""
        return self._painted("\x1b[1;34m", text)

    def secondary(self, text: str) -> str:
        """The underline and words of a secondary place."""
        return self._painted("\x1b[34m", text)

    def good(self, text: str) -> str:
        """All is well."""
        return self._painted("\x1b[1;32m", text)

    def _painted(self, code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if self._on and text else text
