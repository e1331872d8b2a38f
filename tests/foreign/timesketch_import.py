#!/usr/bin/env python3
"""Hands the events of all fixtures to Timesketch's import client, with a stand-in for the server: every line is sent,
and what it says arrives.

Needs timesketch-import-client from PyPI.
"""

import datetime
import importlib.metadata
import json
import logging
import sys
import tempfile

from timesketch_import_client import importer

from written import Desk

REQUIRED = ("message", "timestamp", "timestamp_desc", "datetime")


class Response:
    status_code, reason, text = 200, "OK", ""

    @staticmethod
    def json():
        return {"objects": [{"id": 1, "searchindex": {"index_name": "events"}}], "meta": {"task_id": "1"}}


class Server:
    """Keeps what is posted to it. It is its own session, API and sketch."""

    id, api_root = 1, "http://127.0.0.1/api/v1"

    def __init__(self):
        self.api, self.session, self.events, self.posts = self, self, [], 0

    def post(self, _url, data, files):
        self.posts += 1
        self.name = data["name"]
        _, text, kind = files["events"]
        assert kind == "application/json"
        self.events += [json.loads(line) for line in text.split("\n")]
        return Response


class Complaints(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.all = []

    def emit(self, record):
        self.all.append(record.getMessage())


def instant(text):
    return datetime.datetime.fromisoformat(text)


def main():
    complaints = Complaints()
    logging.getLogger("timesketch_importer").addHandler(complaints)
    with tempfile.TemporaryDirectory() as folder:
        path, lines = Desk(folder).lines("events.jsonl", "audit", "evidence", "--format", "timesketch", "--all")
        server = Server()
        with importer.ImportStreamer() as streamer:
            streamer.set_sketch(server)
            streamer.set_timeline_name("hivemend")
            streamer.set_entry_threshold(1000)
            streamer.add_file(str(path))
    if complaints.all:
        sys.exit("\n".join(complaints.all))
    if len(server.events) != len(lines):
        sys.exit(f"{len(lines)} lines were written, and {len(server.events)} arrived")
    for number, (line, event) in enumerate(zip(lines, server.events), 1):
        # The client writes the time anew.
        if instant(event["datetime"]) != instant(line["datetime"]):
            sys.exit(f"line {number}: {line['datetime']} arrived as {event['datetime']}")
        if {**event, "datetime": None} != {**line, "datetime": None}:
            sys.exit(f"line {number}: {line} arrived as {event}")
        seconds = (instant(event["datetime"]) - instant("1970-01-01T00:00:00+00:00")) / datetime.timedelta(microseconds=1)
        if seconds != event["timestamp"] or not all(str(event[field]) for field in REQUIRED):
            sys.exit(f"line {number}: {event}")
    version = importlib.metadata.version("timesketch-import-client")
    print(f"timesketch-import-client {version}: {len(lines)} events in {server.posts} posts")


main()
