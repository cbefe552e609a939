//! Which file of a crate imports from which other: a drawing good enough to find circles and forgotten files.
//!
//! It reads paths that begin with `crate`, `super` or `self`, and those that begin with a module which the file itself declares.
//! What it does not see: paths made by macros.

use crate::repository::TextFile;
use crate::rust_source::{inline_modules, split, without_test_items};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The modules of one crate, by their path from its root; the root is the empty path.
#[derive(Default)]
pub(crate) struct Graph {
    modules: BTreeMap<Vec<String>, Module>,
}

/// One module, which is one file.
pub(crate) struct Module {
    /// The file.
    pub(crate) file: String,
    code: String,
    children: Vec<String>,
    /// The files of those children that `#[path]` places elsewhere.
    placed: BTreeMap<String, String>,
}

impl Graph {
    /// Follows the `mod` declarations from the crate's root file.
    pub(crate) fn from_root(root_file: &str, files: &[TextFile]) -> Self {
        let by_path: BTreeMap<&str, &TextFile> = files.iter().map(|file| (file.path.as_str(), file)).collect();
        let base = root_file.rsplit_once('/').map_or(String::new(), |(dir, _)| format!("{dir}/"));
        let mut graph = Self::default();
        let mut open = vec![(Vec::new(), root_file.to_owned())];
        while let Some((path, file)) = open.pop() {
            let Some(found) = by_path.get(file.as_str()) else { continue };
            let module = Module::read(found);
            for child in &module.children {
                let child_path: Vec<String> = path.iter().chain([child]).cloned().collect();
                let usual = || format!("{base}{}.rs", child_path.join("/"));
                let child_file = module.placed.get(child).cloned().unwrap_or_else(usual);
                open.push((child_path, child_file));
            }
            graph.modules.insert(path, module);
        }
        graph
    }

    /// The files of the crate.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.modules.values().map(|module| module.file.as_str())
    }

    /// For each file, the other files of the crate it imports from.
    pub(crate) fn arrows(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        self.modules.iter().map(|(path, module)| (module.file.as_str(), self.targets(path, module))).collect()
    }

    fn targets(&self, path: &[String], module: &Module) -> BTreeSet<&str> {
        let mut named = named_paths(&module.code, path);
        let own_child = |child: &&String| begins_a_path(&module.code, child);
        named.extend(module.children.iter().filter(own_child).map(|child| path.iter().chain([child]).cloned().collect()));
        let owners = named.iter().map(|named| self.owner(named)).filter(|owner| *owner != module.file);
        owners.collect()
    }

    /// The file of the deepest module on the way to `path`.
    fn owner(&self, path: &[String]) -> &str {
        let lengths = (0..=path.len()).rev();
        lengths
            .filter_map(|length| self.modules.get(&path[..length]))
            .map(|module| module.file.as_str())
            .next()
            .unwrap_or_default()
    }
}

impl Module {
    fn read(file: &TextFile) -> Self {
        static DECLARATION: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"\bmod\s+(\w+)\s*;").expect("the expression is valid"));
        static PLACED: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"#\[path\s*=\s*"([^"]+)"\]\s*(?:#\[[^\]]*\]\s*)*mod\s+(\w+)\s*;"#).expect("the expression is valid")
        });
        let placed = PLACED.captures_iter(&file.text).map(|found| (found[2].to_owned(), beside(&file.path, &found[1])));
        let placed = placed.collect();
        let code = split(&file.text).code;
        let children = DECLARATION.captures_iter(&code).map(|found| found[1].to_owned()).collect();
        Self { file: file.path.clone(), code: without_test_items(&code), children, placed }
    }
}

