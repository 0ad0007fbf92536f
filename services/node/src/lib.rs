//! aileron-node
