//! The sandbox of a worker: what a process in it cannot do, what it still can, and what is said where there is none.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hivemend::evidence::worker::{Sandbox, enter};
use nix::sys::ptrace;
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, Signal};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};
use serde_json::{Value, json};

use crate::archives::zip_of;
use crate::command_line::Desk;
use crate::harness;

/// The argument with which this program is a process in a sandbox.
pub(crate) const TRIAL: &str = "--in-a-sandbox";
/// The same without the sandbox.
pub(crate) const OUTSIDE: &str = "--outside-a-sandbox";
/// The argument with which this program takes seccomp away from the program that follows.
pub(crate) const WITHOUT: &str = "--without-seccomp";

/// Does what the arguments say, if this program was started by a test of this module.
pub(crate) fn part() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next()?;
    if first == TRIAL {
        return Some(trial());
    }
    if first == OUTSIDE {
        println!("{}", json!(attempts(None)));
        return Some(ExitCode::SUCCESS);
    }
    if first == WITHOUT {
        let call = |call: i64| (call, Vec::new());
        let calls = BTreeMap::from([call(libc::SYS_seccomp)]);
        let gone = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
        let arch = TargetArch::try_from(std::env::consts::ARCH).unwrap();
        let filter = SeccompFilter::new(calls, SeccompAction::Allow, gone, arch).unwrap();
        let filter: BpfProgram = filter.try_into().unwrap();
        apply_filter(&filter).unwrap();
        let program = arguments.next().unwrap();
        panic!("{}", Command::new(program).args(arguments).exec());
    }
    None
}

/// What a reader that was taken over would try. Each returns whether it was done. `parent` is the process that started
/// this one; outside the sandbox it is left alone.
fn attempts(parent: Option<rustix::process::Pid>) -> BTreeMap<&'static str, bool> {
    let own = std::process::id().cast_signed();
    let is_refused = |error: &std::io::Error| error.kind() == std::io::ErrorKind::PermissionDenied;
    BTreeMap::from([
        ("open a file", File::open("/etc/passwd").is_ok()),
        ("open its own memory", File::open("/proc/self/mem").is_ok()),
        ("list a folder", fs::read_dir("/").is_ok()),
        ("make a file", File::create(std::env::temp_dir().join("hivemend-was-here")).is_ok()),
        ("remove a file", !fs::remove_file("/nothing/there").is_err_and(|error| is_refused(&error))),
        ("look at a file", fs::metadata("/etc/passwd").is_ok()),
        ("connect", TcpStream::connect("127.0.0.1:9").is_err_and(|error| !is_refused(&error))),
        ("make a datagram socket", UdpSocket::bind("127.0.0.1:0").is_ok()),
        ("make a pair of sockets", UnixStream::pair().is_ok()),
        ("fork", Command::new("/bin/true").status().is_ok()),
        ("exec", !is_refused(&Command::new("/nothing/there").exec())),
        ("be traced", ptrace::traceme().is_ok()),
        (
            "trace another",
            parent.is_none_or(|parent| ptrace::attach(Pid::from_raw(parent.as_raw_nonzero().get())).is_ok()),
        ),
        ("signal another", rustix::process::test_kill_process(parent.unwrap_or(rustix::process::getpid())).is_ok()),
        ("signal itself as a process", nix::sys::signal::kill(Pid::from_raw(own), None).is_ok()),
        (
            "raise a limit",
            rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).is_ok(),
        ),
        ("be dumped", rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable).is_ok()),
    ])
}

