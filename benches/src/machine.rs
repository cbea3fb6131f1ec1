//! Where a run takes place, and how work is tied to a core.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// What a reader must know to judge a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The processor, as the kernel names it.
    pub cpu: String,
    /// Cores this process may use.
    pub cores: usize,
    /// Memory, in GiB.
    pub memory_gib: u64,
    /// Kernel name and release.
    pub kernel: String,
    /// Whether a hypervisor is underneath.
    pub virtual_machine: bool,
    /// Jobs that wanted to run in the last minute when the run began: other work disturbs figures.
    pub load: String,
    /// The compiler, where it could be asked.
    pub compiler: String,
    /// How this program was built.
    pub build: String,
    /// The peers' versions, of those that this program was built with, from the lock file.
    pub peers: Vec<String>,
}

impl Facts {
    /// Reads them from the running system.
    #[must_use]
    pub fn gather() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib: u64 = field(&meminfo, "MemTotal")
            .and_then(|text| text.split_whitespace().next()?.parse().ok())
            .unwrap_or(0);
        Self {
            cpu: field(&cpuinfo, "model name").unwrap_or_else(|| std::env::consts::ARCH.into()),
            cores: cores().len(),
            memory_gib: kib.div_ceil(1 << 20),
            kernel: format!(
                "{} {}",
                std::env::consts::OS,
                proc_line("/proc/sys/kernel/osrelease")
            ),
            virtual_machine: field(&cpuinfo, "flags").is_some_and(|f| f.contains(" hypervisor")),
            load: proc_line("/proc/loadavg")
                .split(' ')
                .next()
                .unwrap_or_default()
                .into(),
            compiler: compiler(),
            build: build(),
            peers: peer_versions(include_str!("../../Cargo.lock")),
        }
    }
}

impl std::fmt::Display for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.virtual_machine {
            "virtual"
        } else {
            "bare metal"
        };
        writeln!(
            f,
            "machine   {} x {} ({kind}), {} GiB",
            self.cores, self.cpu, self.memory_gib
        )?;
        writeln!(
            f,
            "system    {}, load {} at the start",
            self.kernel, self.load
        )?;
        writeln!(
            f,
            "build     {}, {}, the system's allocator",
            self.build, self.compiler
        )?;
        write!(f, "peers     {}", self.peers.join(", "))
    }
}

/// The value after `name` and a colon, in files of the kind of `/proc/cpuinfo`.
fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn proc_line(path: &str) -> String {
    fs::read_to_string(Path::new(path))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// How this program was built. The workspace's profile says thin LTO and one codegen unit, and the
/// environment of the build may have said otherwise.
fn build() -> String {
    if cfg!(debug_assertions) {
        return "debug".into();
    }
    let lto = option_env!("CARGO_PROFILE_RELEASE_LTO")
        .map_or_else(|| "thin LTO".into(), |lto| format!("LTO {lto}"));
    let units = option_env!("CARGO_PROFILE_RELEASE_CODEGEN_UNITS")
        .map_or_else(String::new, |units| format!(", {units} codegen units"));
    format!("release, {lto}{units}")
}

fn compiler() -> String {
    let output = std::process::Command::new("rustc")
        .arg("--version")
        .output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    text.ok()
        .filter(|t| !t.is_empty())
        .unwrap_or_else(|| "rustc not found".into())
}

/// The peers whose versions decide what a figure means.
const PEERS: [&str; 11] = [
    "async-executor",
    "async-io",
    "blocking",
    "compio",
    "futures",
    "glommio",
    "hierarchical_hash_wheel_timer",
    "monoio",
    "polling",
    "tokio",
    "tokio-util",
];

fn peer_versions(lock: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = lock.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line
            .strip_prefix("name = \"")
            .and_then(|n| n.strip_suffix('"'))
        else {
            continue;
        };
        let left_out = match name {
            "compio" => !cfg!(feature = "compio"),
            "glommio" => !cfg!(feature = "glommio"),
            "monoio" => !cfg!(feature = "monoio"),
            _ => !PEERS.contains(&name),
        };
        if left_out {
            continue;
        }
        let version = lines
            .next()
            .and_then(|l| l.strip_prefix("version = \"")?.strip_suffix('"'));
        found.push(format!("{name} {}", version.unwrap_or("?")));
    }
    found
}

/// The cores that this process may use, by the kernel's numbers.
#[must_use]
pub fn cores() -> Vec<usize> {
    match sched_getaffinity(None) {
        Ok(set) => (0..CpuSet::MAX_CPU)
            .filter(|&core| set.is_set(core))
            .collect(),
        Err(_) => vec![0],
    }
}

/// The cores that this process might use when this was first asked: before it was tied to fewer.
pub fn all_cores() -> &'static [usize] {
    static ALL: OnceLock<Vec<usize>> = OnceLock::new();
    ALL.get_or_init(cores)
}

/// Allows this process as many open files as the system lets it: thousands of connections are held.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let most = getrlimit(Resource::Nofile).maximum;
    // If it is refused, a workload that needs more says so.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: most,
            maximum: most,
        },
    );
}

/// How many files this process has open.
///
/// # Errors
/// When the system does not say.
pub fn open_files() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

/// Ties the calling thread, and threads that it starts later, to `cores`.
///
/// # Errors
/// When the kernel refuses.
pub fn pin(cores: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for &core in cores {
        set.set(core);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// Processor time that process `pid` has used so far in its living threads, in nanoseconds.
///
/// # Errors
/// When there is no such process, or the kernel does not keep these figures.
pub fn process_cpu_ns(pid: u32) -> io::Result<u64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else {
            continue; // the thread has ended since
        };
        let first = text.split(' ').next().and_then(|n| n.parse::<u64>().ok());
        sum += first.ok_or_else(|| io::Error::other("no schedstat"))?;
    }
    if sum > 0 {
        Ok(sum)
    } else {
        Err(io::Error::other("no processor time is counted here"))
    }
}

/// The share of its processor time that process `pid` has spent in the kernel: the system takes a
/// sample a tick, so there is none before it has run for half a second.
#[must_use]
pub fn kernel_share(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?; // the name before it may have blanks
    let mut times = fields.split(' ').skip(11).map(str::parse::<f64>);
    let (user, kernel) = (times.next()?.ok()?, times.next()?.ok()?);
    let all = user + kernel; // in hundredths of a second
    (all >= 50.0).then(|| kernel / all)
}

/// Memory of a process that is in use, in bytes.
///
/// # Errors
/// When there is no such process, or the system does not say.
pub fn resident_bytes(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = field(&status, "VmRSS").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::other("no VmRSS"))
}

/// Processor time that this process has used so far in all its threads, in nanoseconds.
#[must_use]
pub fn own_cpu_ns() -> u64 {
    cpu_time::ProcessTime::now().as_duration().as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_file() {
        let lock =
            "[[package]]\nname = \"tokio\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"x\"";
        assert_eq!(peer_versions(lock), ["tokio 1.2.3"]);
    }

    #[test]
    fn own_processor_time_grows() {
        let before = own_cpu_ns();
        while own_cpu_ns() < before + 20_000_000 {
            std::hint::black_box(before);
        }
        let counted = process_cpu_ns(std::process::id()).unwrap();
        assert!(
            counted >= 10_000_000,
            "only {counted} ns after 20 ms of work"
        );
    }

    #[test]
    fn pinning_holds() {
        let all = cores();
        std::thread::spawn(move || {
            pin(&all[..1]).unwrap();
            assert_eq!(cores(), all[..1]);
        })
        .join()
        .unwrap();
    }
}
