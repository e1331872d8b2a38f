"""Reads answers with schema.sql and questions.sql."""

from pathlib import Path

import duckdb

FLEET = Path(__file__).resolve().parent.parent


def read(lines, lists=None):
    """Returns a DuckDB with the tables of schema.sql and the questions."""
    connection = duckdb.connect()
    connection.execute("SET VARIABLE lines = $1", [str(lines)])
    if lists is not None:
        connection.execute("SET VARIABLE lists = $1", [str(lists)])
    for name in ("schema.sql", "questions.sql"):
        connection.execute((FLEET / name).read_text(encoding="utf-8"))
    return connection


def rows(connection, query, *parameters):
    """Returns the rows of a query as dictionaries."""
    result = connection.execute(query, parameters)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