/// A process in a sandbox: tries everything in its first thread, in a thread of a pool, and in a thread that it had
/// before; and does what a reader must.
fn trial() -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    let mut passed = File::open("/etc/passwd").unwrap();
    let (go, wait) = mpsc::channel();
    let before = thread::spawn(move || {
        wait.recv().unwrap();
        File::open("/etc/passwd").is_ok()
    });
    let parent = rustix::process::getppid();
    let sandbox = enter().unwrap();
    let first = attempts(parent);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let in_pool = pool.install(|| attempts(parent));
    go.send(()).unwrap();
    let before = before.join().unwrap();
    let mut text = String::new();
    let needs = BTreeMap::from([
        ("read a file that was passed", passed.read_to_string(&mut text).is_ok_and(|count| count > 0)),
        ("ask for memory", vec![1_u8; 200 << 20].iter().map(|byte| u64::from(*byte)).sum::<u64>() == 200 << 20),
        ("keep bytes in a memory file", rustix::fs::memfd_create("trial", rustix::fs::MemfdFlags::CLOEXEC).is_ok()),
        ("survive a panic", std::panic::catch_unwind(|| panic!("on purpose")).is_err()),
        ("sleep", {
            thread::sleep(Duration::from_millis(1));
            true
        }),
        ("share work", {
            use rayon::prelude::*;
            pool.install(|| (0..1000_u64).into_par_iter().sum::<u64>()) == 499_500
        }),
    ]);
    println!("{}", json!({"sandbox": sandbox, "first": first, "pool": in_pool, "before": before, "needs": needs}));
    ExitCode::SUCCESS
}

fn this_program(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments);
    command
}

#[test]
fn a_process_in_the_sandbox_can_open_connect_fork_exec_and_trace_nothing_from_any_thread() {
    let output = this_program(&[TRIAL]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    for place in ["first", "pool"] {
        let done: Vec<&String> = told[place]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, done)| **done != json!(false))
            .map(|(what, _)| what)
            .collect();
        assert!(done.is_empty(), "in {place}: {done:?}");
        assert!(told[place].as_object().unwrap().len() > 15);
    }
    for (what, done) in told["needs"].as_object().unwrap() {
        assert_eq!(*done, json!(true), "{what}");
    }
    let sandbox: Sandbox = serde_json::from_value(told["sandbox"].clone()).unwrap();
    assert!(sandbox.process && sandbox.seccomp && sandbox.no_new_privileges);
    // Why it comes before the first other thread: seccomp leaves older threads free.
    assert_eq!(told["before"], json!(true));
    // Outside, everything of it can be done.
    let output = this_program(&[OUTSIDE]).output().unwrap();
    let told: BTreeMap<String, bool> = serde_json::from_slice(&output.stdout).unwrap();
    let not_done: Vec<_> = told.iter().filter(|(_, done)| !**done).collect();
    assert!(not_done.is_empty() && told.len() > 15, "{not_done:?}");
}

/// A worker that was started and not asked anything yet.
struct Idle {
    child: Child,
    socket: UnixStream,
    told: Value,
}

impl Idle {
    fn start(mut command: Command) -> Self {
        let (mut own, other) = UnixStream::pair().unwrap();
        let child = command.stdin(OwnedFd::from(other)).stdout(Stdio::null()).spawn().unwrap();
        own.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let start = json!({"seconds": 60, "sandbox": true, "progress": false}).to_string();
        own.write_all(&(start.len() as u64).to_le_bytes()).unwrap();
        own.write_all(start.as_bytes()).unwrap();
        let mut length = [0; 8];
        own.read_exact(&mut length).unwrap();
        let mut message = vec![0; usize::try_from(u64::from_le_bytes(length)).unwrap()];
        own.read_exact(&mut message).unwrap();
        Self { child, socket: own, told: serde_json::from_slice(&message).unwrap() }
    }

    fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string()).join(name)
    }

    fn field(&self, name: &str) -> String {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn worker() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
    command.args(["judge-in-a-worker", "audit"]);
    command
}

#[test]
fn a_worker_is_in_the_sandbox_with_limits_before_it_is_asked_anything() {
    let idle = Idle::start(worker());
    assert_eq!(idle.told["Says"]["Ok"]["seccomp"], json!(true), "{}", idle.told);
    assert_eq!((idle.field("Seccomp"), idle.field("NoNewPrivs")), ("2".to_owned(), "1".to_owned()));
    let filters: u32 = idle.field("Seccomp_filters").parse().unwrap();
    assert!(filters >= 2);
    let limits = fs::read_to_string(idle.proc("limits")).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(limit("Max address space"), (9_u64 << 30).to_string());
    assert_eq!((limit("Max cpu time"), limit("Max core file size")), ("61".to_owned(), "0".to_owned()));
}

