//! Clamping: text is cut to a budget by dropping its middle, and the cut is said with exact counts.
