//! aileron-executor
