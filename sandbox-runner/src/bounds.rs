//! What bounds a session, and by which means: a cgroup where this host gives one, else limits of each process, and a watch.

use crate::cgroup::{Cgroup, Controller};
use crate::rlimits::ResourceLimits;
use capstan_types::limits::SessionLimits;

/// The bounds of one session, ready to be put on its program. Its groups go with it.
#[derive(Debug)]
pub(crate) struct Bounds {
    limits: SessionLimits,
    cgroup: Cgroup,
    own_user: bool,
}

impl Bounds {
    /// By groups that were made for these limits. `own_user` says that the session's user, or its user namespace, is its own, so that what
    /// the kernel counts for a user it counts for this session alone.
    pub(crate) const fn of(cgroup: Cgroup, limits: &SessionLimits, own_user: bool) -> Self {
        Self { limits: *limits, cgroup, own_user }
    }

    pub(crate) const fn limits(&self) -> &SessionLimits {
        &self.limits
    }

    pub(crate) const fn cgroup(&self) -> &Cgroup {
        &self.cgroup
    }

    /// Whether processes are bounded by what the kernel counts for the user: it exempts the host's root.
    fn counts_user(&self) -> bool {
        self.own_user && !self.serves(Controller::Pids)
    }

    fn serves(&self, controller: Controller) -> bool {
        self.cgroup.serves(controller).is_some()
    }

    /// Whether the memory of the whole session is to be added up, because no cgroup does.
    pub(crate) fn watches_memory(&self) -> Option<u64> {
        self.limits.memory.filter(|_| !self.serves(Controller::Memory))
    }

    /// As for memory. Where the kernel counts the user's processes the count is watched all the same, so that reaching it is said.
    pub(crate) fn watches_processes(&self) -> Option<u64> {
        self.limits.processes.map(u64::from).filter(|_| !self.serves(Controller::Pids))
    }

    /// What each process is limited to.
    pub(crate) fn of_each_process(&self) -> ResourceLimits {
        ResourceLimits::of(&self.limits, self.watches_memory(), self.watches_processes().filter(|_| self.counts_user()))
    }

    /// The limits in words, for the proof that goes with the outcome: `name=value (mechanism)`.
    pub(crate) fn described(&self) -> Vec<String> {
        let limits = &self.limits;
        let by = |controller| self.cgroup.serves(controller);
        let processes = if self.counts_user() { "rlimit" } else { "watch" };
        let cpu_time = self.cgroup.counts_cpu().unwrap_or("watch");
        let of_process = [("open_files", limits.open_files.map(u64::from)), ("file_bytes", limits.file_bytes), ("core", Some(0))];
        let spans = [("total", limits.total), ("idle", limits.idle), ("ownerless", Some(limits.ownerless))];
        let mut said: Vec<String> =
            spans.into_iter().filter_map(|(name, span)| Some(format!("{name}={}ms (holder)", span?.0))).collect();
        let mut say = |name: &str, value: Option<u64>, by: &str| said.extend(value.map(|value| format!("{name}={value} ({by})")));
        say("memory", limits.memory, by(Controller::Memory).unwrap_or("rlimit and watch"));
        say("processes", limits.processes.map(u64::from), by(Controller::Pids).unwrap_or(processes));
        if let Some(by) = by(Controller::Cpu) {
            say("cpu_millis", limits.cpu_millis.map(u64::from), by);
        }
        say("cpu_time_ms", limits.cpu_time.map(|span| span.0), cpu_time);
        say("written", limits.written, "watch");
        say("output", limits.output, "holder");
        of_process.into_iter().for_each(|(name, value)| say(name, value, "rlimit"));
        say("head", Some(limits.head.bytes()), "holder");
        say("tail", Some(limits.tail.bytes()), "holder");
        said
    }

    /// What the limits ask for and this host does not give in full.
    pub(crate) fn missing(&self) -> Vec<String> {
        let none = "no cgroup can be made here";
        let memory = self.watches_memory().map(|_| {
            format!("memory of the whole tree: {none}; each process is bounded, and the sum is watched every 250 ms to 1 s; files in memory count where \
                 they are mapped only")
        });
        let processes = self
            .watches_processes()
            .filter(|_| !self.counts_user())
            .map(|_| format!("number of processes of the whole tree: {none}; the sum is watched every 250 ms to 1 s"));
        let share = self.limits.cpu_millis.filter(|_| !self.serves(Controller::Cpu));
        let share = share.map(|_| format!("share of the processors: {none}, and nothing else can bound it"));
        [memory, processes, share].into_iter().flatten().collect()
    }
}
