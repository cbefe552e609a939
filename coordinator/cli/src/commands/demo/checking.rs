//! Renderers for the threads around the one that is shown.

use crate::render::Render;
use capstan_types::event::{Event, EventBody};
use capstan_types::item::ItemBody;
use std::io;

/// Shows nothing.
#[derive(Debug)]
pub(super) struct Unseen;

impl Render for Unseen {
    fn show(&mut self, _: &Event) -> io::Result<()> {
        Ok(())
    }
}

/// Shows commands only.
#[derive(Debug)]
pub(super) struct Checking<'a, R>(pub(super) &'a mut R);

impl<R: Render> Render for Checking<'_, R> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        match &event.body {
            EventBody::ItemStarted { item } | EventBody::ItemCompleted { item }
                if matches!(item.body, ItemBody::CommandExecution(_)) =>
            {
                self.0.show(event)
            }
            _ => Ok(()),
        }
    }
}
