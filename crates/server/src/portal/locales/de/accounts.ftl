# Konten: Seiten vor der Tür, Benutzer, Profil.
sign-in-forgotten = Passwort vergessen?
door-to-sign-in = Zur Anmeldung
door-name = Ihr Name
door-new-password = Neues Passwort
door-password-hint = Mindestens 12 Zeichen.
organisation-operator = Programmteam
invitation-title = Ihre Einladung
invitation-lead = Sie sind zu { $organisation } eingeladen, mit der Rolle { $role }. Sie melden sich an als { $email }.
invitation-accept = Einladung annehmen
reset-title = Passwort zurücksetzen
reset-lead = Geben Sie die Adresse ein, mit der Sie sich anmelden. Sie erhalten einen Link per Mail, um ein neues Passwort zu wählen.
reset-send = Link senden
reset-sent = Wenn es zu { $email } ein Konto gibt, ist ein Link dorthin unterwegs. Er gilt einmal, eine Stunde lang.
reset-no-mail-server = Mails warten derzeit; wenn keine kommt, fragen Sie das Programmteam.
reset-new-title = Wählen Sie ein neues Passwort
reset-new-lead = Für { $email }. Überall sonst werden Sie abgemeldet.
reset-save = Speichern und anmelden
wait-seconds = { $n ->
    [one] Warten Sie eine Sekunde und versuchen Sie es dann noch einmal.
   *[other] Warten Sie { $n } Sekunden und versuchen Sie es dann noch einmal.
    }
wait-minutes = { $n ->
    [one] Warten Sie eine Minute und versuchen Sie es dann noch einmal.
   *[other] Warten Sie { $n } Minuten und versuchen Sie es dann noch einmal.
    }

# Codes zu Konten.
too-many-tries = Zu viele Fehlversuche
too-many-tries-advice = Warten Sie bis zum nächsten Versuch; Retry-After nennt die Sekunden.
link-spent = Dieser Link öffnet nichts
link-spent-advice = Er wurde schon benutzt, ist abgelaufen oder durch einen neueren ersetzt. Bitten Sie um einen neuen.
user-last-admin = Jemand muss die Benutzer verwalten
user-last-admin-advice = Es wurde nichts geändert. Geben Sie zuerst einer anderen aktiven Person eine Rolle, die Benutzer verwaltet.
user-deactivated = Diese Person ist deaktiviert
user-deactivated-advice = Aktivieren Sie sie zuerst.
invitation-too-many = Zu viele Personen auf der Liste
invitation-too-many-advice = Niemand wurde eingeladen. Senden Sie höchstens 500 Zeilen auf einmal.
invitation-too-many-open = Zu viele offene Einladungen
invitation-too-many-open-advice = Niemand wurde eingeladen. Höchstens 1.000 Einladungen können offen sein; ziehen Sie zurück, was niemand braucht.
invitation-twice = Diese Adresse steht zweimal auf der Liste
invitation-twice-advice = Die erste Zeile gilt.
invitation-list-not-utf-8 = Die Liste ist kein UTF-8-Text
invitation-list-not-utf-8-advice = Speichern Sie sie als CSV UTF-8 und senden Sie sie noch einmal.
invitation-address-has-account = Zu dieser Adresse gibt es schon ein Konto
invitation-address-has-account-advice = Eine Adresse meldet sich an einem Konto an. Melden Sie sich damit an, oder lassen Sie sich unter einer anderen Adresse einladen.
invited = Eingeladen
invited-again = Erneut eingeladen; der frühere Link gilt nicht mehr
password-too-long = Das Passwort ist zu lang
password-too-long-advice = Verwenden Sie höchstens 200 Zeichen.
password-too-easy = Das Passwort ist zu leicht zu erraten
password-too-easy-advice = Verwenden Sie weder Ihre Adresse noch ein einziges Zeichen immer wieder.
password-wrong = Das jetzige Passwort ist falsch
password-wrong-advice = Geben Sie es noch einmal ein.

nav-users-and-logs = Benutzer und Protokolle
nav-settings = Einstellungen
settings-users = Benutzer
settings-logs = Protokolle
settings-tokens = API-Token
settings-mails = Mails
zone-note = Zeiten stehen in der Zeitzone
language-en = Englisch
language-de = Deutsch

users-lead = Personen, die sich für { $organisation } anmelden, und wer eingeladen ist.
users-for = Benutzer eines Partners oder Meldenden
users-for-hint = Nummer oder ID; leer für die eigenen
users-for-show = Anzeigen
users-invite = Jemanden einladen
users-invite-send = Einladung senden
users-email = E-Mail-Adresse
users-name = Name
users-role = Rolle
users-language = Sprache der Mail
users-list = Viele mit einer Liste einladen
users-list-label = Liste der Personen
users-list-hint = CSV mit Kopfzeile: E-Mail, Name, Rolle, Sprache. Höchstens 500 Zeilen. Niemand wird eingeladen, bevor Sie gesehen haben, wozu jede Zeile führt.
users-list-file = Oder eine Datei wählen
users-list-check = Liste prüfen
users-list-preview = Wozu jede Zeile führt
users-list-invite = { $n ->
    [one] Eine Person einladen
   *[other] { $n } Personen einladen
    }
