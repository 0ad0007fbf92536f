//! The engine all guests share: what WebAssembly they may use, and the pool they live in.

use aileron_contract::limits;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Room on a guest's stack for the host functions it calls.
const HOST_STACK: usize = 1024 * 1024;

/// Bookkeeping of one instance; grows with the number of functions, and Go modules have many.
const INSTANCE_SIZE: usize = 8 * 1024 * 1024;

/// One engine for every connector. Each place in the pool reserves address space for the largest
/// memory a manifest may ask for; what a call may use of it is metered per call, and what it used
/// is given back afterwards. So a large connector needs no second engine and no second
/// compilation.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(limits::GUEST_STACK)
        .async_stack_size(limits::GUEST_STACK.saturating_add(HOST_STACK))
        // Memories a guest could make beside its first would escape the meter.
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_component_model(false)
        .concurrency_support(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    Engine::new(&config)
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(limits::GUEST_CONCURRENCY)
        .total_memories(limits::GUEST_CONCURRENCY)
        .total_tables(limits::GUEST_CONCURRENCY.saturating_mul(limits::GUEST_TABLES))
        .total_stacks(limits::GUEST_CONCURRENCY)
        .max_memories_per_module(1)
        .max_tables_per_module(limits::GUEST_TABLES)
        .max_memory_size(usize::try_from(limits::GUEST_MEMORY_MAX).unwrap_or(usize::MAX))
        .table_elements(limits::GUEST_TABLE)
        .max_core_instance_size(INSTANCE_SIZE)
        .max_unused_warm_slots(limits::GUEST_CONCURRENCY);
    pool
}
