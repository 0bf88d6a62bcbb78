//! Each page is rendered in both languages from samples, and shows no key in place of a text. With
//! `ROADSTEAD_PAGES=<directory>` the pages are written there, to be looked at.

mod accounts;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use roadstead_domain::access::Role;
use roadstead_domain::partner::{PartnerRole, Qualification, SupportLevel};
use roadstead_domain::sale::Verdict;
use roadstead_store::disputes::Which;

use super::columns::ColumnsPage;
use super::device::{DevicePage, FindPage};
use super::disputes::{DisputePage, DisputesPage, Row as DisputeRow};
use super::entitlements::{EntitlementsPage, PcView};
use super::field::{Attempt, Forms};
use super::home::{Counted, HomePage};
use super::import::ImportPage;
use super::jobs::{JobView, JobsPage};
use super::layout::{Entry, Frame, Person};
use super::pager::Pager;
use super::partners::{PartnerView, PartnersPage};
use super::qualifications::QualificationsPage;
use super::report::{Body, ReasonView, ReportPage, Row as LineRow, Tab};
use super::reporters::{ReportersPage, Row as ReporterRow};
use super::reports::{List as Reports, Progress, ReportsPage, Row as ReportRow, UploadTexts};
use super::sign_in::SignInPage;
use super::standing::QualificationView;
use super::unassigned::{Asked, GroupRow, List, Reported, Row, SavedRow, UnassignedPage};
use super::{ErrorPage, verdicts};
use crate::i18n::Lang;

fn frame(lang: Lang, role: Role, entry: Entry) -> Frame {
    let person = Person {
        name: "Anna Beispiel".to_owned(),
        email: "anna@example.com".to_owned(),
        role: lang.text(&format!("role-{}", role.as_str().replace('_', "-"))),
        csrf: "c5f".to_owned(),
        finds_devices: role == Role::PartnerAdmin,
        explains: role != Role::CustomerSupport,
        is_notified: role != Role::Distributor,
        opens_cases: role == Role::PartnerAdmin,
        entries: Entry::of(role),
        bottom: &[Entry::Settings],
    };
    let title = lang.text(entry.key());
    let here = "/".to_owned();
    Frame { lang, title, here, entry: Some(entry), person: Some(person), chosen: None, position: 7 }
}

fn pager(lang: Lang, cursor: &str, more: bool) -> Pager {
    Pager::new(lang, cursor, more.then(|| "35".to_owned()), |cursor| format!("/list?cursor={cursor}"))
}

fn qualifications(lang: Lang) -> Vec<QualificationView> {
    let (past, soon) = (Some(date(2026, 3, 2)), Some(date(2027, 3, 2)));
    let dates = [
        (None, None, None),
        (past, None, None),
        (past, soon, None),
        (past, past, None),
        (past, past, soon),
        (past, past, Some(date(2026, 10, 1))),
    ];
    dates
        .map(|(course_completed_on, certified_on, expires_on)| {
            let qualification = Qualification {
                support_level: SupportLevel::PremiumPlus,
                role: PartnerRole::ServiceDelivery,
                course_completed_on,
                certified_on,
                expires_on,
            };
            QualificationView::of(lang, &qualification, date(2026, 11, 22))
        })
        .into()
}

fn counts() -> BTreeMap<String, i64> {
    Verdict::ALL.iter().zip([3, 12, 1].into_iter().cycle()).map(|(v, n)| (v.as_str().to_owned(), n)).collect()
}

