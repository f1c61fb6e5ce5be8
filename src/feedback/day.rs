//! Days and times as text, in UTC.

use std::time::SystemTime;

/// Seconds of a day.
pub(super) const DAY_SECONDS: i64 = 86_400;

/// Seconds since 1970-01-01, now.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// `2026-11-29`, of days since 1970-01-01.
pub(super) fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-11-29T08:00:00Z`, of seconds since 1970-01-01.
pub(super) fn timestamp(seconds: i64) -> String {
    let second = seconds.rem_euclid(DAY_SECONDS);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{}T{hour:02}:{minute:02}:{:02}Z", date(seconds.div_euclid(DAY_SECONDS)), second % 60)
}

/// `2026-11`, of seconds since 1970-01-01.
pub fn month(seconds: i64) -> String {
    let mut month = date(seconds.div_euclid(DAY_SECONDS));
    month.truncate("2026-11".len());
    month
}

/// Year, month and day in the Gregorian calendar, counted in eras of 400 years that begin in March, so that the leap day comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    // No caller has a time beyond the year 9999; what is outside is drawn in, so that nothing overflows.
    let days = days.clamp(-719_162, 2_932_896) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(timestamp(seconds), text);
            assert_eq!(month(seconds), text[..7]);
        }
        assert_eq!(date(i64::MAX), "9999-12-31");
        assert_eq!(date(i64::MIN), "0001-01-01");
    }
}
