//! Counts by verdict, in words and as a bar.

use std::collections::BTreeMap;

use roadstead_domain::sale::Verdict;

use super::format::number;
use crate::i18n::Lang;

/// The families in the order of a report's summary: what went well first.
pub(super) const FAMILIES: [&str; 7] =
    ["placed", "recorded", "returned", "duplicate", "parked", "disputed", "rejected"];

/// How many lines came to one verdict.
#[derive(Clone, Debug)]
pub(super) struct VerdictCount {
    /// The stable code.
    pub(super) code: String,
    /// Its family.
    pub(super) family: &'static str,
    /// The verdict in words.
    pub(super) text: String,
    /// What to do; empty where nothing needs doing.
    pub(super) advice: String,
    /// How many lines.
    pub(super) lines: String,
}

/// A family's share of a report.
#[derive(Clone, Debug)]
pub(super) struct Share {
    /// The family.
    pub(super) family: &'static str,
    /// The family in words.
    pub(super) text: String,
    /// How many lines.
    pub(super) lines: String,
    /// Where its piece of the bar begins, of 1000.
    pub(super) x: i64,
    /// How long the piece is, of 1000.
    pub(super) width: i64,
}

/// The family of a code; a code of another version counts as rejected, so that nobody overlooks it.
pub(super) fn family(code: &str) -> &'static str {
    Verdict::from_code(code).map_or("rejected", Verdict::family)
}

fn rank(code: &str) -> usize {
    FAMILIES.iter().position(|known| *known == family(code)).unwrap_or(FAMILIES.len())
}

/// The counts by verdict, by family and then by code.
pub(super) fn verdicts(lang: Lang, counts: &BTreeMap<String, i64>) -> Vec<VerdictCount> {
    let mut counts: Vec<(&String, i64)> = counts.iter().map(|(code, lines)| (code, *lines)).collect();
    counts.sort_by_key(|(code, _)| rank(code));
    counts
        .into_iter()
        .map(|(code, lines)| VerdictCount {
            code: code.clone(),
            family: family(code),
            text: lang.code_text(code),
            advice: lang.code_advice(code),
            lines: number(lang, lines),
        })
        .collect()
}

/// The same for the partner whom the lines are about: where the reporter has nothing to do, an unqualified one has.
pub(super) fn verdicts_for_partner(
    lang: Lang,
    counts: &BTreeMap<String, i64>,
    qualified: bool,
) -> Vec<VerdictCount> {
    let mut verdicts = verdicts(lang, counts);
    for verdict in &mut verdicts {
        if !qualified && verdict.code == Verdict::PartnerNotQualified.as_str() {
            verdict.text = lang.text("yours-not-qualified");
            verdict.advice = lang.text("yours-not-qualified-advice");
        }
    }
    verdicts
}

/// The counts by family, with the pieces of a bar that stands for `total` lines.
pub(super) fn shares(lang: Lang, counts: &BTreeMap<String, i64>, total: i64) -> Vec<Share> {
    let mut shares = Vec::new();
    for wanted in FAMILIES {
        let lines: i64 = counts.iter().filter(|(code, _)| family(code) == wanted).map(|(_, n)| n).sum();
        if lines <= 0 {
            continue;
        }
        // A piece too thin to see would hide the one rejected line of a large file.
        let width = (lines.saturating_mul(1000) / total.max(1)).clamp(6, 1000);
        shares.push(Share {
            family: wanted,
            text: lang.text(&format!("family-{wanted}")),
            lines: number(lang, lines),
            x: 0,
            width,
        });
    }
    let over = shares.iter().map(|share| share.width).sum::<i64>() - 1000;
    if let Some(widest) = shares.iter_mut().max_by_key(|share| share.width) {
        widest.width -= over.max(0);
    }
    let mut x = 0;
    for share in &mut shares {
        share.x = x;
        x += share.width;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_go_by_family_and_no_share_is_invisible() {
        let counts = BTreeMap::from([
            ("rejected.date_invalid".to_owned(), 1),
            ("placed".to_owned(), 9_998),
            ("rejected.serial_missing".to_owned(), 1),
        ]);
        let shares = shares(Lang::De, &counts, 10_000);
        let seen: Vec<_> = shares.iter().map(|s| (s.family, s.lines.as_str(), s.x, s.width)).collect();
        assert_eq!(seen, [("placed", "9.998", 0, 994), ("rejected", "2", 994, 6)]);
        let codes: Vec<_> = verdicts(Lang::En, &counts).into_iter().map(|v| v.code).collect();
        assert_eq!(codes, ["placed", "rejected.date_invalid", "rejected.serial_missing"]);
    }

    #[test]
    fn every_family_has_its_place() {
        for verdict in Verdict::ALL {
            assert!(FAMILIES.contains(&verdict.family()), "{verdict:?}");
        }
    }
}
