//! Where state is kept: the operational database, files written whole or not at all, and the lock
//! of a state folder. Deliberately absent: any table but the list of migrations.

mod database;
pub mod files;
pub mod lock;
mod migrations;
mod role;

pub use database::{Database, Location, failed};
pub use migrations::Migration;
pub use role::RoleLock;
