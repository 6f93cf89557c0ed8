//! s6x-multicall: one executable, many names.
