"""The table of customers: what is read, each fault with its line, and a hundred thousand rows."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from config import ConfigErrors, load
from config.customers import CustomerTable, read_table
from config.problems import Findings
from ivr.numbers import Numbering
from tests.config.sites import changed, write_site

NORMAL = Numbering(country_code="49").normal


def read(folder: Path, content: str | bytes) -> tuple[CustomerTable, list[str]]:
    path = folder / "customers.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    findings = Findings()
    table = read_table(path, NORMAL, {"anna", "bob"}, findings)
    return table, [str(problem).replace(f"{path}:", "") for problem in findings.errors]


def test_rows_are_found_by_any_way_of_writing_the_number(tmp_path: Path) -> None:
    table, errors = read(
        tmp_path,
        "number,name,language,vip,agent,city\n"
        "+49 30 1234567,Ms Wang,zh,3,anna,Berlin\n"
        '030/222-2222,"Brown, Mrs",,,,\n'
        "\n"
        "4711,The porter,en,0,bob,here\n",
    )
    assert errors == []
    assert table.find(NORMAL("0049301234567")) == {
        "number": "+49 30 1234567",
        "name": "Ms Wang",
        "language": "zh",
        "vip": "3",
        "agent": "anna",
        "city": "Berlin",
    }
    brown = table.find("+49302222222")
    assert brown is not None
    assert brown["name"] == "Brown, Mrs"
    assert set(table.rows) == {"+49301234567", "+49302222222", "4711"}
    assert table.languages() == {"zh", "en"}
    assert table.find("+490000") is None


def test_semicolons_and_a_byte_order_mark_as_spreadsheets_write_them(tmp_path: Path) -> None:
    table, errors = read(tmp_path, "\ufeffnumber;name\r\n030 1234567;Wang; \r\n".replace("; \r", "\r"))
    assert (errors, list(table.rows)) == ([], ["+49301234567"])


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("", "1:1: there is no column 'number'; call that of the numbers so, in the first line"),
        ("phone,name\n1,2\n", "1:1: there is no column 'number'; call that of the numbers so, in the first line"),
        ("number,number\n", "1:1: column 'number' is there twice; keep one of the two"),
        ("number,a b\n", "1:1: 'a b' is no name of a column; use letters, digits, '-' and '_', at most 40"),
        ("number,name\n030 1234567,a,b\n", "2:1: 3 values stand here, 2 columns are named in line 1"),
        ("number,vip\n4711,11\n", "2:1: vip '11' is no whole number from 0 to 10"),
        ("number,vip\n4711,much\n", "2:1: vip 'much' is no whole number from 0 to 10"),
        ("number,priority\n4711,-1001\n", "2:1: priority '-1001' is no whole number from -1000 to 1000"),
        ("number,language\n4711,fr\n", "2:1: language 'fr' is no language; known: en, zh"),
        ("number,agent\n4711,anne\n", "2:1: agent 'anne' is no agent; did you mean 'anna'?"),
        ("number,name\n,Li\n", "2:1: the number is empty; give one, or remove the line"),
        ("number,name\n+,Li\n", "2:1: number '+' is no number"),
        ("number\n030 1234567\n\n+49301234567\n", "4:1: '+49301234567' is the number of line 2; keep one of the two"),
        (f"number,name\n4711,{'x' * 201}\n", "2:1: name is not one line of at most 200 characters"),
        ('number,name\n4711,"Li\nWang"\n', "2:1: name is not one line of at most 200 characters"),
        ('number,name\n4711,"Li\n', "2:1: the line cannot be read (unexpected end of data); is a quote left open?"),
        (b"number,name\n4711,M\xfcller\n", "2:1: this is not UTF-8; save the file in the encoding UTF-8"),
    ],
)
def test_faults(tmp_path: Path, content: str | bytes, error: str) -> None:
    assert read(tmp_path, content)[1] == [error]


def test_all_faults_are_told_up_to_a_bound(tmp_path: Path) -> None:
    _, errors = read(tmp_path, "number,vip\n" + "".join(f"{4000 + n},x\n" for n in range(500)))
    assert len(errors) == 100
    assert errors[-1] == "101:1: further errors in this file are not told"


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    """A value over two lines is refused at the line where it begins; those behind it keep their numbers."""
    _, errors = read(tmp_path, 'number,name\n4711,"a\nb"\n4712,ok\n4713,x,y\n')
    assert [error.partition(":")[0] for error in errors] == ["2", "5"]


def test_the_file_of_a_site(tmp_path: Path) -> None:
    site = changed("routing.yaml", "skills:\n", "caller_lookup: {table: customers.csv}\nskills:\n")
    write_site(tmp_path, {**site, "customers.csv": "number,agent\n030 1,anna\n"})
    assert list(load(tmp_path, {}).customers.rows) == ["0301"]
    write_site(tmp_path, {**site, "customers.csv": "number,agent\n030 1,carl\n"})
    with pytest.raises(ConfigErrors) as raised:
        load(tmp_path, {})
    assert str(raised.value) == f"{tmp_path}/customers.csv:2:1: agent 'carl' is no agent; known: anna, bob"


def test_a_hundred_thousand_rows(tmp_path: Path) -> None:
    rows = "".join(f"+4930{n:07d},K-{n},Customer {n},zh,{n % 10},anna,,Berlin\n" for n in range(100_000))
    started = time.process_time()
    table, errors = read(tmp_path, "number,id,name,language,vip,agent,matter,city\n" + rows)
    assert errors == []
    assert time.process_time() - started < 15
    found = table.find("+49300099999")
    assert found is not None
    assert found["name"] == "Customer 99999"
    row = table.rows["+49300099999"]
    assert sys.getsizeof(row) + sum(map(sys.getsizeof, row)) < 700, "bytes of a row, shared texts counted with it"
