//! aileron-wire
