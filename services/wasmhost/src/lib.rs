//! aileron-wasmhost
