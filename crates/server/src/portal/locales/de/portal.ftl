# Die Seiten. Zahlen kommen als Text in $count, in der Schreibweise der Sprache, und als Zahl in $n für den Plural.
product = Roadstead
skip-to-content = Zum Inhalt springen
nav-label = Hauptmenü
nav-unassigned = Nicht zugewiesene Geräte
nav-reports = Verkaufsmeldungen
nav-partners = Partner
language-label = Sprache
sign-out = Abmelden
role-operator = Programmteam
role-distributor = Meldender
role-partner-admin = Partneradministration
role-partner-read-only = Partner, nur lesend
role-it-admin = IT-Administration
role-report-admin = Berichtsadministration
pager-label = Seiten
pager-first = Erste Seite
pager-next = Nächste Seite
live-interrupted = Die Live-Aktualisierung ist unterbrochen; wir versuchen es weiter.

sign-in-title = Anmelden
sign-in-lead = Verkaufte PCs, Verkaufsmeldungen und Partner an einem Ort.
sign-in-email = E-Mail-Adresse
sign-in-password = Passwort
sign-in-button = Anmelden
sign-in-wrong = Adresse oder Passwort ist falsch.
sign-in-wrong-advice = Prüfen Sie beides und versuchen Sie es noch einmal.

error-home = Zur Startseite
error-request-id = Anfragenummer

unassigned-lead = Die PCs Ihres Holding-Mandanten: von Ihnen verkauft und noch in keinem Kundenmandanten. Sie kommen von selbst, sobald sie gemeldet sind.
unassigned-search = Liste durchsuchen
unassigned-search-hint = Seriennummer, Modell, Endkunde, Rechnung
unassigned-search-button = Suchen
unassigned-sort = Sortieren nach
unassigned-sort-serial = Seriennummer
unassigned-sort-newest = Zuletzt gekommen
unassigned-export = Als CSV exportieren
unassigned-count = { $n ->
    [one] { $count } PC
   *[other] { $count } PCs
    }
unassigned-arrived = { $n ->
    [one] { $count } neuer PC ist angekommen.
   *[other] { $count } neue PCs sind angekommen.
    }
unassigned-no-hit = Kein PC passt
unassigned-no-hit-advice = Gesucht wird nach einem Teil der Seriennummer, des Modells, der Produktnummer, des Endkunden oder der Rechnung.
unassigned-serial = Seriennummer
unassigned-model = Modell
unassigned-level = Servicestufe
unassigned-no-level = keine
unassigned-end-customer = Endkunde
unassigned-invoice = Rechnung
unassigned-sold-on = Verkauft am
unassigned-reported-by = Gemeldet von
unassigned-since = Hier seit (UTC)
unassigned-pending = Wartende und strittige Zeilen
unassigned-pending-lead = Gemeldete Zeilen zu Ihnen, die keinen PC hierher gebracht haben, und was daraus wird.

empty-nothing-reported = Für Sie wurde noch nichts gemeldet
empty-nothing-reported-text = Ein PC erscheint hier, sobald eine Verkaufsmeldung Ihre Händlernummer { $number } als Verkäufer nennt.
empty-step-number = Fragen Sie Ihren Distributor, ob er Ihre Verkäufe meldet, und zwar unter der Händlernummer { $number }. Eine andere Nummer erreicht Sie nie.
empty-step-qualify = Schließen Sie den Kurs ab und lassen Sie sich für Premium oder Premium+ zertifizieren. Was vorher gemeldet wird, wartet und geht nicht verloren.
empty-step-wait = Sie müssen nichts starten und nichts annehmen: diese Seite zeigt jeden PC wenige Sekunden nach seiner Meldung.
empty-not-qualified = Gemeldet, aber noch nicht hier
empty-not-qualified-text = PCs kommen in Ihren Holding-Mandanten, sobald Sie für Premium oder Premium+ zertifiziert sind. Zeilen, die darauf warten, werden von selbst erneut beurteilt.
empty-at-present = Derzeit ist kein PC ohne Zuweisung
empty-at-present-text = Neue PCs erscheinen hier von selbst, sobald sie unter Ihrer Händlernummer { $number } gemeldet sind. Unten steht, was bisher gemeldet wurde.
empty-reported = Was für Sie gemeldet wurde
empty-reported-none = Keine Zeile einer Verkaufsmeldung nennt { $number }.
empty-qualification = Ihre Qualifizierung
empty-qualification-none = Keine Qualifizierung eingetragen
empty-qualification-text = Eine gültige Qualifizierung genügt, gleich für welche Servicestufe und in welcher Rolle. Das Programmteam trägt sie ein.