/// The file that lies at `relative` from the directory of `file`.
fn beside(file: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// Whether a path in `code` begins with this name, as `name::x` does, and `a::name::x` and `my_name::x` do not.
fn begins_a_path(code: &str, name: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let hits = code.match_indices(name);
    hits.into_iter().any(|(at, _)| code[at + name.len()..].starts_with("::") && !code[..at].ends_with(joins))
}

/// Every path in `code` that starts at the crate's root or at the module itself, from the root.
fn named_paths(code: &str, module: &[String]) -> Vec<Vec<String>> {
    static START: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(crate|super|self)\s*::").expect("the expression is valid"));
    let (inline, mut found) = (inline_modules(code), Vec::new());
    for hit in START.captures_iter(code) {
        let (whole, word) = (hit.get(0).expect("a match has a range"), &hit[1]);
        // The second `super` of `super::super::a`, already followed from the first; and `pub(in super::a)`, which imports nothing.
        if code[..whole.start()].ends_with("::") || code[..whole.start()].ends_with("(in ") {
            continue;
        }
        let around = inline.iter().filter(|(_, range)| range.contains(&whole.start())).map(|(name, _)| name);
        let here: Vec<String> = module.iter().chain(around).cloned().collect();
        let base = match word {
            "crate" => Vec::new(),
            "super" => parent(&here),
            _ => here,
        };
        follow(&mut Cursor { rest: &code[whole.end()..] }, base, &mut found);
    }
    found
}

fn parent(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    fn take(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest;
        true
    }

    fn word(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }
}

/// Follows what stands behind a `::`: a word, a star, or a group of further paths.
fn follow(cursor: &mut Cursor<'_>, mut base: Vec<String>, found: &mut Vec<Vec<String>>) {
    if cursor.take("{") {
        while !cursor.take("}") && !cursor.rest.is_empty() {
            follow(cursor, base.clone(), found);
            if cursor.take("as") {
                cursor.word();
            }
            if !cursor.take(",") && !cursor.rest.trim_start().starts_with('}') {
                return; // not a use tree after all
            }
        }
        return;
    }
    match cursor.word() {
        Some(word) if word == "super" => base = parent(&base),
        Some(word) if word == "self" => {}
        Some(word) => base.push(word),
        None => {
            cursor.take("*");
            return found.push(base);
        }
    }
    if cursor.take("::") { follow(cursor, base, found) } else { found.push(base) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(code: &str, module: &[&str]) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|&part| part.to_owned()).collect();
        named_paths(code, &module).into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn use_trees_and_inline_paths_are_followed() {
        assert_eq!(paths("use crate::a::{B, c::{self, D}, e::*};", &[]), ["a::B", "a::c", "a::c::D", "a::e"]);
        assert_eq!(paths("use super::{x as y, w};", &["m", "n"]), ["m::x", "m::w"]);
        assert_eq!(paths("use super::super::z; fn f() -> crate::a::B<C> {}", &["m", "n"]), ["z", "a::B"]);
        assert_eq!(paths("mod i { use super::A; use super::super::B; } use super::C;", &["m", "n"]), ["m::n::A", "m::B", "m::C"]);
        assert!(paths("pub(in super::super) fn f() {}", &["m", "n"]).is_empty());
        assert!(paths("pub(crate) fn f(self) { self.a() }", &["m"]).is_empty());
    }

    #[test]
    fn an_arrow_goes_to_the_file_that_owns_the_name() {
        let files = [
            TextFile::example("a/src/lib.rs", "mod b;\npub mod c;\npub use b::X;"),
            TextFile::example("a/src/b.rs", "mod d;\nuse crate::c::Y;\nfn f() { d::g(); }"),
            TextFile::example("a/src/b/d.rs", "#[cfg(test)]\nmod tests { use crate::c; }"),
            TextFile::example("a/src/c.rs", "use crate::b::d::Z;"),
        ];
        let graph = Graph::from_root("a/src/lib.rs", &files);
        let arrows = graph.arrows();
        assert_eq!(arrows["a/src/lib.rs"], BTreeSet::from(["a/src/b.rs"]));
        assert_eq!(arrows["a/src/b.rs"], BTreeSet::from(["a/src/b/d.rs", "a/src/c.rs"]));
        assert!(arrows["a/src/b/d.rs"].is_empty());
        assert_eq!(arrows["a/src/c.rs"], BTreeSet::from(["a/src/b/d.rs"]));
    }
}
