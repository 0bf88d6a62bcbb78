# Accounts: pages in front of the door, users, profile.
sign-in-forgotten = Forgot your password?
door-to-sign-in = To the sign-in
door-name = Your name
door-new-password = New password
door-password-hint = At least 12 characters.
organisation-operator = the programme team
invitation-title = Your invitation
invitation-lead = You are invited to { $organisation } as { $role }. You will sign in as { $email }.
invitation-accept = Accept the invitation
reset-title = Reset your password
reset-lead = Enter the address that you sign in with. You get a link by mail to choose a new password.
reset-send = Send the link
reset-sent = If { $email } has an account, a link is on its way there. It works once, for an hour.
reset-no-mail-server = Mails wait at present; if none comes, ask the programme team.
reset-new-title = Choose a new password
reset-new-lead = For { $email }. You are signed out everywhere else.
reset-save = Save and sign in
wait-seconds = { $n ->
    [one] Wait a second, then try again.
   *[other] Wait { $n } seconds, then try again.
    }
wait-minutes = { $n ->
    [one] Wait a minute, then try again.
   *[other] Wait { $n } minutes, then try again.
    }

# Codes about accounts.
too-many-tries = Too many tries that failed
too-many-tries-advice = Wait before the next try; Retry-After says how many seconds.
link-spent = This link opens nothing
link-spent-advice = It was used already, has ended, or a newer one has taken its place. Ask for a new one.
user-last-admin = Somebody has to manage the users
user-last-admin-advice = Nothing was changed. First give another active user a role that manages users.
user-deactivated = This user is deactivated
user-deactivated-advice = Activate the user first.
invitation-too-many = Too many people on the list
invitation-too-many-advice = Nobody was invited. Send at most 500 lines at once.
invitation-too-many-open = Too many open invitations
invitation-too-many-open-advice = Nobody was invited. At most 1,000 invitations can be open; withdraw those that nobody needs.
invitation-twice = This address is on the list twice
invitation-twice-advice = The first line counts.
invitation-list-not-utf-8 = The list is not UTF-8 text
invitation-list-not-utf-8-advice = Save it as CSV UTF-8 and send it again.
invitation-address-has-account = This address has an account already
invitation-address-has-account-advice = An address signs in to one account. Sign in with it, or ask to be invited with another address.
invited = Invited
invited-again = Invited again; the earlier link no longer works
password-too-long = The password is too long
password-too-long-advice = Use at most 200 characters.
password-too-easy = The password is too easy to guess
password-too-easy-advice = Use neither your address nor one character over and over.
password-wrong = The present password is wrong
password-wrong-advice = Type it in again.

nav-users-and-logs = Users and logs
nav-settings = Settings
settings-users = Users
settings-logs = Logs
settings-tokens = API tokens
settings-mails = Mails
zone-note = Times are in the time zone
language-en = English
language-de = German

users-lead = People who sign in for { $organisation }, and who is invited.
users-for = Users of a partner or reporter
users-for-hint = Number or id; empty for our own
users-for-show = Show
users-invite = Invite somebody
users-invite-send = Send the invitation
users-email = E-mail address
users-name = Name
users-role = Role
users-language = Language of the mail
users-list = Invite many by a list
users-list-label = List of people
users-list-hint = CSV with a header: e-mail, name, role, language. At most 500 lines. Nobody is invited before you have seen what each line comes to.
users-list-file = Or choose a file
users-list-check = Check the list
users-list-preview = What each line comes to
users-list-invite = { $n ->
    [one] Invite one person
   *[other] Invite { $n } people
    }
