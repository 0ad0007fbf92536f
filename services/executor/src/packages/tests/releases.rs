use std::sync::atomic::Ordering;

use aileron_contract::{
    Context, Error, Principal, Reason, Scopes,
    egress::Authorization,
    names::Sha256Hash,
    packages::{ConnectorRequest, Newer, SuiteSource, Update},
};

use super::world::{
    OneAction as _, World, action, action_request, connector_request, manifest, person, program,
    release, tarball,
};

const API: &str = "https://api.github.com/repos/acme/notes/releases";

fn page(number: u32) -> String {
    format!("{API}?per_page=100&page={number}")
}

fn listing(tags: impl IntoIterator<Item = String>) -> String {
    let release = |tag| serde_json::json!({ "tag_name": tag, "draft": false, "prerelease": true });
    serde_json::Value::Array(tags.into_iter().map(release).collect()).to_string()
}

fn tags(tags: &[&str]) -> String {
    listing(tags.iter().map(|tag| (*tag).to_owned()))
}

async fn newest(world: &World, fqn: &str) -> Result<String, Error> {
    let fqn = fqn.parse().unwrap();
    world.handle().newest(&program(), fqn, false).await.map(|found| found.to_string())
}

#[tokio::test]
async fn a_connectors_own_release_is_found_behind_those_of_its_actions() {
    let world = World::new().await;
    // One release per action: the connector's own has fallen off the first two pages.
    let actions = |from: u32, to| (from..to).map(|it| format!("actions/a{it}/v1.4.0"));
    world.web.put(&page(1), 200, listing(actions(0, 100)));
    let links = format!("<{API}?page=2>; rel=\"next\", <{API}?page=3>; rel=\"last\"");
    world.web.say(&page(1), &[("link", &links)]);
    world.web.put(&page(2), 200, listing(actions(100, 200)));
    let third = actions(200, 216).chain(["v1.4.0".to_owned(), "v1.10.0".to_owned()]);
    world.web.put(&page(3), 200, listing(third));
    assert_eq!(newest(&world, "github://acme/notes").await.unwrap(), "github://acme/notes@1.10.0");
    let last = newest(&world, "github://acme/notes/actions/a215").await.unwrap();
    assert_eq!(last, "github://acme/notes/actions/a215@1.4.0");
}

#[tokio::test]
async fn full_pages_are_read_on_where_a_source_counts_none() {
    let world = World::new().await;
    world.web.put(&page(1), 200, listing((0..100).map(|it| format!("actions/a{it}/v1.0.0"))));
    world.web.put(&page(2), 200, tags(&["v3.0.0"]));
    assert_eq!(newest(&world, "github://acme/notes").await.unwrap(), "github://acme/notes@3.0.0");
    assert!(world.web.asked_for(&page(3)).is_none());
}

