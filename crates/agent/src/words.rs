//! What stands on screens and pages about a pop-up and its case.

use jiff::tz::TimeZone;
use roadstead_domain::wire::repair_case::{Appointment, RepairCase};

use crate::record::Record;
use crate::texts::Lang;

/// A notification: its first line and the rest.
pub(crate) fn notification(record: &Record, zone: &TimeZone, lang: Lang) -> (String, String) {
    let pop_up = &record.pop_up;
    match record.case() {
        Some(case) => {
            let state = [Some(case.state_text.clone()), when(case, zone, lang), case.question.clone()];
            let number = [("number", case.number.as_str())];
            (lang.with("case-title", &number), state.into_iter().flatten().collect::<Vec<_>>().join(" · "))
        }
        None => {
            let offer = lang.with("pop-up-offer", &[("partner", &pop_up.partner)]);
            (pop_up.title.clone(), format!("{} {offer}", pop_up.text))
        }
    }
}

/// When somebody comes, by the clock of the PC.
pub(crate) fn when(case: &RepairCase, zone: &TimeZone, lang: Lang) -> Option<String> {
    let Appointment { from, until, .. } = case.appointment.as_ref()?;
    let there = |text: &str| Some(text.parse::<jiff::Timestamp>().ok()?.to_zoned(zone.clone()));
    let (from, until) = (there(from)?, there(until)?);
    let day = match lang {
        Lang::En => from.strftime("%-d %b %Y").to_string(),
        Lang::De => from.strftime("%d.%m.%Y").to_string(),
    };
    let hours = [from.strftime("%H:%M").to_string(), until.strftime("%H:%M").to_string()];
    // A PC whose time zone has no name is told how far it is from UTC.
    let offset = from.strftime("%:z").to_string();
    let zone = zone.iana_name().unwrap_or(&offset);
    Some(lang.with("when", &[("day", &day), ("from", &hours[0]), ("until", &hours[1]), ("zone", zone)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appointment_is_told_by_the_clock_of_the_pc() {
        let mut case: RepairCase = serde_json::from_value(serde_json::json!({
            "id": uuid::Uuid::nil(), "number": "C-1", "state": "scheduled", "state_text": "Scheduled",
            "recipient": { "code": "csdp", "name": "Hafen IT" }, "can_cancel": false,
            "appointment": { "from": "2026-12-01T08:00:00Z", "until": "2026-12-01T10:00:00Z", "time_zone": "Europe/Berlin" },
        }))
        .unwrap();
        let told = |zone: &str, lang| when(&case, &TimeZone::get(zone).unwrap(), lang).unwrap();
        assert_eq!(told("Europe/Berlin", Lang::En), "1 Dec 2026, 09:00 to 11:00 (Europe/Berlin)");
        assert_eq!(told("Europe/Berlin", Lang::De), "01.12.2026, 09:00 bis 11:00 Uhr (Europe/Berlin)");
        assert_eq!(told("Pacific/Auckland", Lang::En), "1 Dec 2026, 21:00 to 23:00 (Pacific/Auckland)");
        let nameless = TimeZone::fixed(jiff::tz::offset(-3));
        assert_eq!(when(&case, &nameless, Lang::En).unwrap(), "1 Dec 2026, 05:00 to 07:00 (-03:00)");
        case.appointment = None;
        assert_eq!(when(&case, &nameless, Lang::En), None);
    }
}
