//! aileron-store
