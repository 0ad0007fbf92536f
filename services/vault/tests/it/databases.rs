//! What the vault keeps in the database, once more on `PostgreSQL`.

use std::{
    cell::RefCell,
    collections::HashMap,
    path::{Path, PathBuf},
    rc::Rc,
};

use aileron_store::Location;

use crate::{access, crash, file, postgres::Server};

#[test]
fn tokens_keep_their_promises_on_a_server() {
    on_a_server(&[
        access::a_minted_token_has_its_scopes_until_its_end_or_its_revocation,
        access::only_persons_mint_and_only_what_may_be_given,
        access::a_forged_or_edited_row_is_worth_nothing,
        access::tokens_are_few_and_ended_ones_make_room,
    ]);
}

#[test]
fn the_mark_keeps_its_promises_on_a_server() {
    on_a_server(&[
        crash::a_crash_before_the_new_vault_was_remembered_is_not_taken_for_a_foreign_file,
        crash::a_crash_before_the_generation_was_remembered_is_not_taken_for_a_rollback,
        file::an_edit_while_unlocked_is_noticed_and_not_overwritten,
        file::somebody_elses_vault_is_not_taken_for_the_persons,
    ]);
}

/// Where the database of a home is: in a file of it, or on the server these tests are run on.
pub(crate) async fn location(home: &Path) -> Location {
    let Some(server) = SERVER.with_borrow(Clone::clone) else {
        return Location::File(home.join("state.db"));
    };
    if let Some(url) = DATABASES.with_borrow(|known| known.get(home).cloned()) {
        return Location::Url(url);
    }
    let url = server.database().await;
    DATABASES.with_borrow_mut(|known| known.insert(home.to_owned(), url.clone()));
    Location::Url(url)
}

thread_local! {
    static SERVER: RefCell<Option<Rc<Server>>> = const { RefCell::new(None) };
    static DATABASES: RefCell<HashMap<PathBuf, String>> = RefCell::default();
}

/// Runs tests, each of which is one of its own on `SQLite`.
fn on_a_server(tests: &[fn()]) {
    SERVER.set(Some(Rc::new(Server::start())));
    for test in tests {
        test();
    }
    assert!(DATABASES.with_borrow(|known| known.len() >= tests.len()), "each has its database");
    // Before the thread ends: the server is stopped by a command that needs one.
    SERVER.set(None);
}
