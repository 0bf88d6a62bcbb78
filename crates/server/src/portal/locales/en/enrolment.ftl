# Enrolment: reasons, cPINs, Pending enrolment, Preferences.
serial-invalid = This is not a serial number
serial-invalid-advice = A serial number has 5 to 40 characters: letters A to Z, digits, hyphen, dot, slash.
key-invalid = This is not a public key
key-invalid-advice = Send the 32 bytes of the PC's Ed25519 public key in base64.
signature-missing = The request is not signed
signature-missing-advice = Sign it with the PC's key after RFC 9421: headers Content-Digest, Signature-Input and Signature.
signature-malformed = The signature cannot be read
signature-malformed-advice = Give created, nonce and keyid, and a digest of the body by SHA-256 or SHA-512.
signature-coverage = The signature covers too little, or something that is not there
signature-coverage-advice = Cover @method, @target-uri and content-digest.
signature-digest = The body is not the one that was signed
signature-digest-advice = Send the request again. If this goes on, something between the PC and the platform changes what is sent.
signature-wrong = The signature does not fit the key and the request
signature-wrong-advice = Sign with the key that is presented, over the address that the platform is reached by.
signature-clock-skewed = The PC's clock is off
signature-clock-skewed-advice = Sign again by the server's time, which is in this answer, and set the PC's clock.
signature-repeated = This request was taken already
signature-repeated-advice = Sign each request with a nonce of its own.

enrolment-not-placed = No report has placed this PC yet
enrolment-not-placed-advice = The PC enrols by itself once a report places it. With the customer's cPIN it enrols at once.
enrolment-second-key = The PC has another key already
enrolment-second-key-advice = If the PC was set up anew, release the new key under Pending enrolment; else another device uses its serial number.
enrolment-key-taken = The key belongs to another PC
enrolment-key-taken-advice = The disk was copied or the mainboard changed. Delete the agent's key file on this PC and start the agent again.
enrolment-rival-keys = Several devices claim this serial number
enrolment-rival-keys-advice = Release the right one under Pending enrolment, or enrol the PC with the customer's cPIN.
enrolment-other-partners-pool = The PC is with another partner
enrolment-other-partners-pool-advice = Whoever has the PC must release it. If it is yours, check who reported its sale.
enrolment-other-customers-tenant = The PC is with another customer
enrolment-other-customers-tenant-advice = Whoever has the PC must release it.
enrolment-listed-twice = Several customers have this serial number on their zero-touch lists
enrolment-listed-twice-advice = Enrol the PC with the cPIN, or take it off the wrong list.
enrolment-foreign-domain = The PC belongs to a domain that is not on the customer's list
enrolment-foreign-domain-advice = Confirm it on the PC, release it under Pending enrolment, or add the domain to the list.
enrolment-cpin-unknown = No customer has this cPIN
enrolment-cpin-unknown-advice = Compare it with the cPIN in the customer's settings, under Preferences.
enrolment-cpin-expired = The cPIN has expired
enrolment-cpin-expired-advice = Use the customer's new cPIN, or release the PC under Pending enrolment.
enrolment-cpin-used-up = The cPIN has enrolled as many PCs as it may
enrolment-cpin-used-up-advice = Make a new cPIN, or release the PC under Pending enrolment.
enrolment-cpin-revoked = The cPIN was taken back
enrolment-cpin-revoked-advice = Use the customer's new cPIN, or release the PC under Pending enrolment.
enrolment-customer-disabled = The customer tenant is disabled
enrolment-customer-disabled-advice = The PC enrols once the customer tenant is active again.
enrolment-refused = Somebody has refused this PC
enrolment-refused-advice = Under Pending enrolment it can be released again.
enrolment-over = The PC is enrolled already
enrolment-over-advice = There is nothing left to decide.
enrolment-not-yours = Only the other side can release this PC
enrolment-not-yours-advice = Wait for it, or refuse the PC.
enrolment-needs-more = Nobody can release this PC as it is
enrolment-needs-more-advice = Read its reason: something else has to happen first.
cpin-mistyped = This is not a cPIN
cpin-mistyped-advice = A cPIN has twelve characters, without 0, 1, I, L and O. One of them is wrong, or two changed places.
cpin-unknown = No customer has this cPIN
cpin-unknown-advice = Compare it with the cPIN in the customer's settings, under Preferences.
cpin-too-many-guesses = Too many wrong cPINs
cpin-too-many-guesses-advice = Try again in an hour, with the cPIN from the customer's settings.
date-past = This day is past
date-past-advice = Choose a later day.
domain-invalid = This is not a list of domains
domain-invalid-advice = Give up to 100 names like example.com.
field-too-many = Too many at once
field-too-many-advice = Send at most 100,000.
device-unknown = No PC has this key
device-unknown-advice = Enrol the PC first.
cpin-none-valid = There is no valid cPIN
cpin-none-valid-advice = Make a new one first.

