//! Rows in columns, two spaces apart.

/// A line for each row, below the heads if there are any. Nothing is cut.
#[must_use]
pub fn columns<const N: usize>(heads: Option<[&str; N]>, rows: Vec<[String; N]>) -> Vec<String> {
    let rows: Vec<[String; N]> = heads.map(|heads| heads.map(str::to_owned)).into_iter().chain(rows).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
