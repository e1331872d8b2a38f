-- Reads the records that `hivemend audit --format jsonl` wrote (any number of runs, any number of files) into tables:
-- runs, installations, findings, shadow_copies, sources, problems, summaries. For DuckDB 1.4 and later.
--
--   SET VARIABLE lines = 'reports/*.jsonl';
--   SET VARIABLE lists = 'machines.jsonl';
--   .read integrations/fleet/schema.sql
--
-- `lists` is optional: the files that were given to --files-from. They fill the table listed. Only with them can
-- questions.sql name machines that occur in no record.
--
-- This file fixes the type of each column, whatever the files hold: a list that is empty in every record stays a list,
-- and a field that is null in every record keeps its type. Times are UTC, to the 100 ns of Windows. TIMESTAMP_NS ends in
-- 1677 and 2262, and a key that somebody tampered with may have any time: findings.key_time is the text of
-- key_last_written, in which no time is lost. Text of this form sorts like the times.
-- `run` numbers the runs. `line` numbers the records across all files. A run without a summary is truncated: see
-- runs.truncated. A line that is no JSON, such as the last line of a file that was cut off, is counted in
-- runs.unreadable_lines.

CREATE OR REPLACE TEMP TABLE records AS
WITH read_lines AS (
    SELECT row_number() OVER () AS line, filename AS file, json
    FROM read_ndjson_objects(getvariable('lines'), filename = true, ignore_errors = true,
                             maximum_object_size = 268435456)
)
SELECT
    -- In the order of the files: ORDER BY would sort all records, and take five times as long.
    count(*) FILTER (json ->> '$.record' = 'run') OVER (ROWS UNBOUNDED PRECEDING) AS run,
    line,
    file,
    json ->> '$.record' AS record,
    json
FROM read_lines;

CREATE OR REPLACE TABLE runs AS
SELECT
    run,
    line,
    file,
    json ->> '$.schema_version' AS schema_version,
    json ->> '$.tool.name' AS tool,
    json ->> '$.tool.version' AS version,
    json_transform(json -> '$.options', '{
        "os": "VARCHAR", "replay": "BOOLEAN", "control_set": "VARCHAR", "generations": "VARCHAR",
        "profiles": ["VARCHAR"], "fail_on": "VARCHAR", "all": "BOOLEAN"
    }') AS options,
    run NOT IN (SELECT run FROM records WHERE record = 'summary') AS truncated,
    (SELECT count(*) FROM records AS other WHERE other.run = records.run AND other.json IS NULL) AS unreadable_lines
FROM records
WHERE record = 'run';

