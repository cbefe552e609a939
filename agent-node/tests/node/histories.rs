//! Random histories of a workspace, saved on one node and brought back on another that shares nothing with it: after each step the trees are equal.
//!
//! `CAPSTAN_HISTORIES` says how many, `CAPSTAN_SEED` with which one they begin.

use crate::carried::carry;
use crate::fixture::Fixture;
use crate::saved::image;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// How many histories are played unless the environment says otherwise.
const USUAL: u64 = 4;
/// How many times each of them is saved.
const STEPS: u64 = 4;
/// How many changes lie between.
const CHANGES: u64 = 12;

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn name(&mut self) -> OsString {
        let number = self.roll(9);
        OsString::from_vec(match self.roll(6) {
            0 => format!("with space {number}").into_bytes(),
            1 => vec![b'n', 0xff, 0xfe, b'0' + u8::try_from(number).unwrap()],
            2 => format!(".git{number}").into_bytes(),
            3 => format!("new\nline{number}").into_bytes(),
            4 => b".git".to_vec(),
            _ => format!("f{number}").into_bytes(),
        })
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = match self.roll(5) {
            0 => 0,
            1 => self.roll(1_500_000),
            _ => self.roll(3000),
        };
        (0..length).map(|_| u8::try_from(self.roll(256)).unwrap()).collect()
    }

    fn among(&mut self, paths: &[PathBuf]) -> Option<PathBuf> {
        let count = u64::try_from(paths.len()).unwrap();
        (count > 0).then(|| paths[usize::try_from(self.roll(count)).unwrap()].clone())
    }
}

/// Changes something below `top`. What cannot be done is left.
fn change(top: &Path, dice: &mut Dice) {
    let all: Vec<PathBuf> = image(top).into_iter().map(|(path, ..)| top.join(path)).collect();
    let mut dirs: Vec<PathBuf> = all.iter().filter(|path| path.is_dir() && !path.is_symlink()).cloned().collect();
    dirs.push(top.to_owned());
    let place = dice.among(&dirs).unwrap().join(dice.name());
    let (some, act, mode) = (dice.among(&all), dice.roll(8), 0o600 | u32::try_from(dice.roll(0o100)).unwrap());
    let _ = match (act, some) {
        (0 | 1, _) => fs::write(&place, dice.bytes()),
        (2, _) => fs::create_dir(&place),
        (3, _) => symlink(format!("../nowhere/{}", dice.roll(5)), &place),
        (4, Some(path)) => fs::rename(path, &place),
        (5, Some(path)) if path.is_symlink() => Ok(()),
        (5, Some(path)) if path.is_dir() => fs::set_permissions(path, fs::Permissions::from_mode(0o700 | mode)),
        (5, Some(path)) => fs::set_permissions(path, fs::Permissions::from_mode(mode)),
        (6, Some(path)) if path.is_dir() && !path.is_symlink() => fs::remove_dir_all(path),
        (6, Some(path)) => fs::remove_file(path),
        (_, Some(path)) if path.is_file() && !path.is_symlink() => fs::read(&path).and_then(|mut bytes| {
            bytes.extend_from_slice(b"more");
            fs::write(&path, bytes)
        }),
        _ => Ok(()),
    };
}

fn number(name: &str, usual: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_every_step_of_a_random_history_the_other_node_has_the_same_tree() {
    let (one, other) = (Fixture::start().await, Fixture::start().await);
    let first = number("CAPSTAN_SEED", 1);
    for seed in first..first + number("CAPSTAN_HISTORIES", USUAL) {
        let (mut here, mut there) = (one.client(), other.client());
        there.authority = here.authority.clone();
        let (from, to) = (one.workspace.join(seed.to_string()).unwrap(), other.workspace.join(seed.to_string()).unwrap());
        fs::create_dir(from.as_path()).unwrap();
        fs::create_dir(to.as_path()).unwrap();
        let mut dice = Dice(seed);
        for step in 0..STEPS {
            (0..CHANGES).for_each(|_| change(from.as_path(), &mut dice));
            carry(&mut here, &mut there, (&from, &to), &format!("step-{step}")).await;
            let plain =
                |top: &Path| image(top).into_iter().map(|(path, mode, _, content)| (path, mode, content)).collect::<Vec<_>>();
            assert_eq!(plain(to.as_path()), plain(from.as_path()), "seed {seed}, step {step}");
        }
    }
}
