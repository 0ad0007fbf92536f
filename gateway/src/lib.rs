//! aileron-gateway
