//! The host's system in words, for a model that must know which package manager and which architecture it meets.

use std::sync::OnceLock;

/// The distribution, the kernel and the architecture, as `Debian GNU/Linux 12 (bookworm), Linux 6.1.0, x86_64`. Read once.
pub(crate) fn words() -> &'static str {
    static WORDS: OnceLock<String> = OnceLock::new();
    WORDS.get_or_init(|| {
        let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let kernel = format!("Linux {}", kernel.trim());
        let parts = [name(&release), Some(kernel.trim_end()), Some(std::env::consts::ARCH)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    })
}

/// What the distribution calls itself, if it says so in one plain line.
fn name(release: &str) -> Option<&str> {
    let value = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let plain = value.trim().trim_matches(['"', '\'']);
    (!plain.is_empty() && plain.len() <= 100 && !plain.contains(|letter: char| letter.is_control())).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_named_as_it_names_itself() {
        assert_eq!(name("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!((name("ID=x"), name("PRETTY_NAME=\"\"")), (None, None));
    }

    #[test]
    fn the_architecture_comes_last() {
        assert!(words().contains("Linux ") && words().ends_with(std::env::consts::ARCH), "{}", words());
    }
}
