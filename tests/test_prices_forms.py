"""The forms of price files that exchanges, data shops and spreadsheets write: each gives the same history."""

from __future__ import annotations

import codecs
from datetime import datetime
from pathlib import Path

import pytest

from kernel import read_prices
from tests.price_files import CLOSES, DAY_EPOCHS, DAYS, HIGHS, LOWS, OPENS, Write, bars, csv, daily, table


def _ohlc(k: int, separator: str = ",") -> str:
    return separator.join(str(one[k]) for one in (OPENS, HIGHS, LOWS, CLOSES))


def _chlo(k: int) -> str:
    return f"{CLOSES[k]},{HIGHS[k]},{LOWS[k]},{OPENS[k]}"


def _long(day: datetime) -> str:
    return f"{day:%A, %B} {day.day}, {day.year}"


def _german(value: float) -> str:
    return f"{value:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


FORMS = {
    "dates": daily(),
    "semicolons": daily().replace(",", ";"),
    "tabs": daily().replace(",", "\t"),
    "unnamed times": daily(header=",Close"),
    "one column of numbers": daily(header="day,BTC"),
    "spaces and blank lines": "\n" + daily(header="Date , Close").replace(",", " , ") + ",\n\n",
    "note above the header": "# from somewhere\n" + daily(),
    "bars": bars([one.date() for one in DAYS], "date,open,high,low,close,volume"),
    "bars of one asset beside": bars([one.date() for one in DAYS], ",X:open,X:high,X:low,X:close,X:volume"),
    "line ends of Windows": daily().replace("\n", "\r\n"),
    "everything quoted": '"' + daily().strip().replace(",", '","').replace("\n", '"\n"') + '"\n',
    "trailing delimiter": daily().replace("\n", ",\n"),
    "trailing delimiter below the header": daily().replace("\n", ",\n").replace("close,", "close", 1),
    "Excel's first line": "sep=;\n" + daily().replace(",", ";"),
    "a data frame's index": table("Unnamed: 0,date,close", lambda k: f"{k},{DAYS[k].date()},{CLOSES[k]}"),
    "a data frame's index, unnamed": table(",date,close", lambda k: f"{k},{DAYS[k].date()},{CLOSES[k]}"),
    "a row number called index": table("index,date,close", lambda k: f"{k},{DAYS[k].date()},{CLOSES[k]}"),
    "FRED": daily(header="observation_date,DEXUSEU"),
    "CoinGecko": table(
        "snapped_at,price,market_cap,total_volume",
        lambda k: f"{DAYS[k]:%Y-%m-%d} 00:00:00 UTC,{CLOSES[k]},{1e9 + k},{2e7 + k}",
    ),
    "CoinMarketCap": table(
        "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp",
        lambda k: (
            f'"{DAYS[k]:%Y-%m-%d}T00:00:00.000Z";"{DAYS[k]:%Y-%m-%d}T23:59:59.999Z";"{DAYS[k]:%Y-%m-%d}T03:00:00.000Z";'
            f'"{DAYS[k]:%Y-%m-%d}T19:00:00.000Z";"2781";{_ohlc(k, ";")};{1e9 + k};{2e9 + k};'
            f'"{DAYS[k]:%Y-%m-%d}T00:00:00.000Z"'
        ),
    ),
    "Stooq": table(
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
        lambda k: f"AAPL.US,D,{DAYS[k]:%Y%m%d},000000,{_ohlc(k)},{1000 + k},0",
    ),
    "Finam": table(
        "<TICKER>;<PER>;<DATE>;<TIME>;<OPEN>;<HIGH>;<LOW>;<CLOSE>;<VOL>",
        lambda k: f"SBER;D;{DAYS[k]:%Y%m%d};0;{_ohlc(k, ';')};{1000 + k}",
    ),
    "MetaTrader 5": table(
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
        lambda k: f"{DAYS[k]:%Y.%m.%d}\t{_ohlc(k, chr(9))}\t{1000 + k}\t0\t3",
    ),
    "MetaTrader 5, times apart": table(
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
        lambda k: f"{DAYS[k]:%Y.%m.%d}\t00:00:00\t{_ohlc(k, chr(9))}\t{1000 + k}\t0\t3",
    ),
    "MetaTrader 4": table("", lambda k: f"{DAYS[k]:%Y.%m.%d},00:00,{_ohlc(k)},{1000 + k}"),
    "digits and bars without a header": table("", lambda k: f"{DAYS[k]:%Y%m%d},{_ohlc(k)},{100 + k}"),
    "digits, times apart, without a header": table("", lambda k: f"{DAYS[k]:%Y%m%d},000000,{_ohlc(k)},{100 + k}"),
    "HistData": table("", lambda k: f"{DAYS[k]:%Y%m%d} 000000;{_ohlc(k, ';')};0"),
    "Dukascopy": table(
        "Gmt time,Open,High,Low,Close,Volume",
        lambda k: f"{DAYS[k]:%d.%m.%Y} 00:00:00.000,{_ohlc(k)},{1.5 + k}",
    ),
    "Dukascopy, local time": table(
        "Local time,Open,High,Low,Close,Volume",
        lambda k: f"{DAYS[k]:%d.%m.%Y} 02:00:00.000 GMT+0200,{_ohlc(k)},{1.5 + k}",
    ),
    "Kraken": table("", lambda k: f"{DAY_EPOCHS[k]},{_ohlc(k)},{0.5 + k},{k + 7}"),
    "Kraken's interface": table("", lambda k: f"{DAY_EPOCHS[k]},{_ohlc(k)},{CLOSES[k] + 0.1:.2f},{0.5 + k},{k + 7}"),
    "Bitfinex": table("", lambda k: f"{DAY_EPOCHS[k]}000,{OPENS[k]},{CLOSES[k]},{HIGHS[k]},{LOWS[k]},{0.5 + k}"),
    "Coinbase": table("", lambda k: f"{DAY_EPOCHS[k]},{LOWS[k]},{HIGHS[k]},{OPENS[k]},{CLOSES[k]},{0.5 + k}"),
    "yfinance, its header cut": table("", lambda k: f"{DAYS[k].date()},{_chlo(k)},{k}"),
    "yfinance": table(
        "Price,Close,High,Low,Open,Volume\nTicker,X,X,X,X,X\nDate,,,,,",
        lambda k: f"{DAYS[k].date()},{CLOSES[k]},{HIGHS[k]},{LOWS[k]},{OPENS[k]},{1000 + k}",
    ),
    "yfinance by ticker": table(
        "Ticker,X,X,X,X,X\nPrice,Open,High,Low,Close,Volume\nDate,,,,,",
        lambda k: f"{DAYS[k].date()},{_ohlc(k)},{1000 + k}",
    ),
    "yfinance in pandas": table(
        ",Close,Open\n,X,X", lambda k: f"{DAYS[k].date()},{CLOSES[k]},{OPENS[k]}"
    ),
    "yfinance with a zone": csv([f"{one:%Y-%m-%d} 00:00:00+00:00" for one in DAYS], header="Date,Close"),
    "quantmod": table(
        '"","GSPC.Open","GSPC.High","GSPC.Low","GSPC.Close","GSPC.Volume"',
        lambda k: f'"{DAYS[k].date()}",{_ohlc(k)},{1000 + k}',
    ),
    "Tiingo without adjusted columns": table(
        "date,close,high,low,open,volume,divCash,splitFactor",
        lambda k: f"{DAYS[k].date()}T00:00:00+00:00,{CLOSES[k]},{HIGHS[k]},{LOWS[k]},{OPENS[k]},{k},0.0,1.0",
    ),
    "Alpha Vantage as a frame": table(
        "date,1. open,2. high,3. low,4. close,5. volume", lambda k: f"{DAYS[k].date()},{_ohlc(k)},{1000 + k}"
    ),
    "Polygon": table("t,o,h,l,c,v,vw,n", lambda k: f"{DAY_EPOCHS[k]}000,{_ohlc(k)},{1000 + k},{CLOSES[k] + 1},{k}"),
    "BSE": table(
        "Date,Open Price,High Price,Low Price,Close Price,WAP,No.of Shares,No. of Trades,Total Turnover (Rs.)",
        lambda k: f"{DAYS[k].day}-{DAYS[k]:%B-%Y},{_ohlc(k)},{CLOSES[k] + 1},{10 + k},{5 + k},{1e6 + k}",
    ),
    "NSE": table(
        '"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ","ltp ","close ","vwap ","52W H","VOLUME ","VALUE "',
        lambda k: (
            f'"{DAYS[k]:%d-%b-%Y}","EQ","{OPENS[k]}","{HIGHS[k]}","{LOWS[k]}","{OPENS[k]}","{CLOSES[k] + 1}",'
            f'"{CLOSES[k]}","7","150.00","1,0{k % 90 + 10}","1,00,0{k % 90 + 10}.25"'
        ),
    ),
    "Bloomberg": table(
        "Security,SPX Index\nStart Date,1/1/2020\nEnd Date,2/29/2020\n,\nDate,PX_LAST",
        lambda k: f"{DAYS[k].month}/{DAYS[k].day}/{DAYS[k].year},{CLOSES[k]}",
    ),
    "Google": table("Date,Close", lambda k: f"{DAYS[k].month}/{DAYS[k].day}/{DAYS[k].year} 0:00:00,{CLOSES[k]}"),
    "Excel in German": table(
        "Datum;Eröffnung;Hoch;Tief;Schlusskurs;Volumen",
        lambda k: ";".join([f"{DAYS[k]:%d.%m.%Y}", *map(_german, (OPENS[k], HIGHS[k], LOWS[k], CLOSES[k], 1e6 + k))]),
    ),
    "tabs and decimal commas": table("Date\tPrice", lambda k: f"{DAYS[k].date()}\t{_german(CLOSES[k])}"),
    "dollars": table("Date,Close/Last,Volume", lambda k: f"{DAYS[k]:%m/%d/%Y},${CLOSES[k]:.2f},{571747 + k}"),
    "euros behind": table("date;close", lambda k: f"{DAYS[k].date()};{_german(CLOSES[k])}\u00a0€"),
    "dates in words": table("date,close", lambda k: f'"{DAYS[k]:%b %d, %Y}",{CLOSES[k]}'),
    "dates in long words": table("date,close", lambda k: f'"{_long(DAYS[k])}",{CLOSES[k]}'),
    "days and months with short years": table("date,close", lambda k: f"{DAYS[k].day}-{DAYS[k]:%b-%y},{CLOSES[k]}"),
    "JavaScript": csv([f"{one:%a %b %d %Y %H:%M:%S} GMT+0000 (Coordinated Universal Time)" for one in DAYS]),
    "twelve hours": csv([f"{one.month}/{one.day}/{one.year} 12:00:00 AM" for one in DAYS]),
    "month first": csv([f"{one.month}/{one.day}/{one.year}" for one in DAYS]),
    "month first, short year": csv([f"{one:%m/%d/%y}" for one in DAYS]),
    "day first": csv([f"{one:%d/%m/%Y} 0:00" for one in DAYS]),
    "day first with dashes": csv([f"{one:%d-%m-%Y}" for one in DAYS]),
    "year first": csv([f"{one:%Y/%m/%d}" for one in DAYS]),
    "digits": csv([f"{one:%Y%m%d}" for one in DAYS]),
    "digits to the hour": csv([f"{one:%Y%m%d%H}" for one in DAYS]),
    "digits to the minute": csv([f"{one:%Y%m%d%H%M}" for one in DAYS]),
    "digits to the second": csv([f"{one:%Y%m%d%H%M%S}" for one in DAYS]),
    "digits to the millisecond": csv([f"{one:%Y%m%d%H%M%S}000" for one in DAYS]),
    "digits as a float": csv([f"{one:%Y%m%d%H%M%S}.0" for one in DAYS]),
    "timestamps": csv([f"{one:%Y-%m-%d %H:%M:%S}" for one in DAYS]),
    "zone": csv([f"{one:%Y-%m-%dT%H:%M}+00:00" for one in DAYS]),
    "utc": csv([f"{one:%Y-%m-%d %H:%M:%S} UTC" for one in DAYS]),
    "half days": "Timestamps are UTC,https://www.example.org\n" + csv([f"{one:%Y-%m-%d %I-%p}" for one in DAYS]),
    "epochs beside dates": table("unix,date,symbol,close", lambda k: f"{DAY_EPOCHS[k]},{DAYS[k]},X,{CLOSES[k]}"),
}  # fmt: skip


