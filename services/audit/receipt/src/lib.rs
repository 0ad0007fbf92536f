//! aileron-receipt
