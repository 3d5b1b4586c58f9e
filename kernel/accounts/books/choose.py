"""Which book watches an account: the first that holds it."""

from __future__ import annotations

from kernel.accounts.books.closed_form import ClosedFormBarriers
from kernel.accounts.books.roots import RootBarriers
from kernel.accounts.books.several import LinearOnSeveral
from kernel.accounts.watch import Book, Watched
from kernel.errors import InvalidInput, Problem, Problems

BOOKS: tuple[Book, ...] = (ClosedFormBarriers(), RootBarriers(), LinearOnSeveral())


def choose(watched: Watched) -> Book:
    """Return the first book that holds an account.

    Raises:
        InvalidInput: if none does.
    """
    book = next((book for book in BOOKS if book.holds(watched)), None)
    if book is None:
        what = "of linear positions under a flat rate, or on a market of one asset"
        raise InvalidInput([Problem("account", f"must be {what}: no book watches others on several assets yet")])
    return book


def check_watchable(problems: Problems, watched: Watched) -> None:
    """Note what no book can watch."""
    with problems.under(""):
        choose(watched).check(problems, watched)
