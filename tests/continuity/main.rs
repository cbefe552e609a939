//! A command runs to its end, and nothing of it is lost, whoever is killed meanwhile.
//!
//! A program prints a stream that its seed decides and ends with a known code. While it runs, its client, its coordinator, its node (each
//! with SIGKILL) and the connection between the last two are taken away at moments that a seed decides, and those that were killed are
//! started again. Then every byte of the retained window is compared by its offset, and the end with the known code; what the program
//! noted in a file shows that it ran once; and nothing may be left running.
//!
//! `CAPSTAN_ROUNDS` (8 unless set) says how many rounds there are, `CAPSTAN_SEED` with which seed they begin, `CAPSTAN_PAUSE_MS` (700) how
//! long a node stands still.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod faults;
mod house;
mod program;
mod session;
mod window;

use capstan_tests::process;
use capstan_tests::seeded::Numbers;
use capstan_tests::wait;
use house::House;
use program::{Program, SETTLED_WITHIN, from_environment};

#[test]
fn no_byte_and_no_end_is_lost_whoever_is_killed() {
    let (rounds, first) = (from_environment("CAPSTAN_ROUNDS", 8), from_environment("CAPSTAN_SEED", 1));
    let mut house = House::open();
    let (mut began, mut compared) = (0, 0);
    for seed in first..first + rounds {
        let mut numbers = Numbers::new(seed);
        let program = Program::draw(seed, &mut numbers);
        let client = house.begin(program);
        let faults = faults::draw(&mut numbers, program.milliseconds);
        println!("round {seed}: {program:?}, {faults:?}");
        let client = house.suffer(&faults, client);
        let settled = house.settle(program, client);
        began += u64::from(settled.began);
        compared += u64::from(settled.compared);
    }
    println!("{began} of {rounds} programs had begun when something was taken away; the bytes of {compared} were compared");
    assert!(began * 2 > rounds, "only {began} of {rounds} programs began: the faults came too early to show anything");
    assert!(compared * 4 > rounds, "only {compared} of {rounds} outputs were compared");
    let home = house.close();
    wait::until_true(SETTLED_WITHIN, "no process of the house", || process::at(home.root()).is_empty());
}
