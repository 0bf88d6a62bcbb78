# Alerts, pop-ups and repair cases: pages, PCs and mails.
role-customer-support = Customer support

nav-alerts = Alerts
nav-repair-cases = Repair cases
nav-support-queue = Customer support queue

desk-customer-support = Customer support
desk-csdp = CSDP account of { $partner }

alert-disk-failing = A disk is failing
alert-disk-failing-text = The disk { $part } reports that it fails. Save your data, and have it repaired soon.
alert-disk-predicted-failure = A disk may fail soon
alert-disk-predicted-failure-text = The disk { $part } shows first signs of wear. Save your data, and have it looked at.
alert-disk-spare-low = A disk has no spare left
alert-disk-spare-low-text = The disk { $part } has nearly used up its spare blocks. Save your data, and have it replaced.
alert-disk-worn-out = A disk is worn out
alert-disk-worn-out-text = The disk { $part } has reached the life that its maker planned. Have it replaced soon.
alert-battery-worn = The battery is worn
alert-battery-worn-text = The battery { $part } holds less than half of what it held when it was new.
alert-battery-recall = The battery is recalled
alert-battery-recall-text = The maker recalls this PC's battery ({ $part }). Have it replaced, and do not leave the PC alone while it charges.
alert-thermal-overheating = The PC gets too hot
alert-thermal-overheating-text = The sensor { $part } stays at its critical temperature. A fan or an air vent may be at fault.
alert-thermal-throttling = The processor keeps holding itself back
alert-thermal-throttling-text = The processor { $part } gets so hot that it slows itself down again and again. The PC is slow for it; often the cooling is dusty or broken.
alert-memory-failing = The memory has errors
alert-memory-failing-text = The memory { $part } shows errors that could not be corrected. Data may be damaged.
alert-memory-errors = The memory corrects errors
alert-memory-errors-text = The memory { $part } had to correct errors many times. It may fail soon.
alert-disk-full = A disk is nearly full
alert-disk-full-text = On { $part } less than 5 percent is free. Delete or move what you do not need.
alert-os-crashes = The system crashed several times
alert-os-crashes-text = The system { $part } crashed at least three times within a day.
alert-heartbeat-lost = Nothing heard of the PC
alert-heartbeat-lost-text = The agent { $part } has not been heard of for 14 days.
alert-entitlement-expiring = The entitlement ends soon
alert-entitlement-expiring-text = The entitlement { $part } of the PC ends within 30 days.
alert-firmware-outdated = BIOS or drivers are out of date
alert-firmware-outdated-text = There are newer versions of { $part }.
alert-hardware-fault = A part is faulty
alert-hardware-fault-text = A monitor found a fault: { $part }.

case-contains-serial = Serial number: { $value }
case-contains-model = Model: { $value }
case-contains-found = What was found: { $value }

repair-state-new = New
repair-state-claimed = In work
repair-state-waiting-for-user = Question to the user
repair-state-scheduled = Appointment made
repair-state-in-repair = In repair
repair-state-closed = Closed
repair-state-cancelled = Cancelled
repair-parts-ordered = Parts were ordered for the repair.
repair-more-parts-ordered = More parts were ordered for the repair.

