//! Every form a credential takes besides a key in a header: what the upstream gets, and that it
//! goes nowhere else and does not come back.

use aileron_contract::{
    credential::{Form, TokenTemplate},
    egress::{Outcome, Sent},
    failure::Class,
};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::{
    house::{Bound, House, asking, request, text, with_headers},
    upstream::{plain, redirect, whole},
};

const TOKEN: &str = "t0k/en+of=ours&more";

/// Each with what is bound, and a part of it that must be seen nowhere.
fn forms() -> [(Form, &'static str, &'static str); 4] {
    let template = TokenTemplate::new("X-Session", "id={token}").unwrap();
    [
        (Form::Oauth2, TOKEN, TOKEN),
        (Form::Basic, "me:pa:ss/w0rd+", "pa:ss/w0rd+"),
        (Form::Header(template), TOKEN, TOKEN),
        (Form::Query("access_key".parse().unwrap()), TOKEN, TOKEN),
    ]
}

/// All spellings in which an upstream could hand a secret back.
fn spellings(secret: &str) -> Vec<String> {
    let percent = secret.bytes().map(|c| format!("%{c:02X}")).collect::<Vec<_>>().concat();
    let escaped: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    vec![secret.to_owned(), percent, escaped, hex::encode(secret), BASE64_STANDARD.encode(secret)]
}

#[tokio::test]
async fn the_upstream_gets_each_form_once_and_nothing_of_the_guests() {
    for (form, value, _) in forms() {
        let upstream = plain(|_| whole(200, "ok")).await;
        let host = upstream.named();
        let house = House::holding(&[&host], Bound::of(form.clone(), value));
        let url =
            format!("http://{host}/a?x=1&access_key=mine&%61ccess_key=mine;ACCESS_KEY=mine#f");
        let guest = [
            ("Authorization", "Basic bWluZQ=="),
            ("X-Session", "mine"),
            ("Cookie", "mine"),
            ("X-Kept", "yes"),
        ];
        let request = with_headers(asking(&url, &[&host], &form), &guest);
        assert_eq!(text(house.answered(request).await).await, "ok", "{form}");
        let seen = upstream.seen().remove(0);
        assert_eq!((seen.header("x-kept"), seen.header("cookie")), (Some("yes"), None), "{form}");
        let (authorization, session) = (seen.header("authorization"), seen.header("x-session"));
        match form {
            Form::Oauth2 => assert_eq!(authorization, Some(&*format!("Bearer {TOKEN}"))),
            Form::Basic => assert_eq!(authorization, Some("Basic bWU6cGE6c3MvdzByZCs=")),
            Form::Header(_) => {
                assert_eq!((authorization, session), (None, Some(&*format!("id={TOKEN}"))));
            }
            _ => {
                assert_eq!(authorization, None);
                assert_eq!(seen.path, "/a?x=1&access_key=t0k%2Fen%2Bof%3Dours%26more");
            }
        }
    }
}

#[tokio::test]
async fn whatever_an_upstream_hands_back_is_masked() {
    for (form, value, secret) in forms() {
        let upstream = plain(move |_| {
            let all = spellings(secret).into_iter().chain(spellings(value));
            let text = all.collect::<Vec<_>>().join(" | ");
            let mut answer = whole(201, text.clone());
            let location = format!("https://elsewhere.example/?k={text}").replace(' ', "%20");
            answer.headers_mut().insert("location", location.parse().unwrap());
            answer.headers_mut().insert("x-echo", text.parse().unwrap());
            answer
        })
        .await;
        let host = upstream.named();
        let house = House::holding(&[&host], Bound::of(form.clone(), value));
        let request = asking(&format!("http://{host}/"), &[&host], &form);
        let response = house.answered(request).await;
        let headers = format!("{:?}", response.headers);
        let body = text(response).await;
        for spelling in spellings(secret).into_iter().chain(spellings(value)) {
            assert!(!headers.contains(&spelling), "{form} {spelling}: {headers}");
            assert!(!body.contains(&spelling), "{form} {spelling}: {body}");
        }
        assert_eq!(body.matches("********").count(), 10, "{form} {body}");
    }
}

