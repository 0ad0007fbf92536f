//! How busy the last days were, as a picture made of rectangles, with the numbers in words.

use aileron_contract::{Timestamp, limits};
use maud::{Markup, html};

const DAYS: usize = 14;
const DAY: i64 = 24 * 60 * 60;
const HEIGHT: usize = 60;
const STEP: usize = 20;

/// The first moment the chart shows.
pub(super) fn start(now: Timestamp) -> Timestamp {
    let days = i64::try_from(DAYS).unwrap_or_default();
    let first = now.as_second().div_euclid(DAY).saturating_sub(days).saturating_add(1);
    Timestamp::from_second(first.saturating_mul(DAY)).unwrap_or(now)
}

/// One bar a day, in UTC.
pub(super) fn days(moments: &[Timestamp], now: Timestamp) -> Markup {
    let first = start(now);
    let counts = counted(moments, first);
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    let total: usize = counts.iter().sum();
    let width = DAYS.saturating_mul(STEP);
    let label = format!("{total} events in the last {DAYS} days, {most} on the busiest");
    let bars = counts.iter().enumerate().map(|(index, count)| {
        // A day with an event is seen, however busy the others were.
        let tall = count.saturating_mul(HEIGHT).div_ceil(most);
        let seconds = i64::try_from(index).unwrap_or_default().saturating_mul(DAY);
        let day =
            Timestamp::from_second(first.as_second().saturating_add(seconds)).unwrap_or(first);
        let said = format!("{}: {count}", day.strftime("%Y-%m-%d"));
        (index.saturating_mul(STEP).saturating_add(2), HEIGHT.saturating_sub(tall), tall, said)
    });
    html! {
        svg.chart role="img" aria-label=(label) viewBox={ "0 0 " (width) " " (HEIGHT + 1) }
            preserveAspectRatio="none" {
            @for (x, y, tall, said) in bars {
                rect x=(x) y=(y) width="16" height=(tall) { title { (said) } }
            }
            line x1="0" y1=(HEIGHT) x2=(width) y2=(HEIGHT) {}
        }
        p.quiet.ends {
            span { (first.strftime("%Y-%m-%d").to_string()) }
            span { (label) " (UTC; of the newest " (limits::AUDIT_PAGE) ")" }
            span { (now.strftime("%Y-%m-%d").to_string()) }
        }
    }
}

fn counted(moments: &[Timestamp], first: Timestamp) -> [usize; DAYS] {
    let mut counts = [0_usize; DAYS];
    for moment in moments {
        let day = moment.as_second().saturating_sub(first.as_second()).div_euclid(DAY);
        if let Some(count) = usize::try_from(day).ok().and_then(|day| counts.get_mut(day)) {
            *count = count.saturating_add(1);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_counted_on_its_day_and_none_outside() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2030-01-31T12:00:00Z");
        assert_eq!(start(now), at("2030-01-18T00:00:00Z"));
        let moments = [
            at("2030-01-17T23:59:59Z"),
            at("2030-01-18T00:00:00Z"),
            at("2030-01-31T00:00:00Z"),
            at("2030-01-31T23:59:59Z"),
            at("2030-02-01T00:00:00Z"),
        ];
        let counts = counted(&moments, start(now));
        assert_eq!((counts[0], counts[13], counts.iter().sum::<usize>()), (1, 2, 3));
        assert!(days(&moments, now).into_string().contains("3 events in the last 14 days"));
    }
}
