//! Minted tokens: rights a person gave to a program until a date.
//!
//! Kept in the database, each row pinned under a key of the vault, so that a row somebody inserts
//! or edits is worth nothing. Revoking wipes the hash and the pin, and tells the log, which is
//! asked before a row counts: an older row that is put back is worth nothing either.

use aileron_contract::{
    Context, Error, Principal, Reason, Result, Scope, Scopes, Secret, Timestamp,
    access::{Caller, MintRequest, Minted, Token},
    audit::{Actor, Event, EventKind},
    json, limits,
    names::Sha256Hash,
    vault::PinDomain,
};
use aileron_store::{Migration, failed};
use serde::Serialize;
use sqlx::{Any, Row as _, Transaction, any::AnyRow};

use super::{Revocations, TOKEN, fresh_id, unknown};
use crate::{
    binding, envelope,
    keeper::Keeper,
    keys::Keys,
    passes::{fresh, hashed},
};

pub(crate) const MIGRATION: Migration = Migration {
    id: "vault/2",
    statements: &["CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        hash TEXT NOT NULL UNIQUE,
        label TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        expires_ms BIGINT NOT NULL,
        revoked_ms BIGINT NOT NULL,
        pin TEXT NOT NULL
    )"],
};

/// How long a token that ended is still listed.
const KEPT_MS: i64 = 30 * 24 * 3_600 * 1_000;

/// A row, read without judging it.
struct Row {
    token: Token,
    hash: String,
    pin: String,
}

pub(super) async fn mint(
    keeper: &Keeper,
    context: &Context,
    request: MintRequest,
) -> Result<Minted> {
    let now =
        Timestamp::from_millisecond((keeper.clock)().as_millisecond()).map_err(Error::internal)?;
    let request = checked(context, request, now)?;
    let (_, keys) = keeper.view().await?.unlocked()?;
    let bearer = fresh(TOKEN)?;
    let MintRequest { label, scopes, expires_at } = request;
    let token = Token {
        id: fresh_id("tok")?,
        label,
        scopes,
        created_at: now,
        expires_at,
        revoked_at: None,
    };
    let mut transaction = keeper.database.begin().await?;
    make_room(&mut transaction, now).await?;
    insert(&mut transaction, &token, &bearer, &keys).await?;
    let event = token_event(EventKind::TokenMinted, context, &token)
        .with("aileron.token.scopes", spelled(&token.scopes))
        .with("aileron.token.expires_at", token.expires_at.to_string());
    keeper.record(context, &[event]).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(Minted { token, bearer })
}

/// Newest first. Rows that this vault did not write are left out, with a warning in the log of
/// the runtime; while it is locked nobody can tell, and all are shown.
pub(super) async fn list(keeper: &Keeper, revocations: &Revocations) -> Result<Vec<Token>> {
    let keys = keeper.view().await?.keys;
    let rows = sqlx::query(
        "SELECT id, hash, label, scopes, created_ms, expires_ms, revoked_ms, pin FROM tokens
         ORDER BY created_ms DESC, id DESC",
    )
    .fetch_all(keeper.database.pool())
    .await
    .map_err(failed)?;
    let mut tokens = Vec::new();
    for row in rows {
        let Some(mut row) = read(&row)? else { continue };
        let authentic = match (&keys, row.token.revoked_at) {
            (Some(keys), None) => is_ours(&row, keys)?,
            _ => true,
        };
        if !authentic {
            continue;
        }
        if row.token.revoked_at.is_none() {
            match revocations.of(keeper, &row.token.id).await {
                Ok(revoked_at) => row.token.revoked_at = revoked_at,
                // Shown as the row has it: whoever wants to revoke must see what there is.
                Err(error) => tracing::warn!(%error, "the log cannot tell about a token"),
            }
        }
        tokens.push(row.token);
    }
    Ok(tokens)
}

/// Takes effect before it is recorded: a log that is full must not keep a token alive. Then the
/// error says so, and revoking again tells the log; so does the next start.
pub(super) async fn revoke(
    keeper: &Keeper,
    revocations: &Revocations,
    context: &Context,
    id: &str,
) -> Result<()> {
    let now = (keeper.clock)().as_millisecond().max(1);
    let mut transaction = keeper.database.begin().await?;
    let row = sqlx::query(
        "SELECT id, hash, label, scopes, created_ms, expires_ms, revoked_ms, pin FROM tokens
         WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *transaction)
    .await
    .map_err(failed)?;
    let row = row.as_ref().map(read).transpose()?.flatten();
    let Some(Row { token, .. }) = row else {
        drop(transaction);
        if is_id(id) {
            // Its row may have been taken away, to be put back later.
            let event = Event::new(EventKind::TokenRevoked, Actor::of(context));
            let event = event.with("aileron.token.id", id);
            revocations.tell(keeper, context, id, event).await?;
        }
        return Err(Error::new(Reason::NotFound, "there is no such token: list them first"));
    };
    if token.revoked_at.is_none() {
        sqlx::query("UPDATE tokens SET revoked_ms = $1, hash = $2, pin = '' WHERE id = $3")
            .bind(now)
            .bind(format!("revoked {id}"))
            .bind(id)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        revocations.note(id);
    }
    let event = token_event(EventKind::TokenRevoked, context, &token);
    revocations.tell(keeper, context, id, event).await
}

