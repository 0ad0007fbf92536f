//! From a new project to packages that our own readers accept, and everything that must not
//! become one.

use aileron_contract::{Secret, names::Version};
use proptest::prelude::*;

use super::{
    ActionSource, NewAction, NewProject, Package, PublicKey, Sdk, SigningKey, SourceFile, Sources,
    check, release,
};
use crate::packages::{keys, tarball};

const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn key() -> SigningKey {
    SigningKey::from_seed(&Secret::new(vec![7; 32])).unwrap()
}

fn project() -> NewProject {
    NewProject {
        connector: "github://acme/Weather".parse().unwrap(),
        host: "api.example.com:443".parse().unwrap(),
        sdk: Sdk::Own,
        key: Some(key().public()),
    }
}

/// A new project, as a release reads it.
fn sources() -> Sources {
    let files = project().files().unwrap();
    let find = |path: &str| {
        let file = files.iter().find(|it| it.path == path)?;
        Some(SourceFile { path: path.to_owned(), bytes: file.text.clone().into_bytes() })
    };
    let action = |folder: &str| ActionSource {
        folder: folder.to_owned(),
        file: find(&format!("actions/{folder}/action.md")).unwrap(),
    };
    Sources {
        manifest: find("connector/manifest.toml").unwrap(),
        actions: vec![action("weather-create"), action("weather-list")],
        suite: find("suite.toml"),
        key: find("keys/publisher.pub"),
    }
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// Replaces text in a file of a sound project; what the check says then.
fn spoilt(path: &str, from: &str, to: &str) -> Vec<String> {
    let mut sources = sources();
    let Sources { manifest, actions, suite, key } = &mut sources;
    let mut files = vec![manifest];
    files.extend(actions.iter_mut().map(|action| &mut action.file));
    files.extend(suite.as_mut());
    files.extend(key.as_mut());
    let file = files.into_iter().find(|file| file.path == path).unwrap();
    let text = file.text();
    assert!(text.contains(from), "{path} has no {from:?}");
    file.bytes = text.replace(from, to).into_bytes();
    check(&sources, None).iter().map(ToString::to_string).collect()
}

#[test]
fn a_new_project_has_no_problem_and_no_placeholder_of_the_template() {
    assert_eq!(check(&sources(), None), []);
    for file in project().files().unwrap() {
        assert!(!file.text.contains("__"), "{} holds a placeholder", file.path);
    }
}

#[test]
fn a_new_action_fits_its_project() {
    let mut sources = sources();
    let new = NewAction {
        connector: project().connector,
        name: "forget-all".parse().unwrap(),
        op: "forget".to_owned(),
    };
    let file = new.file().unwrap();
    assert_eq!(file.path, "actions/forget-all/action.md");
    sources.actions.push(ActionSource {
        folder: "forget-all".to_owned(),
        file: SourceFile { path: file.path, bytes: file.text.into_bytes() },
    });
    assert_eq!(check(&sources, None), []);
    let made = release(&sources, MODULE.to_vec(), &version("1.0.0"), None).unwrap();
    assert_eq!(made.actions[2].tag(), "actions/forget-all/v1.0.0");
}

#[test]
fn every_problem_is_told_together_with_its_file_and_line() {
    let mut broken = sources();
    broken.manifest.bytes.extend(b"\n[surprise]\n");
    for action in &mut broken.actions {
        action.file.bytes = action.file.text().replace("[match]", "[mtach]").into_bytes();
    }
    broken.suite.as_mut().unwrap().bytes = b"name = \"x\"".to_vec();
    broken.key.as_mut().unwrap().bytes = b"no key".to_vec();
    let found: Vec<_> =
        check(&broken, None).iter().map(|it| format!("{}:{}", it.file(), it.line())).collect();
    assert_eq!(
        found,
        [
            "actions/weather-create/action.md:12",
            "actions/weather-list/action.md:12",
            "connector/manifest.toml:22",
            "keys/publisher.pub:0",
            "suite.toml:1",
        ]
    );
}

#[test]
fn what_no_file_shows_by_itself_is_found_between_them() {
    let list = "actions/weather-list/action.md";
    let create = "actions/weather-create/action.md";
    for (path, from, to, said) in [
        (list, "name = \"weather-list\"", "name = \"list\"", "its folder \"weather-list\""),
        (list, "/actions/weather-list@", "/actions/other@", "source must be"),
        (list, "\nversion = \"0.0.0-dev\"\nsource", "\nversion = \"1.0.0\"\nsource", "one tag"),
        (list, "sha256:bound-at-release", &format!("sha256:{}", "0".repeat(64)), "at the release"),
        (create, "name = \"weather-create\"", "name = \"weather-list\"", "is also in"),
        ("suite.toml", "actions/weather-list", "actions/gone", "there is no actions/gone"),
        ("suite.toml", "actions/weather-list", "actions/weather-create", "listed twice"),
        (
            "suite.toml",
            "actions/weather-list",
            "github://acme/Weather@1.0.0",
            "is no action of a repository",
        ),
        (
            create,
            "required = true\n+++",
            "required = true\n[approval.preview]\nop = \"show\"\nrender = {x = \"x\"}\n+++",
            "must be run by some action",
        ),
        (
            create,
            "required = true\n+++",
            "required = true\n[approval.preview]\nop = \"create\"\nrender = {x = \"x\"}\n+++",
            "must be run by some action",
        ),
    ] {
        let found = spoilt(path, from, to);
        assert!(found.iter().any(|it| it.contains(said)), "{path}: {from} -> {to}: {found:?}");
    }
}

#[test]
fn a_preview_that_waits_for_approval_elsewhere_is_refused() {
    let preview = "required = true\n[approval.preview]\nop = \"list\"\nrender = {x = \"x\"}\n+++";
    assert_eq!(
        spoilt("actions/weather-create/action.md", "required = true\n+++", preview),
        [""; 0],
        "an idempotent operation that nobody gates may be asked"
    );
    let mut sources = sources();
    let [create, list] = &mut sources.actions[..] else { panic!("two actions") };
    create.file.bytes = create.file.text().replace("required = true\n+++", preview).into_bytes();
    list.file.bytes = list
        .file
        .text()
        .replace("idempotent = true\n", "idempotent = true\n\n[approval]\nrequired = true\n")
        .into_bytes();
    let found = check(&sources, None);
    assert!(found[0].message().contains("waits for approval in another action"), "{found:?}");
}

#[test]
fn a_release_is_what_our_own_readers_accept() {
    let made = release(&sources(), MODULE.to_vec(), &version("1.2.3"), None).unwrap();
    let tags: Vec<_> = made.packages().map(|it| (it.tag(), it.prerelease())).collect();
    assert_eq!(
        tags,
        [
            ("v1.2.3".to_owned(), false),
            ("actions/weather-create/v1.2.3".to_owned(), true),
            ("actions/weather-list/v1.2.3".to_owned(), true),
        ]
    );
    let pinned = made.connector.hash().to_string();
    let signed = made.connector.sign(&key());
    let files = tarball::connector(&signed.archive().unwrap()).unwrap();
    let message = [&files.binary[..], &files.manifest[..]].concat();
    let public = keys::parse(key().public().pem().unwrap().as_bytes()).unwrap();
    assert_eq!(keys::signer([&public], &message, &files.signature), Some(&public));
    for action in made.actions {
        let signed = action.sign(&key());
        assert!(signed.verified_by(&key().public()));
        let files = tarball::action(&signed.archive().unwrap()).unwrap();
        assert!(std::str::from_utf8(&files.action).unwrap().contains(&pinned));
        assert_eq!(files.signature, Some(signed.signature));
    }
}

#[test]
fn the_same_release_is_the_same_archive() {
    let archive = || {
        let made = release(&sources(), MODULE.to_vec(), &version("1.2.3"), None).unwrap();
        made.connector.sign(&key()).archive().unwrap()
    };
    assert_eq!(archive(), archive());
}

#[test]
fn another_key_does_not_verify_and_a_changed_file_does_not_either() {
    let made = release(&sources(), MODULE.to_vec(), &version("1.2.3"), None).unwrap();
    let mut signed = made.connector.sign(&key());
    let other = SigningKey::from_seed(&Secret::new(vec![8; 32])).unwrap().public();
    assert!(!signed.verified_by(&other));
    signed.signature[0] ^= 1;
    assert!(!signed.verified_by(&key().public()));
}

#[test]
fn what_is_left_of_a_placeholder_stops_the_release() {
    let refused = |spoil: fn(&mut Sources), module: &[u8], text: &str| {
        let mut sources = sources();
        spoil(&mut sources);
        let error = release(&sources, module.to_vec(), &version(text), None).unwrap_err();
        error.public().to_owned()
    };
    let oauth = |sources: &mut Sources| {
        let text = sources.manifest.text().replace("kind = \"api_key\"", "kind = \"oauth2\"");
        let client = "[capabilities.credential.oauth2]\nauthorize_url = \"https://a.example/a\"\n\
                      token_url = \"https://a.example/t\"\nclient_id = \"x\"\n\
                      client_secret = \"bound-at-release\"\nscopes = [\"all\"]\n\n[provides]";
        sources.manifest.bytes = text.replace("[provides]", client).into_bytes();
    };
    let said = refused(oauth, MODULE, "1.0.0");
    assert!(said.contains("still holds the placeholder bound-at-release"), "{said}");
    let said = refused(|_| {}, MODULE, "0.0.0-dev");
    assert!(said.contains("the placeholder of sources"), "{said}");
    assert!(refused(|_| {}, b"ELF", "1.0.0").contains("no WebAssembly module"));
    let fixed = |sources: &mut Sources| {
        let text = sources.manifest.text().replace("0.0.0-dev", "3.0.0");
        sources.manifest.bytes = text.into_bytes();
    };
    assert!(refused(fixed, MODULE, "1.0.0").contains("says 3.0.0 instead"));

    let mut sources = sources();
    oauth(&mut sources);
    let secret = Secret::from("s3cret\n".to_owned());
    let bound = release(&sources, MODULE.to_vec(), &version("1.0.0"), Some(&secret)).unwrap();
    let (_, manifest) = &bound.connector.files()[1];
    assert!(std::str::from_utf8(manifest).unwrap().contains("client_secret = \"s3cret\""));
    let broken = Secret::from("a\"\nhosts = [\"evil\"]".to_owned());
    assert!(release(&sources, MODULE.to_vec(), &version("1.0.0"), Some(&broken)).is_err());
}

#[test]
fn a_package_of_other_files_is_none() {
    let file = |name: &str| (name.to_owned(), MODULE.to_vec());
    for files in
        [vec![], vec![file("connector.wasm")], vec![file("action.md"), file("manifest.toml")]]
    {
        assert!(Package::read(files).is_err());
    }
}

#[test]
fn a_project_is_named_as_its_repository_is() {
    for (name, host, base) in [
        ("github://acme/weather", "localhost:8080", "http://localhost:8080/items"),
        ("github://acme/_X.y", "api.example.com:8443", "https://api.example.com:8443/items"),
        ("github://acme/Weather", "api.example.com:443", "https://api.example.com/items"),
    ] {
        let project = NewProject {
            connector: name.parse().unwrap(),
            host: host.parse().unwrap(),
            sdk: Sdk::At("/sdk".to_owned()),
            key: None,
        };
        let files = project.files().unwrap();
        assert!(files.iter().any(|it| it.text.contains(base)), "{base}");
        assert!(
            files.iter().all(|it| !it.path.starts_with("sdk/") && !it.path.starts_with("keys/"))
        );
    }
    let nested = NewProject { connector: "github://acme/a/b".parse().unwrap(), ..project() };
    assert!(nested.files().is_err());
}

proptest! {
    /// Whatever stands in the files, a check ends, and names only files it was given.
    #[test]
    fn any_files_are_checked(
        manifest in proptest::collection::vec(any::<u8>(), 0..200),
        action in "(\\+\\+\\+\n)?[a-z= \"\\[\\]\n.:@/0-9-]{0,200}(\n\\+\\+\\+\n)?",
        suite in "[a-z= \"\\[\\]\n]{0,80}",
    ) {
        let mut sources = sources();
        sources.manifest.bytes = manifest;
        sources.actions[0].file.bytes = action.into_bytes();
        sources.suite.as_mut().unwrap().bytes = suite.into_bytes();
        for problem in check(&sources, None) {
            let lines = |file: &SourceFile| file.text().lines().count().max(1);
            let known = [&sources.manifest, &sources.actions[0].file, &sources.actions[1].file]
                .into_iter()
                .chain(&sources.suite)
                .chain(&sources.key)
                .find(|file| file.path == problem.file())
                .expect("a file that was given");
            prop_assert!(usize::try_from(problem.line()).unwrap() <= lines(known) + 1);
        }
        prop_assert!(release(&sources, MODULE.to_vec(), &version("1.0.0"), None).is_err());
    }

    #[test]
    fn any_key_comes_back_from_its_files(seed in any::<[u8; 32]>()) {
        let key = SigningKey::from_seed(&Secret::new(seed.to_vec())).unwrap();
        let again = SigningKey::read(&key.pem_base64().unwrap()).unwrap();
        prop_assert_eq!(again.public(), key.public());
        let public = PublicKey::read(key.public().pem().unwrap().as_bytes()).unwrap();
        prop_assert_eq!(public, key.public());
    }
}
