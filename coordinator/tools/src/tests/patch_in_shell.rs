//! Patches that come as shell commands.

use super::fake::{Bench, Told};
use crate::heredoc::{ShellPatch, recognise};
use crate::host::PatchReport;
use capstan_types::item::{ItemBody, ItemStatus};
use serde_json::json;

const BODY: &str = "*** Begin Patch\n*** Add File: a.txt\n+$HOME `x`\n*** End Patch";

fn found(dir: Option<&str>) -> Option<ShellPatch> {
    Some(ShellPatch { dir: dir.map(str::to_owned), patch: BODY.to_owned() })
}

#[test]
fn a_command_that_is_only_a_patch_is_recognised() {
    for head in
        ["apply_patch <<'EOF'", "apply_patch <<\"EOF\"", "apply_patch <<EOF", "applypatch<<'EOF'", "  apply_patch << 'EOF'  "]
    {
        assert_eq!(recognise(&format!("{head}\n{BODY}\nEOF\n")), found(None), "{head}");
    }
    assert_eq!(recognise(&format!("apply_patch <<-'EOF'\n\t{}\n\tEOF", BODY.replace('\n', "\n\t"))), found(None));
    for (dir, meant) in [("src", "src"), ("'a b'", "a b"), ("\"a b\"", "a b"), ("../x", "../x")] {
        assert_eq!(recognise(&format!("cd {dir} && apply_patch <<'EOF'\n{BODY}\nEOF")), found(Some(meant)), "{dir}");
    }
}

#[test]
fn anything_more_than_a_patch_is_left_to_the_shell() {
    for command in [
        format!("apply_patch <<'EOF'\n{BODY}\nEOF\nls"),
        format!("ls; apply_patch <<'EOF'\n{BODY}\nEOF"),
        format!("cd a; apply_patch <<'EOF'\n{BODY}\nEOF"),
        format!("cd $X && apply_patch <<'EOF'\n{BODY}\nEOF"),
        format!("cd ~/x && apply_patch <<'EOF'\n{BODY}\nEOF"),
        format!("cd \"$(pwd)\" && apply_patch <<'EOF'\n{BODY}\nEOF"),
        format!("cd a && cd b && apply_patch <<'EOF'\n{BODY}\nEOF"),
        format!("apply_patch <<'EOF' | tee log\n{BODY}\nEOF"),
        format!("apply_patch <<'EOF'\n{BODY}\nEOF\nmore\nEOF"),
        format!("apply_patch <<'EOF'\n{BODY}"),
        format!("apply_patch file <<'EOF'\n{BODY}\nEOF"),
        "apply_patch".to_owned(),
        "cat <<'EOF'\nx\nEOF".to_owned(),
    ] {
        assert_eq!(recognise(&command), None, "{command}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_patch_written_as_a_command_becomes_a_file_change() {
    let bench = Bench::new();
    bench.host.patching.lock().unwrap().push_back(Ok(PatchReport::Applied { changes: Vec::new() }));
    let cmd = format!("cd sub && apply_patch <<'EOF'\n{BODY}\nEOF");
    let result = bench.call("exec_command", json!({"cmd": cmd, "workdir": "deep"})).await;
    assert!(result.output.ends_with("Updated the following files:\nA a.txt"), "{}", result.output);
    assert!(bench.host.starts.lock().unwrap().is_empty(), "no shell ran");
    let sent = bench.host.patches.lock().unwrap()[0].clone();
    assert_eq!((sent.patch.as_str(), sent.cwd.as_str()), (BODY, "/w/deep/sub"));
    let told = bench.items.told();
    let Some(Told::Completed(_, ItemBody::FileChange { changes, status, .. })) = told.last() else { panic!("{told:?}") };
    assert_eq!((changes[0].path.as_str(), *status), ("/w/deep/sub/a.txt", ItemStatus::Completed));
}