# Codes
pop-up-withdrawn = This pop-up no longer holds
pop-up-withdrawn-advice = Nothing was sent. If the PC still has a fault, turn to whoever looks after it.
pop-up-expired = This pop-up is too old
pop-up-expired-advice = Nothing was sent. If the fault lasts, another pop-up will come.
pop-up-recipient-changed = Somebody else would get the case by now
pop-up-recipient-changed-advice = Nothing was sent. Look who gets it, and submit again if that is fine.
pop-up-switched-off = Self-service notifications were turned off
pop-up-moved = The PC was moved
pop-up-condition-gone = The fault is gone
pop-up-submitted = A repair case was sent
alert-not-here = This alert does not exist where the PC is
alert-not-here-advice = Kinds that concern many PCs are raised in customer tenants only.
alert-pc-is-moving = The PC is being moved at this moment
alert-pc-is-moving-advice = Nothing was changed. Send the alert again after as many seconds as the header Retry-After says.
alert-agents = The PC itself raised this alert
alert-agents-advice = It closes by itself once the PC no longer sees the fault.
check-in-too-often = This PC checks in too often
check-in-too-often-advice = Wait for as many seconds as the header Retry-After says. An agent checks in every five minutes.
device-too-often = This PC calls too often
device-too-often-advice = Wait for as many seconds as the header Retry-After says. A PC may make 120 calls at once, and then one a second.
repair-case-not-yours = That is for another side to do
repair-case-not-yours-advice = Only the desk that has the case works on it; whoever opened it may cancel it and answer questions.
repair-case-over = The repair case is over
repair-case-over-advice = Open another one if the fault is still there.
repair-case-too-late = There is an appointment already, or parts were ordered
repair-case-too-late-advice = Turn to whoever repairs, to call the repair off.
repair-case-nothing-asked = There is no open question
repair-case-nothing-asked-advice = Look at the case again: the question may be answered already.
repair-case-reference-used = This order reference was used before
repair-case-reference-used-advice = An order with a used reference ships nothing. Choose another one.
repair-case-cannot-merge = The case cannot become part of that one
repair-case-cannot-merge-advice = Name another open case of the same PC on your own desk.
repair-case-not-closed = Only a closed case can be claimed
repair-case-not-closed-advice = Close the case with result and failure code first.
repair-case-claimed = The cost of this case is claimed already
repair-case-claimed-advice = One claim a case.
repair-case-no-other-desk = There is no other desk for this case
repair-case-no-other-desk-advice = The PC's partner does not deliver service for its support level.
repair-case-no-entitlement = The PC has no entitlement today
repair-case-no-entitlement-advice = Repair cases are for PCs with Premium or Premium+.
repair-case-exists = There is an open repair case for this alert
repair-case-exists-advice = Look under Repair cases.
repair-case-pool = In the pool only the person at the PC submits a case
repair-case-pool-advice = If the PC can show no pop-up, customer support opens a case for whoever calls there. If the customer wants no pop-ups, create a customer tenant, move the PC there, and turn self-service notifications off.
repair-case-pop-ups-on = The person at the PC gets a pop-up and submits the case
repair-case-pop-ups-on-advice = You can open it yourself where self-service notifications are off, or the PC has no agent or has not been heard of for an hour. Before that customer support opens it for whoever calls there.
appointment-ends-before-it-begins = The appointment ends before it begins
appointment-ends-before-it-begins-advice = Choose an end after the beginning.
appointment-past = The appointment is in the past
appointment-past-advice = Choose a time to come.
route-service-delivery = The partner delivers service for this support level
route-view-monitor = The partner resells and watches
route-level-not-covered = The partner does not deliver service for this support level
route-partner-lapsed = The partner had no valid qualification on that day
route-customer-override = The customer wants customer support to repair
route-no-partner = The customer has no partner
route-handed-over = It was handed over

# The log
log-repair-case-opened = Repair case opened
log-repair-case-changed = Repair case changed
log-repair-route-set = Where repair cases go was changed

# Mails
mail-repair-case-desk-subject = Repair case { $number }: { $state }
mail-repair-case-desk-text = There is something to do about repair case { $number } for the PC { $serial }. It stands at: { $state }.
mail-repair-case-desk-button = Open the repair case
mail-repair-case-desk-why = You get this mail because you work at the desk that has this repair case. You can turn such mails off in your account.
mail-repair-case-assigned-subject = Repair case { $number } was assigned to you
mail-repair-case-assigned-text = Repair case { $number } for the PC { $serial } is yours from now on. It stands at: { $state }.
mail-repair-case-assigned-button = Open the repair case
mail-repair-case-assigned-why = You get this mail because your desk assigned this repair case to you. You can turn such mails off in your account.
mail-repair-case-received-subject = Repair of your PC { $serial }: { $desk } has your case
mail-repair-case-received-text =
    Your repair case { $number } for the PC { $serial } has arrived at { $desk }, who will get in touch with you.

    You hear of each step by mail and on the PC.
mail-repair-case-received-button = No more mails about this case
mail-repair-case-received-why = You get this mail because this address was given in repair case { $number }. The link ends mails about this case alone.
mail-repair-case-user-subject = Repair of your PC { $serial }: { $state }
mail-repair-case-user-text =
    Your repair case { $number } got on: { $state }.

    { $said }
mail-repair-case-user-button = No more mails about this case
mail-repair-case-user-why = You get this mail because this address was given in repair case { $number }. The link ends mails about this case alone.

