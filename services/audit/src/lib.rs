//! aileron-audit