fn row(n: usize) -> Row {
    Row {
        link: format!("/devices/3ST00{n:05}"),
        serial: format!("3ST00{n:05}"),
        model: "Notebook 14".to_owned(),
        product_number: "4N1C0EA".to_owned(),
        level: [Some(("premium_plus", "Premium+")), Some(("premium", "Premium")), None][n % 3],
        end_customer: ["Müller & Söhne GmbH", "Kanzlei Dr. Vogt", ""][n % 3].to_owned(),
        invoice: format!("RE-2026-{n:04}"),
        order: ["PO-4711", ""][n % 2].to_owned(),
        sold_on: "18.11.2026".to_owned(),
        reported_by: "Nordic Distribution".to_owned(),
        since: "18.11.2026, 14:05".to_owned(),
        since_machine: "2026-11-18T14:05:00Z".to_owned(),
        seen: ["28.11.2026, 09:30", "nie"][n % 2].to_owned(),
    }
}

fn pool(lang: Lang, total: usize, q: &str, hits: usize, reported: bool, qualified: bool) -> UnassignedPage {
    let some = BTreeMap::from([
        ("parked.partner_not_qualified".to_owned(), 37),
        ("disputed.sold_by_other_partner".to_owned(), 2),
    ]);
    let pending = verdicts::verdicts_for_partner(lang, &some, qualified);
    let reports = vec![
        Reported {
            at: "18.11.2026, 14:05".to_owned(),
            reporter: "Nordic Distribution".to_owned(),
            verdicts: pending.clone(),
        };
        2
    ];
    let asked = Asked::read(q);
    let reporters = BTreeMap::from([("9".to_owned(), "Nordic Distribution".to_owned())]);
    let groups = (q.contains("group=")).then(|| {
        let group = |text: &str| GroupRow {
            text: text.to_owned(),
            link: "/unassigned-devices?end_customer=x".to_owned(),
            devices: "1.234".to_owned(),
        };
        (
            lang.text("unassigned-end-customer"),
            vec![group("Müller <GmbH>"), group(&lang.text("unassigned-none"))],
        )
    });
    let list = List {
        may_move: true,
        tick: super::unassigned::tick_of(lang),
        lang,
        total: total as i64,
        count: super::unassigned::count_text(lang, (!q.is_empty()).then_some(hits as i64), total as i64),
        chips: super::unassigned::chips(lang, &asked, &reporters),
        newest: false,
        columns: super::unassigned::COLUMNS.into(),
        rows: (1..=hits).map(row).collect(),
        groups,
        pager: pager(lang, "", hits > 7),
        clear: "/unassigned-devices".to_owned(),
        partner_number: "R-2001".to_owned(),
        qualified,
        qualifications: if reported { qualifications(lang) } else { Vec::new() },
        pending,
        reported: if reported { reports } else { Vec::new() },
    };
    UnassignedPage {
        targets: vec![("C-2222-3333".to_owned(), "Werft Nord (C-2222-3333)".to_owned())],
        suggested: "C-2222-3333".to_owned(),
        whole: Some(lang.text_with("move-whole", &[("n", 2.into()), ("count", "2".into())])),
        frame: frame(lang, Role::PartnerAdmin, Entry::Unassigned),
        lang,
        csrf: "c5f".to_owned(),
        q: asked.get("q").to_owned(),
        sort: String::new(),
        without: asked.get("without").to_owned(),
        choices: super::unassigned::choices(lang, &asked, &reporters),
        saved: vec![SavedRow {
            id: "1".to_owned(),
            name: "Müller <x>".to_owned(),
            link: "/unassigned-devices?q=m".to_owned(),
            current: true,
        }],
        query: q.to_owned(),
        by_serial: "/unassigned-devices".to_owned(),
        by_newest: "/unassigned-devices?sort=-since".to_owned(),
        export_csv: "/api/v1/unassigned-devices?format=csv".to_owned(),
        export_xlsx: "/api/v1/unassigned-devices?format=xlsx".to_owned(),
        list,
    }
}

