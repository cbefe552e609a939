//! Patches: the grammar of `apply_patch`, and its effect on text. No file is touched here.
