use aileron_contract::credential::{HeaderTemplate, Reach, Signing};

use super::*;

fn consent() -> Consent {
    Consent {
        connector: "github://acme/notes".parse().unwrap(),
        service: "notes".to_owned(),
        identity: "me".parse().unwrap(),
        account: Some("me@example.com".to_owned()),
        scope: None,
        reach: Reach {
            hosts: vec!["b.example:443".parse().unwrap(), "a.example:8443".parse().unwrap()],
            form: Form::ApiKey(HeaderTemplate::new("X-Key", "{key}").unwrap()),
        },
        access_key_id: None,
        region: None,
        refuse_existing: false,
    }
}

/// What was made is verified; of what was read the door knows.
fn verified(read: Binding) -> Binding {
    assert!(!read.verified);
    Binding { verified: true, ..read }
}

#[test]
fn a_binding_reads_back_from_its_labels() {
    let record = Record::new(&consent(), None, Timestamp::from_second(1_000).unwrap()).unwrap();
    let metadata = record.metadata();
    assert_eq!(metadata.labels["hosts"], "a.example:8443 b.example:443");
    assert_eq!(metadata.labels["created_at"], "1000");
    let read = Record::read("api_key/notes/me", &metadata).unwrap();
    assert_eq!((verified(read.binding), read.form), (record.binding, record.form));
}

#[test]
fn damaged_labels_are_no_binding_rather_than_half_of_one() {
    let now = Timestamp::UNIX_EPOCH;
    let good = Record::new(&consent(), None, now).unwrap().metadata();
    for (key, value) in [
        ("hosts", "a.example:443 *.evil"),
        ("status", "excellent"),
        ("header", ""),
        ("format", "without the place"),
        ("connector_fqn", "github://acme"),
    ] {
        let mut bad = good.clone();
        bad.labels.insert(key.to_owned(), value.to_owned());
        assert!(Record::read("api_key/notes/me", &bad).is_none(), "{key}");
    }
    assert!(Record::read("agents/notes/me", &good).is_none());
    assert!(Record::read("_api_key/notes/me", &good).is_none());
}

#[test]
fn a_stale_binding_says_why_and_a_word_nobody_knows_is_no_known_reason() {
    let good = Record::new(&consent(), None, Timestamp::UNIX_EPOCH).unwrap().metadata();
    let read = |metadata: &Metadata| {
        let binding = Record::read("api_key/notes/me", metadata).unwrap().binding;
        (binding.status, binding.stale_reason)
    };
    assert_eq!(read(&good), (BindingStatus::Active, None));
    for reason in StaleReason::ALL {
        let mut stale = good.clone();
        mark_stale(&mut stale, *reason);
        assert_eq!(read(&stale), (BindingStatus::Stale, Some(*reason)));
        stale.labels.insert("stale_reason".to_owned(), "moonlight".to_owned());
        assert_eq!(read(&stale), (BindingStatus::Stale, Some(StaleReason::Unknown)));
    }
}

#[test]
fn a_published_binding_has_no_hosts_and_no_form() {
    let labels = [("connector_fqn", "github://acme/notes"), ("created_at", "5")];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let metadata = Metadata { kind: "api_key".to_owned(), environment: String::new(), labels };
    let read = Record::read("api_key/notes/me", &metadata).unwrap();
    assert_eq!((read.binding.hosts, read.form), (None, None));
    assert_eq!(read.binding.status, BindingStatus::Active);
}

#[test]
fn a_signing_key_has_a_name_and_perhaps_a_region() {
    let now = Timestamp::UNIX_EPOCH;
    let form = Form::AwsSigv4(Signing { service: "s3".parse().ok(), ..Signing::default() });
    let nameless = Consent { reach: Reach { hosts: Vec::new(), form }, ..consent() };
    assert!(Record::new(&nameless, None, now).is_err());
    let id = "AKIAEXAMPLE".parse().ok();
    let named = Consent { access_key_id: id.clone(), region: "eu-west-1".parse().ok(), ..nameless };
    let record = Record::new(&named, None, now).unwrap();
    let metadata = record.metadata();
    assert_eq!(metadata.labels["access_key_id"], "AKIAEXAMPLE");
    assert_eq!(metadata.labels["signing"], "s3//");
    let read = Record::read("aws_sigv4/notes/me", &metadata).unwrap();
    assert_eq!((verified(read.binding), read.form), (record.binding, record.form));
    let keyed = Consent { access_key_id: id, ..consent() };
    assert!(Record::new(&keyed, None, now).is_err());
}

#[test]
fn another_connectors_binding_is_never_replaced() {
    let now = Timestamp::UNIX_EPOCH;
    let earlier = Record::new(&consent(), None, now).unwrap();
    assert!(Record::new(&consent(), Some(&earlier), now).is_ok());
    let other = Consent { connector: "github://evil/notes".parse().unwrap(), ..consent() };
    let refused = Record::new(&other, Some(&earlier), now).unwrap_err();
    assert_eq!(refused.reason(), Reason::BindingExists);
    let careful = Consent { refuse_existing: true, ..consent() };
    let refused = Record::new(&careful, Some(&earlier), now).unwrap_err();
    assert!(refused.public().contains("binding rebind api_key/notes/me"), "{refused}");
}
