"""Prints what benches/peers.sh measured as a table: table.py FOLDER COMMANDS."""

import json
import statistics
import sys
from pathlib import Path

folder = Path(sys.argv[1])
rows = []
for index in range(int(sys.argv[2])):
    results = [json.loads(path.read_text())["results"][0] for path in folder.glob(f"*-{index}.json")]
    times = sorted(1000 * time for result in results for time in result["times"])
    resident = int((folder / f"{index}.rss").read_text().split()[-1]) / 1024
    rows.append((results[0]["command"], statistics.median(times), times[0], len(times), resident))

bare = next(row for row in rows if row[0] == "hivemend audit --no-hash")
hashing = next(row for row in rows if row[0] == "hivemend audit")
print("| command | median | least | runs | times `audit --no-hash` | times `audit` | resident |")
print("|---|--:|--:|--:|--:|--:|--:|")
for name, median, least, runs, resident in rows:
    print(
        f"| {name} | {median:.1f} ms | {least:.1f} ms | {runs} | {median / bare[1]:.1f} | {median / hashing[1]:.2f} | "
        f"{resident:.1f} MB |"
    )