users-people = Personen
users-empty = Noch niemand
users-empty-text = Laden Sie oben die erste Person ein.
users-signed-in = Letzte Anmeldung
users-never = nie
users-state = Zustand
users-active = Aktiv
users-deactivated = Deaktiviert
users-actions = Aktionen
users-change = Ändern
users-change-role = Rolle ändern
users-reset = Link für ein neues Passwort senden
users-deactivate = Deaktivieren
users-activate = Aktivieren
users-me = Sie
users-open = Offene Einladungen
users-until = Gültig bis
users-ended = abgelaufen
users-again = Erneut senden
users-withdraw = Zurückziehen
users-more-open = Nur die neuesten Einladungen werden gezeigt.
users-done-invited = Die Einladung ist unterwegs.
users-done-invited-many = Die Einladungen sind unterwegs.
users-done-withdrawn = Die Einladung wurde zurückgezogen; ihr Link öffnet nichts mehr.
users-done-changed = Die Änderung gilt.
users-done-reset = Ein Link für ein neues Passwort ist unterwegs.
mails-wait = Es ist kein Mailserver eingerichtet: Einladungen und Links warten, bis das Programmteam einen eingerichtet hat.

account-title = Profil und Sitzungen
account-profile = Profil
account-name = Name
account-language = Sprache
account-language-browser = Wie der Browser verlangt
account-time-zone = Zeitzone
account-zone-utc = UTC
account-date-format = Datum wie
account-password-title = Passwort
account-present-password = Jetziges Passwort
account-password = Neues Passwort
account-password-save = Passwort ändern
account-sessions = Wo Sie angemeldet sind
account-browser = Browser
account-unknown-browser = Unbekannter Browser
account-address = Netzadresse
account-opened = Angemeldet
account-seen = Zuletzt benutzt
account-this = diese
account-end = Abmelden
account-end-others = Überall sonst abmelden
account-done-profile = Ihr Profil wurde gespeichert.
account-done-password = Ihr Passwort wurde geändert; überall sonst sind Sie abgemeldet.
account-done-session = Die Sitzung wurde beendet.
account-done-sessions = Überall sonst sind Sie abgemeldet.

logs-lead = Anmeldungen und Änderungen in Ihrer Organisation, die neuesten zuerst.
logs-export = Als CSV exportieren
logs-action = Was
logs-actor = Wer
logs-from = Von
logs-until = Bis
logs-all = Alle
logs-filter = Filtern
logs-clear = Filter aufheben
logs-empty = Keine Zeile im Protokoll
logs-at = Wann
logs-detail = Einzelheiten
log-by-system = Die Plattform
log-by-others = Das Programmteam
log-partner-created = Partner angelegt
log-qualification-recorded = Qualifizierung eingetragen
log-holding-tenant-created = Holding-Mandant angelegt
log-reporter-created = Meldender angelegt
log-report-received = Meldung eingereicht
log-pool-changed = Nicht zugewiesene Geräte geändert
log-self-service-turned = Self-Service-Benachrichtigungen ein- oder ausgeschaltet
log-session-signed-in = Angemeldet
log-session-signed-out = Abgemeldet
log-session-sign-in-failed = Anmeldung misslungen
log-token-created = Token angelegt
log-token-revoked = Token widerrufen
log-customer-created = Kunde angelegt
log-assigned-partner-changed = Zugewiesener Partner geändert
log-partner-access-changed = Zugriff des Partners geändert
log-transfer-committed = Übertragung ausgeführt
log-transfer-undone = Übertragung rückgängig gemacht
log-arrival-declined = Ankunft abgelehnt
log-user-created = Benutzer angelegt
log-user-invited = Benutzer eingeladen
log-invitation-withdrawn = Einladung zurückgezogen
log-user-changed = Benutzer geändert
log-password-reset-requested = Link für neues Passwort angefordert
log-password-changed = Passwort geändert
log-profile-changed = Profil geändert

tokens-lead = Bearer-Token der API. Ein Token wird einmal gezeigt, wenn es entsteht, und als Hash aufbewahrt.
tokens-add = Token anlegen
tokens-create = Anlegen
tokens-name = Name
tokens-role = Rolle
tokens-for = Für
tokens-for-hint = Nummer oder ID des Partners oder Meldenden; leer für das Programmteam.
tokens-created = Angelegt
tokens-used = Zuletzt benutzt
tokens-revoke = Widerrufen
tokens-revoked = Widerrufen
tokens-empty = Noch kein Token
tokens-made = Das ist das Token.
tokens-made-advice = Kopieren Sie es jetzt: es wird nicht noch einmal gezeigt.
tokens-done-revoked = Das Token öffnet nichts mehr.

mails-lead = Was die Plattform geschrieben hat: ob es hinausging, nie was darin steht.
mails-no-server = Es ist kein Mailserver eingerichtet.
mails-no-server-advice = Mails warten und gehen hinaus, sobald der Server mit --smtp und --mail-from gestartet wird.
mails-count = { $n ->
    [one] { $count } Mail wartet
   *[other] { $count } Mails warten
    }
mails-empty = Noch keine Mail
mails-recipient = An
mails-kind = Worüber
mails-written = Geschrieben
mails-attempts = Versuche
mails-queued = Wartet
mails-sent = Gesendet
mails-failed = Aufgegeben
mail-kind-invitation = Einladung
mail-kind-password-reset = Neues Passwort
idempotency-key-in-progress = Die erste Anfrage mit diesem Schlüssel läuft noch
idempotency-key-in-progress-advice = Senden Sie sie gleich noch einmal: dann erhalten Sie ihre Antwort.
idempotency-key-invalid = Dieser Idempotency-Key ist nicht verwendbar
idempotency-key-invalid-advice = Verwenden Sie 1 bis 255 sichtbare ASCII-Zeichen.