fn device(lang: Lang, here: bool) -> DevicePage {
    use roadstead_domain::ids::DeviceId;
    use roadstead_store::devices::{Device, Moved, Right};
    let text = |text: &str| Some(text.to_owned());
    let device = Device {
        id: uuid::Uuid::nil(),
        serial: "3ST0000001".to_owned(),
        manufacturer: "Acme".to_owned(),
        product_number: "4N1C0EA".to_owned(),
        model: "Notebook 14".to_owned(),
        tenant: uuid::Uuid::nil(),
        tenant_kind: "customer".to_owned(),
        tenant_name: "Müller <GmbH>".to_owned(),
        generation: 3,
        since: 1_795_374_000_000_000,
        buyer: text("C-1"),
        buyer_name: text("Müller & Söhne GmbH"),
        invoice: text("RE-2026-0001"),
        sold_on: text("2026-11-18"),
        shipped_on: text("2026-11-19"),
        reporter_name: text("Nordic Distribution"),
        reported_at: Some(1_795_374_000_000_000),
        received: text(r#"{"purchase_order":"PO-4711"}"#),
        seen_at: Some(1_795_374_000_000_000),
    };
    let moved = |from: Option<&str>, to: Option<&str>, kind: Option<&str>| Moved {
        seq: 1,
        serial: "3ST0000001".to_owned(),
        from_kind: from.and_then(text),
        from_name: text("Müller <GmbH>"),
        to_kind: to.and_then(text),
        to_tenant: None,
        to_name: text("Müller <GmbH>"),
        generation: 1,
        reporter_name: text("Nordic Distribution"),
        transaction_kind: kind.and_then(text),
        cause: kind.is_none().then(|| "transfer".to_owned()),
        at: 1_795_374_000_000_000,
    };
    let right = |level: &str, from: &str, until: &str, assumed| Right {
        support_level: level.to_owned(),
        starts_on: from.to_owned(),
        ends_on: until.to_owned(),
        assumed,
        reporter_name: text("Nordic Distribution"),
        line: 1,
        corrected_at: (!assumed).then_some(1_795_374_000_000_000),
    };
    let rights = vec![
        right("premium_plus", "2026-11-19", "2029-11-19", true),
        right("premium", "2020-11-19", "2023-11-19", false),
        right("premium", "2028-11-19", "2029-11-19", false),
    ];
    let moves = vec![
        moved(Some("customer"), None, Some("return")),
        moved(Some("holding"), Some("customer"), None),
        moved(None, Some("holding"), Some("sale")),
    ];
    let seen = crate::flows::devices::Seen {
        id: DeviceId(uuid::Uuid::nil()),
        serial: "3ST0000001".to_owned(),
        manufacturer: "Acme".to_owned(),
        rights: if here { rights } else { Vec::new() },
        device: here.then_some(device),
        last: None,
    };
    let frame = Frame { title: seen.serial.clone(), ..frame(lang, Role::PartnerAdmin, Entry::Unassigned) };
    DevicePage::of(frame, &seen, &moves, "2026-11-22", pager(lang, "5b", true))
}

fn find(lang: Lang, choices: Vec<(String, String)>) -> FindPage {
    let frame = frame(lang, Role::PartnerAdmin, Entry::Unassigned);
    FindPage { frame, lang, q: "<x>".to_owned(), in_list: "/unassigned-devices?q=x".to_owned(), choices }
}

fn progress(lang: Lang, state: &str, done: i64) -> Progress {
    let values = [("done", super::format::number(lang, done).into()), ("total", "10.000".into())];
    Progress {
        state: state.to_owned(),
        text: lang.text(&format!("report-state-{state}")),
        done,
        total: 10_000,
        lines: lang.text_with("report-lines-of", &values),
    }
}

fn reports(lang: Lang, role: Role, rows: usize) -> ReportsPage {
    let states = ["running", "succeeded", "failed", "received"];
    let rows = (0..rows).map(|n| ReportRow {
        link: format!("/reports/{n}"),
        file_name: format!("Verkäufe November {n}.xlsx"),
        reporter: "Nordic Distribution".to_owned(),
        received: "18.11.2026, 14:05".to_owned(),
        received_machine: "2026-11-18T14:05:00Z".to_owned(),
        lines: "10.000".to_owned(),
        size: "1,4 MB".to_owned(),
        validate_only: n == 1,
        progress: progress(lang, states[n % 4], 3_000),
        shares: if n % 4 < 2 { verdicts::shares(lang, &counts(), 100) } else { Vec::new() },
    });
    let rows = rows.collect();
    let list = Reports { lang, of_all: role == Role::Operator, rows, pager: pager(lang, "5b", false) };
    ReportsPage {
        frame: frame(lang, role, Entry::Reports),
        lang,
        reporters: vec![("1".to_owned(), "Nordic Distribution (D-1001)".to_owned())],
        texts: UploadTexts::of(lang),
        list,
    }
}

fn report(lang: Lang, state: &str) -> ReportPage {
    let rows = Verdict::ALL.iter().enumerate().map(|(n, verdict)| LineRow {
        row: (n + 2).to_string(),
        serial: format!("3ST00{n:05}"),
        product_number: "4N1C0EA".to_owned(),
        seller: "R-2001".to_owned(),
        end_customer: "Müller & Söhne GmbH".to_owned(),
        sold_on: "18.11.2026".to_owned(),
        invoice: "RE-2026-0001".to_owned(),
        family: verdict.family(),
        verdict: lang.code_text(verdict.as_str()),
        reasons: vec![ReasonView {
            text: String::new(),
            field: lang.code_text("field.transaction_date"),
            received: Some("32.13.2026 <b>".to_owned()),
            advice: lang.code_advice(verdict.as_str()),
        }],
    });
    let tab = |current| Tab {
        text: lang.text("report-all-lines"),
        lines: "10.000".to_owned(),
        link: "/reports/1".to_owned(),
        current,
    };
    let body = Body {
        lang,
        path: "/reports/1".to_owned(),
        validate_only: true,
        csrf: "c5f".to_owned(),
        act: match state {
            "succeeded" => Some("submit"),
            "failed" => Some("withdraw"),
            _ => None,
        },
        ties: vec![(lang.text("report-withdraws"), "/reports/2".to_owned())],
        progress: progress(lang, state, 3_000),
        operation: "/api/v1/operations/1/events".to_owned(),
        shares: verdicts::shares(lang, &counts(), 100),
        verdicts: verdicts::verdicts(lang, &counts()),
        errors: Some("/api/v1/sell-through-reports/1/errors.csv".to_owned()),
        acknowledgement: Some("/api/v1/sell-through-reports/1/acknowledgement".to_owned()),
        tabs: vec![tab(true), tab(false)],
        rows: if state == "received" { Vec::new() } else { rows.collect() },
        pager: pager(lang, "", true),
    };
    let frame = Frame {
        title: "Verkäufe November.xlsx".to_owned(),
        ..frame(lang, Role::Distributor, Entry::Reports)
    };
    let keys = ["report-reporter", "report-received", "report-lines", "report-size"];
    let facts = keys.map(|key| (lang.text(key), "…".to_owned())).into();
    ReportPage { frame, lang, facts, body }
}

fn partners(lang: Lang, empty: bool, done: Option<&str>) -> PartnersPage {
    let attempt = Attempt::default();
    let forms = Forms { lang, csrf: "c5f", cursor: "", attempt: &attempt };
    let partner = |n: usize| PartnerView {
        id: n.to_string(),
        number: format!("R-200{n}"),
        name: "Alpha Systemhaus GmbH".to_owned(),
        has_holding: n == 1,
        qualifications: if n == 1 { qualifications(lang) } else { Vec::new() },
        form: super::field::FormView { open: n == 2, ..forms.qualification(&n.to_string()) },
    };
    PartnersPage {
        frame: frame(lang, Role::Operator, Entry::Partners),
        lang,
        done: done.map(|done| lang.text(&format!("done-{done}"))),
        partners: if empty { Vec::new() } else { vec![partner(1), partner(2)] },
        add_partner: forms.add_partner(),
        pager: pager(lang, "", false),
    }
}

fn reporters(lang: Lang) -> ReportersPage {
    let attempt = Attempt::default();
    let forms = Forms { lang, csrf: "c5f", cursor: "", attempt: &attempt };
    let row = |kind: &str, last: &str| ReporterRow {
        number: "D-1001".to_owned(),
        name: "Nordic Distribution <x>".to_owned(),
        kind: lang.text(&format!("reporter-kind-{kind}")),
        last: last.to_owned(),
        silent: kind == "distributor",
        quality: "/reports/quality?reporter=D-1001".to_owned(),
        columns: "/reports/columns?reporter=D-1001".to_owned(),
    };
    ReportersPage {
        frame: frame(lang, Role::Operator, Entry::Reporters),
        lang,
        done: true,
        add: super::reporters::add_form(&forms),
        rows: vec![row("distributor", "18.11.2026, 14:05"), row("reseller", "")],
        pager: pager(lang, "", true),
    }
}

fn qualification_list(lang: Lang, empty: bool) -> QualificationsPage {
    use roadstead_store::partners::{OfPartner, Recorded};
    let attempt = Attempt::default();
    let forms = Forms { lang, csrf: "c5f", cursor: "", attempt: &attempt };
    let of = |expires_on| OfPartner {
        number: "R-2001".to_owned(),
        name: "Alpha Systemhaus <x> GmbH".to_owned(),
        recorded: Recorded {
            id: uuid::Uuid::nil().into(),
            partner: uuid::Uuid::nil().into(),
            qualification: Qualification {
                support_level: SupportLevel::PremiumPlus,
                role: PartnerRole::ServiceDelivery,
                course_completed_on: Some(date(2026, 1, 1)),
                certified_on: Some(date(2026, 1, 2)),
                expires_on,
            },
        },
    };
    let today = date(2026, 11, 22);
    let ends = [Some(date(2026, 2, 1)), Some(date(2026, 12, 1)), None];
    let rows = ends.into_iter().enumerate().take(if empty { 0 } else { 3 });
    QualificationsPage {
        frame: frame(lang, Role::Operator, Entry::Qualifications),
        lang,
        tabs: super::qualifications::tabs(lang, "ends_soon"),
        rows: rows.map(|(n, end)| super::qualifications::row(&forms, n, of(end), today)).collect(),
        pager: pager(lang, "5b", false),
    }
}

fn home(lang: Lang, empty: bool) -> HomePage {
    let open =
        [("disputed.sold_by_other_partner".to_owned(), 3), ("parked.unknown_seller".to_owned(), 1_200)];
    let matters =
        super::home::matters(lang, &open, &Counted { lapsed: 1, ending: 2, failed: 1, dead: 1, silent: 2 });
    HomePage {
        frame: frame(lang, Role::Operator, Entry::Home),
        lang,
        matters: if empty { Vec::new() } else { matters },
        waited_for: if empty { Vec::new() } else { vec![("R-9999".to_owned(), "1.200".to_owned())] },
    }
}

fn evidence() -> roadstead_store::disputes::Evidence {
    roadstead_store::disputes::Evidence {
        report: uuid::Uuid::nil(),
        line: 7,
        file_name: "Verkäufe <x>.csv".to_owned(),
        reporter_name: "Nordic Distribution".to_owned(),
        received_at: 1_795_374_000_000_000,
        transaction_kind: Some("sale".to_owned()),
        sold_on: Some("2026-11-18".to_owned()),
        seller: "R-2001".to_owned(),
        seller_name: Some("Alpha Systemhaus GmbH".to_owned()),
        buyer: "C-1".to_owned(),
        buyer_name: "Müller & Söhne GmbH".to_owned(),
        invoice: "RE-2026-0001".to_owned(),
        product_number: "4N1C0EA".to_owned(),
        manufacturer: String::new(),
        serial: "3ST0000001".to_owned(),
        verdict: "disputed.sold_by_other_partner".to_owned(),
        outcome: None,
    }
}

fn disputes(lang: Lang, rows: usize) -> DisputesPage {
    let row = |_| DisputeRow {
        link: "/disputes/1/7".to_owned(),
        serial: "3ST0000001".to_owned(),
        verdict: lang.code_text("disputed.sold_by_other_partner"),
        seller: "Alpha Systemhaus GmbH (R-2001)".to_owned(),
        reporter: "Nordic Distribution".to_owned(),
        received: "18.11.2026, 14:05".to_owned(),
        decided: Some(lang.text("dispute-outcome-upheld")),
    };
    DisputesPage {
        frame: frame(lang, Role::Operator, Entry::Disputes),
        lang,
        choices: super::disputes::choices(lang, Which::All),
        open: false,
        rows: (0..rows).map(row).collect(),
        pager: pager(lang, "", true),
    }
}

fn dispute(lang: Lang, held: bool) -> DisputePage {
    let holder = roadstead_store::disputes::Holder {
        device: uuid::Uuid::nil(),
        partner: uuid::Uuid::nil(),
        partner_name: "Beta <GmbH>".to_owned(),
        partner_number: "R-2".to_owned(),
        with_customer: true,
        since: 1_795_374_000_000_000,
        evidence: Some(evidence()),
    };
    let dispute = crate::flows::disputes::Dispute {
        line: evidence(),
        decision: held.then(|| roadstead_store::disputes::Decision {
            id: uuid::Uuid::nil(),
            outcome: "dismissed".to_owned(),
            reason: "Invoice <x> seen".to_owned(),
            holder: None,
            moved_by: None,
            decided_at: 1_795_374_000_000_000,
        }),
        holder: held.then_some(holder),
    };
    let frame = Frame { title: "3ST0000001".to_owned(), ..frame(lang, Role::Operator, Entry::Disputes) };
    DisputePage::of(frame, &dispute)
}

fn import(lang: Lang, wrong: bool) -> ImportPage {
    use crate::flows::import_partners::{Outcome, Row};
    let mut page = ImportPage::new(frame(lang, Role::Operator, Entry::Partners), "c5f");
    let row = |outcome, fault| Row {
        row: 2,
        partner_number: "R-1".to_owned(),
        name: "Alpha <x>".to_owned(),
        outcome,
        fault,
    };
    let mut rows =
        vec![row(Outcome::Created, None), row(Outcome::Updated, None), row(Outcome::Unchanged, None)];
    if wrong {
        rows.push(row(Outcome::Rejected, Some(("field.unknown_value", "role"))));
    }
    page.sent.table = "partner_number\nR-1 <x>".to_owned();
    page.preview(&rows);
    page.done = Some(lang.text_with("import-done", &[("n", 3.into()), ("count", "3".into())]));
    page
}

fn entitlements(lang: Lang, none: bool) -> EntitlementsPage {
    let attempt = Attempt::default();
    let forms = Forms { lang, csrf: "c5f", cursor: "", attempt: &attempt };
    let term = |months| roadstead_store::entitlements::Term {
        name: "U8PL1E".to_owned(),
        support_level: Some(SupportLevel::Premium),
        months,
    };
    let rights = device(lang, true).rights;
    let pc = PcView {
        serial: "3ST0000001".to_owned(),
        model: "Notebook 14".to_owned(),
        rights,
        form: super::entitlements::correct_form(&forms, "3ST0000001", ""),
    };
    EntitlementsPage {
        frame: frame(lang, Role::Operator, Entry::Entitlements),
        lang,
        csrf: "c5f".to_owned(),
        done: Some(lang.text("done-corrected")),
        q: "<x>".to_owned(),
        pc: (!none).then_some(pc),
        not_found: none,
        choices: vec![("Acme".to_owned(), "/entitlements?q=x".to_owned())],
        add: super::entitlements::term_form(&forms),
        terms: [term(Some(60)), term(None)].map(|term| super::entitlements::term_row(lang, term)).into(),
    }
}

fn columns(lang: Lang, wrong: bool) -> ColumnsPage {
    let own = [roadstead_store::own_headers::OwnHeader {
        header: "geraetekennung".to_owned(),
        shown: "Geräte-Kennung <x>".to_owned(),
        field: Some("serial".to_owned()),
    }];
    let seen = vec!["Bemerkung".to_owned(), "Qty".to_owned()];
    let rows = if wrong { Vec::new() } else { super::columns::rows(lang, &own, seen) };
    let frame = frame(lang, Role::Distributor, Entry::Reports);
    let mut page = ColumnsPage::new(frame, "c5f", String::new(), "Nordic Distribution".to_owned(), rows);
    page.done = !wrong;
    page.fault = wrong.then(|| lang.code_text("mapping.column_twice"));
    page
}

fn jobs(lang: Lang, empty: bool) -> JobsPage {
    let job = |kind: &str, link: Option<&str>| JobView {
        id: "1".to_owned(),
        kind: lang.code_text(&format!("job.{kind}")),
        subject: "Verkäufe <x> November.xlsx".to_owned(),
        link: link.map(str::to_owned),
        attempts: "8".to_owned(),
        last_error: "the reader died: database: no such table".to_owned(),
        since: "18.11.2026, 14:05".to_owned(),
        since_machine: "2026-11-18T14:05:00Z".to_owned(),
    };
    let some = vec![job("ingest_report", Some("/reports/1")), job("replay_partner", None)];
    JobsPage {
        frame: frame(lang, Role::Operator, Entry::Jobs),
        lang,
        csrf: "c5f".to_owned(),
        retried: !empty,
        jobs: if empty { Vec::new() } else { some },
        pager: pager(lang, "", !empty),
    }
}

fn error(lang: Lang) -> ErrorPage<'static> {
    let frame = Frame::visitor(lang, lang.code_text("not_found"));
    ErrorPage { frame, lang, advice: lang.code_advice("not_found"), request_id: "0193", signed_out: false }
}

