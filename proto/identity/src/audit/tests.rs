use super::*;
use std::fs;

fn entry(n: usize) -> Entry {
    Entry::new(Kind::Refused, None, "/capstan.node.v1.Exec/Start", format!("reason {n}"))
}

#[test]
fn a_log_goes_on_where_it_ended_and_shows_what_was_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    for life in 0..3 {
        let audit = Audit::open(path.clone()).unwrap();
        (0..5).for_each(|n| audit.write(entry(5 * life + n)));
        drop(audit);
        // As a crash leaves it.
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"seq\":");
        fs::write(&path, text).unwrap();
    }
    drop(Audit::open(path.clone()).unwrap());
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(verify(&text), Ok(15));
    assert_eq!(verify(&text.replace("reason 7", "reason 9")), Err(Broken::Chain(8)));
    let without: String = text.lines().enumerate().filter(|(at, _)| *at != 7).map(|(_, line)| format!("{line}\n")).collect();
    assert_eq!(verify(&without), Err(Broken::Chain(8)));
    assert_eq!(verify("x\n"), Err(Broken::Line(1)));
}

#[test]
fn full_files_make_room_and_the_chain_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    let mut file = AuditFile::open_of(path.clone(), 1000).unwrap();
    (0..100).for_each(|n| file.append(entry(n), 0).unwrap());
    let names: Vec<_> = (1..=9).map(|n| dir.path().join(format!("audit.jsonl.{n}"))).filter(|path| path.exists()).collect();
    assert_eq!(names.len(), FILES);
    let newest = [names[0].clone(), path].map(|path| fs::read_to_string(path).unwrap()).concat();
    assert!(verify(&newest).unwrap() > 5);
}

#[test]
fn what_finds_no_room_is_counted() {
    let (queue, entries) = sync_channel(2);
    let missed = Arc::new(AtomicU64::new(0));
    let inner = Inner { queue: Mutex::new(Some(queue)), missed: Arc::clone(&missed), writer: Mutex::new(None) };
    let audit = Audit(Arc::new(inner));
    (0..5).for_each(|n| audit.write(entry(n)));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    drop(audit);
    write_all(AuditFile::open(path.clone()).unwrap(), &entries, &missed);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.lines().next().unwrap().contains("\"missed\":3") && verify(&text) == Ok(2), "{text}");
}