#[test]
fn an_inherited_limit_that_is_lower_stays() {
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_hivemend");
    command.args(["-c", &format!("ulimit -v 4000000; ulimit -n 64; exec {program} judge-in-a-worker audit")]);
    let idle = Idle::start(command);
    let limits = fs::read_to_string(idle.proc("limits")).unwrap();
    let has = |name: &str, value: &str| limits.lines().any(|line| line.starts_with(name) && line.contains(value));
    assert!(has("Max address space", "4096000000") && has("Max open files", " 64 "), "{limits}");
}

#[test]
fn a_worker_ends_with_the_process_that_started_it() {
    // The shell is that process. This one keeps the socket open.
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_hivemend");
    command.args(["-c", &format!("exec 5<&0; {program} judge-in-a-worker audit <&5 5<&- & echo $! >&2; wait")]);
    command.stderr(Stdio::piped());
    let mut idle = Idle::start(command);
    let mut line = [0; 16];
    let count = idle.child.stderr.as_mut().unwrap().read(&mut line).unwrap();
    let worker = PathBuf::from(format!("/proc/{}", String::from_utf8_lossy(&line[..count]).trim()));
    assert!(worker.exists());
    rustix::process::kill_process(rustix::process::Pid::from_child(&idle.child), Signal::KILL).unwrap();
    idle.child.wait().unwrap();
    let begun = Instant::now();
    // Whoever adopts it may not have buried it yet.
    let is_alive = || fs::read_to_string(worker.join("stat")).is_ok_and(|stat| !stat.contains(") Z "));
    while is_alive() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the worker lives on");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(idle.socket.peer_addr().is_ok());
}

/// A desk with a zip of a whole installation.
fn desk_with_zip() -> Desk {
    let desk = Desk::with(&["windows-7"]);
    let config = desk.path("evidence/windows-7/Windows/System32/config");
    let (software, system) = (fs::read(config.join("SOFTWARE")).unwrap(), fs::read(config.join("SYSTEM")).unwrap());
    zip_of(&desk.path("pc.zip"), &[("config/SOFTWARE", &software), ("config/SYSTEM", &system)]);
    desk
}

fn without_seccomp(desk: &Desk, arguments: &[&str]) -> Output {
    let mut command = this_program(&[WITHOUT, env!("CARGO_BIN_EXE_hivemend")]);
    command.args(arguments).current_dir(desk.path("")).output().unwrap()
}

#[test]
fn containers_are_refused_where_seccomp_cannot_be_had_and_read_with_no_sandbox() {
    let desk = desk_with_zip();
    let audit = ["audit", "pc.zip", "evidence/windows-7", "--format", "json", "--exit-zero"];
    let output = without_seccomp(&desk, &audit);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["installations"].as_array().unwrap().len(), 1, "plain hives are read");
    let source = report["sources"].as_array().unwrap().iter().find(|source| source["locator"] == "pc.zip").unwrap();
    assert_eq!(source["outcome"], json!("refused"), "{source}");
    let gap = report["summary"]["gaps"].as_array().unwrap().iter().find(|gap| gap["code"] == "no-sandbox").unwrap();
    assert!(gap["advice"].as_str().unwrap().contains("--no-sandbox"), "{gap}");
    assert_eq!(without_seccomp(&desk, &["audit", "evidence/windows-7", "pc.zip"]).status.code(), Some(3));
    let show = without_seccomp(&desk, &["show", "pc.zip!config/SYSTEM", "Select"]);
    let said = String::from_utf8_lossy(&show.stderr).into_owned();
    assert!(show.status.code() == Some(2) && said.contains("no sandbox") && said.contains("--no-sandbox"), "{said}");

    let audit = ["audit", "pc.zip", "--no-sandbox", "--custody", "custody.json", "--format", "json", "--exit-zero"];
    let output = without_seccomp(&desk, &audit);
    assert!(String::from_utf8_lossy(&output.stderr).contains("without a sandbox (--no-sandbox)"));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["installations"].as_array().unwrap().len(), 1);
    let custody: Value = serde_json::from_slice(&fs::read(desk.path("custody.json")).unwrap()).unwrap();
    let free = json!({"process": true, "seccomp": false, "landlock": "none", "no_new_privileges": false});
    assert_eq!(custody["sandbox"], free);
    assert_eq!(
        without_seccomp(&desk, &["show", "pc.zip!config/SYSTEM", "Select", "--no-sandbox"]).status.code(),
        Some(0)
    );
}