yours-not-qualified = Wartet auf Ihre Zertifizierung
yours-not-qualified-advice = Schließen Sie den Kurs ab und lassen Sie sich zertifizieren. Diese PCs kommen dann von selbst in Ihren Holding-Mandanten.

partner-role-resell-and-view-monitor = Resell and View/Monitor
partner-role-service-delivery = Service Delivery
standing-course-open = Kurs noch nicht abgeschlossen
standing-not-certified = Kurs am { $date } abgeschlossen, noch nicht zertifiziert
standing-certified-from = Zertifiziert ab { $date }
standing-valid-since = Gültig seit { $date }
standing-valid-until = Gültig, endet am { $date }
standing-lapsed = Abgelaufen am { $date }

reports-lead = Dateien, die sagen, wer welchen PC verkauft hat. Jede Zeile wird einzeln beurteilt; eine fehlerhafte hält die anderen nicht auf.
reports-list = Bisherige Meldungen
reports-empty = Noch keine Verkaufsmeldung
reports-empty-text = Reichen Sie oben die erste ein. Nach wenigen Sekunden sehen Sie, wozu jede Zeile geführt hat.
reports-empty-columns = Die erste Zeile nennt die Spalten. Nötig sind Verkaufsdatum, Händlernummer, Produktnummer, Seriennummer und Menge.
upload-title = Verkaufsmeldung einreichen
upload-no-script = Das Einreichen auf dieser Seite braucht JavaScript. Ohne JavaScript senden Sie die Datei an die API.
upload-choose = Datei wählen oder hierher ziehen
upload-kinds = CSV oder XLSX
upload-reporter = Meldender
upload-reporter-choose = Bitte wählen
upload-validate-only = Nur prüfen, nichts ändern
upload-validate-only-hint = Jede Zeile wird beurteilt, aber kein PC bewegt sich.
upload-send = Einreichen
upload-sending = Datei wird gesendet: { $percent }
upload-keeping = Die Datei ist angekommen und wird durchgesehen.
upload-waiting = Die Meldung ist gesichert und wartet auf die Beurteilung.

report-back = Alle Verkaufsmeldungen
report-file = Datei
report-reporter = Meldender
report-received = Eingegangen (UTC)
report-lines = Zeilen
report-size = Größe
report-state = Stand
report-result = Ergebnis
report-state-received = Wartet
report-state-running = Wird beurteilt
report-state-succeeded = Fertig
report-state-failed = Fehlgeschlagen
report-lines-of = { $done } von { $total } Zeilen
report-only-checked = nur geprüft
report-only-checked-note = Diese Meldung wurde nur geprüft: nichts wurde geändert, kein PC hat sich bewegt. Damit sie zählt, reichen Sie die Datei ohne diese Auswahl noch einmal ein.
report-errors-download = Fehlerdatei herunterladen
report-lines-title = Zeilen
report-filter = Zeilen nach Ergebnis zeigen
report-all-lines = Alle
report-no-lines = Hier ist keine Zeile.
report-row = Dateizeile
report-reseller = Händler
report-sale = Verkauf
report-verdict = Ergebnis und Grund

partners-lead = Wer einen Holding-Mandanten haben kann. Er entsteht von selbst mit der ersten gültigen Qualifizierung.
partners-add = Partner anlegen
partners-empty = Noch kein Partner
partners-empty-text = Legen Sie den ersten mit der Nummer an, unter der Verkaufsmeldungen ihn nennen.
partners-has-holding = Holding-Mandant vorhanden
partners-no-holding = Noch kein Holding-Mandant
partners-no-qualification = Keine Qualifizierung eingetragen.
partners-qualify = Qualifizierung eintragen
reporters-title = Meldende
reporters-lead = Wer Verkaufsmeldungen einreicht: ein Distributor für jeden Händler, ein Händler nur für sich selbst.
reporters-add = Meldenden anlegen
reporter-kind-distributor = Distributor
reporter-kind-reseller = Händler, der selbst meldet
done-partner = Der Partner wurde angelegt.
done-qualification = Die Qualifizierung wurde eingetragen. Zeilen, die darauf gewartet haben, werden erneut beurteilt.
done-reporter = Der Meldende wurde angelegt.
form-save = Speichern
form-partner-number = Händlernummer
form-reporter-number = Nummer des Meldenden
form-name = Name
form-kind = Art
form-support-level = Servicestufe
form-role = Rolle
form-course-completed-on = Kurs abgeschlossen am
form-certified-on = Zertifiziert am
form-expires-on = Endet am
field-not-a-date = Das ist kein Datum
field-not-a-date-advice = Schreiben Sie es als 2026-11-18.
