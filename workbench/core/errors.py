"""What can go wrong, each with the place and the remedy, in words a crystallographer uses."""

from __future__ import annotations

from typing import Literal

Choice = Literal["", "columns", "merge", "crystal", "test set"]
"""What the user has to decide before files can be used: which columns or data set, whether observations may be merged,
cell or space group, which test set."""


class WorkbenchError(Exception):
    """Base of every error that is shown to the user as it stands.

    `message` says what is wrong, `file` and `item` where, `remedy` what to do about it.
    `choice` is the decision that would mend it, if one would, and `options` what there is to choose from.
    `exit_code` is what the command line returns.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        file: str = "",
        item: str = "",
        remedy: str = "",
        choice: Choice = "",
        options: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.item = item
        self.remedy = remedy
        self.choice: Choice = choice
        self.options = options

    def __reduce__(self) -> tuple[object, ...]:
        return (
            _rebuild,
            (type(self), self.message, self.file, self.item, self.remedy, self.choice, self.options),
        )

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.file, self.item) if part)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} {self.remedy}" if self.remedy else text


def _rebuild(
    kind: type[WorkbenchError],
    message: str,
    file: str,
    item: str,
    remedy: str,
    choice: Choice = "",
    options: tuple[str, ...] = (),
) -> WorkbenchError:
    return kind(message, file=file, item=item, remedy=remedy, choice=choice, options=options)


class InputError(WorkbenchError):
    """A file that cannot be used, or files that do not belong together."""


class SettingsError(WorkbenchError):
    """A setting or option that cannot be used."""


class NumericalError(WorkbenchError):
    """The numerics failed (not finite, singular, no step accepted from the very start)."""

    exit_code = 2
