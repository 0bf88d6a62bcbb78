//! Which segment carries what, as data: one map for each syntax is built in, and a partner whose files differ gets
//! one of its own that says only the difference.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use roadstead_domain::sale::Field;
use serde::Deserialize;

use super::Syntax;

/// A map as its file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MapFile {
    /// What it is called in messages.
    name: String,
    syntax: Syntax,
    /// The identifiers that senders of such files have in ISA06 or UNB.
    #[serde(default)]
    senders: Vec<String>,
    /// Where each field is, the best place first.
    #[serde(default)]
    fields: HashMap<Field, Vec<Source>>,
    /// Where the file names its reporter by our number.
    reporter: Option<Vec<Source>>,
    /// What the qualifiers of QTY mean.
    quantities: Option<HashMap<String, QuantityKind>>,
    /// What the purpose in BPT01, or the function in BGM, means.
    purposes: Option<HashMap<String, Purpose>>,
}

/// One place where a value may stand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    segment: String,
    /// What the first element must say.
    qualifier: Option<String>,
    /// What the first element of the last N1 must have said: an N4 belongs to the N1 before it.
    party: Option<String>,
    /// The element that holds the value, counted from 1.
    element: Option<usize>,
    /// And the component in it.
    component: Option<usize>,
    /// Or the code of a value among several: behind it in X12, before it in EDIFACT.
    pair: Option<String>,
    only_if: Option<Condition>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    element: usize,
    component: Option<usize>,
    is: String,
}

/// What a quantity counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum QuantityKind {
    Sale,
    Return,
    /// Neither: passed over.
    Stock,
}

/// What a report as a whole is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    Original,
    /// What was sold was not.
    Void,
    /// Lines that name what they replace are corrections.
    Replace,
}

/// What a rule fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Field(Field),
    Reporter,
}

/// One source, made ready.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) tag: Box<[u8]>,
    pub(super) target: Target,
    /// 0 for the best place of this target.
    pub(super) rank: u8,
    pub(super) qualifier: Option<Box<[u8]>>,
    pub(super) party: Option<Box<[u8]>>,
    pub(super) condition: Option<(usize, usize, Box<[u8]>)>,
    pub(super) place: Place,
}

/// Where in its segment the value is.
#[derive(Debug)]
pub(super) enum Place {
    Element(usize, Option<usize>),
    Pair(Box<[u8]>),
}

/// A map, made ready.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) rules: Vec<Rule>,
    pub(super) quantities: HashMap<Box<[u8]>, QuantityKind>,
    pub(super) purposes: HashMap<Box<[u8]>, Purpose>,
}

/// The maps that EDI files are read by: the built-in ones, and those of partners.
#[derive(Clone, Debug)]
pub struct EdiMaps {
    built_in: [Arc<Map>; 2],
    partners: Vec<(Syntax, Vec<String>, Arc<Map>)>,
}

impl Default for EdiMaps {
    #[expect(clippy::expect_used, reason = "they are part of the program, and a test reads them")]
    fn default() -> Self {
        let map = |syntax| Arc::new(compile(built_in(syntax)).expect("a built-in map is complete"));
        Self { built_in: [map(Syntax::X12), map(Syntax::Edifact)], partners: Vec::new() }
    }
}

impl EdiMaps {
    /// The built-in maps and every `*.json` file of this directory.
    ///
    /// # Errors
    ///
    /// Says which file cannot be read, or what in it is wrong.
    pub fn load(directory: &Path) -> Result<Self, String> {
        let mut maps = Self::default();
        let in_file = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let mut paths = std::fs::read_dir(directory)
            .and_then(|files| files.map(|file| file.map(|file| file.path())).collect::<Result<Vec<_>, _>>())
            .map_err(|error| in_file(directory, &error))?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|error| in_file(&path, &error))?;
            maps.add(&text).map_err(|error| in_file(&path, &error))?;
        }
        Ok(maps)
    }

    /// Adds a partner's map from the text of its file.
    ///
    /// # Errors
    ///
    /// Says what is wrong.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let own: MapFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if own.senders.is_empty() {
            return Err(format!("the map {} names no senders, so nothing would be read by it", own.name));
        }
        for sender in &own.senders {
            if self
                .partners
                .iter()
                .any(|(syntax, senders, _)| *syntax == own.syntax && senders.contains(sender))
            {
                return Err(format!("another map is for the sender {sender}"));
            }
        }
        let mut whole = built_in(own.syntax);
        whole.fields.extend(own.fields);
        whole.reporter = own.reporter.or(whole.reporter);
        whole.quantities = own.quantities.or(whole.quantities);
        whole.purposes = own.purposes.or(whole.purposes);
        self.partners.push((own.syntax, own.senders, Arc::new(compile(whole)?)));
        Ok(())
    }

    /// The map for what this sender sends.
    pub(super) fn of(&self, syntax: Syntax, sender: &str) -> Arc<Map> {
        let partner = self
            .partners
            .iter()
            .find(|(of, senders, _)| *of == syntax && senders.iter().any(|known| known == sender.trim()));
        let built_in = match syntax {
            Syntax::X12 => &self.built_in[0],
            Syntax::Edifact => &self.built_in[1],
        };
        Arc::clone(partner.map_or(built_in, |(_, _, map)| map))
    }
}

