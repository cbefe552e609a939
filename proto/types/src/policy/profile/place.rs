//! Where a profile's rule holds: at a path of the node, or in the workspace, wherever that will be.

use crate::path::AbsPath;
use crate::policy::PROTECTED;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

const WORKSPACE: &str = ":workspace";

/// A path of the node, or one in the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// At this path.
    At(AbsPath),
    /// In the workspace.
    Workspace(Inside),
}

/// A path in the workspace: relative, without `.` and `..`; empty for the workspace itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Inside(String);

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a place: {reason}", .text.escape_debug())]
pub struct PlaceError {
    text: String,
    reason: String,
}

impl Place {
    /// The workspace itself.
    #[must_use]
    pub const fn workspace() -> Self {
        Self::Workspace(Inside(String::new()))
    }

    /// The path in the workspace at `root`.
    #[must_use]
    pub fn at(&self, root: &AbsPath) -> AbsPath {
        match self {
            Self::At(path) => path.clone(),
            // A part of a workspace is joined without fail: it is text without NUL.
            Self::Workspace(inside) => root.join(&inside.0).unwrap_or_else(|_| root.clone()),
        }
    }

    /// Whether this place in the workspace is, or is in, one of [`PROTECTED`].
    #[must_use]
    pub fn is_protected(&self) -> bool {
        let Self::Workspace(Inside(path)) = self else { return false };
        PROTECTED.iter().any(|name| format!("/{path}/").contains(&format!("/{name}/")))
    }

    /// Whether a writable place here would lay open what is protected below the workspace: it is on the way into it, or in it.
    pub(super) fn opens_protected(&self) -> bool {
        let Self::Workspace(Inside(path)) = self else { return false };
        let starts = |name: &str| name.split_once('/').is_some_and(|(first, _)| path.rsplit('/').next() == Some(first));
        self.is_protected() || PROTECTED.into_iter().any(starts)
    }

    /// Whether this place is `other` or lies below it, as far as that can be told without a workspace.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::At(path), Self::At(root)) => path.is_within(root),
            (Self::Workspace(path), Self::Workspace(root)) => Path::new(&path.0).starts_with(&root.0),
            (Self::At(_), Self::Workspace(_)) | (Self::Workspace(_), Self::At(_)) => false,
        }
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    /// Reads `/PATH`, `:workspace`, `:workspace/PATH`, and, for the same, `.` and `./PATH`.
    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let wrong = |reason: &str| PlaceError { text: text.to_owned(), reason: reason.to_owned() };
        if text.contains(['*', '?', '[']) {
            return Err(wrong("a pattern cannot be held, because files that match it may come later; name files or directories"));
        }
        let inside = text.strip_prefix(WORKSPACE).or_else(|| text.strip_prefix('.'));
        match inside {
            Some("") => return Ok(Self::workspace()),
            Some(rest) if rest.starts_with('/') => {
                let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
                if parts.contains(&"..") || rest.contains('\0') {
                    return Err(wrong("it must stay in the workspace, without `..`"));
                }
                return Ok(Self::Workspace(Inside(parts.join("/"))));
            }
            Some(_) | None => {}
        }
        if text.starts_with('/') && Path::new(text).components().any(|part| part == std::path::Component::ParentDir) {
            return Err(wrong("write it without `..`"));
        }
        if text.starts_with('/') {
            return AbsPath::new(text).map(Self::At).map_err(|error| wrong(&error.to_string()));
        }
        Err(wrong("begin it with `/`, `~/` or `:workspace/`"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(path) => write!(f, "{path}"),
            Self::Workspace(Inside(path)) if path.is_empty() => f.write_str(WORKSPACE),
            Self::Workspace(Inside(path)) => write!(f, "{WORKSPACE}/{path}"),
        }
    }
}

impl TryFrom<String> for Place {
    type Error = PlaceError;

    fn try_from(text: String) -> Result<Self, PlaceError> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_is_at_a_path_or_in_the_workspace() {
        let root = AbsPath::new("/w").unwrap();
        for (text, shown, at) in [
            ("/data//x", "/data/x", "/data/x"),
            (":workspace", ":workspace", "/w"),
            (".", ":workspace", "/w"),
            ("./a/./b/", ":workspace/a/b", "/w/a/b"),
            (":workspace/.env", ":workspace/.env", "/w/.env"),
        ] {
            assert_eq!((place(text).to_string().as_str(), place(text).at(&root).as_str()), (shown, at), "{text}");
            assert_eq!(serde_json::from_value::<Place>(serde_json::to_value(place(text)).unwrap()).unwrap(), place(text));
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in [
            "",
            "x",
            "..",
            "../x",
            "./../x",
            ":workspace/../x",
            ":workspaces",
            ".git",
            "/a/../b",
            "/a\0b",
            "./a\0",
            "/a/*.env",
            "~",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn within_is_told_among_places_of_one_kind() {
        assert!(place("./a/b").is_within(&place("./a")) && place("./a").is_within(&place(".")));
        assert!(!place("./ab").is_within(&place("./a")));
        assert!(place("/a/b").is_within(&place("/a")) && !place("/a").is_within(&place(".")));
    }
}
