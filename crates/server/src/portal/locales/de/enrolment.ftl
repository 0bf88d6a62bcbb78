# Registrierung: Gründe, cPINs, ausstehende Registrierungen, Präferenzen.
serial-invalid = Das ist keine Seriennummer
serial-invalid-advice = Eine Seriennummer hat 5 bis 40 Zeichen: Buchstaben A bis Z, Ziffern, Bindestrich, Punkt, Schrägstrich.
key-invalid = Das ist kein öffentlicher Schlüssel
key-invalid-advice = Senden Sie die 32 Byte des öffentlichen Ed25519-Schlüssels des PCs in Base64.
signature-missing = Die Anfrage ist nicht signiert
signature-missing-advice = Signieren Sie sie mit dem Schlüssel des PCs nach RFC 9421: Kopfzeilen Content-Digest, Signature-Input und Signature.
signature-malformed = Die Signatur ist nicht lesbar
signature-malformed-advice = Geben Sie created, nonce und keyid an und einen Hash des Inhalts mit SHA-256 oder SHA-512.
signature-coverage = Die Signatur deckt zu wenig ab oder etwas, das nicht da ist
signature-coverage-advice = Decken Sie @method, @target-uri und content-digest ab.
signature-digest = Der Inhalt ist nicht der, der signiert wurde
signature-digest-advice = Senden Sie die Anfrage noch einmal. Bleibt es dabei, verändert etwas zwischen PC und Plattform, was gesendet wird.
signature-wrong = Die Signatur passt nicht zum Schlüssel und zur Anfrage
signature-wrong-advice = Signieren Sie mit dem vorgelegten Schlüssel über die Adresse, unter der die Plattform erreicht wird.
signature-clock-skewed = Die Uhr des PCs geht falsch
signature-clock-skewed-advice = Signieren Sie noch einmal nach der Zeit des Servers, die in dieser Antwort steht, und stellen Sie die Uhr des PCs.
signature-repeated = Diese Anfrage wurde schon angenommen
signature-repeated-advice = Signieren Sie jede Anfrage mit einer eigenen Nonce.

