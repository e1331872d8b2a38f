-- Asks questions about many machines. Reads the tables of schema.sql, and answers each question with a view or a macro
-- that can be used in further queries.
--
--   SET VARIABLE lines = 'answers/*.jsonl';
--   SET VARIABLE lists = 'machines.jsonl';
--   .read integrations/fleet/schema.sql
--   .read integrations/fleet/questions.sql
--
--   FROM what_is_wrong;
--   FROM odd_one_out();
--   FROM shared_deviations();
--   FROM no_answer;
--   FROM first_and_last;
--   FROM read_twice;
--   COPY findings_flat TO 'fleet.parquet' (FORMAT parquet);
--
-- A machine is a label or, without one, the path of the evidence: damaged machines have no name, and cloned machines
-- share one. Only installations that `audit` judges by default count: generations live and copy.


-- The installations that were judged, with their machine.
CREATE OR REPLACE VIEW judged AS
SELECT
    coalesce(label, evidence) AS machine,
    run,
    id AS installation,
    label,
    evidence,
    machine.computer_name AS computer_name,
    os.id AS os,
    counts.assessed > 0 AS answered,
    gaps
FROM installations
WHERE generation IN ('live', 'copy');


-- The findings of these installations, with their machine. `data` is what was observed, for people. `same` tells data
-- apart byte by byte.
CREATE OR REPLACE VIEW judged_findings AS
SELECT
    coalesce(installation.label, installation.evidence) AS machine,
    installation.os AS os,
    CASE
        WHEN observed IS NOT NULL THEN observed.type || ' ' || observed.text
        WHEN value IS NULL THEN '(the key itself)'
        ELSE '(not set)'
    END AS data,
    CASE WHEN observed IS NOT NULL THEN observed.type || ' ' || observed.raw END AS same,
    * EXCLUDE (line)
FROM findings
WHERE installation.generation IN ('live', 'copy');


-- What deviates, is absent or is unexpected. Without findings of severity info, which are the owner's choice, and without
-- what follows from another finding: a missing key is one deviation, not one for each of its values.
CREATE OR REPLACE VIEW deviations AS
FROM judged_findings
WHERE verdict IN ('deviates', 'absent', 'unexpected') AND severity <> 'info' AND cause IS NULL;


-- What is wrong, and on how many machines?
-- `share` is the part of all machines that gave an answer. `some_machines` has three examples.
CREATE OR REPLACE VIEW what_is_wrong AS
SELECT
    id,
    verdict,
    severity,
    count(DISTINCT machine) AS machines,
    count(DISTINCT machine) / (SELECT count(DISTINCT machine) FROM judged WHERE answered) AS share,
    list_sort(list(DISTINCT os)) AS windows,
    count(DISTINCT coalesce(same, '')) AS different_data,
    list_sort(list(DISTINCT machine))[:3] AS some_machines
FROM deviations
GROUP BY id, verdict, severity
ORDER BY machines DESC, id, verdict, severity;


-- Which machine is the odd one out? Data that few machines of a Windows have, where most of them have something else.
--
--   FROM odd_one_out();                             -- data that 2 % or fewer machines have, where half have the same
--   FROM odd_one_out(at_most := 0.1, usual := 0.8);
--
-- Values that are judged by nobody count too, such as the address of the WSUS server. Values that differ everywhere,
-- such as the host name, have no usual data and so no odd one. A machine without a finding for an expectation conforms.
-- Among the conforming machines, only reports made with --all show different data.
CREATE OR REPLACE MACRO odd_one_out(at_most := 0.02, usual := 0.5) AS TABLE
WITH answered AS (
    SELECT os, count(DISTINCT machine) AS machines FROM judged WHERE answered GROUP BY os
),
found AS (
    SELECT *, verdict <> 'unreadable' AND (reason IS NULL OR reason = 'informational') AS known FROM judged_findings
),
-- Each expectation of each Windows: of how many machines the data are known, and how many have no finding.
expectations AS (
    SELECT
        answered.os,
        id,
        answered.machines - count(DISTINCT machine) FILTER (NOT known) AS of_machines,
        answered.machines - count(DISTINCT machine) AS silent
    FROM found JOIN answered ON answered.os = found.os
    GROUP BY answered.os, id, answered.machines
),
held AS (
    SELECT os, id, verdict, data, list_sort(list(DISTINCT machine)) AS which
    FROM found
    WHERE known AND cause IS NULL
    GROUP BY os, id, verdict, data, same
),
most AS (
    SELECT os, id, max(len(which)) AS machines FROM held GROUP BY os, id
)
SELECT
    held.os,
    held.id,
    held.verdict,
    held.data,
    len(held.which) AS machines,
    expectations.of_machines,
    len(held.which) / expectations.of_machines AS share,
    greatest(most.machines, expectations.silent) / expectations.of_machines AS usual_share,
    held.which
