//! The figures of the simulation as a picture. `CAPSTAN_WRITE_PLOTS=1` writes it anew; without that it is compared with what lies in `docs`.

use super::{CPU, NODES, SEEDS, a_while, offline, online, placed_up_to};
use capstan_types::placement::Packing;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Where the picture lies.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/placement.svg");

/// The largest need, as a part of a node.
const PARTS: [u64; 5] = [64, 32, 16, 8, 4];

/// The first of the recorded seeds.
const SEED: u64 = SEEDS[0];

/// A picture of two panels.
struct Picture(String);

impl Picture {
    fn text(&mut self, (x, y): (u64, u64), anchor: &str, text: &str) {
        let _ = writeln!(self.0, r#"<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>"#);
    }

    fn line(&mut self, from: (u64, u64), to: (u64, u64)) {
        let _ = writeln!(self.0, r##"<path d="M{} {}L{} {}" stroke="#bbb"/>"##, from.0, from.1, to.0, to.1);
    }

    fn curve(&mut self, points: &[(u64, u64)], colour: &str) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x} {y}")).collect();
        let _ = writeln!(self.0, r#"<path d="M{}" stroke="{colour}" stroke-width="2" fill="none"/>"#, path.join("L"));
        for (x, y) in points {
            let _ = writeln!(self.0, r#"<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>"#);
        }
    }

    fn bar(&mut self, (x, y): (u64, u64), (width, height): (u64, u64), colour: &str) {
        let _ = writeln!(self.0, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>"#);
    }
}

const OURS: &str = "#1b6ca8";
const THEIRS: &str = "#d1495b";

/// How far above the offline best, in thousandths.
fn above(load: u64, best: u64) -> u64 {
    load.saturating_sub(best) * 1000 / best
}

fn spread(picture: &mut Picture) {
    picture.text((60, 20), "start", "Highest load above the offline best, in percent");
    for percent in [0, 10, 20, 30] {
        let y = 260 - percent * 6;
        picture.line((60, y), (360, y));
        picture.text((52, y + 4), "end", &percent.to_string());
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for (place, part) in (0_u64..).zip(PARTS) {
        let (sizes, used) = placed_up_to(CPU / part, SEED, Packing::Spread);
        let (x, best) = (90 + place * 62, offline(sizes.clone()));
        let y = |load: u64| 260_u64.saturating_sub(above(load, best) * 6 / 10);
        let load = *used.iter().max().unwrap();
        ours.push((x, y(load)));
        let percent = above(load, best);
        picture.text((x, y(load) - 10), "middle", &format!("{}.{}", percent / 10, percent % 10));
        theirs.push((x, y(online(&sizes))));
        picture.text((x, 280), "middle", &format!("1/{part}"));
    }
    picture.curve(&theirs, THEIRS);
    picture.curve(&ours, OURS);
    picture.text((210, 300), "middle", &format!("largest need, of a node ({NODES} nodes, 70 % full, seed {SEED})"));
    picture.text((70, 40), "start", "blue: Capstan; red: a look at every node");
}

fn shares(picture: &mut Picture) {
    picture.text((440, 20), "start", "Workspaces placed in 200 s, by batch, when all nodes are full");
    picture.line((440, 260), (760, 260));
    for (group, seed) in (0_u64..).zip(SEEDS) {
        let seen = a_while(seed);
        for (batch, (count, _)) in &seen.placed {
            let x = 450 + group * 105 + u64::from(*batch) * 22;
            picture.bar((x, 260_u64.saturating_sub(*count / 2)), (18, *count / 2), if *batch == 0 { THEIRS } else { OURS });
        }
        picture.text((490 + group * 105, 280), "middle", &format!("seed {seed}"));
    }
    picture.text((600, 300), "middle", "red: the batch that asks for three times as much as each other");
}

fn picture() -> String {
    let head = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 310" font-family="sans-serif" font-size="11"><rect width="780" height="310" fill="white"/>"#;
    let mut picture = Picture(format!("{head}\n"));
    spread(&mut picture);
    shares(&mut picture);
    picture.0 + "</svg>\n"
}

#[test]
fn the_picture_shows_what_the_simulation_gives() {
    let picture = picture();
    if std::env::var_os("CAPSTAN_WRITE_PLOTS").is_some() {
        fs::create_dir_all(Path::new(FILE).parent().unwrap()).unwrap();
        fs::write(FILE, &picture).unwrap();
    }
    let kept = fs::read_to_string(FILE).unwrap();
    assert!(kept == picture, "{FILE} is of other figures; write it anew with CAPSTAN_WRITE_PLOTS=1");
}
