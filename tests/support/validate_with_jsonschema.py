"""Validates documents with Python's jsonschema (Debian package python3-jsonschema); status 77 if it is not installed.

In the folder, NAME.schema.json is the schema of each line of NAME.jsonl. Prints NAME and the number of lines of each.
"""

import json
import pathlib
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError as error:
    sys.exit(print(error, file=sys.stderr) or 77)

wrong = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.schema.json")):
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    name = path.name.removesuffix(".schema.json")
    lines = path.with_name(f"{name}.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    for number, line in enumerate(lines, 1):
        for error in validator.iter_errors(json.loads(line)):
            wrong += 1
            print(f"{name}:{number}: {error.json_path}: {error.message}", file=sys.stderr)
    print(name, len(lines))
sys.exit(1 if wrong else 0)
