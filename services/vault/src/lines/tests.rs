use proptest::prelude::*;

use super::*;

fn at(millis: u64) -> Moment {
    Duration::from_millis(millis)
}

fn token(id: u8) -> Line {
    Line::Token(Principal::Program(format!("tok-{id}").into()))
}

/// Waits until it is this one's turn, with nobody before it who is still there.
fn served(lines: &mut Lines, place: &Place, mut now: Moment) -> Moment {
    loop {
        match lines.turn(place, now) {
            Turn::Now => return now,
            Turn::Not(Some(later)) => now = later,
            Turn::Not(None) => panic!("waits for somebody: {lines:?}"),
        }
    }
}

fn wrong(lines: &mut Lines, line: &Line, now: Moment) -> Moment {
    let place = lines.join(line.clone(), now).unwrap();
    let now = served(lines, &place, now);
    lines.leave(&place, Verdict::Wrong);
    now
}

#[test]
fn five_are_free_and_then_one_is_checked_in_each_pace() {
    for (line, pace) in [(Line::Daemon, 500), (Line::Page, 10_000), (token(1), 10_000)] {
        let mut lines = Lines::default();
        let mut now = at(1_000_000);
        let mut when = Vec::new();
        for _ in 0..8 {
            now = wrong(&mut lines, &line, now);
            when.push(u64::try_from(now.as_millis()).unwrap() - 1_000_000);
        }
        assert_eq!(when, [0, 0, 0, 0, 0, pace, 2 * pace, 3 * pace], "{line:?}");
    }
}

#[test]
fn a_right_one_and_time_make_up_for_wrong_ones() {
    let mut lines = Lines::default();
    let mut now = at(0);
    for _ in 0..9 {
        now = wrong(&mut lines, &Line::Daemon, now);
    }
    let place = lines.join(Line::Daemon, now).unwrap();
    let then = served(&mut lines, &place, now);
    assert!(then > now);
    lines.leave(&place, Verdict::Right);
    for _ in 0..5 {
        assert_eq!(wrong(&mut lines, &Line::Daemon, then), then);
    }
    let later = then + at(60_000);
    for _ in 0..5 {
        assert_eq!(wrong(&mut lines, &Line::Daemon, later), later);
    }
}

#[test]
fn who_goes_away_makes_room_and_lets_the_next_one_on() {
    let mut lines = Lines::default();
    let places: Vec<_> =
        (0..limits::UNLOCK_QUEUE).map(|_| lines.join(Line::Daemon, at(0)).unwrap()).collect();
    let refused = lines.join(Line::Daemon, at(0)).unwrap_err();
    assert_eq!(refused.reason(), Reason::UnlockBackoff);
    assert_eq!(refused.details().unwrap()["retry_after_seconds"], 1);
    // Others are not refused for that.
    let elsewhere = lines.join(Line::Page, at(0)).unwrap();
    let (last, rest) = places.split_last().unwrap();
    for place in rest {
        lines.leave(place, Verdict::Neither);
    }
    assert_eq!(lines.turn(last, at(0)), Turn::Now);
    assert_eq!(lines.turn(&elsewhere, at(0)), Turn::Not(None), "one at a time");
    lines.leave(last, Verdict::Neither);
    assert_eq!(lines.turn(&elsewhere, at(0)), Turn::Now);
}

#[test]
fn a_line_that_owes_nothing_is_forgotten() {
    let mut lines = Lines::default();
    for id in 0..200 {
        wrong(&mut lines, &token(id), at(0));
    }
    assert_eq!(lines.waiting.len(), 200);
    drop(lines.join(Line::Daemon, at(10_000)).unwrap());
    assert_eq!(lines.waiting.len(), 1);
}

/// Everybody who guesses: how many at a time, in which line.
#[derive(Clone, Debug)]
struct Attack {
    /// With the person's own token: they come back at once, each time.
    beside: usize,
    /// At the page.
    page: usize,
    tokens: u8,
    /// What a check costs, in milliseconds.
    cost: u64,
    /// When the person comes.
    comes: u64,
}

fn attacks() -> impl Strategy<Value = Attack> {
    let beside = 0..limits::UNLOCK_QUEUE;
    let page = 0..=limits::UNLOCK_QUEUE_OTHERS;
    (beside, page, 0..40_u8, 1..=250_u64, 0..60_000_u64).prop_map(
        |(beside, page, tokens, cost, comes)| Attack { beside, page, tokens, cost, comes },
    )
}

/// Runs the attack until the person's passphrase was checked. How long that took, and how many
/// wrong ones of the person's line were checked in all the time.
fn endured(attack: &Attack) -> (Moment, u64, Moment) {
    let mut lines = Lines::default();
    let mut now = at(0);
    let guessers = std::iter::repeat_n(Line::Daemon, attack.beside)
        .chain(std::iter::repeat_n(Line::Page, attack.page))
        .chain((0..attack.tokens).map(token));
    for line in guessers {
        drop(lines.join(line, now).unwrap());
    }
    let (mut person, mut wrong_ones) = (None, 0);
    loop {
        if person.is_none() && now >= at(attack.comes) {
            person = Some((lines.join(Line::Daemon, now).unwrap(), now));
        }
        if let Some((place, came)) = &person
            && lines.turn(place, now) == Turn::Now
        {
            return (now.checked_sub(*came).unwrap(), wrong_ones, now);
        }
        let next = lines.next(now).map(|(line, number)| Place { line: line.clone(), number });
        let Some(next) = next else {
            // Nobody may be checked: time passes until somebody may.
            now += at(10);
            continue;
        };
        assert_eq!(lines.turn(&next, now), Turn::Now);
        now += at(attack.cost);
        lines.leave(&next, Verdict::Wrong);
        wrong_ones += u64::from(next.line == Line::Daemon);
        // Back at once, before anybody else.
        drop(lines.join(next.line, now).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However many guess, with the person's own token, at the page and with tokens: the person's
    /// passphrase is checked after those that were there before, each of which takes one pace, and
    /// the guesses stay as few as they are said to be.
    #[test]
    fn nobody_keeps_the_person_waiting_longer_than_those_before_them_take(attack in attacks()) {
        let (waited, guesses, lasted) = endured(&attack);
        let before = u32::try_from(attack.beside).unwrap() + 1;
        // One of another line may come in between, each time.
        let step = limits::UNLOCK_PACE.max(at(2 * attack.cost));
        prop_assert!(waited <= step * before + at(attack.cost + 10) + at(10), "{:?}", waited);
        let paces = lasted.as_millis() / limits::UNLOCK_PACE.as_millis();
        prop_assert!(u128::from(guesses) <= paces + u128::from(limits::UNLOCK_ATTEMPTS) + 1);
    }
}