/// Every key that somebody wrote.
fn keys() -> BTreeSet<String> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/portal/locales/en");
    let files = std::fs::read_dir(directory).unwrap();
    let texts: Vec<String> =
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    texts
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| !line.starts_with([' ', '#']))
        .filter_map(|line| line.split_once(" =").map(|(key, _)| key.to_owned()))
        .collect()
}

/// The words of a page outside of tags, and of the attributes that are read aloud or filled in by the script.
fn words(html: &str) -> Vec<String> {
    let mut words = Vec::new();
    for piece in html.split('<') {
        let (tag, text) = piece.split_once('>').unwrap_or(("", piece));
        words.extend(text.split_whitespace().map(str::to_owned));
        for attribute in ["aria-label=\"", "data-", "placeholder=\""] {
            let values = tag.split(attribute).skip(1).filter_map(|rest| rest.split('"').next_back());
            words.extend(values.map(str::to_owned));
        }
    }
    words
}

#[test]
fn b53_every_page_speaks_both_languages_and_leaks_no_key() {
    let keys = keys();
    let pages_of = |lang: Lang| -> Vec<(&str, String)> {
        let page = |template: &dyn askama::DynTemplate| template.dyn_render().unwrap();
        vec![
            ("account", page(&accounts::account(lang))),
            ("users", page(&accounts::users(lang, true))),
            ("users-empty", page(&accounts::users(lang, false))),
            ("logs", page(&accounts::logs(lang))),
            ("tokens", page(&accounts::tokens(lang))),
            ("mails", page(&accounts::mails(lang))),
            ("invitation", page(&accounts::door(lang))),
            ("sign-in", page(&SignInPage::new(lang, String::new(), "/", None))),
            (
                "sign-in-wrong",
                page(&SignInPage::new(
                    lang,
                    "a@b".to_owned(),
                    "/reports",
                    Some(super::door::wait(lang, Some(300))),
                )),
            ),
            ("error", page(&error(lang))),
            ("unassigned", page(&pool(lang, 1_234, "", 12, true, true))),
            (
                "unassigned-hits",
                page(&pool(lang, 1_234, "q=note&age=31&without=model&reporter=9", 3, true, true)),
            ),
            ("unassigned-groups", page(&pool(lang, 1_234, "group=end_customer&level=none", 3, true, true))),
            ("device", page(&device(lang, true))),
            ("device-gone", page(&device(lang, false))),
            ("device-none", page(&find(lang, Vec::new()))),
            ("device-several", page(&find(lang, vec![("Acme".to_owned(), "/devices/x".to_owned())]))),
            ("unassigned-no-hit", page(&pool(lang, 1, "q=<x>", 0, true, true))),
            ("empty-nothing", page(&pool(lang, 0, "", 0, false, false))),
            ("empty-not-qualified", page(&pool(lang, 0, "", 0, true, false))),
            ("empty-at-present", page(&pool(lang, 0, "", 0, true, true))),
            ("reports", page(&reports(lang, Role::Operator, 4))),
            ("reports-empty", page(&reports(lang, Role::Distributor, 0))),
            ("report", page(&report(lang, "succeeded"))),
            ("report-running", page(&report(lang, "running"))),
            ("report-received", page(&report(lang, "received"))),
            ("report-failed", page(&report(lang, "failed"))),
            ("partners", page(&partners(lang, false, Some("partner")))),
            ("partners-empty", page(&partners(lang, true, Some("qualification")))),
            ("columns", page(&columns(lang, false))),
            ("columns-wrong", page(&columns(lang, true))),
            ("reporters", page(&reporters(lang))),
            ("qualifications", page(&qualification_list(lang, false))),
            ("qualifications-none", page(&qualification_list(lang, true))),
            ("home", page(&home(lang, false))),
            ("home-nothing", page(&home(lang, true))),
            ("disputes", page(&disputes(lang, 2))),
            ("disputes-empty", page(&disputes(lang, 0))),
            ("dispute", page(&dispute(lang, true))),
            ("dispute-nobody", page(&dispute(lang, false))),
            ("import", page(&import(lang, false))),
            ("import-wrong", page(&import(lang, true))),
            ("entitlements", page(&entitlements(lang, false))),
            ("entitlements-none", page(&entitlements(lang, true))),
            ("jobs", page(&jobs(lang, false))),
            ("jobs-empty", page(&jobs(lang, true))),
        ]
    };
    let english = pages_of(Lang::En);
    for (lang, pages) in [(Lang::En, &english), (Lang::De, &pages_of(Lang::De))] {
        for (name, html) in pages {
            assert!(html.contains(&format!("<html lang=\"{}\">", lang.code())), "{name}");
            assert!(!html.contains(" style=") && !html.contains(" onclick="), "{name}: against the CSP");
            assert!(!html.contains("<x>") && !html.contains("2026 <b>"), "{name}: not escaped");
            // Keys of one word are words of a text, too.
            let leaked: Vec<_> =
                words(html).into_iter().filter(|w| w.contains('-') && keys.contains(w.as_str())).collect();
            assert!(leaked.is_empty(), "{name} in {lang:?}: {leaked:?}");
            if let Ok(directory) = std::env::var("ROADSTEAD_PAGES") {
                let inlined = html.replace("<script", "<!-- <script").replace("</script>", "</script> -->");
                std::fs::write(format!("{directory}/{name}-{}.html", lang.code()), inlined).unwrap();
            }
        }
    }
}

#[test]
fn every_key_of_a_template_or_handler_is_written_in_the_locales() {
    let keys = keys();
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/portal");
    let mut seen = 0;
    for folder in [directory.join("templates"), directory] {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            for start in [".text(\"", ".text_with(\"", "fact(\""] {
                for rest in text.split(start).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    assert!(keys.contains(key), "{}: {key}", path.display());
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 80, "{seen}");
}
