//! The operator's terminal gets no input from inside, and other terminals are not there.

use crate::attack::Attack;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack::at_terminal("terminal-inject", "inject", "bytes are pushed into the operator's input"),
    Attack::at_terminal("terminal-inject-high", "inject-high-bits", "the same, with bits set that the kernel ignores"),
    Attack::inside("terminal-selection", "console-selection", "the console is told to paste"),
    Attack::inside("terminal-discipline", "line-discipline", "a terminal gets another line discipline"),
    Attack::inside("terminal-discipline-high", "line-discipline-high-bits", "the same, with bits set that the kernel ignores"),
    Attack::inside("terminal-write", "write-other", "somebody else's terminal is written"),
    Attack::inside("terminal-read", "read-other", "somebody else's terminal is read"),
    Attack::inside("terminal-chmod", "chmod-other", "somebody else's terminal is opened to all"),
    Attack::inside("terminal-hosts", "hosts-terminals", "the host's terminals are there"),
    Attack::inside("terminal-consoles", "consoles", "the machine's consoles are written").of_root(),
    Attack::inside("terminal-screens", "screens", "the machine's screens are read").of_root(),
];
