//! aileron-tests
