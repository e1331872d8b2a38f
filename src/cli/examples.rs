//! Examples for `--help` and the man pages. A test parses each of them.

use super::EXIT_CODES;

pub(super) const AUDIT: &str = "\
Examples:
  hivemend audit /mnt/image                           # a mounted volume: every Windows in it
  hivemend audit disk.E01 --recovery-key-file keys    # a disk image, with its BitLocker volumes
  hivemend audit collection.zip case/hives            # collected hives, packed and not
  hivemend audit disk.E01 --format json --output report.json --custody custody.json
  hivemend audit disk.E01 --patch patch               # the correction, its rollback and how to import them
  hivemend audit SYSTEM --os windows-7                # one hive of a known Windows

`hivemend audit --help` prints more of each option. Exit codes: see `hivemend --help`.";

pub(super) const FIND: &str = "\
Examples:
  hivemend find /mnt/image             # every hive: role, generation, Windows, state
  hivemend find disk.E01 -v            # also list what was searched and skipped
  hivemend find --check case/SYSTEM    # which parts of the hive are lost";

pub(super) const HISTORY: &str = "\
Examples:
  hivemend history /mnt/image                    # RegBack, restore points, shadow copies and the live hives
  hivemend history disk.E01 --format csv --output history.csv";

pub(super) const SCHEMA: &str = "\
Examples:
  hivemend schema > report.schema.json           # of the report
  hivemend schema records > records.schema.json  # of a line of --format jsonl
  hivemend schema plan                           # of the plan.json beside a patch";

pub(super) const SHOW: &str = "\
Examples:
  hivemend show case/SYSTEM 'CurrentControlSet\\Services\\BITS'
  hivemend show case/SOFTWARE Microsoft --recursive --output microsoft.reg
  hivemend show disk.E01!p2!Windows/System32/config/SYSTEM Select --format json";

pub(super) const VERIFY: &str = "\
Examples:
  hivemend verify fix.reg /mnt/image                            # what it corrects, and what else it does
  hivemend verify --applied patch/pc/plan.json case/after       # was the patch imported?
  hivemend verify --applied patch/pc/plan.json --before case/before case/after
  hivemend verify --applied patch/pc/plan.json --undone case/after";

pub(super) const LINT: &str = "\
Examples:
  hivemend lint fix.reg                            # what regedit does, and where hivexregedit differs
  hivemend lint fix.reg --importer hivexregedit --format json";

pub(super) const REPORT: &str = "\
Examples:
  hivemend report report.json                                    # as a table
  hivemend report report.json --format markdown --output report.md
  hivemend report pc1.json pc2.json --all --format csv --output fleet.csv
  hivemend report report.json --format html --output report.html --history history.json --custody custody.json
  hivemend report --fleet shard-1.jsonl shard-2.jsonl --output fleet.html    # one page for many machines";

pub(super) const EXPLAIN: &str = "\
Examples:
  hivemend explain service-bits/Start
  hivemend explain winlogon-notify-senslogn";

pub(super) const BASELINE: &str = "\
Examples:
  hivemend baseline list
  hivemend baseline show windows-7
  hivemend baseline learn good/SYSTEM --key 'CurrentControlSet\\Services' --recursive --output services.toml
  hivemend baseline check services.toml";

pub(super) const COMPLETIONS: &str = "\
Examples:
  hivemend completions bash    # put it into ~/.local/share/bash-completion/completions/hivemend
  hivemend completions zsh     # put it into a folder of $fpath, as _hivemend
  hivemend completions fish    # put it into ~/.config/fish/completions/hivemend.fish";

pub(super) const MAN: &str = "\
Examples:
  hivemend man          # the page of the program: hivemend man | man -l -
  hivemend man audit
  hivemend man --dir man1";

const FIRST: &str = "\
Examples:
  hivemend audit /mnt/image                 # what stops updates here?
  hivemend audit disk.E01 --patch patch     # and the .reg file that corrects it
  hivemend explain service-bits/Start       # why a finding matters";

/// All of them.
#[cfg(test)]
pub(super) const ALL: [&str; 12] =
    [FIRST, AUDIT, FIND, HISTORY, SHOW, VERIFY, LINT, REPORT, EXPLAIN, BASELINE, COMPLETIONS, MAN];

/// Returns the program's own examples, and the exit codes.
pub(super) fn with_exit_codes() -> String {
    format!("{FIRST}\n\n{EXIT_CODES}")
}
