//! The desktop's own notifications (freedesktop.org, over the session bus of this machine).

use super::message::Message;

/// Why nothing can be shown whatever happens. Without a bus there is no desktop; one elsewhere would
/// be told over a network, and nothing but egress opens a connection to one.
pub(super) fn refusal(bus: Option<&str>) -> Option<&'static str> {
    if cfg!(not(feature = "desktop")) {
        return Some("this program was built without desktop notifications");
    }
    match bus {
        None | Some("") => Some("no desktop: DBUS_SESSION_BUS_ADDRESS is not set"),
        Some(bus) if bus.split(';').all(|address| address.starts_with("unix:")) => None,
        Some(_) => Some("DBUS_SESSION_BUS_ADDRESS is not a socket of this machine"),
    }
}

/// Shows it, within a few seconds.
#[cfg(feature = "desktop")]
pub(super) async fn show(message: Message) -> Result<(), String> {
    use std::time::Duration;

    const WALL: Duration = Duration::from_secs(5);
    let Message { summary, body } = message;
    let mut notification = notify_rust::Notification::new();
    notification.appname("Aileron").summary(&summary).body(&body).icon("dialog-password");
    match tokio::time::timeout(WALL, notification.show_async()).await {
        Ok(Ok(_handle)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the desktop did not answer in time".to_owned()),
    }
}

#[cfg(not(feature = "desktop"))]
#[expect(clippy::unused_async, reason = "the same signature as the one that shows something")]
pub(super) async fn show(_message: Message) -> Result<(), String> {
    Err("this program was built without desktop notifications".to_owned())
}

#[cfg(all(test, feature = "desktop"))]
mod tests {
    use super::refusal;

    #[test]
    fn a_bus_of_another_machine_is_not_told_and_without_one_there_is_no_desktop() {
        for bus in ["unix:path=/run/user/0/bus", "unix:abstract=/x,guid=1"] {
            assert_eq!(refusal(Some(bus)), None, "{bus}");
        }
        assert!(refusal(None).is_some());
        for bus in [
            "",
            "autolaunch:",
            "tcp:host=evil.example,port=1",
            "unixexec:path=/bin/sh",
            "unix:path=/x;tcp:host=y",
        ] {
            assert!(refusal(Some(bus)).is_some(), "{bus}");
        }
    }
}
