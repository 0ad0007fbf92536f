//! What several benches measure alike: the disk, a process, a median.

use std::{
    fs::File,
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// The time one durable append takes.
pub(crate) fn fsync_time() -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("fsync")).unwrap();
    let block = [7_u8; 4096];
    let times = (0..200).map(|_| {
        file.write_all(&block).unwrap();
        let started = Instant::now();
        file.sync_data().unwrap();
        started.elapsed()
    });
    median(times.collect())
}

/// How often the daemon flushes a file while `work` goes on. None without a tracer.
pub(crate) async fn flushes(daemon: u32, work: impl Future<Output = ()>) -> Option<usize> {
    let folder = tempfile::tempdir().unwrap();
    let counted = folder.path().join("counted");
    let mut strace = Command::new("strace")
        .args(["-f", "-e", "trace=fsync,fdatasync", "-p", &daemon.to_string(), "-o"])
        .arg(&counted)
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // It attaches to every thread, and says so only to a person.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let attached = strace.try_wait().ok()?.is_none();
    if attached {
        work.await;
    }
    let pid = i32::try_from(strace.id()).ok().and_then(Pid::from_raw)?;
    kill_process(pid, Signal::INT).ok();
    strace.wait().ok()?;
    let lines = std::fs::read_to_string(&counted).ok()?;
    // A call that another one interrupts takes two lines.
    let calls = lines.lines().filter(|line| line.contains("sync(")).count();
    attached.then_some(calls)
}

/// Says of a goal whether this machine reached it. It decides nothing.
pub(crate) fn target(goal: &str, met: bool) {
    println!("target, {goal} {} on this machine", if met { "met" } else { "not met" });
}

/// Memory of a process, in KiB.
pub(crate) fn resident(pid: u32) -> u64 {
    let output = Command::new("ps").args(["-o", "rss=", "-p", &pid.to_string()]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

pub(crate) fn median(times: Vec<Duration>) -> Duration {
    at(times, 50)
}

/// The time that so many of a hundred stay below.
pub(crate) fn at(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}
