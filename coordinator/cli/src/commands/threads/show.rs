//! `capstan threads show`: what was said and done in a thread.

use super::place::Place;
use crate::args::ShowArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::render::{JsonLines, Render, Transcript, text};
use crate::runtime;
use crate::screen::{self, Stream};
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use capstan_types::event::{Event, EventBody};
use capstan_types::item::ItemBody;
use std::io::{self, Write};

pub(super) fn run(args: &ShowArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let place = Place::of(&args.daemon, surroundings)?;
    let page = screen::page(args.color, Stream::Out, surroundings);
    runtime::block_on(place.with(async |client: Client| {
        if args.json {
            shown(client, &args.thread, &mut JsonLines::new(io::stdout())).await
        } else {
            shown(client, &args.thread, &mut Conversation(Transcript::new(page, io::stdout(), io::stdout()))).await
        }
    }))
}

async fn shown(mut client: Client, thread: &str, render: &mut impl Render) -> Result<Exit, Failure> {
    let thread = named(&mut client, thread).await?.id;
    let mut events = client.events(thread).await.map_err(refused)?;
    while let Some(event) = events.next().await.map_err(refused)? {
        match render.show(&event) {
            Ok(()) => {}
            // Whoever has left has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Success),
            Err(error) => return Err(Failure::failed(format!("the output cannot be written: {error}"))),
        }
    }
    Ok(Exit::Success)
}

/// A transcript with what people said, and the names of turns, which a fork is made by.
struct Conversation<W>(Transcript<W, W>);

impl<W: Write> Render for Conversation<W> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        if let (EventBody::TurnStarted, Some(turn)) = (&event.body, event.turn) {
            self.0.say(&format!("turn {turn}"))?;
        }
        if let EventBody::ItemCompleted { item } = &event.body
            && let ItemBody::UserMessage { text, images } = &item.body
        {
            let lines = text::lines(text).into_iter().map(|line| format!("> {line}"));
            let pictures = (*images > 0)
                .then(|| format!("> [{}]", text::counted(usize::try_from(*images).unwrap_or(usize::MAX), "picture")));
            self.0.say(&lines.chain(pictures).collect::<Vec<_>>().join("\n"))?;
        }
        self.0.show(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Detail, Ink, Page, fixture};

    #[derive(Clone, Default)]
    struct Shared(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_thread_is_shown_with_what_people_said() {
        let out = Shared::default();
        let page = Page { ink: Ink::Plain, width: 100, detail: Detail::Brief };
        let mut render = Conversation(Transcript::new(page, out.clone(), out.clone()));
        fixture::turn().iter().for_each(|event| render.show(event).unwrap());
        insta::assert_snapshot!(String::from_utf8(out.0.borrow().clone()).unwrap());
    }
}
