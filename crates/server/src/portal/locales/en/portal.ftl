# The pages. Numbers come as text in $count, written as the reader writes them, and as a number in $n for the plural.
product = Roadstead
skip-to-content = Skip to content
nav-label = Main menu
nav-unassigned = Unassigned Devices
nav-reports = Sell-through reports
nav-partners = Partners
language-label = Language
sign-out = Sign out
role-operator = Programme team
role-distributor = Reporter
role-partner-admin = Partner admin
role-partner-read-only = Partner, read only
role-it-admin = IT admin
role-report-admin = Report admin
pager-label = Pages
pager-first = First page
pager-next = Next page
live-interrupted = Live updates are interrupted; trying again.

sign-in-title = Sign in
sign-in-lead = Resold PCs, sell-through reports and partners in one place.
sign-in-email = E-mail address
sign-in-password = Password
sign-in-button = Sign in
sign-in-wrong = Address or password is wrong.
sign-in-wrong-advice = Check both and try again.

error-home = Go to the start page
error-request-id = Request ID

unassigned-lead = The PCs of your holding tenant: resold by you and not yet in a customer tenant. They arrive by themselves once they are reported.
unassigned-search = Search the list
unassigned-search-hint = Serial, model, end customer, invoice
unassigned-search-button = Search
unassigned-sort = Sort by
unassigned-sort-serial = Serial number
unassigned-sort-newest = Newest arrivals
unassigned-export = Export as CSV
unassigned-count = { $n ->
    [one] { $count } PC
   *[other] { $count } PCs
    }
unassigned-arrived = { $n ->
    [one] { $count } new PC has arrived.
   *[other] { $count } new PCs have arrived.
    }
unassigned-no-hit = No PC matches
unassigned-no-hit-advice = The search looks for a part of the serial number, the model, the product number, the end customer or the invoice.
unassigned-serial = Serial number
unassigned-model = Model
unassigned-level = Support level
unassigned-no-level = none
unassigned-end-customer = End customer
unassigned-invoice = Invoice
unassigned-sold-on = Sold on
unassigned-reported-by = Reported by
unassigned-since = In the pool since (UTC)
unassigned-pending = Waiting and disputed lines
unassigned-pending-lead = Reported lines about you that have not brought a PC here, and what becomes of them.

empty-nothing-reported = Nothing has been reported for you yet
empty-nothing-reported-text = A PC appears here as soon as a sell-through report names your reseller number { $number } as its seller.
empty-step-number = Ask your distributor whether your sales are reported, and under the reseller number { $number }. Another number never reaches you.
empty-step-qualify = Finish the course and get certified for Premium or Premium+. What is reported before that waits and is not lost.
empty-step-wait = There is nothing to start or to accept: this page shows each PC within seconds of its report.
empty-not-qualified = Reported, but not here yet
empty-not-qualified-text = PCs move into your holding tenant once you are certified for Premium or Premium+. Lines that wait for it are judged again by themselves.
empty-at-present = No PC is unassigned at present
empty-at-present-text = New PCs appear here by themselves as soon as they are reported under your reseller number { $number }. Below is what was reported so far.
empty-reported = What was reported for you
empty-reported-none = No line of any sell-through report names { $number }.
empty-qualification = Your qualification
empty-qualification-none = No qualification recorded
empty-qualification-text = One valid qualification is enough, of either support level and in either role. The programme team records it.

yours-not-qualified = Waiting for your certification
yours-not-qualified-advice = Finish the course and get certified. These PCs then move into your holding tenant by themselves.

partner-role-resell-and-view-monitor = Resell and View/Monitor
partner-role-service-delivery = Service Delivery
standing-course-open = Course not finished yet
standing-not-certified = Course finished on { $date }, not certified yet
standing-certified-from = Certified from { $date }
standing-valid-since = Valid since { $date }
standing-valid-until = Valid, ends on { $date }
standing-lapsed = Lapsed on { $date }

reports-lead = Files that say who resold which PC. Each line is judged on its own; one bad line never stops the others.
reports-list = Reports so far
reports-empty = No report yet
reports-empty-text = Hand in the first one above. You see within seconds what each line came to.
reports-empty-columns = The first row names the columns. Needed are transaction date, reseller number, product number, serial number and quantity.
upload-title = Hand in a report
upload-no-script = Handing in a file on this page needs JavaScript. Without it, send the file to the API.
upload-choose = Choose a file or drop it here
upload-kinds = CSV or XLSX
upload-reporter = Reporter
upload-reporter-choose = Please choose
upload-validate-only = Only check, change nothing
upload-validate-only-hint = Every line is judged, but no PC moves.
upload-send = Hand in
upload-sending = Sending the file: { $percent }
upload-keeping = The file has arrived and is being looked through.
upload-waiting = The report is kept and waits to be judged.

report-back = All reports
report-file = File
report-reporter = Reporter
report-received = Received (UTC)
report-lines = Lines
report-size = Size
report-state = State
report-result = Result
report-state-received = Waiting
report-state-running = Being judged
report-state-succeeded = Done
report-state-failed = Failed
report-lines-of = { $done } of { $total } lines
report-only-checked = only checked
report-only-checked-note = This report was only checked: nothing was changed, no PC moved. Hand the file in again without the mark to make it count.
report-errors-download = Download error file
report-lines-title = Lines
report-filter = Show lines by result
report-all-lines = All
report-no-lines = No line here.
report-row = Row
report-reseller = Reseller
report-sale = Sale
report-verdict = Result and reason

partners-lead = Who may have a holding tenant. It is made by itself with the first valid qualification.
partners-add = Add a partner
partners-empty = No partner yet
partners-empty-text = Add the first one with the number under which reports name it.
partners-has-holding = Holding tenant in place
partners-no-holding = No holding tenant yet
partners-no-qualification = No qualification recorded.
partners-qualify = Record a qualification
reporters-title = Reporters
reporters-lead = Who hands in sell-through reports: a distributor for every reseller, a reseller for itself alone.
reporters-add = Add a reporter
reporter-kind-distributor = Distributor
reporter-kind-reseller = Reseller that reports itself
done-partner = The partner was added.
done-qualification = The qualification was recorded. Lines that waited for it are being judged again.
done-reporter = The reporter was added.
form-save = Save
form-partner-number = Reseller number
form-reporter-number = Reporter number
form-name = Name
form-kind = Kind
form-support-level = Support level
form-role = Role
form-course-completed-on = Course finished on
form-certified-on = Certified on
form-expires-on = Ends on
field-not-a-date = This is not a date
field-not-a-date-advice = Write it as 2026-11-18.
