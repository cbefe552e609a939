//! What the session's proxy refused, from the proxy to whoever watches the session.

use super::Holder;
use super::connection::Connection;
use crate::egress_process::EgressProcess;
use capstan_types::control::Report;
use std::os::fd::RawFd;

impl Holder {
    fn proxy(&mut self) -> Option<&mut EgressProcess> {
        self.inside.as_mut()?.proxy.as_mut()
    }

    /// What becomes readable when something was refused.
    pub(super) fn refusals(&mut self) -> Option<RawFd> {
        self.proxy().map(|proxy| proxy.wakes_by())
    }

    /// Takes note of what was refused. A proxy that has died leaves the session without a network, and is not waited for any more.
    pub(super) fn read_refusals(&mut self) {
        let Some((refused, alive)) = self.proxy().map(EgressProcess::refused) else { return };
        self.denials.extend(refused);
        if !alive {
            self.end_proxy();
        }
    }

    /// Ends the proxy, when nobody is left to speak to it.
    pub(super) fn end_proxy(&mut self) {
        if let Some(inside) = &mut self.inside {
            inside.proxy = None;
        }
    }

    /// Tells each connection what it has not been told. The proxy bounds how many there are.
    pub(super) fn tell_denials(&mut self) {
        for connection in self.connections.iter_mut().filter(|connection| connection.reads()) {
            tell(connection, &self.denials);
        }
    }
}

fn tell(connection: &mut Connection, denials: &[capstan_types::launch::Denial]) {
    for denial in denials.iter().skip(connection.denials_told()) {
        connection.send(&Report::Denied(denial.clone()));
    }
    connection.note_denials(denials.len());
}