/// At the start: tells the log of revocations it does not know, because a crash came between or
/// they are older than that. While it cannot be told, this process knows.
pub(crate) async fn settle(keeper: &Keeper, revocations: &Revocations) -> Result<()> {
    let rows = sqlx::query(
        "SELECT id, hash, label, scopes, created_ms, expires_ms, revoked_ms, pin FROM tokens
         WHERE revoked_ms > 0 AND expires_ms > $1 ORDER BY revoked_ms LIMIT $2",
    )
    .bind((keeper.clock)().as_millisecond())
    .bind(i64::try_from(limits::TOKENS).map_err(Error::internal)?)
    .fetch_all(keeper.database.pool())
    .await
    .map_err(failed)?;
    let context = Context::service("vault");
    let mut reachable = true;
    for row in rows {
        let Some(Row { token, .. }) = read(&row)? else { continue };
        revocations.note(&token.id);
        if !reachable {
            continue;
        }
        let event = token_event(EventKind::TokenRevoked, &context, &token);
        if let Err(error) = revocations.tell(keeper, &context, &token.id, event).await {
            tracing::warn!(%error, "the log could not be told of revoked tokens; later, then");
            reachable = false;
        }
    }
    Ok(())
}

pub(super) async fn authenticate(
    keeper: &Keeper,
    revocations: &Revocations,
    hash: &Sha256Hash,
) -> Result<Caller> {
    let row = sqlx::query(
        "SELECT id, hash, label, scopes, created_ms, expires_ms, revoked_ms, pin FROM tokens
         WHERE hash = $1",
    )
    .bind(hash.hex())
    .fetch_optional(keeper.database.pool())
    .await
    .map_err(failed)?;
    let row = row.as_ref().map(read).transpose()?.flatten().ok_or_else(unknown)?;
    let (_, keys) = keeper.view().await?.unlocked()?;
    let mintable = row.token.scopes.iter().all(Scope::mintable);
    if row.token.revoked_at.is_some() || !mintable || !is_ours(&row, &keys)? {
        return Err(unknown());
    }
    if (keeper.clock)() >= row.token.expires_at {
        return Err(Error::new(
            Reason::TokenExpired,
            "this token has expired: a person can mint another one",
        ));
    }
    if revocations.of(keeper, &row.token.id).await?.is_some() {
        tracing::warn!(token = %row.token.id, "the row of a revoked token was put back");
        return Err(unknown());
    }
    Ok(Caller {
        begun_by: None,
        principal: Principal::Program(row.token.id.into()),
        scopes: row.token.scopes,
        expires_at: Some(row.token.expires_at),
    })
}

/// A request within what may be minted, its end in whole milliseconds.
fn checked(context: &Context, request: MintRequest, now: Timestamp) -> Result<MintRequest> {
    let MintRequest { label, scopes, expires_at } = request;
    let refused = |reason, what: String| Err(Error::new(reason, what));
    if !context.principal.is_person() {
        return refused(Reason::PersonRequired, "only a person can mint a token".to_owned());
    }
    binding::prose(&label)?;
    if label.trim().is_empty() || label.len() > 200 {
        let what = "say in 1 to 200 bytes what the token is for";
        return refused(Reason::InvalidRequest, what.to_owned());
    }
    if scopes.is_empty() {
        return refused(Reason::InvalidRequest, "a token needs at least one scope".to_owned());
    }
    if let Some(scope) = scopes.iter().find(|scope| !scope.mintable()) {
        let what = format!("{scope} belongs to persons and cannot be given to a program");
        return refused(Reason::InvalidRequest, what);
    }
    let latest = now.checked_add(limits::TOKEN_WALL).map_err(Error::internal)?;
    if expires_at <= now || expires_at > latest {
        let days = limits::TOKEN_WALL.as_secs() / 86_400;
        let what = format!("a token ends in the future, at most {days} days from now");
        return refused(Reason::InvalidRequest, what);
    }
    let expires_at =
        Timestamp::from_millisecond(expires_at.as_millisecond()).map_err(Error::internal)?;
    Ok(MintRequest { label, scopes, expires_at })
}

