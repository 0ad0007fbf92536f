//! aileron-api
