//! Dates of mail as RFC 3339 has them.

/// A date as mail programs write it (`Mon, 1 Jan 2024 09:05:00 +0100`) in the form `2024-01-01T09:05:00+01:00`; `None` where
/// something in it is missing or impossible.
pub(super) fn rfc_3339(date: &str) -> Option<String> {
    let date = date.split('(').next()?;
    // The name of the day says nothing more.
    let date = date.split_once(',').map_or(date, |(_, date)| date);
    let mut words = date.split_ascii_whitespace();
    let day = number(words.next()?, 1..=2)?;
    let month = month(words.next()?)?;
    let year = year(words.next()?)?;
    let mut clock = words.next()?.split(':');
    let hour = number(clock.next()?, 1..=2)?;
    let minute = number(clock.next()?, 2..=2)?;
    let second = clock.next().map_or(Some(0), |second| number(second, 2..=2))?;
    let offset = offset(words.next()?)?;
    let possible = (1..=days(month, year)).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let over = clock.next().is_none() && words.next().is_none();
    (possible && over).then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}"))
}

fn number(digits: &str, length: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let plain = length.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

fn month(name: &str) -> Option<u32> {
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let name = name.to_ascii_lowercase();
    months.iter().position(|month| *month == name).map(|month| month as u32 + 1)
}

/// Two digits are of the years from 1950 to 2049, as RFC 5322 has it.
fn year(digits: &str) -> Option<u32> {
    let year = number(digits, 2..=4)?;
    Some(match digits.len() {
        2 if year < 50 => 2000 + year,
        2 | 3 => 1900 + year,
        _ => year,
    })
}

fn days(month: u32, year: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn offset(zone: &str) -> Option<String> {
    let hours = match zone.to_ascii_uppercase().as_str() {
        "Z" | "UT" | "UTC" | "GMT" => return Some("Z".to_owned()),
        "EDT" => 4,
        "EST" | "CDT" => 5,
        "CST" | "MDT" => 6,
        "MST" | "PDT" => 7,
        "PST" => 8,
        _ => {
            let sign = zone.chars().next().filter(|sign| matches!(sign, '+' | '-'))?;
            let digits = number(&zone[1..], 4..=4)?;
            let (hours, minutes) = (digits / 100, digits % 100);
            return (hours < 24 && minutes < 60).then(|| format!("{sign}{hours:02}:{minutes:02}"));
        }
    };
    Some(format!("-{hours:02}:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_keep_their_offset() {
        for (date, expected) in [
            ("Mon, 1 Jan 2024 09:05:00 +0100", "2024-01-01T09:05:00+01:00"),
            ("29 Feb 2000 23:59:60 -0330 (NST)", "2000-02-29T23:59:60-03:30"),
            ("Tue,  2 jul 96 7:05 EDT", "1996-07-02T07:05:00-04:00"),
            ("2 Jul 04 07:05:01 GMT", "2004-07-02T07:05:01Z"),
        ] {
            assert_eq!(rfc_3339(date).as_deref(), Some(expected), "{date}");
        }
        for date in [
            "",
            "yesterday",
            "Mon Jan  1 00:00:00 2024",
            "1 Jan 2024",
            "30 Feb 2024 00:00:00 +0000",
            "1 Jan 2024 24:00:00 +0000",
            "1 Jan 2024 00:00:00 +9900",
            "1 Jan 2024 00:00:00 é000",
            "1 Jan 2024 00:00:00 +0000 or so",
        ] {
            assert_eq!(rfc_3339(date), None, "{date}");
        }
    }
}
