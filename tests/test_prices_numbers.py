"""Prices as people write them: currencies, thousands, decimal commas; what could be two numbers is asked about."""

from __future__ import annotations

import math

import pytest

from kernel import read_prices
from kernel.prices.numbers import number
from tests.price_files import CLOSES, DAYS, Write, refused, table

LARGE = [round(517 * one, 2) for one in CLOSES]  # tens of thousands
WHOLE = [round(17 * one) for one in CLOSES]


def _english(value: float) -> str:
    return f"{value:,.2f}"


def _swapped(value: float) -> str:
    return _english(value).translate(str.maketrans(",.", ".,"))


def _of(cells: list[str], header: str = "date;close") -> str:
    return table(header, lambda k: f"{DAYS[k].date()};{cells[k]}")


FORMS = {
    "thousands": [_english(one) for one in LARGE],
    "decimal commas": [_swapped(one) for one in LARGE],
    "decimal commas alone": [f"{one:.2f}".replace(".", ",") for one in LARGE],
    "dollars": [f"${_english(one)}" for one in LARGE],
    "dollars of the United States": [f"US$ {_english(one)}" for one in LARGE],
    "rupees": [f"Rs. {one}" for one in LARGE],
    "euros behind": [f"{_swapped(one)} €" for one in LARGE],
    "a currency's code": [f"{one} USD" for one in LARGE],
    "spaces": [_english(one).replace(",", " ") for one in LARGE],
    "narrow spaces and decimal commas": [_swapped(one).replace(".", "\u202f") for one in LARGE],
    "apostrophes": [_english(one).replace(",", "\u2019") for one in LARGE],
    "signs": [f"+{one}" for one in LARGE],
    "powers of ten": [f"{one!r}e0" for one in LARGE],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_way_of_writing_numbers_is_read(file: Write, form: str) -> None:
    """Signs of currencies and thousands, commas and points give the number that is meant, without a note."""
    history = read_prices(file(_of(FORMS[form])))
    assert (history.prices[:, 0].tolist(), history.notes) == (LARGE, ())


def test_lakhs_are_read() -> None:
    """Digits may be grouped by two, as in India."""
    assert number("1,00,000.50", ".") == 100_000.5


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("1,23", "."),
        ("1.23", ","),
        ("12,34,5", "."),
        ("1,2345", "."),
        ("1.2.3", "."),
        ("1_0", "."),
        ("5%", "."),
        ("5K", "."),
    ],
)
def test_what_is_no_number_in_a_style_is_none(text: str, decimal: str) -> None:
    """Groups of other sizes, the other decimal sign, percentages and suffixes are no prices."""
    assert math.isnan(number(text, decimal))


def test_a_comma_that_could_be_either_is_asked_about(file: Write) -> None:
    """Where each number is one to three digits, a comma and three digits, nothing is guessed."""
    message = refused(file(_of([f"{one:,}" for one in WHOLE])))["columns"]
    assert "'close' holds '1,673': is its comma for thousands or for decimals?" in message


DECIDED = {
    "a larger number": ([*(f"{one:,}" for one in WHOLE[1:]), "1,234.5"], "date;close", 1),
    "a number of millions": ([*(f"{one:,}" for one in WHOLE[1:]), "1,000,000"], "date;close", 1),
    "a smaller number": ([*(f"{one:,}" for one in WHOLE[1:]), "0,995"], "date;close", 1000),
    "a percentage": ([f"{one:,};0.5%" for one in WHOLE], "date;close;change", 1),
    "a percentage with a comma": ([f"{one:,};0,5%" for one in WHOLE], "date;close;change", 1000),
    "a volume": ([f"{one:,};1,234,567" for one in WHOLE], "date;close;volume", 1),
    "a volume with points": ([f"{one:,};1.234.567" for one in WHOLE], "date;close;volume", 1000),
}


@pytest.mark.parametrize("case", DECIDED)
def test_the_column_or_its_neighbours_decide(file: Write, case: str) -> None:
    """A number that can be but one thing tells how the column, or else the file, is written."""
    cells, header, scale = DECIDED[case]
    first = WHOLE[0] if len(cells[0].split(";")) > 1 else WHOLE[1]
    assert read_prices(file(_of(cells, header)), last="2020-02-28").prices[0, 0] == first / scale


def test_points_between_thousands_are_known_by_the_neighbours(file: Write) -> None:
    """15.885 is fifteen thousand in a file whose other columns have decimal commas, and a decimal elsewhere."""
    cells = [f"{one:,}".replace(",", ".") for one in WHOLE]
    beside = file(_of([f"{one};0,25%" for one in cells], "Datum;Schluss;Änderung"))
    assert read_prices(beside).prices[:, 0].tolist() == WHOLE
    assert read_prices(file(_of(cells))).prices[0, 0] == WHOLE[0] / 1000


def test_styles_and_currencies_are_not_mixed(file: Write) -> None:
    """Decimal points beside decimal commas, and dollars beside euros, are refused."""
    mixed = [_english(one) if k % 2 else _swapped(one) for k, one in enumerate(LARGE)]
    assert "with decimal points and with decimal commas" in refused(file(_of(mixed)))["columns"]
    currencies = [f"{'$€'[k % 2]}{one}" for k, one in enumerate(LARGE)]
    assert "prices in several currencies: $, €" in refused(file(_of(currencies)))["columns"]


@pytest.mark.parametrize(
    "missing", ["", ".", "-", "null", "N/A", "#N/A", "nan", "ND", "None", "--", "n.a.", "#N/A N/A"]
)
def test_what_stands_for_nothing_is_left_out(file: Write, missing: str) -> None:
    """A cell without a price, however it says so, is a row left out with a note."""
    history = read_prices(file(_of([missing if k == 7 else str(one) for k, one in enumerate(CLOSES)])))
    assert history.prices[:, 0].tolist() == [*CLOSES[:7], *CLOSES[8:]]
    assert history.notes[0] == "1 row was left out, where btc is missing: line 9."


@pytest.mark.parametrize("cell", ["0.5%", "5K", "five", "1_0", "inf", "1,23,4"])
def test_what_is_no_price_is_named_by_its_line(file: Write, cell: str) -> None:
    """A percentage, a suffix, a word or digits in no style are refused with their line."""
    message = refused(file(_of([cell if k == 9 else str(one) for k, one in enumerate(CLOSES)])))["columns"]
    assert "line 11: 'close' must be a plain, finite number such as 1234.5" in message


def test_a_total_below_the_rows_is_left_out(file: Write) -> None:
    """Last lines that begin with a word are no rows, and told."""
    text = _of([str(one) for one in CLOSES])
    for below, named in (
        ("Total;5", "line 62 ('Total')"),
        ("Source: us\nAll rights reserved", "lines 62, 63 ('Source: us')"),
    ):
        history = read_prices(file(text + below + "\n"))
        assert history.prices[:, 0].tolist() == CLOSES
        assert history.notes == (f"It ends with what is no row, which was left out: {named}.",)