/// Lets go of tokens that ended long ago; when there are too many all the same, of all that ended.
async fn make_room(transaction: &mut Transaction<'static, Any>, now: Timestamp) -> Result<()> {
    let now = now.as_millisecond();
    for ended_before in [now.saturating_sub(KEPT_MS), now] {
        sqlx::query(
            "DELETE FROM tokens
             WHERE expires_ms < $1 OR (revoked_ms > 0 AND revoked_ms < $2)",
        )
        .bind(ended_before)
        .bind(ended_before)
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
        let kept = sqlx::query("SELECT COUNT(*) AS kept FROM tokens")
            .fetch_one(&mut **transaction)
            .await
            .map_err(failed)?;
        let kept: i64 = kept.try_get("kept").map_err(failed)?;
        if usize::try_from(kept).is_ok_and(|kept| kept < limits::TOKENS) {
            return Ok(());
        }
    }
    Err(Error::new(
        Reason::Busy,
        format!("there are {} tokens already: revoke those no longer needed", limits::TOKENS),
    ))
}

async fn insert(
    transaction: &mut Transaction<'static, Any>,
    token: &Token,
    bearer: &Secret,
    keys: &Keys,
) -> Result<()> {
    let hash = hashed(bearer).hex();
    let pin = pin(token, &hash, keys)?;
    sqlx::query(
        "INSERT INTO tokens (id, hash, label, scopes, created_ms, expires_ms, revoked_ms, pin)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
    )
    .bind(token.id.as_str())
    .bind(hash)
    .bind(token.label.as_str())
    .bind(spelled(&token.scopes))
    .bind(token.created_at.as_millisecond())
    .bind(token.expires_at.as_millisecond())
    .bind(hex::encode(pin))
    .execute(&mut **transaction)
    .await
    .map_err(failed)?;
    Ok(())
}

/// None for a row that no version of this program wrote.
fn read(row: &AnyRow) -> Result<Option<Row>> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(failed);
    let time = |column: &str| row.try_get::<i64, _>(column).map_err(failed);
    let scopes = text("scopes")?;
    let scopes: Result<Scopes> = scopes.split_ascii_whitespace().map(str::parse::<Scope>).collect();
    let revoked = time("revoked_ms")?;
    let times = (
        Timestamp::from_millisecond(time("created_ms")?),
        Timestamp::from_millisecond(time("expires_ms")?),
        Timestamp::from_millisecond(revoked),
    );
    let (Ok(scopes), (Ok(created_at), Ok(expires_at), Ok(revoked_at))) = (scopes, times) else {
        return Ok(None);
    };
    let token = Token {
        id: text("id")?,
        label: text("label")?,
        scopes,
        created_at,
        expires_at,
        revoked_at: (revoked != 0).then_some(revoked_at),
    };
    Ok(Some(Row { token, hash: text("hash")?, pin: text("pin")? }))
}

/// Has it the form of [`fresh_id`]?
fn is_id(id: &str) -> bool {
    let digits = id.strip_prefix("tok-").unwrap_or_default();
    digits.len() == 16 && digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_ours(row: &Row, keys: &Keys) -> Result<bool> {
    let expected = pin(&row.token, &row.hash, keys)?;
    let same = hex::decode(&row.pin).is_ok_and(|pin| envelope::equal(&pin, &expected));
    if !same {
        tracing::warn!(token = %row.token.id, "a token in the database was not minted here");
    }
    Ok(same)
}

fn pin(token: &Token, hash: &str, keys: &Keys) -> Result<[u8; 32]> {
    #[derive(Serialize)]
    struct Pinned<'a> {
        id: &'a str,
        hash: &'a str,
        label: &'a str,
        scopes: String,
        created_ms: i64,
        expires_ms: i64,
    }
    let pinned = Pinned {
        id: &token.id,
        hash,
        label: &token.label,
        scopes: spelled(&token.scopes),
        created_ms: token.created_at.as_millisecond(),
        expires_ms: token.expires_at.as_millisecond(),
    };
    let digest = json::digest("aileron/token/1", &pinned)?;
    envelope::authenticate(&*keys.pin(PinDomain::Token)?, digest.bytes())
}

fn spelled(scopes: &Scopes) -> String {
    scopes.iter().map(Scope::text).collect::<Vec<_>>().join(" ")
}

fn token_event(kind: EventKind, context: &Context, token: &Token) -> Event {
    Event::new(kind, Actor::of(context))
        .with("aileron.token.id", token.id.as_str())
        .with("aileron.token.label", token.label.as_str())
}
