//! When the desktop stays silent. By the clock on the wall of a place: where the hour of a change
//! to summer time is skipped or comes twice, the window is as long as that clock makes it.

use aileron_api::status;
use aileron_contract::{Error, Reason, Result, Timestamp};
use jiff::{civil::Time, tz::TimeZone};

use crate::config::QuietHours;

/// From `start` on and before `end`, every day; past midnight when the end is the earlier one.
/// None at all when both are the same.
#[derive(Clone, Debug)]
pub(super) struct Quiet {
    start: Time,
    end: Time,
    zone: TimeZone,
    /// As the configuration names it.
    named: Option<String>,
}

impl Quiet {
    pub(super) fn of(hours: &QuietHours) -> Result<Self> {
        let QuietHours { start, end, timezone } = hours;
        let zone = match timezone {
            Some(name) => TimeZone::get(name).map_err(|cause| {
                let public = format!("notifications.quiet_hours.timezone: {name} is not known");
                Error::new(Reason::ConfigInvalid, public).caused_by(cause)
            })?,
            None => TimeZone::system(),
        };
        Ok(Self { start: *start, end: *end, zone, named: timezone.clone() })
    }

    /// Is it quiet now?
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        let time = self.zone.to_datetime(now).time();
        if self.start <= self.end {
            self.start <= time && time < self.end
        } else {
            self.start <= time || time < self.end
        }
    }

    /// For status pages.
    pub(super) fn told(&self) -> status::QuietHours {
        let shown = |time: Time| time.strftime("%H:%M").to_string();
        let timezone = self.named.clone().or_else(|| self.zone.iana_name().map(str::to_owned));
        status::QuietHours { start: shown(self.start), end: shown(self.end), timezone }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;
    use proptest::prelude::*;

    use super::*;

    fn quiet(start: Time, end: Time, zone: &str) -> Quiet {
        Quiet::of(&QuietHours { start, end, timezone: Some(zone.to_owned()) }).unwrap()
    }

    fn at(raw: &str) -> Timestamp {
        raw.parse().unwrap()
    }

    #[test]
    fn a_night_goes_past_midnight_and_its_end_is_awake() {
        let night = quiet(time(22, 0, 0, 0), time(7, 30, 0, 0), "Europe/Berlin");
        for (moment, silent) in [
            ("2026-01-10T20:59:59Z", false),
            ("2026-01-10T21:00:00Z", true),
            ("2026-01-10T23:00:00Z", true),
            ("2026-01-11T06:29:59Z", true),
            ("2026-01-11T06:30:00Z", false),
            // In summer the same clock is an hour earlier.
            ("2026-07-10T20:00:00Z", true),
            ("2026-07-11T05:30:00Z", false),
        ] {
            assert_eq!(night.holds(at(moment)), silent, "{moment}");
        }
    }

    #[test]
    fn an_hour_that_is_skipped_or_comes_twice_keeps_the_clock_on_the_wall() {
        // On 2026-03-29 the clock jumps from 02:00 to 03:00, at 01:00 UTC.
        let skipped = quiet(time(2, 15, 0, 0), time(2, 45, 0, 0), "Europe/Berlin");
        assert!(!skipped.holds(at("2026-03-29T00:59:59Z")));
        assert!(!skipped.holds(at("2026-03-29T01:00:00Z")));
        // On 2026-10-25 it goes back from 03:00 to 02:00, at 01:00 UTC: 02:30 comes twice.
        for moment in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
            assert!(skipped.holds(at(moment)), "{moment}");
        }
        assert!(!skipped.holds(at("2026-10-25T00:50:00Z")));
    }

    #[test]
    fn a_window_without_length_is_none() {
        let none = quiet(time(8, 0, 0, 0), time(8, 0, 0, 0), "UTC");
        assert!(!none.holds(at("2026-01-01T08:00:00Z")));
    }

    fn minute() -> impl Strategy<Value = i16> {
        0..24 * 60_i16
    }

    proptest! {
        #[test]
        fn it_is_quiet_exactly_from_the_start_on_and_before_the_end(
            start in minute(),
            end in minute(),
            second in 1_700_000_000_i64..1_900_000_000,
            zone in prop::sample::select(vec![
                "UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata",
                "America/Santiago",
            ]),
        ) {
            let of = |minute: i16| {
                time(i8::try_from(minute / 60).unwrap(), i8::try_from(minute % 60).unwrap(), 0, 0)
            };
            let now = Timestamp::from_second(second).unwrap();
            let wall = now.to_zoned(TimeZone::get(zone).unwrap());
            // The clock's hands, counted from the start of the window.
            let since = |minute: i16| {
                let hands = i32::from(wall.hour()) * 3600
                    + i32::from(wall.minute()) * 60
                    + i32::from(wall.second());
                (hands - i32::from(minute) * 60).rem_euclid(86_400)
            };
            let length = (i32::from(end) - i32::from(start)).rem_euclid(24 * 60) * 60;
            prop_assert_eq!(quiet(of(start), of(end), zone).holds(now), since(start) < length);
        }
    }
}