# Pages
severity-info = Info
severity-warning = Warning
severity-critical = Critical
alerts-lead = What is wrong with your PCs now. In the pool the person at the PC is told and submits the repair case; in a customer tenant with self-service notifications off you open it here.
alerts-empty = No open alerts
alerts-empty-text = Once the agent runs on a PC, its health appears here. How to install it stands in the customer's settings under Preferences.
alerts-which = Which alerts
alerts-open = Open
alerts-closed = Closed
alerts-none-closed = No closed alerts
alerts-none-closed-text = An alert closes when its PC's check-ins no longer show the condition. Closed alerts stay here for as long as the platform keeps them.
alerts-until = Closed
alerts-kinds = By kind and cause
alerts-what = What was found
alerts-severity = Severity
alerts-place = Where
alerts-since = Since
alerts-repair = Repair
alerts-open-label = Open a repair case for { $serial }
alert-repair-open = Repair in progress
alert-repair-done = Repair case is over
repair-new = Open a repair case
repair-new-lead = In the user's place: where self-service notifications are off, where the PC has no agent or has not been heard of for an hour, or for somebody who calls customer support.
repair-open = Open
repair-opened-elsewhere = The repair case is open. It went to the CSDP account of the PC's partner, so it is not in this list.
repair-lead = Repair cases of your PCs. Cases of your own CSDP account stand out; the others are repaired by customer support, and you see how far they are.
repair-queue-lead = Cases that customer support repairs, newest first.
repair-empty = No repair cases here
repair-empty-text = A case comes when somebody at a PC presses View and submits, or when you open one from an alert.
repair-empty-queue = New cases appear by themselves. For somebody who calls, open one by hand.
repair-which = Which cases
repair-which-open = Open
repair-which-all = All
repair-by-hand = Opened by hand
repair-level = Support level
repair-found = What was read
repair-desk = Who repairs
repair-why = Why
repair-partner = Partner
repair-opened-by = Opened by
repair-opener-user = The person at the PC
repair-opener-partner = The partner
repair-opener-customer = The customer
repair-opener-desk = The desk, after a call
repair-assignee = Taken on by
repair-appointment = Appointment
repair-from = From
repair-until = Until
repair-appointment-note = What the user should know
repair-appoint = Set the appointment
repair-zone = The times are in { $zone }; the user sees them by the clock of the PC.
repair-result = Result
repair-failure-code = Failure code
repair-claim-reference = Reference of the claim
repair-claim = Claim the cost
repair-take = Take it on
repair-assign-to = Who works on it
repair-assign-choose = Choose somebody of the desk
repair-assign = Assign
repair-cancel = Cancel the case
repair-onlooker = Only the desk that repairs sees whom to turn to.
repair-person = Whom to turn to
repair-contact-name = Name
repair-contact-email = E-mail address
repair-contact-phone = Telephone
repair-text = What is wrong
repair-preferred-times = Preferred times
repair-caller = Who called
repair-question = Open question
repair-mails = Mails to the user
repair-mails-off = Turned off by the user
repair-mails-title = Mails about your repair
repair-mails-lead = Do you want no more mails about repair case { $number }? { $opener ->
        [user] The repair goes on, and the PC goes on telling you how far it is.
       *[other] The repair goes on. Whoever repairs reaches you through the contact details in the case.
    }
repair-mails-end = No more mails about this case
repair-mails-ended = No more mails about repair case { $number } will come. { $opener ->
        [user] The repair goes on, and the PC goes on telling you how far it is.
       *[other] The repair goes on. Whoever repairs reaches you through the contact details in the case.
    }
repair-case-link-spent = This link opens nothing
repair-case-link-spent-advice = It belongs to no repair case any more. If mails still come, take the link in the latest one.
repair-parts = Parts
repair-order-reference = Order reference
repair-part = Part
repair-quantity = Quantity
repair-order = Order
repair-note-note = Note of the desk
repair-note-question = Question
repair-note-answer = Answer
repair-note-handed-over = Handed over
repair-answer = Answer to the question
repair-write = Write
repair-keep-note = Keep as a note
repair-ask = Ask the user
repair-hand-over = Hand over
repair-hand-over-means = A note stays at the desk. A hand-over gives the case to the other desk, with what you wrote as its reason.
repair-end = End the case
repair-close = Close
repair-merge = Make it part of another case
repair-merge-into = Number of the other case

# Where a customer's repair cases go
repair-route-title = Where repair cases go
repair-route-lead = A change holds for cases that are submitted after it; open ones keep their desk.
repair-route-by-qualification = By the partner's qualification.
repair-route-by-qualification-means = If the partner delivers service for the PC's level, its CSDP account gets the case, else customer support.
repair-route-customer-support = Always to customer support.
repair-route-customer-support-means = Customer support repairs, whatever qualification the partner has.
done-customer-route = Saved. New repair cases go there.
repair-route-to-qualification = By qualification from now on
repair-route-to-support = Always to customer support from now on
