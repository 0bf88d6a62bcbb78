//! What stands on screens and pages about a pop-up and its case.

use jiff::tz::TimeZone;
use roadstead_domain::clock::Micros;
use roadstead_domain::wire::repair_case::{Appointment, RepairCase};

use crate::record::Record;
use crate::screen::{Stands, Words};
use crate::texts::Lang;

/// What a notification of it says.
pub(crate) fn notification(record: &Record, zone: &TimeZone, lang: Lang) -> Words {
    let pop_up = &record.pop_up;
    let (summary, body) = match record.case() {
        Some(case) => {
            let (stands, when) = (Some(case.state_text.clone()), when(case, zone, lang));
            let state = [stands, more_parts(case, lang), when, case.question.clone()];
            let number = [("number", case.number.as_str())];
            (lang.with("case-title", &number), state.into_iter().flatten().collect::<Vec<_>>().join(" · "))
        }
        None => {
            let offer = lang.with("pop-up-offer", &[("partner", &pop_up.partner)]);
            (pop_up.title.clone(), format!("{} {offer}", pop_up.text))
        }
    };
    Words { summary, body }
}

/// What becomes of the pop-up on a screen that shows the words of this digest: it says what the platform offers by now. Of
/// what an older agent put there the words are not known, and stay.
pub(crate) fn stands(record: &Record, now: Micros, lang: Lang, shown: Option<&str>) -> Stands {
    if !record.may_stand(now) {
        return Stands::NoMore;
    }
    let words = notification(record, &TimeZone::system(), lang);
    match shown {
        Some(shown) if shown != words.digest() => Stands::Saying(words),
        _ => Stands::AsItIs,
    }
}

/// That parts were ordered again, which the state alone does not say.
pub(crate) fn more_parts(case: &RepairCase, lang: Lang) -> Option<String> {
    (case.part_orders > 1 && case.state == "in_repair").then(|| lang.text("more-parts"))
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
    fn a_pop_up_that_stands_says_what_the_platform_offers_by_now() {
        let pop_up = |partner: &str, text: &str| -> roadstead_domain::wire::pop_up::PopUp {
            serde_json::from_value(serde_json::json!({
                "id": uuid::Uuid::nil(), "state": "open", "alert": "disk.failing", "severity": "critical",
                "title": "Your disk may fail soon", "text": text, "partner": partner, "contains": [],
                "recipient": { "code": "csdp", "name": partner }, "expires_at": "2026-11-28T12:00:00Z",
            }))
            .unwrap()
        };
        let mut record = Record::new(pop_up("Hafen IT", "sda."));
        let now = record.expires_at.plus_seconds(-60);
        let words = |record: &Record| notification(record, &TimeZone::UTC, Lang::En);
        let first = words(&record).digest();
        assert_eq!(stands(&record, now, Lang::En, Some(&first)), Stands::NoMore, "it is on no screen");
        record.shown = true;
        record.offered_again(&pop_up("Hafen IT", "sda."));
        assert_eq!(stands(&record, now, Lang::En, Some(&first)), Stands::AsItIs);
        for (partner, text) in [("Kai & Söhne", "sda."), ("Hafen IT", "sdb.")] {
            record.offered_again(&pop_up(partner, text));
            let Stands::Saying(said) = stands(&record, now, Lang::En, Some(&first)) else {
                panic!("{partner}, {text}")
            };
            assert!(said.body.contains(partner) && said.body.contains(text), "{said:?}");
            assert_eq!(stands(&record, now, Lang::En, Some(&said.digest())), Stands::AsItIs, "told once");
            assert_eq!(stands(&record, now, Lang::En, None), Stands::AsItIs, "an older agent's");
        }
        assert!(record.shown, "it is the same one, not a second");
        record.viewed = true;
        assert_eq!(stands(&record, now, Lang::En, Some(&first)), Stands::NoMore);
    }

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

    #[test]
    fn parts_that_are_ordered_again_are_said_while_the_repair_lasts() {
        let said = |state: &str, part_orders: i64| {
            let case: RepairCase = serde_json::from_value(serde_json::json!({
                "id": uuid::Uuid::nil(), "number": "C-1", "state": state, "state_text": state,
                "recipient": { "code": "csdp", "name": "Hafen IT" }, "can_cancel": false, "part_orders": part_orders,
            }))
            .unwrap();
            more_parts(&case, Lang::En)
        };
        assert_eq!(said("in_repair", 1), None);
        assert_eq!(said("in_repair", 2).as_deref(), Some("More parts were ordered"));
        assert_eq!(said("closed", 2), None);
    }
}