nav-pending = Pending enrolment
pending-lead = PCs that ask to join and wait: each with its reason. What concerns another partner or customer is not named.
pending-empty = No PC waits
pending-empty-text = A PC that cannot be enrolled by itself shows up here.
pending-reason = Reason
pending-where = Where
pending-decide = Decide
pending-key = Key
pending-held-by = Now in: { $name }
pending-comes-by = To: { $name }
pending-asked = { $n ->
    [one] Asked once, last on { $at } (UTC)
   *[other] Asked { $n } times, last on { $at } (UTC)
    }
pending-release = Release
pending-again = Let it ask again
pending-refuse = Refuse
pending-done-enrolled = The PC is enrolled.
pending-done-waiting = The PC still waits, for another reason.
pending-done-refused = The PC was refused. It stays where it is.

preferences-title = Preferences
preferences-done-cpin = A new cPIN was made.
preferences-done-revoked = The cPIN was taken back.
preferences-done-domains = The domains are saved.
preferences-done-listed = The serial numbers are on the list.
preferences-done-privacy = What agents may tell is saved.
preferences-not-joined = not yet
cpin-title = cPIN
cpin-lead = Whoever sets up a PC types the cPIN, and the PC joins this customer tenant.
cpin-made-partner = Made by the partner, { $at }
cpin-made-customer = Made by the customer, { $at }
cpin-none = There is no cPIN yet.
cpin-state = State
cpin-state-valid = valid
cpin-state-expired = expired
cpin-state-used-up = used up
cpin-state-revoked = taken back
cpin-expires = Valid until (UTC)
cpin-used = Used
cpin-uses = { $uses } of { $most }
cpin-last = Last use
cpin-never-used = never used
cpin-revoke = Take back
cpin-last-day = Last day (a year from now if empty)
cpin-most-uses = PCs at most (a million if empty)
cpin-make = Make a new cPIN
cpin-rotation = The former cPIN goes on for 14 days, older ones end at once.
cpin-install = Silent installation
cpin-install-lead = This command enrols a PC without a question, once the agent is installed.
domains-title = Domains
domains-lead = A second factor: if you name the company's domains, a PC of another domain is asked to confirm, and without anybody at it waits under Pending enrolment.
domains-label = Domains, with commas between them
zero-title = Zero-touch list
zero-lead = PCs with these serial numbers join by themselves, without the cPIN, once a report has placed them with your partner.
zero-label = Serial numbers, one a line
zero-add = Put on the list
zero-joined = Joined (UTC)
zero-more = There are more; the API lists them all.
privacy-title = What agents tell of persons
privacy-lead = Switched off, nothing of a person is sent or kept. What is switched off is deleted.
privacy-user = Who is signed in
privacy-location = Where the PC is
privacy-customers-own = Only the customer's IT admin decides this.
cpin-send-to = Send the instructions to
cpin-send = Send the instructions
preferences-done-sent = The instructions are on their way.
last-seen = Last seen (UTC)
never-seen = never

log-device-enrolled = PC enrolled
log-enrolment-waiting = Enrolment waits
log-enrolment-refused = Enrolment refused
log-cpin-created = cPIN made
log-cpin-sent = cPIN instructions sent
log-cpin-revoked = cPIN taken back
log-enrolment-domains-changed = Domains changed
log-zero-touch-changed = Zero-touch list changed
log-privacy-changed = What agents may tell was changed
log-arrival-confirmed = PCs confirmed

notices = Notifications
notices-lead = What waits for an answer of yours.
notices-none = Nothing waits
notices-none-text = Invitations, arrivals and PCs that ask to join show up here.
notices-invited = { $name } asks to look after your PCs
notices-asked = { $name } asks you to look after its PCs
notices-arrivals = { $n ->
    [one] One PC arrived: say whether it is yours
   *[other] { $count } PCs arrived: say whether they are yours
    }
notices-enrolments = { $n ->
    [one] One PC waits to join
   *[other] { $count } PCs wait to join
    }
notices-unanswered = { $n ->
    [one] One customer has not answered your invitation yet
   *[other] { $count } customers have not answered your invitation yet
    }
notices-answer = Answer
notices-look = Look
notices-waiting = { $count } waiting
arrivals-confirm = They are ours
arrivals-confirm-means = What agents tell of persons since the move is then open to you; what was told before it stays sealed.
arrivals-confirmed = Confirmed.
possession = In hand
possession-cpin = by cPIN
possession-key = by its key
possession-confirmed = confirmed
possession-none = not shown yet
personal-sealed = sealed
last-user = Last user
