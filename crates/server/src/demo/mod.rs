//! The demo: a platform filled with partners in every standing and with reports from a generator of our own.

mod generator;

use std::path::Path;

use anyhow::Context;
use jiff::civil::Date;
use jiff::{Span, ToSpan};
use roadstead_domain::access::{self, Action, Actor, Caller, Home, Role};
use roadstead_domain::customer::{Management, Preset};
use roadstead_domain::ids::TenantId;
use roadstead_domain::partner::PartnerRole::{ResellAndViewMonitor, ServiceDelivery};
use roadstead_domain::partner::SupportLevel::{Premium, PremiumPlus};
use roadstead_domain::partner::{PartnerRole, Qualification, SupportLevel};
use roadstead_domain::transfer::Asked;
use roadstead_ingest::Format;
use roadstead_store::page::Page;
use roadstead_store::pool::{Reporters, Sort};
use roadstead_store::{partners, pool, users};

use crate::app::App;
use crate::flows::customers::{NewAdmin, NewCustomer};
use crate::flows::submit_report::{Submission, submit};
use crate::flows::users::NewUser;
use crate::flows::withdraw_report::About;
use crate::flows::{certify, customers, reporters, transfers};
use crate::{jobs, spool};

/// Number, name and qualifications.
type DemoPartner = (&'static str, &'static str, &'static [Demo]);

enum Demo {
    Certified(SupportLevel, PartnerRole),
    CourseDone(SupportLevel, PartnerRole),
    Lapsed(SupportLevel, PartnerRole),
}

const PARTNERS: &[DemoPartner] = &[
    ("R-3001", "Leuchtturm Systemhaus GmbH", &[Demo::Certified(PremiumPlus, ResellAndViewMonitor)]),
    ("R-3002", "Quai Informatique SARL", &[Demo::Certified(Premium, ServiceDelivery)]),
    (
        "R-3003",
        "Tidewater Computing Ltd",
        &[Demo::Certified(Premium, ResellAndViewMonitor), Demo::Certified(PremiumPlus, ServiceDelivery)],
    ),
    ("R-3004", "Neuhafen Computer GmbH", &[Demo::CourseDone(Premium, ServiceDelivery)]),
    ("R-3005", "Windrose Bürotechnik AG", &[Demo::Lapsed(Premium, ResellAndViewMonitor)]),
];

/// Address, name, role, whose, language, and what to show with it.
type DemoUser = (&'static str, &'static str, Role, Option<&'static str>, &'static str, &'static str);

const USERS: &[DemoUser] = &[
    ("operator@roadstead.example", "Olivia Lotse", Role::Operator, None, "en", "operator"),
    ("support@roadstead.example", "Swantje Krahn", Role::CustomerSupport, None, "en", "customer support"),
    ("distributor@roadstead.example", "Dana Stauer", Role::Distributor, Some("D-3000"), "en", "distributor"),
    ("partner@roadstead.example", "Paul Leuchter", Role::PartnerAdmin, Some("R-3001"), "de", "partner admin"),
    (
        "reader@roadstead.example",
        "Rita Quai",
        Role::PartnerReadOnly,
        Some("R-3002"),
        "en",
        "partner, read-only",
    ),
    (
        "newcomer@roadstead.example",
        "Nils Neuhafen",
        Role::PartnerAdmin,
        Some("R-3004"),
        "de",
        "partner admin, not certified yet: an empty page that explains itself",
    ),
];

/// Fills an empty platform and says how to sign in; a filled one is left as it is.
pub async fn fill(app: &App, data: &Path) -> anyhow::Result<String> {
    let sign_ins = data.join("sign-ins.txt");
    let scope = access::system();
    let mut tx = app.store.read(&scope).await?;
    let filled = users::count(&mut tx, &scope).await? > 0;
    tx.commit().await?;
    if filled {
        return std::fs::read_to_string(&sign_ins).with_context(|| {
            format!("{} is not a demo's data: {} is missing", data.display(), sign_ins.display())
        });
    }
    add_partners(app).await?;
    reporters::create(app, &scope, "D-3000", "Kontor Distribution", "distributor").await?;
    reporters::create(app, &scope, "R-3003", "Tidewater Computing Ltd", "reseller").await?;
    let mut text = add_users(app).await?;
    hand_in_samples(app, &data.join("samples")).await?;
    text += &add_customers(app).await?;
    std::fs::write(&sign_ins, &text)?;
    Ok(text)
}

async fn add_partners(app: &App) -> anyhow::Result<()> {
    let scope = access::system();
    let today = app.ambient.now().date();
    let ago = |span: Span| -> Date { today.saturating_sub(span) };
    for (number, name, qualifications) in PARTNERS {
        let partner = certify::create_partner(app, &scope, number, name).await?;
        for demo in *qualifications {
            let (support_level, role, certified_on, expires_on) = match demo {
                Demo::Certified(level, role) => (*level, *role, Some(ago(200.days())), None),
                Demo::CourseDone(level, role) => (*level, *role, None, None),
                Demo::Lapsed(level, role) => (*level, *role, Some(ago(400.days())), Some(ago(35.days()))),
            };
            let course_completed_on = Some(ago(420.days()));
            let qualification =
                Qualification { support_level, role, course_completed_on, certified_on, expires_on };
            certify::record_qualification(app, &scope, partner, &qualification).await?;
        }
    }
    Ok(())
}

async fn add_users(app: &App) -> anyhow::Result<String> {
    let mut text = String::from("Sign in as\n");
    for (email, name, role, whose, language, shown) in USERS {
        let password = hex::encode(&app.ambient.secret()[..8]);
        let new = NewUser {
            email,
            name,
            password: &password,
            role: *role,
            whose: *whose,
            language: Some(language),
        };
        crate::flows::users::create(app, &access::system(), new).await?;
        text += &format!("  {email:<32} {password}   {shown}\n");
    }
    Ok(text)
}

/// Customer tenants of the first partner, in three states, one with PCs that were moved there.
async fn add_customers(app: &App) -> anyhow::Result<String> {
    let mut tx = app.store.read(&access::system()).await?;
    let partner = partners::find(&mut tx, &access::system(), "R-3001").await?.context("no partner R-3001")?;
    drop(tx);
    let caller =
        Caller { actor: Actor::System, role: Role::PartnerAdmin, home: Home::Partner(TenantId(partner.id)) };
    let scope = access::authorize(&caller, Action::Transfer)
        .map_err(|_| anyhow::anyhow!("a partner admin may not transfer"))?;
    let admin = NewAdmin {
        first_name: "Inga",
        last_name: "Boje",
        email: "itadmin@roadstead.example",
        phone: "",
        identity_provider: "",
    };
    let customer = |name, city, management| NewCustomer {
        name,
        address: "Kaistraße 7",
        city,
        postal_code: "20457",
        country: "DE",
        admin: if management == Management::Customer { admin } else { NewAdmin::default() },
        plan: PremiumPlus,
        management,
        preset: Preset::Default,
    };
    let invited =
        customers::create(app, &scope, &customer("Werft Nord GmbH", "Hamburg", Management::Customer)).await?;
    customers::create(app, &scope, &customer("Kontorhaus Süd AG", "Bremen", Management::Customer)).await?;
    let run = customers::create(
        app,
        &scope,
        &customer("Speicherstadt Logistik KG", "Hamburg", Management::Partner),
    )
    .await?;

    let mut tx = app.store.read(&scope).await?;
    let first = Page { limit: Some(5), cursor: None };
    let today = app.ambient.now().date();
    let some = pool::list(&mut tx, &scope, Sort::Serial, &first, today, Reporters::ByReport).await?;
    drop(tx);
    let asked: Vec<Asked> = some
        .into_iter()
        .flat_map(|rows| rows.items)
        .map(|pc| Asked { serial: pc.serial, to: run.to_string() })
        .collect();
    let (id, _) = transfers::preview(app, &scope, &asked).await?;
    let mut tx = app.store.read(&scope).await?;
    let preview = transfers::found(&mut tx, &scope, &id.to_string()).await?;
    drop(tx);
    let digest = hex::encode(&preview.digest);
    transfers::commit(app, &scope, &id.to_string(), &digest, transfers::How::default()).await?;

    let password = hex::encode(&app.ambient.secret()[..8]);
    let whose = invited.to_string();
    let new = NewUser {
        email: admin.email,
        name: "Inga Boje",
        password: &password,
        role: Role::ItAdmin,
        whose: Some(&whose),
        language: Some("de"),
    };
    crate::flows::users::create(app, &access::system(), new).await?;
    Ok(format!("  {:<32} {password}   a customer's IT admin, invited by partner R-3001\n", admin.email))
}

/// Writes the samples where people find them, and hands them in.
async fn hand_in_samples(app: &App, samples: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(samples)?;
    let today = app.ambient.now().date();
    let files = [
        ("sales-english.csv", Format::Csv, generator::english_csv(today)),
        ("verkauf-deutsch.csv", Format::Csv, generator::german_csv(today)),
        ("sales.xlsx", Format::Xlsx, generator::workbook(today)?),
    ];
    for (name, format, bytes) in files {
        std::fs::write(samples.join(name), &bytes)?;
        let spooled = format!("demo-{}", app.ambient.id::<uuid::Uuid>());
        let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes)]);
        let file = spool::receive(&app.spool, &spooled, pieces, app.config.upload_bytes).await?;
        let reporter = Some("D-3000");
        let submission =
            Submission { file, name, format, reporter, validate_only: false, about: About::default() };
        submit(app, &access::system(), submission).await?;
    }
    // To try a first upload of one's own with.
    std::fs::write(samples.join("try-me.csv"), generator::another_csv(today))?;
    while jobs::step(app).await? {}
    Ok(())
}