enrolment-not-placed = Noch keine Meldung hat diesen PC zugeordnet
enrolment-not-placed-advice = Der PC registriert sich von selbst, sobald eine Meldung ihn zuordnet. Mit der cPIN des Kunden registriert er sich sofort.
enrolment-second-key = Der PC hat schon einen anderen Schlüssel
enrolment-second-key-advice = Wurde der PC neu eingerichtet, geben Sie den neuen Schlüssel unter Ausstehende Registrierungen frei; sonst verwendet ein anderes Gerät seine Seriennummer.
enrolment-key-taken = Der Schlüssel gehört einem anderen PC
enrolment-key-taken-advice = Der Datenträger wurde kopiert oder die Hauptplatine getauscht. Löschen Sie auf diesem PC die Schlüsseldatei des Agenten und starten Sie ihn neu.
enrolment-rival-keys = Mehrere Geräte beanspruchen diese Seriennummer
enrolment-rival-keys-advice = Geben Sie unter Ausstehende Registrierungen das richtige frei oder registrieren Sie den PC mit der cPIN des Kunden.
enrolment-other-partners-pool = Der PC ist bei einem anderen Partner
enrolment-other-partners-pool-advice = Wer den PC hat, muss ihn freigeben. Gehört er Ihnen, prüfen Sie, wer seinen Verkauf gemeldet hat.
enrolment-other-customers-tenant = Der PC ist bei einem anderen Kunden
enrolment-other-customers-tenant-advice = Wer den PC hat, muss ihn freigeben.
enrolment-listed-twice = Mehrere Kunden haben diese Seriennummer auf ihrer Zero-Touch-Liste
enrolment-listed-twice-advice = Registrieren Sie den PC mit der cPIN oder nehmen Sie ihn von der falschen Liste.
enrolment-foreign-domain = Der PC gehört zu einer Domäne, die nicht auf der Liste des Kunden steht
enrolment-foreign-domain-advice = Bestätigen Sie es am PC, geben Sie ihn unter Ausstehende Registrierungen frei oder nehmen Sie die Domäne in die Liste auf.
enrolment-cpin-unknown = Kein Kunde hat diese cPIN
enrolment-cpin-unknown-advice = Vergleichen Sie sie mit der cPIN in den Einstellungen des Kunden.
enrolment-cpin-expired = Die cPIN ist abgelaufen
enrolment-cpin-expired-advice = Verwenden Sie die neue cPIN des Kunden oder geben Sie den PC unter Ausstehende Registrierungen frei.
enrolment-cpin-used-up = Die cPIN hat so viele PCs registriert, wie sie darf
enrolment-cpin-used-up-advice = Erzeugen Sie eine neue cPIN oder geben Sie den PC unter Ausstehende Registrierungen frei.
enrolment-cpin-revoked = Die cPIN wurde zurückgezogen
enrolment-cpin-revoked-advice = Verwenden Sie die neue cPIN des Kunden oder geben Sie den PC unter Ausstehende Registrierungen frei.
enrolment-customer-disabled = Der Kundenmandant ist deaktiviert
enrolment-customer-disabled-advice = Der PC registriert sich, sobald der Kundenmandant wieder aktiv ist.
enrolment-refused = Dieser PC wurde abgelehnt
enrolment-refused-advice = Unter Ausstehende Registrierungen kann er wieder freigegeben werden.
enrolment-over = Der PC ist schon registriert
enrolment-over-advice = Es ist nichts mehr zu entscheiden.
enrolment-not-yours = Nur die andere Seite kann diesen PC freigeben
enrolment-not-yours-advice = Warten Sie darauf oder lehnen Sie den PC ab.
enrolment-needs-more = So kann niemand diesen PC freigeben
enrolment-needs-more-advice = Lesen Sie den Grund: Etwas anderes muss vorher geschehen.
cpin-mistyped = Das ist keine cPIN
cpin-mistyped-advice = Eine cPIN hat zwölf Zeichen, ohne 0, 1, I, L und O. Eines davon ist falsch, oder zwei sind vertauscht.
cpin-unknown = Kein Kunde hat diese cPIN
cpin-unknown-advice = Vergleichen Sie sie mit der cPIN in den Einstellungen des Kunden.
cpin-too-many-guesses = Zu viele falsche cPINs
cpin-too-many-guesses-advice = Versuchen Sie es in einer Stunde noch einmal, mit der cPIN aus den Einstellungen des Kunden.
date-past = Dieser Tag ist vergangen
date-past-advice = Wählen Sie einen späteren Tag.
domain-invalid = Das ist keine Liste von Domänen
domain-invalid-advice = Geben Sie bis zu 100 Namen wie example.com an.
field-too-many = Zu viele auf einmal
field-too-many-advice = Senden Sie höchstens 100.000.
device-unknown = Kein PC hat diesen Schlüssel
device-unknown-advice = Registrieren Sie den PC zuerst.
cpin-none-valid = Es gibt keine gültige cPIN
cpin-none-valid-advice = Erzeugen Sie zuerst eine neue.

nav-pending = Ausstehende Registrierungen
pending-lead = PCs, die aufgenommen werden wollen und warten: jeder mit seinem Grund. Was einen anderen Partner oder Kunden betrifft, wird nicht genannt.
pending-empty = Kein PC wartet
pending-empty-text = Ein PC, der sich nicht von selbst registrieren kann, erscheint hier.
pending-reason = Grund
pending-where = Wo
pending-decide = Entscheiden
pending-key = Schlüssel
pending-held-by = Jetzt in: { $name }
pending-comes-by = Zu: { $name }
pending-asked = { $n ->
    [one] Einmal gefragt, zuletzt am { $at } (UTC)
   *[other] { $n }-mal gefragt, zuletzt am { $at } (UTC)
    }
pending-release = Freigeben
pending-again = Wieder fragen lassen
pending-refuse = Ablehnen
pending-done-enrolled = Der PC ist registriert.
pending-done-waiting = Der PC wartet noch, aus einem anderen Grund.
pending-done-refused = Der PC wurde abgelehnt. Er bleibt, wo er ist.

