//! What a turn changed, and undoing it: the same between a client and a coordinator as between a coordinator and a node.

use super::Malformed;
use crate::wire::{client, node};
use capstan_types::checkpoint::{Changes, FileNames, PatchFacts, PatchPart, Undo};

macro_rules! the_same_in {
    ($wire:ident) => {
        impl From<Changes> for $wire::DiffResponse {
            fn from(Changes { diff, left_out_bytes, files }: Changes) -> Self {
                Self { diff, left_out_bytes, files }
            }
        }

        impl From<$wire::DiffResponse> for Changes {
            fn from($wire::DiffResponse { diff, left_out_bytes, files }: $wire::DiffResponse) -> Self {
                Self { diff, left_out_bytes, files }
            }
        }

        impl From<PatchPart> for $wire::PatchResponse {
            fn from(part: PatchPart) -> Self {
                use $wire::patch_response::Part as Wire;
                let part = match part {
                    PatchPart::Facts(PatchFacts { bytes, files, base }) => {
                        Wire::Facts($wire::PatchFacts { bytes, files, base: base.unwrap_or_default() })
                    }
                    PatchPart::Data(data) => Wire::Data(data),
                };
                Self { part: Some(part) }
            }
        }

        impl TryFrom<$wire::PatchResponse> for PatchPart {
            type Error = Malformed;

            fn try_from(wire: $wire::PatchResponse) -> Result<Self, Malformed> {
                use $wire::patch_response::Part as Wire;
                match wire.part {
                    Some(Wire::Facts($wire::PatchFacts { bytes, files, base })) => {
                        Ok(Self::Facts(PatchFacts { bytes, files, base: Some(base).filter(|base| is_object(base)) }))
                    }
                    Some(Wire::Data(data)) => Ok(Self::Data(data)),
                    None => Err(Malformed::missing("part")),
                }
            }
        }

        impl From<FileNames> for $wire::FileNames {
            fn from(FileNames { names, more }: FileNames) -> Self {
                Self { names, more }
            }
        }

        impl From<$wire::FileNames> for FileNames {
            fn from($wire::FileNames { names, more }: $wire::FileNames) -> Self {
                Self { names, more }
            }
        }

        impl From<Undo> for $wire::UndoResponse {
            fn from(undo: Undo) -> Self {
                use $wire::undo_response::Result as Wire;
                let result = match undo {
                    Undo::Done { saved, changed, resisted } => {
                        Wire::Undone($wire::Undone { saved, changed: Some(changed.into()), resisted })
                    }
                    Undo::ChangedSince(files) => Wire::ChangedSince(files.into()),
                    Undo::NeverEnded => Wire::NeverEnded($wire::NeverEnded {}),
                };
                Self { result: Some(result) }
            }
        }

        impl TryFrom<$wire::UndoResponse> for Undo {
            type Error = Malformed;

            fn try_from(wire: $wire::UndoResponse) -> Result<Self, Malformed> {
                use $wire::undo_response::Result as Wire;
                match wire.result {
                    Some(Wire::Undone($wire::Undone { saved, changed, resisted })) => {
                        Ok(Self::Done { saved, changed: changed.unwrap_or_default().into(), resisted })
                    }
                    Some(Wire::ChangedSince(files)) => Ok(Self::ChangedSince(files.into())),
                    Some(Wire::NeverEnded(_)) => Ok(Self::NeverEnded),
                    None => Err(Malformed::new("result", "it is missing")),
                }
            }
        }
    };
}

/// Whether a text can be git's name of an object, and nothing else.
fn is_object(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

the_same_in!(node);
the_same_in!(client);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_patch_pass_both_wires_and_what_is_no_commit_does_not() {
        let facts = |base: Option<String>| PatchPart::Facts(PatchFacts { bytes: 7, files: 2, base });
        for part in [facts(None), facts(Some("0f".repeat(20))), PatchPart::Data(vec![0, 255].into())] {
            let passed = PatchPart::try_from(node::PatchResponse::from(part.clone())).unwrap();
            assert_eq!(PatchPart::try_from(client::PatchResponse::from(passed)).unwrap(), part);
        }
        let forged = client::PatchResponse::from(facts(Some("--upload-pack=x".to_owned())));
        assert_eq!(PatchPart::try_from(forged).unwrap(), facts(None));
        assert!(PatchPart::try_from(node::PatchResponse { part: None }).is_err());
    }

    #[test]
    fn what_became_of_an_undo_passes_both_wires() {
        let names = FileNames { names: vec!["a".into()], more: 2 };
        let done = Undo::Done { saved: "s".into(), changed: names.clone(), resisted: true };
        for undo in [done, Undo::ChangedSince(names), Undo::NeverEnded] {
            let passed = Undo::try_from(node::UndoResponse::from(undo.clone())).unwrap();
            assert_eq!(Undo::try_from(client::UndoResponse::from(passed)).unwrap(), undo);
        }
        assert!(Undo::try_from(client::UndoResponse { result: None }).is_err());
    }
}