#[tokio::test]
async fn a_listing_without_an_end_is_given_up() {
    let world = World::new().await;
    world.web.put(&page(1), 200, tags(&["v1.0.0"]));
    world.web.say(&page(1), &[("link", "<https://x/?page=4000000000>; rel=\"last\"")]);
    let error = newest(&world, "github://acme/notes").await.unwrap_err();
    assert!(error.public().contains("more than 10000"), "{error}");
    assert_eq!(world.web.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_unchanged_listing_is_not_sent_again_and_a_changed_one_counts() {
    let world = World::new().await;
    world.web.put(&page(1), 200, tags(&["v1.0.0"]));
    world.web.say(&page(1), &[("etag", "\"one\"")]);
    let found = || newest(&world, "github://acme/notes");
    assert_eq!(found().await.unwrap(), "github://acme/notes@1.0.0");
    assert_eq!(world.web.asked_for(&page(1)).unwrap().if_none_match, None);
    // The page is not read: whoever has its tag has it.
    world.web.put(&page(1), 200, "unreadable");
    assert_eq!(found().await.unwrap(), "github://acme/notes@1.0.0");
    assert_eq!(world.web.asked_for(&page(1)).unwrap().if_none_match.as_deref(), Some("\"one\""));
    world.web.put(&page(1), 200, tags(&["v2.0.0"]));
    world.web.say(&page(1), &[("etag", "\"two\"")]);
    assert_eq!(found().await.unwrap(), "github://acme/notes@2.0.0");
}

#[tokio::test]
async fn a_kept_listing_that_was_tampered_with_is_asked_for_anew() {
    let world = World::new().await;
    world.web.put(&page(1), 200, tags(&["v1.0.0"]));
    world.web.say(&page(1), &[("etag", "\"one\"")]);
    newest(&world, "github://acme/notes").await.unwrap();
    let kept: Vec<_> =
        world.files().into_iter().filter(|file| file.starts_with("cache/releases/")).collect();
    let [kept] = &kept[..] else { panic!("{kept:?}") };
    let text = std::fs::read_to_string(world.path(kept)).unwrap();
    let bare = text.split_once('\n').unwrap().1;
    let renamed = text.replace("acme/notes", "acme/other");
    // The source says that its tag still holds: of these versions it never spoke.
    let newer = text.replace("v1.0.0", "v6.6.6");
    for wrong in ["", "{}", "[", bare, &renamed, &newer, &bare.replace("v1.0.0", "v6.6.6")] {
        std::fs::write(world.path(kept), wrong).unwrap();
        let found = newest(&world, "github://acme/notes").await.unwrap();
        assert_eq!(found, "github://acme/notes@1.0.0", "{wrong}");
        assert_eq!(world.web.asked_for(&page(1)).unwrap().if_none_match, None, "{wrong}");
    }
}

#[tokio::test]
async fn pre_releases_are_taken_only_when_asked_for() {
    let world = World::new().await;
    world.web.put(&page(1), 200, tags(&["v1.0.0", "v1.1.0-rc.1", "x/v2.0.0-rc.1"]));
    assert_eq!(newest(&world, "github://acme/notes").await.unwrap(), "github://acme/notes@1.0.0");
    let fqn = "github://acme/notes".parse().unwrap();
    let found = world.handle().newest(&program(), fqn, true).await.unwrap();
    assert_eq!(found.to_string(), "github://acme/notes@1.1.0-rc.1");
    let error = newest(&world, "github://acme/notes/x").await.unwrap_err();
    assert!(error.public().contains("github://acme/notes/x@2.0.0-rc.1"), "{error}");
    let error = newest(&world, "github://acme/notes/y").await.unwrap_err();
    assert!(error.public().contains("published no version"), "{error}");
}

#[tokio::test]
async fn a_source_that_refuses_says_why_and_until_when() {
    let world = World::new().await;
    let told = async || newest(&world, "github://acme/notes").await.unwrap_err();
    let absent = told().await;
    assert!(absent.public().contains("are not there") && absent.public().contains("GH_TOKEN"));
    world.web.put(&page(1), 403, "");
    world.web.say(&page(1), &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "900")]);
    let limited = told().await;
    assert!(limited.public().contains("1970-01-01T00:15:00Z"), "{limited}");
    assert_eq!(limited.details().unwrap()["retriable"], true);
    world.web.put(&page(1), 200, "<html>");
    assert!(told().await.public().contains("page 1"), "what is no listing");
    world.web.put(&page(1), 200, vec![b' '; 17 << 20]);
    assert!(told().await.public().contains("longer than"), "an endless one");
    world.web.silent.store(true, Ordering::SeqCst);
    assert_eq!(told().await.reason(), Reason::FetchFailed);
}