CREATE OR REPLACE TABLE installations AS
SELECT run, line, unnest(fields)
FROM (
    SELECT run, line, json_transform(json, '{
        "id": "VARCHAR", "label": "VARCHAR", "evidence": "VARCHAR", "generation": "VARCHAR",
        "machine": {
            "computer_name": "VARCHAR", "system_root": "VARCHAR", "installed": "TIMESTAMP_NS",
            "last_shutdown": "TIMESTAMP_NS", "time_zone": "VARCHAR"
        },
        "os": {
            "id": "VARCHAR", "forced": "BOOLEAN", "certainty": "VARCHAR",
            "marks": {"for": ["VARCHAR"], "against": ["VARCHAR"]}, "judged_by": "VARCHAR", "name": "VARCHAR",
            "product_name": "VARCHAR", "version": "VARCHAR", "build": "UBIGINT", "revision": "UBIGINT",
            "service_pack": "VARCHAR", "product_type": "VARCHAR", "architecture": "VARCHAR", "edition": "VARCHAR",
            "basis": ["VARCHAR"]
        },
        "same_machine": {"state": "VARCHAR", "by": ["VARCHAR"]},
        "control_sets": {
            "present": ["UBIGINT"], "current": "UBIGINT", "default": "UBIGINT", "failed": "UBIGINT",
            "last_known_good": "UBIGINT"
        },
        "gaps": [{"code": "VARCHAR", "at": "VARCHAR", "reason": "VARCHAR", "advice": "VARCHAR"}],
        "hives": [{
            "role": "VARCHAR", "path": "VARCHAR", "size": "UBIGINT", "sha256": "VARCHAR", "md5": "VARCHAR",
            "sha1": "VARCHAR", "format_version": "VARCHAR", "last_written": "TIMESTAMP_NS",
            "container": {
                "format": "VARCHAR", "partition": "UBIGINT", "offset": "UBIGINT", "stored_hash": "VARCHAR",
                "verified": "BOOLEAN", "facts": ["VARCHAR"],
                "acquisition": {
                    "case_number": "VARCHAR", "evidence_number": "VARCHAR", "description": "VARCHAR",
                    "examiner": "VARCHAR", "notes": "VARCHAR", "acquired": "VARCHAR", "software": "VARCHAR",
                    "system": "VARCHAR"
                }
            },
            "source_integrity": "VARCHAR",
            "integrity": {
                "state": "VARCHAR", "primary_sequence": "UBIGINT", "secondary_sequence": "UBIGINT",
                "checksum_valid": "BOOLEAN",
                "logs": [{
                    "path": "VARCHAR", "size": "UBIGINT", "sha256": "VARCHAR", "md5": "VARCHAR", "sha1": "VARCHAR",
                    "format": "VARCHAR", "state": "VARCHAR"
                }],
                "replay": {
                    "log_format": "VARCHAR", "logs_used": ["VARCHAR"], "entries_applied": "UBIGINT",
                    "first_sequence": "UBIGINT", "last_sequence": "UBIGINT", "pages_written": "UBIGINT"
                },
                "coverage": "JSON",
                "problems": [{
                    "path": "VARCHAR", "offset": "UBIGINT", "expected": "VARCHAR", "found": "VARCHAR",
                    "advice": "VARCHAR", "code": "VARCHAR"
                }]
            }
        }],
        "baseline": {"id": "VARCHAR", "sha256": "VARCHAR"},
        "extended_by": [{"id": "VARCHAR", "sha256": "VARCHAR"}],
        "by_own": "BOOLEAN", "own_keys": ["VARCHAR"], "answer": "VARCHAR",
        "counts": {
            "assessed": "UBIGINT", "conforms": "UBIGINT", "deviates": "UBIGINT", "absent": "UBIGINT",
            "unexpected": "UBIGINT", "unreadable": "UBIGINT", "not_assessed": "UBIGINT",
            "highest_severity": "VARCHAR",
            "grades": {"confirmed": "UBIGINT", "single-source": "UBIGINT", "inferred": "UBIGINT"}
        }
    }') AS fields
    FROM records
    WHERE record = 'installation'
);

-- Expected and observed `data` keep the JSON type of their registry type. observed.text is always text.
CREATE OR REPLACE TABLE findings AS
SELECT run, line, unnest(fields), key_time
FROM (
    SELECT run, line, json ->> '$.key_last_written' AS key_time, json_transform(json, '{
        "installation": {
            "id": "VARCHAR", "label": "VARCHAR", "evidence": "VARCHAR", "generation": "VARCHAR", "os": "VARCHAR",
            "computer_name": "VARCHAR", "hive_path": "VARCHAR", "sha256": "VARCHAR", "md5": "VARCHAR", "sha1": "VARCHAR"
        },
        "path": "VARCHAR", "id": "VARCHAR", "verdict": "VARCHAR", "severity": "VARCHAR", "grade": "VARCHAR",
        "reason": "VARCHAR", "note": "VARCHAR", "cause": "VARCHAR", "advice": "VARCHAR", "hive": "VARCHAR",
        "control_set": "UBIGINT", "key": "VARCHAR", "value": "VARCHAR",
        "expectation": "VARCHAR", "expected": [{"type": "VARCHAR", "data": "JSON"}], "same_as": "VARCHAR",
        "observed": {"type": "VARCHAR", "data": "JSON", "text": "VARCHAR", "strings": ["VARCHAR"], "raw": "VARCHAR"},
        "key_last_written": "TIMESTAMP_NS", "key_last_written_note": "VARCHAR", "view": "VARCHAR",
        "other_view": {
            "verdict": "VARCHAR",
            "observed": {
                "type": "VARCHAR", "data": "JSON", "text": "VARCHAR", "strings": ["VARCHAR"], "raw": "VARCHAR"
            },
            "location": "JSON"
        },
        "also_in": ["VARCHAR"], "location": "JSON", "why": "VARCHAR",
        "source": {"title": "VARCHAR", "url": "VARCHAR"}, "attack": ["VARCHAR"],
        "remediation": {"action": "VARCHAR", "type": "VARCHAR", "data": "JSON"}
    }') AS fields
    FROM records
    WHERE record = 'finding'
);