ASSETS = {
    "one column of numbers": "BTC", "bars of one asset beside": "X", "FRED": "DEXUSEU", "Stooq": "AAPL.US",
    "Finam": "SBER", "yfinance": "X", "yfinance by ticker": "X", "yfinance in pandas": "X", "quantmod": "GSPC",
    "epochs beside dates": "X",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_file_gives_the_same_prices(tmp_path: Path, form: str) -> None:
    """Whatever the separators, headers, numbers and times of a daily file, its history is the same, without a note."""
    path = tmp_path / "btc.csv"
    path.write_text(FORMS[form], encoding="utf-8")
    history = read_prices(path)
    assert (history.assets, history.prices[:, 0].tolist()) == ((ASSETS.get(form, "btc"),), CLOSES)
    assert history.times is not None
    assert (history.times.tolist(), history.dt, history.notes) == (DAYS, 1 / 365, ())
    if history.lows is not None and history.highs is not None:
        assert (history.lows[:, 0].tolist(), history.highs[:, 0].tolist()) == (LOWS, HIGHS)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_are_told_apart(tmp_path: Path, encoding: str) -> None:
    """UTF-8 and UTF-16, with a byte order mark or without, and the western encoding of Windows are read."""
    path = tmp_path / "btc.csv"
    path.write_bytes(table("date;Schlußkurs;close", lambda k: f"{DAYS[k].date()};x;{CLOSES[k]}").encode(encoding))
    assert read_prices(path).prices[:, 0].tolist() == CLOSES
    swapped = codecs.BOM_UTF16_BE + daily().encode("utf-16-be")
    path.write_bytes(swapped)
    assert read_prices(path).prices[:, 0].tolist() == CLOSES


@pytest.mark.parametrize("header", ["Date,Close", "Date,BTC"])
@pytest.mark.parametrize("below", ["yyyy-mm-dd,USD", ",USD", "n/a,5"])
def test_what_stands_below_the_header_is_told(file: Write, header: str, below: str) -> None:
    """A line of units, or whatever has no time, between header and rows is left out with a note, never a header."""
    history = read_prices(file(daily(header=f"{header}\n{below}")))
    assert history.assets == ("BTC" if "BTC" in header else "btc",)
    assert history.prices[:, 0].tolist() == CLOSES
    assert history.notes == (f"Between its header and its rows {below.strip(',').replace(',', ', ')!r} was left out.",)