users-people = People
users-empty = Nobody yet
users-empty-text = Invite the first person above.
users-signed-in = Last sign-in
users-never = never
users-state = State
users-active = Active
users-deactivated = Deactivated
users-actions = Actions
users-change = Change
users-change-role = Change role
users-reset = Send a link for a new password
users-deactivate = Deactivate
users-activate = Activate
users-me = you
users-open = Open invitations
users-until = Valid until
users-ended = has ended
users-again = Send again
users-withdraw = Withdraw
users-more-open = Only the newest invitations are shown.
users-done-invited = The invitation is on its way.
users-done-invited-many = The invitations are on their way.
users-done-withdrawn = The invitation was withdrawn; its link opens nothing any more.
users-done-changed = The change is in force.
users-done-reset = A link for a new password is on its way.
mails-wait = No mail server is configured: invitations and links wait until the programme team has set one up.

account-title = Profile and sessions
account-profile = Profile
account-name = Name
account-language = Language
account-language-browser = As the browser asks for
account-time-zone = Time zone
account-zone-utc = UTC
account-date-format = Dates as
account-password-title = Password
account-present-password = Present password
account-password = New password
account-password-save = Change the password
account-sessions = Where you are signed in
account-browser = Browser
account-unknown-browser = Unknown browser
account-address = Network address
account-opened = Signed in
account-seen = Last used
account-this = this one
account-end = Sign out
account-end-others = Sign out everywhere else
account-done-profile = Your profile was saved.
account-done-password = Your password was changed; you are signed out everywhere else.
account-done-session = The session was ended.
account-done-sessions = You are signed out everywhere else.

logs-lead = Sign-ins and changes in your organisation, newest first.
logs-export = Export as CSV
logs-action = What
logs-actor = Who
logs-from = From
logs-until = To
logs-all = All
logs-filter = Filter
logs-clear = Clear the filter
logs-empty = No line of the log
logs-at = When
logs-detail = Details
log-by-system = The platform
log-by-others = The programme team
log-partner-created = Partner added
log-qualification-recorded = Qualification recorded
log-holding-tenant-created = Holding tenant created
log-reporter-created = Reporter added
log-report-received = Report handed in
log-pool-changed = Unassigned Devices changed
log-self-service-turned = Self-service notifications turned on or off
log-session-signed-in = Signed in
log-session-signed-out = Signed out
log-session-sign-in-failed = Sign-in failed
log-token-created = Token created
log-token-revoked = Token revoked
log-customer-created = Customer created
log-assigned-partner-changed = Assigned partner changed
log-partner-access-changed = Partner's access changed
log-transfer-committed = Transfer committed
log-transfer-undone = Transfer undone
log-arrival-declined = Arrival declined
log-user-created = User added
log-user-invited = User invited
log-invitation-withdrawn = Invitation withdrawn
log-user-changed = User changed
log-password-reset-requested = Link for a new password requested
log-password-changed = Password changed
log-profile-changed = Profile changed

tokens-lead = Bearer tokens of the API. A token is shown once, when it is made, and kept as a hash.
tokens-add = Create a token
tokens-create = Create
tokens-name = Name
tokens-role = Role
tokens-for = For
tokens-for-hint = Number or id of the partner or reporter; empty for the programme team.
tokens-created = Created
tokens-used = Last used
tokens-revoke = Revoke
tokens-revoked = Revoked
tokens-empty = No token yet
tokens-made = This is the token.
tokens-made-advice = Copy it now: it is not shown again.
tokens-done-revoked = The token opens nothing any more.

mails-lead = What the platform wrote to people: whether it went out, never what it says.
mails-no-server = No mail server is configured.
mails-no-server-advice = Mails wait and go out once the server is started with --smtp and --mail-from.
mails-count = { $n ->
    [one] { $count } mail waits
   *[other] { $count } mails wait
    }
mails-empty = No mail yet
mails-recipient = To
mails-kind = About
mails-written = Written
mails-attempts = Attempts
mails-queued = Waits
mails-sent = Sent
mails-failed = Given up
mail-kind-invitation = Invitation
mail-kind-password-reset = New password
idempotency-key-in-progress = The first request with this key is still being worked on
idempotency-key-in-progress-advice = Send it again in a moment: you then get its answer.
idempotency-key-invalid = This Idempotency-Key cannot be used
idempotency-key-invalid-advice = Use 1 to 255 visible ASCII characters.
