//! aileron-proto
