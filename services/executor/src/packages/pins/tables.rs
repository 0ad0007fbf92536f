//! The tables of records, and how they came to be.

use aileron_store::Migration;

pub(in crate::packages) const MIGRATIONS: &[Migration] = &[
    Migration {
        id: "packages/1",
        statements: &["CREATE TABLE package_pins (kind TEXT NOT NULL, name TEXT NOT NULL, \
                       record TEXT NOT NULL, pin TEXT NOT NULL, staged TEXT, \
                       PRIMARY KEY (kind, name))"],
    },
    // A change is written beside what it replaces; rows of before have no digest.
    Migration {
        id: "packages/2",
        statements: &[
            "CREATE TABLE package_records (kind TEXT NOT NULL, name TEXT NOT NULL, \
             digest TEXT NOT NULL DEFAULT '', record TEXT NOT NULL, pin TEXT NOT NULL, \
             staged TEXT, PRIMARY KEY (kind, name, digest))",
            "INSERT INTO package_records (kind, name, record, pin, staged) \
             SELECT kind, name, record, pin, staged FROM package_pins",
            "DROP TABLE package_pins",
            "ALTER TABLE package_records RENAME TO package_pins",
        ],
    },
    // Everything installed before there was a lockfile is to be told to it.
    Migration {
        id: "packages/3",
        statements: &[
            "CREATE TABLE package_texts (kind TEXT NOT NULL, name TEXT NOT NULL, \
             digest TEXT NOT NULL, part TEXT NOT NULL, content TEXT NOT NULL, \
             PRIMARY KEY (kind, name, digest, part))",
            "CREATE TABLE package_lock_due (kind TEXT NOT NULL, name TEXT NOT NULL, \
             PRIMARY KEY (kind, name))",
            "INSERT INTO package_lock_due (kind, name) SELECT DISTINCT kind, name \
             FROM package_pins WHERE kind <> 'keyring'",
        ],
    },
];