#[tokio::test]
async fn a_redirect_within_the_host_keeps_the_form_and_one_that_leaves_it_drops_it() {
    for (form, value, secret) in forms() {
        let elsewhere = plain(|_| whole(200, "elsewhere")).await;
        let other = elsewhere.named();
        let away = format!("http://{other}/x?access_key=theirs");
        let upstream = plain(move |seen| match seen.path.split('?').next() {
            Some("/start") => redirect(302, "/next?page=2"),
            Some("/next") => redirect(302, &away),
            _ => redirect(302, &format!("{away}&leak={}", seen.path.replace('/', "%2F"))),
        })
        .await;
        let host = upstream.numbered();
        let house = House::holding(&[&host, &other], Bound::of(form.clone(), value));
        let request = |path| asking(&format!("http://{host}{path}"), &[&host, &other], &form);
        assert_eq!(text(house.answered(request("/start")).await).await, "elsewhere", "{form}");
        let joined = |seen: &super::upstream::Seen| {
            seen.path.contains("access_key=t0k")
                || seen.header("authorization").is_some()
                || seen.header("x-session").is_some()
        };
        assert_eq!(upstream.seen().iter().filter(|seen| joined(seen)).count(), 2, "{form}");
        let seen = elsewhere.seen().remove(0);
        assert!(!joined(&seen), "{form}: {seen:?}");
        assert_eq!(seen.path, "/x?access_key=theirs", "{form}");

        if matches!(form, Form::Query(_)) {
            let refused = house.failed(request("/leak")).await;
            assert_eq!(refused.failure.class, Class::CapabilityDenied);
            assert_eq!(elsewhere.seen().len(), 1);
            for spelling in spellings(secret) {
                assert!(!format!("{refused:?}").contains(&spelling), "{refused:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_host_outside_the_consent_gets_no_form() {
    for (form, value, secret) in forms() {
        let upstream = plain(|_| whole(200, "")).await;
        let host = upstream.named();
        let house = House::holding(&["localhost:1"], Bound::of(form.clone(), value));
        let outcome = house.send(asking(&format!("http://{host}/"), &[&host], &form)).await;
        let Outcome::Failed(refused) = outcome else { panic!("{form} was sent") };
        assert_eq!((refused.sent, refused.failure.class), (Sent::NotSent, Class::CapabilityDenied));
        assert!(!format!("{refused:?}").contains(secret));
        assert_eq!(upstream.connections(), 0, "{form}");
    }
}

#[tokio::test]
async fn values_that_would_break_a_line_are_refused_without_being_shown() {
    for (form, _, _) in forms() {
        for value in ["a\r\nX-Evil: 1:b", "se:cret\0", ":\n"] {
            let house = House::holding(&["localhost:1"], Bound::of(form.clone(), value));
            let refused =
                house.failed(asking("http://localhost:1/", &["localhost:1"], &form)).await;
            let (sent, class) = (refused.sent, refused.failure.class);
            assert_eq!((sent, class), (Sent::NotSent, Class::BindingFailed), "{form} {value:?}");
            assert!(!format!("{refused:?}").contains("cret"), "{refused:?}");
            assert!(house.vault.used.lock().unwrap().is_empty());
            assert!(house.log.events.lock().unwrap().is_empty());
        }
    }
}

/// Another form than was consented to, from whichever side.
#[tokio::test]
async fn a_connector_cannot_move_a_credential_into_another_place() {
    let consented = forms();
    for (form, value, _) in &consented {
        let house = House::holding(&["localhost:1"], Bound::of(form.clone(), value));
        for (other, _, _) in consented.iter().filter(|(other, _, _)| other != form) {
            let refused =
                house.failed(asking("http://localhost:1/", &["localhost:1"], other)).await;
            assert_eq!(refused.failure.class, Class::CapabilityDenied, "{form} as {other}");
        }
        let refused = house.failed(request("http://localhost:1/", &["localhost:1"])).await;
        assert_eq!(refused.failure.class, Class::CapabilityDenied, "{form} as a key");
    }
}