preferences-title = Voreinstellungen
preferences-done-cpin = Eine neue cPIN wurde erzeugt.
preferences-done-revoked = Die cPIN wurde zurückgezogen.
preferences-done-domains = Die Domänen sind gespeichert.
preferences-done-listed = Die Seriennummern stehen auf der Liste.
preferences-done-privacy = Was Agenten melden dürfen, ist gespeichert.
preferences-not-joined = noch nicht
cpin-title = cPIN
cpin-lead = Wer einen PC einrichtet, gibt die cPIN ein, und der PC kommt in diesen Kundenmandanten.
cpin-made-partner = Vom Partner erzeugt, { $at }
cpin-made-customer = Vom Kunden erzeugt, { $at }
cpin-none = Es gibt noch keine cPIN.
cpin-state = Zustand
cpin-state-valid = gültig
cpin-state-expired = abgelaufen
cpin-state-used-up = aufgebraucht
cpin-state-revoked = zurückgezogen
cpin-expires = Gültig bis (UTC)
cpin-used = Verwendet
cpin-uses = { $uses } von { $most }
cpin-last = Letzte Verwendung
cpin-never-used = nie verwendet
cpin-revoke = Zurückziehen
cpin-last-day = Letzter Tag (ein Jahr, wenn leer)
cpin-most-uses = Höchstens PCs (eine Million, wenn leer)
cpin-make = Neue cPIN erzeugen
cpin-rotation = Die bisherige cPIN gilt noch 14 Tage, ältere enden sofort.
cpin-install = Stille Installation
cpin-install-lead = Dieser Befehl registriert einen PC ohne Rückfrage, sobald der Agent installiert ist.
domains-title = Domänen
domains-lead = Ein zweiter Faktor: Nennen Sie die Domänen des Unternehmens, wird ein PC einer anderen Domäne um Bestätigung gebeten; sitzt niemand davor, wartet er unter Ausstehende Registrierungen.
domains-label = Domänen, mit Komma getrennt
zero-title = Zero-Touch-Liste
zero-lead = PCs mit diesen Seriennummern kommen von selbst dazu, ohne cPIN, sobald eine Meldung sie Ihrem Partner zugeordnet hat.
zero-label = Seriennummern, eine je Zeile
zero-add = Auf die Liste setzen
zero-joined = Dazugekommen (UTC)
zero-more = Es gibt mehr; die API nennt alle.
privacy-title = Was Agenten über Personen melden
privacy-lead = Ausgeschaltet wird nichts über eine Person gesendet oder behalten. Was ausgeschaltet wird, wird gelöscht.
privacy-user = Wer angemeldet ist
privacy-location = Wo der PC steht
privacy-customers-own = Darüber entscheidet nur der IT-Admin des Kunden.
cpin-send-to = Anleitung senden an
cpin-send = Anleitung senden
preferences-done-sent = Die Anleitung ist unterwegs.
last-seen = Zuletzt gesehen (UTC)
never-seen = nie

log-device-enrolled = PC registriert
log-enrolment-waiting = Registrierung wartet
log-enrolment-refused = Registrierung abgelehnt
log-cpin-created = cPIN erzeugt
log-cpin-sent = Anleitung zur cPIN gesendet
log-cpin-revoked = cPIN zurückgezogen
log-enrolment-domains-changed = Domänen geändert
log-zero-touch-changed = Zero-Touch-Liste geändert
log-privacy-changed = Geändert, was Agenten melden dürfen
log-arrival-confirmed = PCs bestätigt

notices = Benachrichtigungen
notices-lead = Was auf eine Antwort von Ihnen wartet.
notices-none = Nichts wartet
notices-none-text = Einladungen, Ankünfte und PCs, die aufgenommen werden wollen, erscheinen hier.
notices-invited = { $name } möchte Ihre PCs betreuen
notices-asked = { $name } bittet Sie, seine PCs zu betreuen
notices-arrivals = { $n ->
    [one] Ein PC ist angekommen: Sagen Sie, ob er Ihrer ist
   *[other] { $count } PCs sind angekommen: Sagen Sie, ob es Ihre sind
    }
notices-enrolments = { $n ->
    [one] Ein PC wartet auf seine Registrierung
   *[other] { $count } PCs warten auf ihre Registrierung
    }
notices-unanswered = { $n ->
    [one] Ein Kunde hat auf Ihre Einladung noch nicht geantwortet
   *[other] { $count } Kunden haben auf Ihre Einladung noch nicht geantwortet
    }
notices-answer = Antworten
notices-look = Ansehen
notices-waiting = { $count } warten
arrivals-confirm = Das sind unsere
arrivals-confirm-means = Was Agenten seit der Übertragung über Personen melden, ist dann für Sie offen; was davor gemeldet wurde, bleibt versiegelt.
arrivals-confirmed = Bestätigt.
possession = Besitz
possession-cpin = durch cPIN
possession-key = durch seinen Schlüssel
possession-confirmed = bestätigt
possession-none = noch nicht gezeigt
personal-sealed = versiegelt
last-user = Letzter Benutzer