FROM held
JOIN expectations ON expectations.os = held.os AND expectations.id = held.id
JOIN most ON most.os = held.os AND most.id = held.id
WHERE len(held.which) <= at_most * expectations.of_machines
    AND greatest(most.machines, expectations.silent) >= usual * expectations.of_machines
ORDER BY held.os, machines, held.id, held.data;


-- Which machines share a set of deviations? The same hand, image or policy may be behind them.
--
--   FROM shared_deviations();                -- sets of two or more machines
--   FROM shared_deviations(at_least := 1);   -- every set
--
-- The same expectations deviate in the same way with the same data.
CREATE OR REPLACE MACRO shared_deviations(at_least := 2) AS TABLE
WITH sets AS (
    SELECT
        machine,
        list_sort(list(DISTINCT os)) AS windows,
        list_sort(list(DISTINCT id || ' ' || verdict || ': ' || data)) AS deviations,
        list_sort(list(DISTINCT id || ' ' || verdict || ': ' || coalesce(same, ''))) AS same
    FROM deviations
    GROUP BY machine
)
SELECT len(which) AS machines, * EXCLUDE (which), which
FROM (
    SELECT
        any_value(deviations) AS deviations,
        list_sort(list_distinct(flatten(list(windows)))) AS windows,
        list_sort(list(machine)) AS which
    FROM sets
    GROUP BY same
)
WHERE len(which) >= at_least
ORDER BY machines DESC, len(deviations), deviations;


-- Which machines gave no answer, or only a part of one, and why?
-- `answer` is none or part. `code` is the code of the gap in hivemend's report, or one of these:
-- no-record: a list names the machine, and no record does. Its shard has no answer yet, or was cut off.
-- cut-off: the records of a run end without a summary, or some of its lines cannot be read. The machine is unknown.
CREATE OR REPLACE VIEW no_answer AS
WITH
-- The machines of a list, by path. A gap has a path, but no label.
named AS (
    SELECT coalesce(label, path) AS machine, path FROM listed
),
answered AS (
    SELECT machine FROM judged WHERE answered
    UNION
    -- A path of a list without a label that holds an installation.
    SELECT named.machine
    FROM named
    JOIN judged
        ON judged.label IS NULL
        AND judged.answered
        AND (starts_with(judged.evidence, named.path || '/') OR starts_with(judged.evidence, named.path || '!'))
),
of_installations AS (
    SELECT run, machine, unnest(gaps) AS gap FROM judged
),
-- What was refused before it became an installation.
of_sources AS (
    SELECT run, unnest(gaps) AS gap FROM summaries
    EXCEPT
    SELECT run, unnest(gaps) AS gap FROM installations
),
-- The longest path of a list that is the gap's path or holds it.
of_machines AS (
    SELECT of_sources.run, of_sources.gap, arg_max(named.machine, len(named.path)) AS machine
    FROM of_sources
    LEFT JOIN named
        ON of_sources.gap.at = named.path
        OR starts_with(of_sources.gap.at, named.path || '/')
        OR starts_with(of_sources.gap.at, named.path || '!')
    GROUP BY of_sources.run, of_sources.gap
),
gaps AS (
    SELECT run, machine, gap FROM of_installations
    UNION ALL
    SELECT
        run,
        coalesce(
            (
                SELECT any_value(sources.label)
                FROM sources
                WHERE sources.run = of_machines.run
                    AND sources.locator = of_machines.gap.at
                    AND sources.outcome = 'refused'
            ),
            machine,
            gap.at
        ),
        gap
    FROM of_machines
),
silent AS (
    SELECT DISTINCT coalesce(listed.label, listed.path) AS machine, listed.path
    FROM listed
    WHERE NOT EXISTS (FROM gaps WHERE gaps.machine = coalesce(listed.label, listed.path))
        AND CASE
            WHEN listed.label IS NOT NULL THEN listed.label NOT IN (SELECT machine FROM judged)
            ELSE NOT EXISTS (
                FROM judged
                WHERE judged.evidence = listed.path
                    OR starts_with(judged.evidence, listed.path || '/')
                    OR starts_with(judged.evidence, listed.path || '!')
            )
        END
)
SELECT
    gaps.machine,
    CASE WHEN gaps.machine IN (FROM answered) THEN 'part' ELSE 'none' END AS answer,
    gap.code AS code,
    gap.at AS at,
    gap.reason AS reason,
    gap.advice AS advice,
    runs.file AS file