#[expect(clippy::expect_used, reason = "it is part of the program, and a test reads it")]
fn built_in(syntax: Syntax) -> MapFile {
    let text = match syntax {
        Syntax::X12 => include_str!("../../maps/x12-867.json"),
        Syntax::Edifact => include_str!("../../maps/edifact-slsrpt.json"),
    };
    serde_json::from_str(text).expect("a built-in map is JSON")
}

fn compile(file: MapFile) -> Result<Map, String> {
    let mut fields: Vec<_> = file.fields.into_iter().map(|(field, s)| (Target::Field(field), s)).collect();
    fields.push((Target::Reporter, file.reporter.unwrap_or_default()));
    let mut rules = Vec::new();
    for (target, sources) in fields {
        if let Target::Field(field @ (Field::Transaction | Field::Quantity)) = target {
            return Err(format!("{} comes from quantities, not from a field", field.as_str()));
        }
        for (rank, source) in (0..).zip(sources) {
            rules.push(rule(target, rank, source)?);
        }
    }
    rules.sort_by(|a, b| a.tag.cmp(&b.tag).then(a.rank.cmp(&b.rank)));
    let quantities = bytes_of(file.quantities);
    if !quantities.values().any(|kind| *kind == QuantityKind::Sale) {
        return Err("no quantity is a sale".to_owned());
    }
    Ok(Map { rules, quantities, purposes: bytes_of(file.purposes) })
}

fn rule(target: Target, rank: u8, source: Source) -> Result<Rule, String> {
    let Source { segment, qualifier, party, element, component, pair, only_if } = source;
    let place = match (pair, element, component) {
        (Some(pair), None, None) => Place::Pair(pair.into_bytes().into()),
        (None, Some(element @ 1..), None | Some(1..)) => Place::Element(element, component),
        _ => return Err(format!("{segment}: either a pair or an element, counted from 1")),
    };
    let bytes = |text: String| -> Box<[u8]> { text.into_bytes().into() };
    Ok(Rule {
        tag: bytes(segment),
        target,
        rank,
        qualifier: qualifier.map(bytes),
        party: party.map(bytes),
        condition: only_if.map(|only| (only.element, only.component.unwrap_or(1), bytes(only.is))),
        place,
    })
}

fn bytes_of<T>(codes: Option<HashMap<String, T>>) -> HashMap<Box<[u8]>, T> {
    codes.unwrap_or_default().into_iter().map(|(code, meaning)| (code.into_bytes().into(), meaning)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

    use super::*;

    #[test]
    fn the_built_in_maps_fill_every_field() {
        let maps = EdiMaps::default();
        for syntax in [Syntax::X12, Syntax::Edifact] {
            let map = maps.of(syntax, "ANYBODY");
            for field in Field::ALL {
                let derived = matches!(field, Field::Transaction | Field::Quantity);
                let filled = map.rules.iter().any(|rule| rule.target == Target::Field(*field));
                assert_eq!(filled, !derived, "{syntax:?} {field:?}");
            }
        }
    }

    #[test]
    fn a_partners_map_says_only_the_difference_and_is_for_its_senders() {
        let mut maps = EdiMaps::default();
        let text = r#"{ "name": "p", "syntax": "x12", "senders": ["P1"],
            "fields": { "seller": [{ "segment": "N1", "qualifier": "VN", "element": 4 }] } }"#;
        maps.add(text).unwrap();
        let seller = |sender| {
            let map = maps.of(Syntax::X12, sender);
            let rule = map.rules.iter().find(|rule| rule.target == Target::Field(Field::Seller)).unwrap();
            (rule.qualifier.clone().unwrap(), map.rules.len())
        };
        let (theirs, usual) = (seller("P1             "), seller("P2"));
        assert_eq!((&*theirs.0, &*usual.0), (&b"VN"[..], &b"BY"[..]));
        assert_eq!(theirs.1, usual.1);
        assert!(maps.add(text).unwrap_err().contains("P1"), "one sender, one map");
    }

    #[test]
    fn a_wrong_map_is_refused() {
        for (text, said) in [
            ("{", "EOF"),
            (r#"{"name":"p","syntax":"x12"}"#, "no senders"),
            (r#"{"name":"p","syntax":"x13","senders":["a"]}"#, "x13"),
            (r#"{"name":"p","syntax":"x12","senders":["a"],"extra":1}"#, "extra"),
            (r#"{"name":"p","syntax":"x12","senders":["a"],"fields":{"serial":[{"segment":"REF"}]}}"#, "REF"),
            (
                r#"{"name":"p","syntax":"x12","senders":["a"],"fields":{"quantity":[{"segment":"REF","element":1}]}}"#,
                "quantity",
            ),
            (r#"{"name":"p","syntax":"x12","senders":["a"],"quantities":{"1":"return"}}"#, "sale"),
        ] {
            let error = EdiMaps::default().add(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
