//! A warning for whoever runs the command, once: the sessions run as root.

use super::Render;
use crate::failure;
use capstan_types::event::{Event, EventBody};
use capstan_types::item::ItemBody;
use capstan_types::launch::Enforced;
use std::io::{self, Write};

/// Shows events through another renderer, and warns of the first session that runs as root for want of a user of its own.
#[derive(Debug)]
pub struct AsRoot<R, W> {
    shown: R,
    warnings: W,
    warned: bool,
}

impl<R: Render, W: Write> AsRoot<R, W> {
    /// Shows through `shown`, and writes the warning to `warnings`.
    pub const fn new(shown: R, warnings: W) -> Self {
        Self { shown, warnings, warned: false }
    }
}

/// Why the session has no user of its own, where it should have one.
fn reason(event: &Event) -> Option<&str> {
    let (EventBody::ItemUpdated { item } | EventBody::ItemCompleted { item }) = &event.body else { return None };
    let ItemBody::CommandExecution(command) = &item.body else { return None };
    let missing = &command.enforced.as_ref().filter(|Enforced { uid, .. }| *uid == 0)?.missing;
    missing.iter().map(String::as_str).find(|missing| missing.starts_with("own user"))
}

impl<R: Render, W: Write> Render for AsRoot<R, W> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        self.shown.show(event)?;
        if let Some(reason) = reason(event).filter(|_| !self.warned) {
            self.warned = true;
            failure::warn(
                &mut self.warnings,
                &format!("commands run as root in the sandbox ({reason}); `capstan doctor` says more"),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;

    struct Nothing;

    impl Render for Nothing {
        fn show(&mut self, _: &Event) -> io::Result<()> {
            Ok(())
        }
    }

    fn warned(enforced: &Enforced) -> String {
        let command =
            capstan_types::item::CommandExecution { enforced: Some(enforced.clone()), ..fixture::ended("ls", "/w", 0, "") };
        let done = |id| EventBody::ItemCompleted { item: fixture::item(id, ItemBody::CommandExecution(command.clone())) };
        let mut render = AsRoot::new(Nothing, Vec::new());
        fixture::events(vec![done(1), done(2)]).iter().for_each(|event| render.show(event).unwrap());
        String::from_utf8(render.warnings).unwrap()
    }

    #[test]
    fn sessions_as_root_are_warned_of_once_and_others_are_not() {
        let missing = vec!["own user: `/w` cannot be given to another user; the session runs as uid 0".to_owned()];
        let root = Enforced { missing, ..Enforced::default() };
        let said = warned(&root);
        assert!(said.starts_with("warning: commands run as root in the sandbox (own user: `/w`"), "{said}");
        assert_eq!(said.lines().count(), 1);
        assert_eq!(warned(&Enforced { uid: 1000, ..root }), "");
        assert_eq!(warned(&Enforced::default()), "");
    }
}