FROM gaps JOIN runs ON runs.run = gaps.run
UNION ALL
SELECT
    machine,
    'none',
    'no-record',
    path,
    coalesce(
        (SELECT any_value(sources.reason) FROM sources WHERE sources.locator = path AND sources.outcome <> 'read'),
        'no record of this machine'
    ),
    'run the shards that have no answer; name each path once',
    NULL
FROM silent
UNION ALL
SELECT
    NULL,
    'part',
    'cut-off',
    NULL,
    CASE WHEN truncated THEN 'no summary at the end' ELSE unreadable_lines || ' lines cannot be read' END,
    'run this shard again',
    file
FROM runs
WHERE truncated OR unreadable_lines > 0
ORDER BY ALL;


-- When was a deviation first and last written, and on which machines?
-- A key has a time, a value has none: its data are not younger than the time. The times are text, to 100 ns, and in UTC.
-- Times that cannot be right, such as those before the first Windows NT, are counted in `doubtful` and left out.
CREATE OR REPLACE VIEW first_and_last AS
SELECT
    id,
    verdict,
    any_value(data) AS data,
    count(DISTINCT machine) AS machines,
    min(key_time) FILTER (key_last_written_note IS NULL) AS first,
    arg_min(machine, (key_time, machine)) FILTER (key_last_written_note IS NULL AND key_time IS NOT NULL) AS first_machine,
    max(key_time) FILTER (key_last_written_note IS NULL) AS last,
    arg_max(machine, (key_time, machine)) FILTER (key_last_written_note IS NULL AND key_time IS NOT NULL) AS last_machine,
    count(*) FILTER (key_last_written_note IS NOT NULL) AS doubtful
FROM deviations
GROUP BY id, verdict, same
ORDER BY first NULLS LAST, id, verdict, data;


-- Which machines stand in more than one run? An answer of an earlier run may lie beside the new one. The questions above
-- count a machine once, but have the findings of both runs.
CREATE OR REPLACE VIEW read_twice AS
SELECT machine, list_sort(list(DISTINCT runs.file)) AS files, count(DISTINCT judged.run) AS runs
FROM judged JOIN runs USING (run)
GROUP BY machine
HAVING count(DISTINCT judged.run) > 1
ORDER BY machine;


-- All findings as one flat table, for Parquet and for programs that read columns. key_last_written keeps the 100 ns.
--
--   COPY findings_flat TO 'fleet.parquet' (FORMAT parquet);
CREATE OR REPLACE VIEW findings_flat AS
SELECT
    runs.file AS file,
    coalesce(installation.label, installation.evidence) AS machine,
    installation.label AS label,
    installation.evidence AS evidence,
    installation.generation AS generation,
    installation.computer_name AS computer_name,
    installation.os AS os,
    installation.hive_path AS hive_path,
    installation.sha256 AS sha256,
    findings.id AS id,
    verdict,
    severity,
    grade,
    reason,
    note,
    cause,
    path AS key,
    value,
    control_set,
    expectation,
    [one.type || ' ' || (one.data ->> '$') for one in expected] AS expected,
    observed.type AS observed_type,
    observed.text AS observed_text,
    observed.raw AS observed_raw,
    key_last_written,
    key_time,
    key_last_written_note,
    view,
    also_in,
    attack,
    remediation.action AS edit,
    remediation.type AS edit_type,
    remediation.data AS edit_data
FROM findings JOIN runs USING (run);
