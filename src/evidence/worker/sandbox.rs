//! What a worker may do: compute, read the files that were passed to it, and converse over its socket.
//!
//! A list of system calls (seccomp) is required: <https://docs.kernel.org/userspace-api/seccomp_filter.html>. Landlock
//! is added as far as the kernel has it: <https://docs.kernel.org/userspace-api/landlock.html>. Only the calling thread
//! and the threads that it starts later are restricted, so this comes before the first other thread.

use std::collections::BTreeMap;

use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Is, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};
use serde::{Deserialize, Serialize};

/// The newest version of Landlock's interface whose every restriction is asked for.
const LANDLOCK: ABI = ABI::V6;

/// The restrictions that were in force while hostile bytes were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sandbox {
    /// Whether containers were opened in a process of their own, with limits on memory and time.
    pub process: bool,
    /// Whether that process could use only the system calls on a list.
    pub seccomp: bool,
    /// How far Landlock kept it from files and the network: `full`, `partial`, or `none`.
    pub landlock: Landlock,
    /// Whether it could gain no privileges.
    pub no_new_privileges: bool,
}

impl Sandbox {
    /// Returns what was in force in both cases.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            process: self.process && other.process,
            seccomp: self.seccomp && other.seccomp,
            landlock: self.landlock.min(other.landlock),
            no_new_privileges: self.no_new_privileges && other.no_new_privileges,
        }
    }
}

/// How far Landlock was in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Landlock {
    /// The kernel has no Landlock, or it is off.
    #[default]
    None,
    /// The kernel has an older version, which restricts less.
    Partial,
    /// Every restriction that was asked for.
    Full,
}

/// Restricts this thread, and the threads that it starts later. There is no way back.
///
/// # Errors
/// Why the system calls cannot be restricted.
pub fn enter() -> Result<Sandbox, String> {
    let landlock = landlock();
    let filters = [impossible(), allowed()];
    for filter in filters {
        let filter = filter.map_err(|error| error.to_string())?;
        // This also gives up new privileges.
        apply_filter(&filter).map_err(|error| format!("the system refuses seccomp ({error})"))?;
    }
    Ok(Sandbox { process: true, seccomp: true, landlock, no_new_privileges: true })
}

/// Denies all files and all of the network. What the kernel does not have is left out.
fn landlock() -> Landlock {
    let restricted = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(LANDLOCK)))
        .and_then(|rules| rules.scope(Scope::from_all(LANDLOCK)))
        .and_then(|rules| rules.create()?.restrict_self());
    match restricted.map(|status| status.ruleset) {
        Ok(RulesetStatus::FullyEnforced) => Landlock::Full,
        Ok(RulesetStatus::PartiallyEnforced) => Landlock::Partial,
        Ok(RulesetStatus::NotEnforced) | Err(_) => Landlock::None,
    }
}

type Filter = Result<BpfProgram, seccompiler::BackendError>;
type Calls = BTreeMap<i64, Vec<SeccompRule>>;

/// Says that the kernel does not have these calls, so that the C library and the standard library use older ones.
///
/// `clone3` has its flags in memory, which a filter cannot read. `statx` looks at paths.
fn impossible() -> Filter {
    let calls: Calls = [libc::SYS_clone3, libc::SYS_statx].into_iter().map(|call| (call, Vec::new())).collect();
    compiled(calls, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS.unsigned_abs()))
}

/// Allows the calls on the list, and refuses all others.
fn allowed() -> Filter {
    let mut calls: Calls = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    let mut only = |call: i64, conditions: Vec<Condition>| -> Result<(), seccompiler::BackendError> {
        let conditions = conditions.into_iter().map(|(at, is, value)| {
            // The kernel reads these arguments as 32 bits, so the upper half of the register must not matter.
            SeccompCondition::new(at, Width::Dword, is, value)
        });
        calls.entry(call).or_default().push(SeccompRule::new(conditions.collect::<Result<_, _>>()?)?);
        Ok(())
    };
    let none_of = |flags: libc::c_int| Is::MaskedEq(u64::from(flags.unsigned_abs()));
    let all_of = none_of;
    // A thread of this process, and no other process.
    let thread = u64::from((libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND).unsigned_abs());
    only(libc::SYS_clone, vec![(0, all_of(libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND), thread)])?;
    // Memory, and no code.
    only(libc::SYS_mmap, vec![(2, none_of(libc::PROT_EXEC), 0)])?;
    only(libc::SYS_mprotect, vec![(2, none_of(libc::PROT_EXEC), 0)])?;
    // The names of threads, and of memory.
    for option in [libc::PR_SET_NAME, PR_SET_VMA] {
        only(libc::SYS_prctl, vec![(0, Is::Eq, u64::from(option.unsigned_abs()))])?;
    }
    // A copy of a descriptor, and its flags.
    for command in [libc::F_DUPFD_CLOEXEC, libc::F_GETFD, libc::F_GETFL] {
        only(libc::SYS_fcntl, vec![(1, Is::Eq, u64::from(command.unsigned_abs()))])?;
    }
    // A signal to this process, such as the one of `abort`.
    let own = u64::from(std::process::id());
    only(libc::SYS_tgkill, vec![(0, Is::Eq, own)])?;
    compiled(calls, SeccompAction::Errno(libc::EPERM.unsigned_abs()), SeccompAction::Allow)
}

/// The number of an argument from 0, the comparison, and the value.
type Condition = (u8, Is, u64);

/// Names a range of memory for debuggers; glibc and musl do it where the kernel can.
const PR_SET_VMA: libc::c_int = 0x5356_4d41;

fn compiled(calls: Calls, otherwise: SeccompAction, matched: SeccompAction) -> Filter {
    SeccompFilter::new(calls, otherwise, matched, TargetArch::try_from(std::env::consts::ARCH)?)?.try_into()
}

/// The calls that need no look at their arguments.
const ALLOWED: &[libc::c_long] = &[
    // Open files, the socket, and memory files.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_close,
    libc::SYS_ftruncate,
    libc::SYS_memfd_create,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads.
    libc::SYS_clone3,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_restart_syscall,
    libc::SYS_membarrier,
    // Signals of this process.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    // Time and chance.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_statx,
];