#[tokio::test]
async fn a_version_that_is_not_there_is_told_with_those_that_are() {
    let world = World::trusting().await;
    let all: Vec<String> = (1..=12).map(|it| format!("v1.{it}.0")).collect();
    world.web.put(&page(1), 200, listing(all));
    let request = connector_request("github://acme/notes@9.9.9");
    let error = world.handle().preview_connector(&program(), request).await.unwrap_err();
    assert_eq!(error.reason(), Reason::FetchFailed);
    let text = error.public();
    assert!(text.contains("tag or release not found"), "{text}");
    assert!(text.contains("1.12.0, 1.11.0") && text.contains("1.3.0 and 2 more"), "{text}");
    let request = action_request("github://acme/notes/actions/x@1.0.0");
    let error = world.handle().preview_action(&program(), request).await.unwrap_err();
    assert!(error.public().contains("no version of"), "{error}");
}

#[tokio::test]
async fn many_packages_that_are_not_there_cost_one_listing() {
    let world = World::trusting().await;
    world.web.put(&page(1), 200, tags(&["v1.0.0"]));
    let mut asked = Vec::new();
    for name in ["a", "b", "c"] {
        let request = action_request(&format!("github://acme/notes/actions/{name}@1.0.0"));
        let error = world.handle().preview_action(&program(), request).await.unwrap_err();
        assert!(
            error.public().contains(&format!("no version of github://acme/notes/actions/{name}"))
        );
        asked.push(world.web.asked.load(Ordering::SeqCst));
    }
    assert_eq!(asked, [2, 3, 4], "each archive, and the listing once");
    // Another repository has another listing, and what is newest is asked for anew.
    let request = action_request("github://acme/other/actions/a@1.0.0");
    world.handle().preview_action(&program(), request).await.unwrap_err();
    assert_eq!(world.web.asked.load(Ordering::SeqCst), 6);
    newest(&world, "github://acme/notes").await.unwrap();
    assert_eq!(world.web.asked.load(Ordering::SeqCst), 7);
}

fn known(connector: &str, newest: &str, newer: &[&str]) -> Update {
    let newer = newer.iter().map(|version| version.parse().unwrap()).collect();
    let found = Newer::Known { newest: Some(newest.parse().unwrap()), newer };
    Update { connector: connector.parse().unwrap(), found }
}

#[tokio::test]
async fn connectors_in_use_are_checked_and_one_source_fails_for_its_own_alone() {
    let world = World::trusting().await;
    world.notes();
    let install = action_request("github://acme/notes/actions/list@1.0.0");
    world.handle().install_action(&person(), install).await.unwrap();
    let other = manifest("1.0.0").replace("acme/notes", "acme/other");
    world.connector("github://acme/other@1.0.0", &other);
    let install = connector_request("github://acme/other@1.0.0");
    world.handle().install_connector(&person(), install).await.unwrap();
    world.web.put(&page(1), 200, tags(&["v0.9.0", "v1.0.0", "v1.2.0", "v1.1.0", "v2.0.0-rc.1"]));
    let updates = world.handle().updates(&program(), false).await.unwrap();
    assert_eq!(updates[0], known("github://acme/notes@1.0.0", "1.2.0", &["1.2.0", "1.1.0"]));
    let Newer::Unknown(why) = &updates[1].found else { panic!("{updates:?}") };
    assert_eq!(updates[1].connector.to_string(), "github://acme/other@1.0.0");
    assert!(why.contains("github://acme/other"), "{why}");
    assert_eq!(updates.len(), 2, "one entry for what is installed and named by an action");
    let newer = ["2.0.0-rc.1", "1.2.0", "1.1.0"];
    let updates = world.handle().updates(&program(), true).await.unwrap();
    assert_eq!(updates[0], known("github://acme/notes@1.0.0", "2.0.0-rc.1", &newer));
}

