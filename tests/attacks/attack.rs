//! What an attack is: a sentence, a way to try it, and what it takes to show that it works where nothing stands in its way.

/// What kind of harm it tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Files,
    Git,
    Secrets,
    Processes,
    Kernel,
    Network,
    Terminal,
    Lifecycle,
    Resources,
}

/// How it is tried. In scripts, `@OUT@`, `@WS@`, `@HOME@`, `@TAG@` and the like stand for what the arena is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// A function of the attacker.
    Inside(&'static str),
    /// A script for `/bin/sh` in the workspace. What it may not read, it must not print.
    Shell(&'static str),
    /// The attacker's function, with a terminal whose input is read afterwards.
    AtTerminal(&'static str),
    /// The attacker's function, which listens and tells its port; the host tries to reach it.
    Listening(&'static str),
    /// A script that leaves processes marked with `@MARK@`, and what is then done to the launcher.
    Leaving(&'static str, Ending),
}

/// What ends a command that leaves processes behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It ends of itself.
    Itself,
    /// The launcher is killed.
    Killed,
    /// The launcher is asked to end.
    Terminated,
    /// The launcher's terminal is gone.
    HungUp,
}

/// Who can show that the attack works where nothing is sandboxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// Everybody.
    Anybody,
    /// Root only. An ordinary user tries it all the same.
    Root,
    /// Nobody on this machine, for this reason.
    Nobody(&'static str),
}

/// One attack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attack {
    pub(crate) id: &'static str,
    pub(crate) says: &'static str,
    pub(crate) act: Act,
    pub(crate) control: Control,
    pub(crate) may_die: bool,
    /// Settings may be somewhere else afterwards, as they were; what took their place must not be obeyed.
    pub(crate) may_move: bool,
    pub(crate) promised: Promise,
}

/// Whom the sandbox promises to hold the attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Everybody.
    Everybody,
    /// Root only, who has control groups; why not others.
    Root(&'static str),
    /// Nobody; what is promised instead.
    Nobody(&'static str),
}

impl Attack {
    const fn new(id: &'static str, says: &'static str, act: Act) -> Self {
        Self { id, says, act, control: Control::Anybody, may_die: false, may_move: false, promised: Promise::Everybody }
    }

    /// A function of the attacker, of this name.
    pub(crate) const fn inside(id: &'static str, name: &'static str, says: &'static str) -> Self {
        Self::new(id, says, Act::Inside(name))
    }

    /// A script.
    pub(crate) const fn shell(id: &'static str, says: &'static str, script: &'static str) -> Self {
        Self::new(id, says, Act::Shell(script))
    }

    /// The attacker's function in front of a terminal.
    pub(crate) const fn at_terminal(id: &'static str, name: &'static str, says: &'static str) -> Self {
        Self::new(id, says, Act::AtTerminal(name))
    }

    /// The attacker's function as a server.
    pub(crate) const fn listening(id: &'static str, name: &'static str, says: &'static str) -> Self {
        Self::new(id, says, Act::Listening(name))
    }

    /// A script that leaves processes behind.
    pub(crate) const fn leaving(id: &'static str, ending: Ending, says: &'static str, script: &'static str) -> Self {
        Self::new(id, says, Act::Leaving(script, ending))
    }

    /// Only root can show that it works.
    pub(crate) const fn of_root(mut self) -> Self {
        self.control = Control::Root;
        self
    }

    /// This machine cannot show that it works.
    pub(crate) const fn unseen(mut self, reason: &'static str) -> Self {
        self.control = Control::Nobody(reason);
        self
    }

    /// Whoever has no control groups is not promised it.
    pub(crate) const fn held_for_root(mut self, reason: &'static str) -> Self {
        self.promised = Promise::Root(reason);
        self
    }

    /// It is not promised.
    pub(crate) const fn not_promised(mut self, instead: &'static str) -> Self {
        self.promised = Promise::Nobody(instead);
        self
    }

    /// Why it is not promised to this caller.
    pub(crate) const fn excused(&self, root: bool) -> Option<&'static str> {
        match self.promised {
            Promise::Everybody => None,
            Promise::Root(_) if root => None,
            Promise::Root(reason) | Promise::Nobody(reason) => Some(reason),
        }
    }

    /// A directory above settings may be renamed, with them in it.
    pub(crate) const fn may_move(mut self) -> Self {
        self.may_move = true;
        self
    }

    /// Being killed for it is as good as being refused.
    pub(crate) const fn may_die(mut self) -> Self {
        self.may_die = true;
        self
    }
}
