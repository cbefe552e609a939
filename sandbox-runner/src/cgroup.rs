//! The control groups of one session: the kernel's own bounds and counts for a whole tree of processes.
//!
//! A hierarchy of version 1 serves one controller each; version 2 serves those that it was given, and kills and counts processor time
//! even when it was given none. A group lies below the runner's own, so that what bounds the runner bounds its sessions too. Only what
//! a limit needs is made. A controller that cannot be had is no error here: [`crate::bounds::Bounds`] turns to other means and says so.
//!
//! Groups are named after their holder, so that those of a holder that was killed can be told from those in use, and swept.

mod group;
mod name;
mod places;
mod v1;
mod v2;

pub(crate) use name::{FEW, sweep};
pub(crate) use places::Places;

use capstan_types::limits::SessionLimits;
use group::Group;
use std::fs::File;
use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

/// What a group can bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Controller {
    /// The memory of the whole group, swap included.
    Memory,
    /// Its processes and threads.
    Pids,
    /// Its share of the processors.
    Cpu,
}

impl Controller {
    const ALL: [Self; 3] = [Self::Memory, Self::Pids, Self::Cpu];

    const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Cpu => "cpu",
        }
    }

    /// The value that `limits` ask for.
    fn wanted(self, limits: &SessionLimits) -> Option<u64> {
        match self {
            Self::Memory => limits.memory,
            Self::Pids => limits.processes.map(u64::from),
            Self::Cpu => limits.cpu_millis.map(u64::from),
        }
    }
}

/// The groups of one session. They are removed when this is dropped, by which time their processes must be gone.
#[derive(Debug)]
pub(crate) struct Cgroup {
    version_1: Vec<(Controller, Group)>,
    /// Counts processor time where version 2 does not.
    cpuacct: Option<Group>,
    version_2: Option<Group>,
    /// The controllers that version 2 serves here.
    served_by_2: Vec<Controller>,
    /// What it was made for.
    limits: SessionLimits,
}

impl Cgroup {
    /// Makes what `limits` need, as far as this host allows. It holds no process yet.
    pub(crate) fn make(places: &Places, limits: &SessionLimits) -> Self {
        let name = name::own();
        let wanted = || Controller::ALL.into_iter().filter_map(|one| Some((one, one.wanted(limits)?)));
        let version_2 = places.version_2.as_ref().and_then(|place| Group::make(place.dir(), &name, "cgroup.procs").ok());
        let mut made = Self { version_1: Vec::new(), cpuacct: None, version_2, served_by_2: Vec::new(), limits: *limits };
        for (controller, value) in wanted() {
            match (&made.version_2, places.version_1(controller.name())) {
                (Some(group), _) if places.version_2_has(controller) && v2::bound(group, controller, value).is_ok() => {
                    made.served_by_2.push(controller);
                }
                (_, Some(parent)) => {
                    made.version_1.extend(v1::make(parent, &name, controller, value).ok().map(|it| (controller, it)))
                }
                _ => {}
            }
        }
        if limits.cpu_time.is_some() && made.cpu_time().is_none() {
            made.cpuacct = places.version_1("cpuacct").and_then(|parent| Group::make(parent, &name, "tasks").ok());
        }
        made
    }

    /// Makes it bound what other limits ask for, by new values. An error says that it must be made again for them.
    pub(crate) fn fit(&mut self, limits: &SessionLimits) -> io::Result<()> {
        let shape = |limits: &SessionLimits| (Controller::ALL.map(|one| one.wanted(limits).is_some()), limits.cpu_time.is_some());
        if shape(limits) != shape(&self.limits) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        for controller in Controller::ALL {
            let value = controller.wanted(limits).filter(|value| Some(*value) != controller.wanted(&self.limits));
            match (value, self.version_2(controller), self.version_1(controller)) {
                (Some(value), Some(group), _) => v2::bound(group, controller, value)?,
                // Its two limits have an order that new values may violate on the way.
                (Some(_), None, Some(_)) if controller == Controller::Memory => return Err(io::ErrorKind::InvalidInput.into()),
                (Some(value), None, Some(group)) => v1::bound(group, controller, value)?,
                _ => {}
            }
        }
        self.limits = *limits;
        Ok(())
    }

    /// The version of cgroups by which this bounds what `controller` stands for; none if it does not.
    pub(crate) fn serves(&self, controller: Controller) -> Option<&'static str> {
        if self.served_by_2.contains(&controller) {
            return Some("cgroup v2");
        }
        self.version_1(controller).map(|_| "cgroup v1")
    }

    /// The version of cgroups that counts processor time.
    pub(crate) fn counts_cpu(&self) -> Option<&'static str> {
        // To read the count has the kernel add it up, and a session that starts would wait for that.
        let counted = self.version_2.as_ref().filter(|group| group.has("cpu.stat")).map(|_| "cgroup v2");
        counted.or_else(|| self.cpuacct.as_ref().map(|_| "cgroup v1"))
    }

    /// The descriptors of version 1 that a process joins by writing `0` to each of them.
    pub(crate) fn joins(&self) -> impl Iterator<Item = RawFd> {
        self.version_1.iter().map(|(_, group)| group).chain(&self.cpuacct).map(Group::join)
    }

    /// The group of version 2, and the descriptor that it is joined by.
    pub(crate) fn birthplace(&self) -> Option<(File, RawFd)> {
        let group = self.version_2.as_ref()?;
        Some((group.open().ok()?, group.join()))
    }

    fn version_1(&self, controller: Controller) -> Option<&Group> {
        self.version_1.iter().find(|(served, _)| *served == controller).map(|(_, group)| group)
    }

    fn version_2(&self, controller: Controller) -> Option<&Group> {
        self.version_2.as_ref().filter(|_| self.served_by_2.contains(&controller))
    }

    /// Whether the kernel has killed a process because the group was at its memory limit.
    pub(crate) fn out_of_memory(&self) -> bool {
        self.version_2(Controller::Memory).is_some_and(v2::out_of_memory)
            || self.version_1(Controller::Memory).is_some_and(v1::out_of_memory)
    }

    /// Whether the kernel has refused a process because the group was at its limit of them.
    pub(crate) fn out_of_processes(&self) -> bool {
        let group = self.version_2(Controller::Pids).or_else(|| self.version_1(Controller::Pids));
        group.is_some_and(|group| group.count("pids.events", "max").is_some_and(|count| count > 0))
    }

    /// How much processor time the group has used; none when nothing counts it.
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        let by_2 = self.version_2.as_ref().and_then(v2::cpu_time);
        by_2.or_else(|| self.cpuacct.as_ref().and_then(v1::cpu_time))
    }

    /// Kills all processes of the session in one step of the kernel's. `false` where there is no such step.
    pub(crate) fn kill(&self) -> bool {
        self.version_2.as_ref().is_some_and(|group| group.write("cgroup.kill", "1").is_ok())
    }
}