CREATE OR REPLACE TABLE shadow_copies AS
SELECT run, line, unnest(fields)
FROM (
    SELECT run, line, json_transform(json, '{
        "path": "VARCHAR", "created": "TIMESTAMP_NS", "id": "VARCHAR", "deleted": "BOOLEAN", "read": "BOOLEAN",
        "problem": {
            "path": "VARCHAR", "offset": "UBIGINT", "expected": "VARCHAR", "found": "VARCHAR", "advice": "VARCHAR",
            "code": "VARCHAR"
        }
    }') AS fields
    FROM records
    WHERE record = 'shadow-copy'
);

CREATE OR REPLACE TABLE sources AS
SELECT run, line, unnest(fields)
FROM (
    SELECT run, line, json_transform(json, '{
        "locator": "VARCHAR", "label": "VARCHAR", "kind": "VARCHAR", "outcome": "VARCHAR", "reason": "VARCHAR", "advice": "VARCHAR",
        "integrity": "VARCHAR", "verified_by": "VARCHAR",
        "members": {"seen": "UBIGINT", "read": "UBIGINT", "refused": "UBIGINT", "irrelevant": "UBIGINT"}
    }') AS fields
    FROM records
    WHERE record = 'source'
);

CREATE OR REPLACE TABLE problems AS
SELECT run, line, unnest(fields)
FROM (
    SELECT run, line, json_transform(json, '{
        "path": "VARCHAR", "offset": "UBIGINT", "expected": "VARCHAR", "found": "VARCHAR", "advice": "VARCHAR",
        "code": "VARCHAR"
    }') AS fields
    FROM records
    WHERE record = 'problem'
);

CREATE OR REPLACE TABLE summaries AS
SELECT run, line, unnest(fields)
FROM (
    SELECT run, line, json_transform(json, '{
        "installations": "UBIGINT", "assessed": "UBIGINT", "conforms": "UBIGINT", "deviates": "UBIGINT",
        "absent": "UBIGINT", "unexpected": "UBIGINT", "unreadable": "UBIGINT", "not_assessed": "UBIGINT",
        "highest_severity": "VARCHAR",
        "grades": {"confirmed": "UBIGINT", "single-source": "UBIGINT", "inferred": "UBIGINT"},
        "gaps": [{"code": "VARCHAR", "at": "VARCHAR", "reason": "VARCHAR", "advice": "VARCHAR"}], "complete": "BOOLEAN"
    }') AS fields
    FROM records
    WHERE record = 'summary'
);

-- What the runs were asked to read: one row a line of a list. A line is a path, or JSON with path and label.
CREATE OR REPLACE TABLE listed AS
WITH listed_lines AS (
    SELECT
        filename AS file,
        content,
        CASE WHEN starts_with(content, '{') AND json_valid(content) THEN content::JSON END AS json
    FROM read_csv(
        coalesce(getvariable('lists')::VARCHAR, getvariable('lines')), columns = {'content': 'VARCHAR'}, filename = true,
        auto_detect = false, header = false, delim = '\x01', quote = '', escape = '', max_line_size = 268435456
    )
    WHERE getvariable('lists') IS NOT NULL AND trim(content) <> ''
)
SELECT
    file,
    json ->> '$.label' AS label,
    -- As the report has it, which drops slashes from the end.
    rtrim(coalesce(json ->> '$.path', content), '/') AS path
FROM listed_lines;

DROP TABLE records;