#[tokio::test]
async fn a_private_package_comes_through_the_api_and_the_token_goes_nowhere_else() {
    let world = World::trusting().await.with_token().await;
    let package = "github://acme/notes@1.0.0";
    world.connector(package, &manifest("1.0.0"));
    let public = release(&package.parse().unwrap());
    let wasm = b"\0asm\x01\0\0\0";
    let text = manifest("1.0.0");
    let message = [&wasm[..], text.as_bytes()].concat();
    let signature = ed25519_dalek::Signer::sign(&world.publisher, &message).to_bytes();
    let archive = tarball(&[
        ("connector.wasm", wasm),
        ("manifest.toml", text.as_bytes()),
        ("signature.sig", &signature),
    ]);
    world.web.put(&public, 404, "");
    let by_tag = format!("{API}/tags/v1.0.0");
    let assets = r#"{"assets": [{"name": "x", "id": 1}, {"name": "aileron.tar.gz", "id": 7}]}"#;
    world.web.put(&by_tag, 200, assets);
    let asset = format!("{API}/assets/7");
    world.web.put(&asset, 200, archive);
    let shown =
        world.handle().preview_connector(&program(), connector_request(package)).await.unwrap();
    assert_eq!(shown.hash, Sha256Hash::of(&[&message]));
    assert!(world.web.asked_for(&public).unwrap().authorization.is_none());
    for url in [&by_tag, &asset] {
        let asked = world.web.asked_for(url).unwrap();
        assert!(matches!(asked.authorization, Some(Authorization::Token(_))), "{url}");
    }
    let asked = world.web.asked_for(&asset).unwrap();
    assert_eq!(asked.accept.as_deref(), Some("application/octet-stream"));
    assert_eq!(asked.redirects.len(), 3, "the archive itself may be on an asset host");
}

#[tokio::test]
async fn who_was_not_let_in_learns_nothing_of_private_repositories() {
    let world = World::trusting().await.with_token().await;
    world.web.put(&page(1), 200, tags(&["v1.0.0"]));
    let daemon = Context {
        principal: Principal::Program(Principal::DAEMON.into()),
        scopes: Scopes::of_daemon_token(),
        ..program()
    };
    let agent = Context { principal: Principal::Agent("a1".into()), ..daemon.clone() };
    let fqn = || "github://acme/notes".parse().unwrap();
    let token = |url: &str| world.web.asked_for(url).unwrap().authorization.is_some();
    let key = "https://api.github.com/repos/acme/notes/contents/keys/publisher.pub";
    for outsider in [&daemon, &agent] {
        world.handle().newest(outsider, fqn(), false).await.unwrap();
        assert!(!token(&page(1)), "{outsider:?}");
        drop(
            world
                .publishers()
                .published_key(outsider, "github://acme/notes".parse().unwrap())
                .await,
        );
        assert!(world.web.asked_for(key).is_none());
        let request = connector_request("github://acme/notes@1.0.0");
        world.handle().preview_connector(outsider, request).await.unwrap_err();
        assert!(world.web.asked_for(&format!("{API}/tags/v1.0.0")).is_none());
        let suite = SuiteSource::Remote("github://acme/notes/all.toml@v1.0.0".to_owned());
        world.handle().suite(outsider, suite).await.unwrap_err();
    }
    world.web.say(&page(1), &[("etag", "\"private\"")]);
    for insider in [person(), program()] {
        world.handle().newest(&insider, fqn(), false).await.unwrap();
        assert!(token(&page(1)), "{insider:?}");
    }
    // What was seen with the token is not handed on: the page is asked for as if it were unknown.
    world.web.put(&page(1), 404, "");
    let refused = world.handle().newest(&daemon, fqn(), false).await.unwrap_err();
    assert!(refused.public().contains("looked up for persons"), "{refused}");
    let asked = world.web.asked_for(&page(1)).unwrap();
    assert_eq!((asked.if_none_match, asked.authorization.is_some()), (None, false));
}

