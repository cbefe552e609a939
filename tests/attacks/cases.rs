//! The cases of Capstan's own path, beside the families: what a hostile command may do to the operator's terminal, to the model's view, to
//! the node. Each names the tests that prove it, wherever they lie, or says why there is nothing to prove yet.

use std::fs;
use std::path::Path;

/// A case, what it is about, and where it is proved.
struct Case(u32, &'static str, Proof);

enum Proof {
    /// Files from the root of the repository, each with the name of a test in it.
    Tests(&'static [(&'static str, &'static str)]),
    /// What has to be there first.
    Later(&'static str),
}
use Proof::{Later, Tests};

const CASES: [Case; 18] = [
    Case(
        1,
        "escape sequences never reach the operator's terminal",
        Tests(&[
            ("proto/types/src/clean/tests.rs", "every_family_of_escape_sequences_is_dropped_whole"),
            ("proto/types/src/clean/tests.rs", "a_carriage_return_cannot_overwrite_what_stands"),
            ("proto/types/src/clean/tests.rs", "a_huge_sequence_and_many_small_ones_take_little_time"),
            ("proto/types/src/clean/tests.rs", "nothing_but_printable_text_comes_out"),
        ]),
    ),
    Case(
        2,
        "characters that cannot be seen are shown escaped",
        Tests(&[("proto/types/src/clean/tests.rs", "what_cannot_be_seen_is_shown")]),
    ),
    Case(
        3,
        "bytes that are no text are kept, and no code point is split",
        Tests(&[
            ("proto/types/src/clamp/tests.rs", "a_cut_never_goes_through_a_code_point"),
            ("proto/types/src/clamp/tests.rs", "bytes_that_are_not_text_do_not_break_the_budget"),
            ("proto/types/src/clamp/tests.rs", "decoding_in_pieces_is_decoding_at_once"),
        ]),
    ),
    Case(
        4,
        "floods take constant memory and are counted to the byte",
        Tests(&[
            ("sandbox-runner/tests/suite/cases.rs", "a_flood_in_one_line_is_counted_to_the_byte_and_takes_no_memory"),
            ("sandbox-runner/tests/suite/cases.rs", "many_tiny_writes_are_all_there_and_take_no_memory"),
            (
                "sandbox-runner/tests/suite/output.rs",
                "of_a_long_output_the_head_and_the_tail_are_exact_and_the_middle_is_counted",
            ),
        ]),
    ),
    Case(
        5,
        "output that looks like Capstan's own words stands behind them",
        Tests(&[("coordinator/tools/src/format.rs", "what_a_command_writes_stands_behind_what_is_said_of_it")]),
    ),
    Case(
        6,
        "a tool's result cannot break out of its message",
        Tests(&[
            ("proto/src/convert/client_event/tests.rs", "every_event_survives_the_wire"),
            ("coordinator/model/src/remote/tests/bodies.rs", "what_a_tool_wrote_is_one_text_however_it_looks"),
        ]),
    ),
    Case(
        7,
        "a terminal left in disorder is nobody else's",
        Tests(&[
            ("sandbox-runner/tests/suite/cases.rs", "a_terminal_left_in_disorder_is_nobody_elses"),
            ("sandbox-runner/tests/suite/cases.rs", "a_terminal_that_was_stopped_from_both_sides_is_still_ended"),
            ("sandbox-runner/tests/suite/terminal.rs", "a_program_may_close_its_terminal_and_open_it_again"),
        ]),
    ),
    Case(
        8,
        "no descriptor of the node's is in a session, and none comes from another",
        Tests(&[
            (
                "sandbox-runner/tests/suite/cases.rs",
                "a_program_holds_its_three_streams_and_no_side_of_a_terminal_that_is_the_nodes",
            ),
            ("sandbox-runner/tests/suite/control.rs", "a_sandboxed_program_commands_no_holder"),
        ]),
    ),
    Case(
        9,
        "children, daemons and zombies that are left are gone in two seconds",
        Tests(&[
            ("sandbox-runner/tests/suite/limits_tree.rs", "children_daemons_and_zombies_that_a_program_leaves_are_gone_with_it"),
            ("sandbox-runner/tests/suite/limits_tree.rs", "thousands_of_processes_are_killed_within_two_seconds"),
        ]),
    ),
    Case(
        10,
        "files that change under a patch lead it nowhere",
        Tests(&[
            ("sandbox-runner/tests/suite/cases.rs", "files_that_change_under_a_patch_lead_it_nowhere"),
            ("sandbox-runner/tests/suite/patch.rs", "a_patch_changes_the_workspace_and_cannot_leave_it"),
            ("agent-node/tests/node/workspace.rs", "a_patch_stays_inside_the_sandbox_of_its_call"),
        ]),
    ),
    Case(
        11,
        "odd files hold up nobody, and are shown as what they are",
        Tests(&[
            ("sandbox-runner/patch-files/src/verb/tests.rs", "what_is_no_text_file_is_refused_and_never_waited_for"),
            ("agent-node/tests/node/checkpoints.rs", "a_diff_shows_every_kind_of_change_and_git_is_not_touched"),
            ("agent-node/tests/node/checkpoints.rs", "states_are_noted_in_every_kind_of_work_tree_and_without_one"),
        ]),
    ),
    Case(12, "archives in the way of a workspace", Later("workspaces are used in place: nothing is packed or unpacked")),
    Case(
        13,
        "who may call a node",
        Later("nodes have no certificates and no grants yet: they listen on loopback, for one token"),
    ),
    Case(14, "one node as another", Later("nodes have no identity of their own yet")),
    Case(
        15,
        "keys, spools and sockets of the node cannot be reached from inside",
        Tests(&[
            ("tests/attacks/families/secrets.rs", "secrets-capstan-home"),
            ("tests/attacks/families/secrets.rs", "secrets-spool"),
            ("tests/e2e/secrets.rs", "a_key_in_the_environment_is_at_the_provider_and_nowhere_else"),
            ("tests/e2e/secrets.rs", "a_key_in_auth_json_is_at_the_provider_and_nowhere_else"),
            ("tests/e2e/secrets.rs", "the_environment_of_a_session_is_the_documented_list_and_nothing_else"),
            ("tests/e2e/secrets.rs", "the_documentation_names_the_same_list"),
            ("sandbox-runner/tests/suite/control.rs", "a_sandboxed_program_commands_no_holder"),
        ]),
    ),
    Case(
        16,
        "every spelling of a host means what it means, or is refused",
        Tests(&[
            ("sandbox-runner/egress/src/address/tests.rs", "no_spelling_of_the_metadata_service_is_less_than_that"),
            ("sandbox-runner/egress/src/request/tests.rs", "what_two_readers_could_understand_differently_is_refused"),
            ("sandbox-runner/egress/src/request/tests.rs", "what_is_passed_on_names_one_host_and_is_framed_once"),
        ]),
    ),
    Case(
        17,
        "secrets are found nowhere",
        Tests(&[
            ("tests/e2e/secrets.rs", "a_key_in_the_environment_is_at_the_provider_and_nowhere_else"),
            ("tests/e2e/secrets.rs", "a_key_in_auth_json_is_at_the_provider_and_nowhere_else"),
            ("tests/e2e/secrets.rs", "the_environment_of_a_session_is_the_documented_list_and_nothing_else"),
            ("tests/e2e/secrets.rs", "the_documentation_names_the_same_list"),
        ]),
    ),
    Case(
        18,
        "no argument of a call changes what it may do",
        Tests(&[
            ("coordinator/tools/src/tests/exec_command.rs", "no_argument_of_a_call_changes_its_policy_or_its_limits"),
            ("coordinator/tools/src/tests/exec_command.rs", "every_schema_is_closed_and_names_what_the_tool_takes"),
        ]),
    ),
];

#[test]
fn every_case_names_tests_that_are_there_or_says_why_there_are_none() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository's root");
    for (number, Case(id, about, proof)) in (1..).zip(CASES) {
        assert_eq!(id, number, "{about}");
        let tests = match proof {
            Tests(tests) => tests,
            Later(reason) => {
                println!("CP{id:02}, {about}: {reason}");
                continue;
            }
        };
        assert!(!tests.is_empty(), "CP{id:02}, {about}");
        for (file, test) in tests {
            let text = fs::read_to_string(root.join(file)).unwrap_or_default();
            let is_there = text.contains(&format!("fn {test}(")) || text.contains(&format!("\"{test}\""));
            assert!(is_there, "CP{id:02}, {about}: {file} has no {test}");
        }
    }
}
