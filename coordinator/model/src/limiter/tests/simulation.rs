//! A provider with limits, and threads that ask it through a line, in a time of their own.

use super::super::line::{Answer, Line, Ticket};
use super::super::pace::{Admission, Outcome};
use super::super::{Bounds, Quotas};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;
use std::time::Duration;

/// What a provider takes. Times are in milliseconds.
#[derive(Debug, Clone)]
pub(super) struct Provider {
    /// The most requests at the same time.
    pub(super) concurrent: u32,
    /// So many requests in each window of so long.
    pub(super) window: Option<(u64, u32)>,
    /// What its refusals ask for.
    pub(super) retry_after: Option<u64>,
    /// How long an answer takes.
    pub(super) latency: Range<u64>,
}

/// What happened.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// When each request was answered, and how long that took.
    pub(super) answered: Vec<(u64, u64)>,
    refused: Vec<u64>,
    concurrent: u32,
    pub(super) most_under_way: u64,
    pub(super) sent_while_closed: u32,
    pub(super) finished_at: u64,
    /// When there was nobody left to wait.
    drained_at: u64,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A thread wants to ask, perhaps again.
    Wants(u32),
    Answered(u32, u64),
    Refused(u32),
    /// Somebody looks whether it is time.
    Look,
}

struct Simulation<'a> {
    provider: &'a Provider,
    line: Line,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    order: u64,
    random: u64,
    tickets: HashMap<u32, Ticket>,
    holders: HashMap<Ticket, u32>,
    under_way: HashMap<u32, Admission>,
    served: u32,
    sent: Vec<u64>,
    closed_until: u64,
    left: HashMap<u32, u32>,
    run: Run,
}

impl Run {
    /// So many threads, each with so many requests after one another.
    pub(super) fn of(provider: &Provider, bounds: Bounds, threads: u32, each: u32, seed: u64) -> Self {
        let mut simulation = Simulation {
            provider,
            line: Line::new(bounds, 10_000),
            events: BinaryHeap::new(),
            order: 0,
            random: seed | 1,
            tickets: HashMap::new(),
            holders: HashMap::new(),
            under_way: HashMap::new(),
            served: 0,
            sent: Vec::new(),
            closed_until: 0,
            left: (0..threads).map(|thread| (thread, each)).collect(),
            run: Self { concurrent: provider.concurrent, ..Self::default() },
        };
        (0..threads).for_each(|thread| simulation.at(0, Event::Wants(thread)));
        while let Some(Reverse((now, _, event))) = simulation.events.pop() {
            simulation.happens(now, event);
            simulation.let_through(now);
        }
        simulation.run
    }

    /// The share of the provider's places that was used, from then until the line ran dry.
    pub(super) fn used_after(&self, from: u64) -> f64 {
        let spent: u64 =
            self.answered.iter().map(|(at, took)| (*at).min(self.drained_at).saturating_sub((at - took).max(from))).sum();
        assert!(self.drained_at > from + 20_000, "too short to judge: {} ms", self.drained_at);
        spent as f64 / ((self.drained_at - from) as f64 * f64::from(self.concurrent))
    }

    /// Refusals for each request that was sent, from then on.
    pub(super) fn refused_after(&self, from: u64) -> f64 {
        let refused = self.refused.iter().filter(|at| **at >= from).count() as f64;
        let answered = self.answered.iter().filter(|(at, _)| *at >= from).count() as f64;
        refused / (refused + answered)
    }
}

impl Simulation<'_> {
    fn at(&mut self, time: u64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((time, self.order, event)));
    }

    fn chance(&mut self, range: Range<u64>) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        range.start + self.random % (range.end - range.start).max(1)
    }

    fn happens(&mut self, now: u64, event: Event) {
        match event {
            Event::Wants(thread) => {
                let ticket = self.line.join(self.tickets.get(&thread).copied(), 1).unwrap();
                self.tickets.insert(thread, ticket);
                self.holders.insert(ticket, thread);
            }
            Event::Answered(thread, took) => {
                self.served -= 1;
                self.run.answered.push((now, took));
                self.settle(thread, Outcome::Answered, now);
                self.tickets.remove(&thread);
                let left = self.left.get_mut(&thread).unwrap();
                *left -= 1;
                match *left {
                    0 => self.run.finished_at = now,
                    _ => self.at(now, Event::Wants(thread)),
                }
            }
            Event::Refused(thread) => {
                self.run.refused.push(now);
                let wait = self.provider.retry_after;
                self.closed_until = self.closed_until.max(now + wait.unwrap_or(0));
                self.settle(thread, Outcome::Refused { wait: wait.map(Duration::from_millis) }, now);
                let rest = wait.unwrap_or_else(|| self.chance(150..250));
                self.at(now + rest, Event::Wants(thread));
            }
            Event::Look => {}
        }
    }

    fn settle(&mut self, thread: u32, outcome: Outcome, now: u64) {
        let admission = self.under_way.remove(&thread).unwrap();
        self.line.settle(admission, outcome, Quotas::default(), Duration::from_millis(now));
    }

    fn let_through(&mut self, now: u64) {
        while let Some(first) = self.line.first() {
            match self.line.ask(first, Duration::from_millis(now)) {
                Answer::Go(admission) => self.send(self.holders[&first], admission, now),
                Answer::NotYet(at) => {
                    if let Some(at) = at {
                        self.at(u64::try_from(at.as_micros().div_ceil(1000)).unwrap(), Event::Look);
                    }
                    return;
                }
            }
        }
        if self.run.drained_at < now && !self.under_way.is_empty() {
            self.run.drained_at = now;
        }
    }

    fn send(&mut self, thread: u32, admission: Admission, now: u64) {
        self.under_way.insert(thread, admission);
        self.run.most_under_way = self.run.most_under_way.max(self.under_way.len() as u64);
        self.run.sent_while_closed += u32::from(now < self.closed_until);
        self.run.drained_at = now;
        let crowded = self.provider.window.is_some_and(|(length, most)| {
            self.sent.retain(|sent| sent + length > now);
            self.sent.len() >= most as usize
        });
        if crowded || self.served >= self.provider.concurrent {
            self.at(now + 5, Event::Refused(thread));
        } else {
            self.sent.push(now);
            self.served += 1;
            let took = self.chance(self.provider.latency.clone());
            self.at(now + took, Event::Answered(thread, took));
        }
    }
}
