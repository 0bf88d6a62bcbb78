# The operator's pages.
nav-home = Home
nav-qualifications = Qualifications
nav-reporters = Reporters
nav-disputes = Disputes
nav-entitlements = Entitlements

home-lead = What needs the programme team's attention at this moment.
home-attention = Needs attention
home-nothing = Nothing needs your attention
home-nothing-text = No dispute, no waiting line, no lapsed qualification.
home-jobs = { $n ->
    [one] piece of background work was given up
   *[other] pieces of background work were given up
    }
home-jobs-advice = The server's log says why. Tell whoever runs the platform.
home-reports = { $n ->
    [one] report could not be processed
   *[other] reports could not be processed
    }
home-reports-advice = Ask the reporter to hand it in again: that tries it anew.
home-lapsed = { $n ->
    [one] qualification has lapsed
   *[other] qualifications have lapsed
    }
home-lapsed-advice = New sales of these partners wait until they renew, unless another qualification is valid.
home-ending = { $n ->
    [one] qualification ends within 60 days
   *[other] qualifications end within 60 days
    }
home-ending-advice = Ask these partners to renew in time.
home-waited-for = Reseller numbers that lines wait for
home-waited-for-text = Add or certify the partner, and its lines are judged again by themselves. Counted over the first 20,000 waiting lines.

qualifications-lead = What ends first comes first. Recording the same level and role again renews it; another role is a second qualification.
qualifications-filter = Show qualifications by state
qualifications-all = All
qualifications-ends-soon = End within 60 days
qualifications-lapsed = Lapsed
qualifications-not-certified = Not certified yet
qualifications-course-open = Course open
qualifications-valid = Valid
qualifications-none = No qualification here
qualifications-renew = Renew or correct

reporters-last = Last report (UTC)
reporters-never = none yet

disputes-lead = Lines that contradict what the platform knows. Nothing moves by them; the first valid sale holds.
disputes-empty = No open dispute
disputes-empty-text = Lines that contradict each other will stand here with both evidences.
dispute-line = The disputed line
dispute-held = By what the PC is where it is
dispute-nobody = Nobody has this PC
dispute-holder = Held by
dispute-place = Where
dispute-holder-pool = in the partner's holding tenant
dispute-holder-customer = with a customer of the partner
dispute-transaction = Transaction
dispute-day = Day
dispute-line-number = line
dispute-report = Open the report
dispute-logged = Whoever holds the PC finds this look in its log.

import-title = Import partners
import-lead = Add partners and record finished courses and certificates from a table. You see what each row comes to before anything is written; nothing is written while a row is wrong.
import-table = Table (CSV)
import-columns = The first row names the columns: { $columns }. Only the partner number is always needed; a new partner needs a name.
import-file = Read a file into the table
import-check = Check
import-preview = Preview
import-apply = Write all rows
import-wrong = Nothing can be written while a row is wrong. Correct the rows below and check again.
import-created = new
import-updated = changed
import-unchanged = unchanged
import-rejected = wrong
import-done = { $n ->
    [one] { $count } row was written.
   *[other] { $count } rows were written.
    }

entitlements-lead = A PC's entitlement starts with shipping, else with the sale, for the term of what was sold. Where no term is known, 36 months are assumed.
entitlements-pc = One PC
entitlements-pc-text = Enter the whole serial number. The partner and the customer that have the PC find your look, and every correction with its reason, in their logs.
entitlements-show = Show
entitlements-none = No PC with this serial number is with a partner or a customer.
entitlement-correct = Correct the entitlement
entitlement-assumed-short = assumed
terms-title = Terms by service SKU
terms-lead = What the level column of a report may say besides Premium and Premium+. Reports from now on are judged by it.
terms-add = Add or change a service SKU
terms-assumed = 36 months assumed
terms-forget = Remove
done-term = The service SKU was saved.
done-forgotten = The service SKU was removed.
done-corrected = The entitlement was corrected.
form-partner = Partner
form-sku = Service SKU or name
form-months = Months
form-starts-on = First day
form-last-day = Last day
form-reason = Reason
columns-title = Columns
columns-show = Show columns
log-columns-named = Columns of a reporter named
log-service-term-changed = Term of a service SKU changed
log-entitlement-corrected = Entitlement corrected
log-device-looked-at = PC looked at by the programme team