#[test]
fn the_custody_record_has_what_was_in_force() {
    let desk = desk_with_zip();
    assert_eq!(desk.code(&["audit", "pc.zip", "--custody", "zip.json"]), 0);
    let custody: Value = serde_json::from_slice(&fs::read(desk.path("zip.json")).unwrap()).unwrap();
    assert_eq!((&custody["sandbox"]["process"], &custody["sandbox"]["seccomp"]), (&json!(true), &json!(true)));
    assert_eq!(desk.code(&["audit", "evidence/windows-7", "--custody", "plain.json"]), 0);
    let custody: Value = serde_json::from_slice(&fs::read(desk.path("plain.json")).unwrap()).unwrap();
    assert_eq!(custody["sandbox"], Value::Null, "no container was read");
}

#[test]
fn a_worker_is_started_although_the_program_was_replaced_or_deleted() {
    let desk = desk_with_zip();
    let program = desk.path("hivemend");
    fs::copy(env!("CARGO_BIN_EXE_hivemend"), &program).unwrap();
    // The list of evidence comes late, when the program's file is gone.
    let mut command = Command::new(&program);
    command.args(["audit", "--files-from", "-", "--format", "json", "--exit-zero"]).current_dir(desk.path(""));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    while fs::read_link(format!("/proc/{}/exe", child.id())).is_ok_and(|exe| exe != program) {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(300));
    fs::remove_file(&program).unwrap();
    fs::write(&program, "#!/bin/sh\nexit 9\n").unwrap();
    child.stdin.take().unwrap().write_all(b"pc.zip\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["installations"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["summary"]["gaps"], json!([]));
}

#[test]
fn without_proc_containers_are_refused_and_said_so() {
    let desk = desk_with_zip();
    let program = env!("CARGO_BIN_EXE_hivemend");
    let script = format!("mount -t tmpfs none /proc && exec {program} audit pc.zip --format json");
    let mut command = Command::new("unshare");
    let output = command.args(["-m", "sh", "-c", &script]).current_dir(desk.path("")).output();
    let Ok(output) = output else { return harness::lacks_program("unshare") };
    if output.stdout.is_empty() {
        return harness::lacks(harness::MOUNTING, String::from_utf8_lossy(&output.stderr));
    }
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let gaps = report["summary"]["gaps"].as_array().unwrap();
    assert!(output.status.code() == Some(2) && gaps.iter().any(|gap| gap["code"] == "no-sandbox"), "{report}");
}

/// The worker of a program that is running, while it works.
fn worker_of(child: &mut Child) -> Option<PathBuf> {
    let mut met = None;
    while met.is_none() && child.try_wait().unwrap().is_none() {
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        met = processes.into_iter().find(|process| {
            let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
            let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
            let words = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
            parent == Some(child.id()) && words.contains("judge-in-a-worker")
        });
    }
    met
}

/// The files that a process has open.
fn opens(process: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    entries.filter_map(|entry| fs::read_link(entry.path()).ok()).collect()
}

#[test]
fn descriptors_that_the_program_inherited_do_not_reach_a_worker() {
    let desk = Desk::with(&[]);
    fs::write(desk.path("secret"), "secret").unwrap();
    let slow = [b"regf".as_slice(), &vec![0; 150 << 20]].concat();
    zip_of(&desk.path("slow.zip"), &[("config/SYSTEM", &slow)]);
    let program = env!("CARGO_BIN_EXE_hivemend");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec 9<secret; exec {program} find slow.zip")]).current_dir(desk.path(""));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let secret = desk.path("secret").canonicalize().unwrap();
    let met = worker_of(&mut child).map(|worker| opens(&worker));
    let met = met.expect("the worker was met while it worked");
    assert!(!met.is_empty() && !met.contains(&secret), "{met:?}");
    assert!(opens(&Path::new("/proc").join(child.id().to_string())).contains(&secret), "the program itself has it");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A disk with two ext4 partitions: a hive of so many bytes, nearly all of them a hole, and a whole pair.
#[cfg(feature = "images")]
fn disk(desk: &Desk, bytes: u64) -> bool {
    let slow = desk.path("one/Windows/System32/config");
    fs::create_dir_all(&slow).unwrap();
    let mut file = File::create(slow.join("SYSTEM")).unwrap();
    file.write_all(b"regf").unwrap();
    file.set_len(bytes).unwrap();
    let script = "command -v mke2fs sfdisk >/dev/null || exit 127; truncate -s 4000M p1 && mke2fs -q -t ext4 -d one p1 && \
         truncate -s 60M p2 && mke2fs -q -t ext4 -d evidence/windows-7 p2 && truncate -s 4200M d.raw && \
         printf '2048,4000M,L\\n8194048,60M,L\\n' | sfdisk -q d.raw && \
         dd if=p1 of=d.raw bs=1M seek=1 conv=notrunc,sparse status=none && \
         dd if=p2 of=d.raw bs=1M seek=4001 conv=notrunc,sparse status=none && rm p1 p2";
    let output = Command::new("sh").args(["-c", script]).current_dir(desk.path("")).output().unwrap();
    if output.status.code() == Some(127) {
        harness::lacks_some_program("mke2fs, sfdisk", &output.stderr);
        return false;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

/// Kills the first worker while it reads the first partition, and returns what the program says.
#[cfg(feature = "images")]
fn with_a_crash(desk: &Desk, arguments: &[&str]) -> Output {
    let mut command = desk.command(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let worker = worker_of(&mut child).expect("the worker was met while it worked");
    let pid: i32 = worker.file_name().unwrap().to_string_lossy().parse().unwrap();
    // It has been given the disk, and reads the first partition.
    let memory = || {
        let status = fs::read_to_string(worker.join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default()
    };
    while memory() < 100_000 && child.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(1));
    }
    // Not SIGSEGV: Rust looks at that itself, and goes on if no instruction caused it.
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::ILL).unwrap();
    child.wait_with_output().unwrap()
}

#[cfg(feature = "images")]
#[test]
fn a_crash_costs_the_partition_that_was_read_and_is_told_with_its_signal() {
    let desk = Desk::with(&["windows-7"]);
    if !disk(&desk, 1 << 30) {
        return;
    }
    let output = with_a_crash(&desk, &["audit", "d.raw", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let source = |path: &str| {
        report["sources"].as_array().unwrap().iter().find(|source| source["locator"] == path).unwrap().clone()
    };
    let first = source("d.raw!p1");
    assert_eq!(first["outcome"], json!("refused"), "{first}");
    assert!(first["reason"].as_str().unwrap().contains("signal 4"), "{first}");
    let gaps = report["summary"]["gaps"].as_array().unwrap();
    assert!(gaps.iter().any(|gap| gap["code"] == "reader-failed" && gap["at"] == "d.raw!p1"), "{gaps:?}");
    assert_eq!(source("d.raw!p2")["outcome"], json!("read"));
    assert_eq!(report["installations"].as_array().unwrap().len(), 1);
    assert_eq!(output.status.code(), Some(3));
    // A whole command in a worker does the same.
    let output = with_a_crash(&desk, &["show", "d.raw", "Select"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("2 hives") && said.contains("d.raw!p2!"), "{said}");
}

#[test]
fn a_container_in_a_place_that_is_no_unicode_is_read() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let desk = desk_with_zip();
    let folder = desk.path("").join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&folder).unwrap();
    let zip = folder.join(OsStr::from_bytes(b"pc\xff.zip"));
    fs::rename(desk.path("pc.zip"), &zip).unwrap();
    for evidence in [&folder, &zip] {
        let output = desk.command(&["audit", "--format", "json"]).arg(evidence).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["installations"].as_array().unwrap().len(), 1, "{report}");
        assert_eq!(report["summary"]["gaps"], json!([]));
    }
    let list = [zip.as_os_str().as_bytes(), b"\n"].concat();
    fs::write(desk.path("list"), list).unwrap();
    assert_eq!(
        desk.json(&["find", "--files-from", "list", "--format", "json"])["installations"].as_array().unwrap().len(),
        1
    );
    let hive = [zip.as_os_str().as_bytes(), b"!config/SYSTEM"].concat();
    let output = desk.command(&["show"]).arg(OsStr::from_bytes(&hive)).arg("Select").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
