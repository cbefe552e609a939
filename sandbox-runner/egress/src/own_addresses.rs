//! The addresses of this host itself: what listens on them was meant for others than its sessions, also where they are public.
#![expect(unsafe_code, reason = "getifaddrs has no safe form in the standard library")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Asked anew each time, because addresses come and go.
pub(crate) fn own_addresses() -> io::Result<Vec<IpAddr>> {
    let mut first = std::ptr::null_mut();
    // SAFETY: the pointer is live; it is given back below, once, where the call succeeds.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut next = first;
    // SAFETY: the list is as the call made it until it is freed, and ends in null.
    while let Some(entry) = unsafe { next.as_ref() } {
        // SAFETY: the address is null or live until the list is freed.
        found.extend(unsafe { address(entry.ifa_addr) });
        next = entry.ifa_next;
    }
    // SAFETY: nothing of the list is kept.
    unsafe { libc::freeifaddrs(first) };
    Ok(found)
}

/// # Safety
/// `address` is null or points to a socket address as long as its family says.
unsafe fn address(address: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: null or live, says the caller; the family stands at the front of all of them.
    let family = unsafe { address.as_ref() }?.sa_family;
    match i32::from(family) {
        libc::AF_INET => {
            // SAFETY: the family says that it is one of these; the list's memory is aligned for all.
            let address = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Ipv4Addr::from_bits(u32::from_be(address.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let address = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Ipv6Addr::from(address.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_has_its_loopback_and_not_somebody_else_s_address() {
        let own = own_addresses().unwrap();
        assert!(own.contains(&Ipv4Addr::LOCALHOST.into()), "{own:?}");
        assert!(!own.contains(&Ipv4Addr::new(192, 0, 2, 1).into()));
    }
}
