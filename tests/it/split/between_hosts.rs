//! The roles on hosts of their own: each shows a certificate of its role.

use std::net::TcpListener;

use aileron_node::demo::Servers;
use serde_json::{Value, json};

use super::{ROLES, Split, authority::Authority, folder, private, serve, token};
use crate::{
    house::{House, until},
    main_job::goes_all_the_way,
    memory::holds,
};

/// Over TCP, each process with a certificate of its role. The gateway shows the one it is given.
fn start(servers: &Servers, gateway: &Certificate) -> Split {
    let run = folder("aileron-tls-");
    let at = |name: &str, kind: &str| run.path().join(format!("{name}.{kind}"));
    private(&at("authority", "pem"), &gateway.believed.pem);
    let mut house = House::with_config(servers, &json!({}));
    let base = std::fs::read(house.path().join("config.yaml")).unwrap();
    let base: Value = serde_json::from_slice(&base).unwrap();
    let mut doors = json!({ "token_file": token(run.path()) });
    // All at once, so that none is given out twice.
    let ports = [(); 4].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    for (role, port) in ROLES.iter().zip(&ports) {
        let address = port.local_addr().unwrap().to_string();
        doors[role] = json!({ "listen": address, "address": address });
    }
    drop(ports);
    let processes = ROLES.map(|role| {
        let (certificate, key) = match role {
            "gateway" => gateway.issued(),
            _ => shown(&gateway.believed, role),
        };
        private(&at(role, "certificate.pem"), &certificate);
        private(&at(role, "key.pem"), &key);
        let mut config = base.clone();
        config["services"] = doors.clone();
        config["services"]["tls"] = json!({
            "authority": at("authority", "pem"),
            "certificate": at(role, "certificate.pem"),
            "key": at(role, "key.pem"),
        });
        private(&at(role, "yaml"), &config.to_string());
        (role, serve(&mut house, role, &at(role, "yaml"), &[]))
    });
    Split { house, processes: processes.to_vec(), run }
}

/// A certificate of this role, and its key.
fn shown(authority: &Authority, role: &str) -> (String, String) {
    let (certificate, key) = authority.certify(&[role]);
    (certificate.pem(), key.serialize_pem())
}

/// Whom the services believe, and what the gateway shows them.
struct Certificate {
    believed: Authority,
    /// The authority of the gateway's certificate, when it is another.
    other: Option<Authority>,
    name: &'static str,
}

impl Certificate {
    fn issued(&self) -> (String, String) {
        shown(self.other.as_ref().unwrap_or(&self.believed), self.name)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_mutual_tls() {
    let servers = Servers::start().await.unwrap();
    let gateway = Certificate { believed: Authority::new(), other: None, name: "gateway" };
    let mut split = start(&servers, &gateway);
    let program = split.program().await;
    goes_all_the_way(&program, &servers).await;
    assert!(!holds(split.process("executor"), servers.notes_key.as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_of_another_role_or_authority_is_refused() {
    let servers = Servers::start().await.unwrap();
    for (other, name) in [(None, "audit"), (Some(Authority::new()), "gateway")] {
        let gateway = Certificate { believed: Authority::new(), other, name };
        let mut split = start(&servers, &gateway);
        let program = split.house.client().await;
        // Only once all of them are up: the others talk to the log and to the vault.
        until("four doors are served", async || {
            (split.house.log().matches("serving").count() >= 4).then_some(())
        })
        .await;
        let refused = program.status().await.unwrap_err();
        assert_eq!(refused.code(), Some("service_unavailable"), "{refused}");
    }
}
