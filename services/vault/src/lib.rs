//! aileron-vault