#[tokio::test]
async fn a_private_suite_comes_through_the_api_for_those_with_a_token_alone() {
    let source = SuiteSource::Remote("github://acme/notes/sets/all.toml@v1.0.0".to_owned());
    let suite = "name = \"all\"\ndescription = \"x\"\nactions = [\"actions/list\"]\n";
    let url = "https://api.github.com/repos/acme/notes/contents/sets/all.toml?ref=v1.0.0";
    let world = World::new().await;
    world.web.put(url, 200, suite);
    assert!(world.handle().suite(&program(), source.clone()).await.is_err());
    let world = world.with_token().await;
    let read = world.handle().suite(&program(), source).await.unwrap();
    assert_eq!(read.actions[0].to_string(), "github://acme/notes/actions/list@1.0.0");
    let asked = world.web.asked_for(url).unwrap();
    assert!(matches!(asked.authorization, Some(Authorization::Token(_))));
}

#[tokio::test]
async fn what_was_installed_once_is_installed_again_while_its_source_is_silent() {
    let world = World::trusting().await;
    let hash = world.notes();
    let list = action_request("github://acme/notes/actions/list@1.0.0");
    world.handle().install_action(&person(), list.clone()).await.unwrap();
    std::fs::remove_file(world.path("actions/list.md")).unwrap();
    world.web.silent.store(true, Ordering::SeqCst);
    let world = world.restarted().await;
    let again = world.handle().install_action(&person(), list).await.unwrap();
    assert!(!again.already_installed);
    assert!(world.path("actions/list.md").is_file());
    let connector = connector_request("github://acme/notes@1.0.0");
    let again = world.handle().install_connector(&person(), connector).await.unwrap();
    assert!(again.already_installed);
    let pinned = ConnectorRequest {
        expected_hash: Some(hash),
        ..connector_request("github://acme/notes@1.0.0")
    };
    assert!(world.handle().preview_connector(&program(), pinned).await.unwrap().already_installed);
}

#[tokio::test]
async fn what_a_publisher_took_back_is_not_installed_from_what_is_kept() {
    let world = World::trusting().await;
    world.notes();
    let list = "github://acme/notes/actions/list@1.0.0";
    world.handle().install_action(&person(), action_request(list)).await.unwrap();
    for package in [list, "github://acme/notes@1.0.0"] {
        world.web.put(&release(&package.parse().unwrap()), 404, "");
    }
    let world = world.restarted().await;
    let error = world.handle().install_action(&person(), action_request(list)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::FetchFailed);
    let connector = connector_request("github://acme/notes@1.0.0");
    let error = world.handle().install_connector(&person(), connector).await.unwrap_err();
    assert_eq!(error.reason(), Reason::FetchFailed);
}

#[tokio::test]
async fn a_kept_action_is_checked_as_if_it_had_just_come_and_an_unsigned_one_is_not_kept() {
    let world = World::trusting().await;
    let hash = world.notes();
    let list = action_request("github://acme/notes/actions/list@1.0.0");
    world.handle().install_action(&person(), list.clone()).await.unwrap();
    let kept = |world: &World| -> Vec<String> {
        world.files().into_iter().filter(|file| file.starts_with("cache/actions/")).collect()
    };
    let [file] = &kept(&world)[..] else { panic!("{:?}", kept(&world)) };
    let path = world.path(file);
    let text = std::fs::read(&path).unwrap();
    let mut edited = text.clone();
    let at = edited.len() - 2;
    edited[at] ^= 1;
    std::fs::write(&path, edited).unwrap();
    world.web.silent.store(true, Ordering::SeqCst);
    let world = world.restarted().await;
    let error = world.handle().preview_action(&program(), list).await.unwrap_err();
    assert_eq!(error.reason(), Reason::SignatureFailure);
    world.web.silent.store(false, Ordering::SeqCst);
    let package = "github://acme/notes/actions/open@1.0.0";
    let open = action("open", package, hash, "");
    let archive = tarball(&[("action.md", open.as_bytes())]);
    world.web.put(&release(&package.parse().unwrap()), 200, archive);
    let mut request = action_request(package);
    request.accept_unsigned = true;
    world.handle().install_action(&person(), request).await.unwrap();
    assert_eq!(kept(&world).len(), 1);
}
