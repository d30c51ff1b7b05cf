//! Days and seconds in the proleptic Gregorian calendar, in UTC.

/// A second in calendar terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
}

const SECONDS_PER_DAY: i64 = 86_400;
/// Days from the first of March of year 0 to the Unix epoch.
const EPOCH: i64 = 719_468;
/// Days in 400 years.
const ERA: i64 = 146_097;

impl Moment {
    /// The moment this many seconds after the Unix epoch.
    pub fn of(unix_seconds: i64) -> Moment {
        let second = unix_seconds.rem_euclid(SECONDS_PER_DAY) as u32;
        let (year, month, day) = date_of(unix_seconds.div_euclid(SECONDS_PER_DAY));
        Moment {
            year,
            month,
            day,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }
}

/// Year, month and day this many days after the Unix epoch.
///
/// Years are counted from March, so that the leap day is a year's last.
fn date_of(days: i64) -> (i64, u32, u32) {
    let days = days + EPOCH;
    let era = days.div_euclid(ERA);
    let day_of_era = days.rem_euclid(ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / (ERA - 1)) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + (month <= 2) as i64;
    (year, month as u32, day)
}

/// Days from the Unix epoch to a date, if the calendar has it.
pub fn days_to(year: i64, month: u32, day: u32) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let shifted = year - (month <= 2) as i64;
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = (month as i64 + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day as i64 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * ERA + day_of_era - EPOCH)
}

fn days_in(year: i64, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + leap as u32,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_agree_in_both_directions() {
        let mut expected = (-10, 1, 1);
        let first = days_to(-10, 1, 1).expect("a date");
        for days in first..days_to(2500, 1, 1).expect("a date") {
            assert_eq!(date_of(days), expected);
            assert_eq!(days_to(expected.0, expected.1, expected.2), Some(days));
            let (year, month, day) = expected;
            expected = if day < days_in(year, month) {
                (year, month, day + 1)
            } else if month < 12 {
                (year, month + 1, 1)
            } else {
                (year + 1, 1, 1)
            };
        }
        assert_eq!(date_of(0), (1970, 1, 1));
        assert_eq!(days_to(2023, 2, 29), None);
    }
}
