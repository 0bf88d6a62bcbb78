# Warnungen, Popups und Reparaturfälle: Seiten, PCs und E-Mails.
role-customer-support = Kundensupport

nav-alerts = Warnungen
nav-repair-cases = Reparaturfälle
nav-support-queue = Warteschlange des Kundensupports

desk-customer-support = Kundensupport
desk-csdp = CSDP-Konto von { $partner }

alert-disk-failing = Ein Datenträger fällt aus
alert-disk-failing-text = Der Datenträger { $part } meldet, dass er ausfällt. Sichern Sie Ihre Daten, und lassen Sie ihn bald reparieren.
alert-disk-predicted-failure = Ein Datenträger könnte bald ausfallen
alert-disk-predicted-failure-text = Der Datenträger { $part } zeigt erste Verschleißerscheinungen. Sichern Sie Ihre Daten, und lassen Sie ihn prüfen.
alert-disk-spare-low = Ein Datenträger hat keine Reserve mehr
alert-disk-spare-low-text = Der Datenträger { $part } hat seine Reserveblöcke fast verbraucht. Sichern Sie Ihre Daten, und lassen Sie ihn tauschen.
alert-disk-worn-out = Ein Datenträger ist verschlissen
alert-disk-worn-out-text = Der Datenträger { $part } hat die Lebensdauer erreicht, die sein Hersteller vorsah. Lassen Sie ihn bald tauschen.
alert-battery-worn = Der Akku ist verschlissen
alert-battery-worn-text = Der Akku { $part } fasst weniger als die Hälfte dessen, was er neu fasste.
alert-battery-recall = Der Akku wird zurückgerufen
alert-battery-recall-text = Der Hersteller ruft den Akku dieses PCs zurück ({ $part }). Lassen Sie ihn tauschen, und laden Sie den PC nicht unbeaufsichtigt.
alert-thermal-overheating = Der PC wird zu heiß
alert-thermal-overheating-text = Der Sensor { $part } bleibt bei seiner kritischen Temperatur. Ein Lüfter oder ein Luftschlitz könnte die Ursache sein.
alert-thermal-throttling = Der Prozessor bremst sich dauerhaft
alert-thermal-throttling-text = Der Prozessor { $part } wird so heiß, dass er sich immer wieder selbst bremst. Der PC ist dadurch langsam; oft ist die Kühlung verstaubt oder defekt.
alert-memory-failing = Der Arbeitsspeicher hat Fehler
alert-memory-failing-text = Der Arbeitsspeicher { $part } zeigt Fehler, die sich nicht korrigieren ließen. Daten können beschädigt sein.
alert-memory-errors = Der Arbeitsspeicher korrigiert Fehler
alert-memory-errors-text = Der Arbeitsspeicher { $part } musste oft Fehler korrigieren. Er könnte bald ausfallen.
alert-disk-full = Ein Datenträger ist fast voll
alert-disk-full-text = Auf { $part } sind weniger als 5 Prozent frei. Löschen oder verschieben Sie, was Sie nicht brauchen.
alert-os-crashes = Das System ist mehrmals abgestürzt
alert-os-crashes-text = Das System { $part } ist an einem Tag mindestens dreimal abgestürzt.
alert-heartbeat-lost = Vom PC ist nichts zu hören
alert-heartbeat-lost-text = Vom Agenten { $part } war seit 14 Tagen nichts zu hören.
alert-entitlement-expiring = Der Anspruch endet bald
alert-entitlement-expiring-text = Der Anspruch { $part } des PCs endet in höchstens 30 Tagen.
alert-firmware-outdated = BIOS oder Treiber sind veraltet
alert-firmware-outdated-text = Es gibt neuere Versionen von { $part }.
alert-hardware-fault = Ein Bauteil ist fehlerhaft
alert-hardware-fault-text = Eine Überwachung hat einen Fehler gefunden: { $part }.

case-contains-serial = Seriennummer: { $value }
case-contains-model = Modell: { $value }
case-contains-found = Was gefunden wurde: { $value }

repair-state-new = Neu
repair-state-claimed = In Arbeit
repair-state-waiting-for-user = Rückfrage an den Benutzer
repair-state-scheduled = Termin vereinbart
repair-state-in-repair = In Reparatur
repair-state-closed = Geschlossen
repair-state-cancelled = Zurückgenommen
repair-parts-ordered = Für die Reparatur wurden Teile bestellt.
repair-more-parts-ordered = Für die Reparatur wurden weitere Teile bestellt.

# Codes
pop-up-withdrawn = Dieses Popup gilt nicht mehr
pop-up-withdrawn-advice = Es wurde nichts gesendet. Ist der PC noch fehlerhaft, wenden Sie sich an die Stelle, die ihn betreut.
pop-up-expired = Dieses Popup ist zu alt
pop-up-expired-advice = Es wurde nichts gesendet. Besteht der Fehler weiter, kommt ein weiteres Popup.
pop-up-recipient-changed = Den Fall bekäme jetzt jemand anderes
pop-up-recipient-changed-advice = Es wurde nichts gesendet. Sehen Sie nach, wer ihn bekommt, und senden Sie ihn erneut, wenn das in Ordnung ist.
pop-up-switched-off = Die Self-Service-Benachrichtigungen wurden ausgeschaltet
pop-up-moved = Der PC wurde übertragen
pop-up-condition-gone = Der Fehler ist behoben
pop-up-submitted = Ein Reparaturfall wurde gesendet
alert-not-here = Diese Warnung gibt es dort nicht, wo der PC ist
alert-not-here-advice = Arten, die viele PCs betreffen, gibt es nur in Kundenmandanten.
alert-pc-is-moving = Der PC wird in diesem Augenblick übertragen
alert-pc-is-moving-advice = Es wurde nichts geändert. Senden Sie die Warnung nach so vielen Sekunden noch einmal, wie im Kopf Retry-After steht.
alert-agents = Diese Warnung stammt vom PC selbst
alert-agents-advice = Sie schließt sich von selbst, sobald der PC den Fehler nicht mehr sieht.
check-in-too-often = Dieser PC meldet sich zu oft
check-in-too-often-advice = Warten Sie so viele Sekunden, wie im Kopf Retry-After steht. Ein Agent meldet sich alle fünf Minuten.
device-too-often = Dieser PC fragt zu oft an
device-too-often-advice = Warten Sie so viele Sekunden, wie im Kopf Retry-After steht. Ein PC darf 120 Anfragen auf einmal senden, danach eine je Sekunde.
repair-case-not-yours = Das ist Sache einer anderen Seite
repair-case-not-yours-advice = Nur die Stelle, die den Fall hat, bearbeitet ihn; wer ihn eröffnet hat, kann ihn zurücknehmen und Rückfragen beantworten.
repair-case-over = Der Reparaturfall ist beendet
repair-case-over-advice = Eröffnen Sie einen neuen, wenn der Fehler noch besteht.
repair-case-too-late = Es gibt bereits einen Termin, oder es wurden Teile bestellt
repair-case-too-late-advice = Wenden Sie sich an die reparierende Stelle, um die Reparatur abzusagen.
repair-case-nothing-asked = Es gibt keine offene Rückfrage
repair-case-nothing-asked-advice = Sehen Sie sich den Fall erneut an: Vielleicht ist sie schon beantwortet.
repair-case-reference-used = Diese Bestellreferenz wurde schon verwendet
repair-case-reference-used-advice = Eine Bestellung mit verwendeter Referenz liefert nichts. Wählen Sie eine andere.
repair-case-cannot-merge = Der Fall kann nicht Teil von jenem werden
repair-case-cannot-merge-advice = Nennen Sie einen anderen offenen Fall desselben PCs, den Ihre Stelle hat.
repair-case-not-closed = Erstattung gibt es nur für einen geschlossenen Fall
repair-case-not-closed-advice = Schließen Sie den Fall zuerst mit Ergebnis und Fehlercode.
repair-case-claimed = Die Erstattung dieses Falls ist schon beantragt
repair-case-claimed-advice = Ein Antrag je Fall.
repair-case-no-other-desk = Für diesen Fall gibt es keine andere Stelle
repair-case-no-other-desk-advice = Der Partner des PCs leistet für dessen Servicestufe keinen Service.
repair-case-no-entitlement = Der PC hat heute keinen Anspruch
repair-case-no-entitlement-advice = Reparaturfälle gibt es für PCs mit Premium oder Premium+.
repair-case-exists = Zu dieser Warnung gibt es einen offenen Reparaturfall
repair-case-exists-advice = Sehen Sie unter Reparaturfälle nach.
repair-case-pool = Solange ein PC nicht zugewiesen ist, sendet nur der Mensch am PC einen Fall
repair-case-pool-advice = Kann der PC kein Popup zeigen, eröffnet der Kundensupport einen Fall für jeden, der dort anruft. Wünscht der Kunde keine Popups, legen Sie einen Kundenmandanten an, übertragen Sie den PC dorthin, und schalten Sie die Self-Service-Benachrichtigungen aus.
repair-case-pop-ups-on = Der Mensch am PC bekommt ein Popup und sendet den Fall
repair-case-pop-ups-on-advice = Selbst eröffnen können Sie ihn, wo die Self-Service-Benachrichtigungen aus sind oder der PC keinen Agenten hat oder seit einer Stunde nichts von ihm zu hören war. Vorher eröffnet ihn der Kundensupport für jeden, der dort anruft.
appointment-ends-before-it-begins = Der Termin endet, bevor er beginnt
appointment-ends-before-it-begins-advice = Wählen Sie ein Ende nach dem Beginn.
appointment-past = Der Termin liegt in der Vergangenheit
appointment-past-advice = Wählen Sie einen künftigen Zeitpunkt.
route-service-delivery = Der Partner leistet Service für diese Servicestufe
route-view-monitor = Der Partner verkauft und überwacht
route-level-not-covered = Der Partner leistet für diese Servicestufe keinen Service
route-partner-lapsed = Der Partner hatte an dem Tag keine gültige Qualifizierung
route-customer-override = Der Kunde wünscht die Reparatur durch den Kundensupport
route-no-partner = Der Kunde hat keinen Partner
route-handed-over = Er wurde übergeben

# Das Protokoll
log-repair-case-opened = Reparaturfall eröffnet
log-repair-case-changed = Reparaturfall geändert
log-repair-route-set = Ziel der Reparaturfälle geändert

# E-Mails
mail-repair-case-desk-subject = Reparaturfall { $number }: { $state }
mail-repair-case-desk-text = Zum Reparaturfall { $number } für den PC { $serial } gibt es etwas zu tun. Stand: { $state }.
mail-repair-case-desk-button = Reparaturfall öffnen
mail-repair-case-desk-why = Sie erhalten diese E-Mail, weil Sie an der Stelle arbeiten, die diesen Reparaturfall hat. Abbestellen können Sie solche E-Mails in Ihrem Konto.
mail-repair-case-assigned-subject = Reparaturfall { $number } wurde Ihnen zugeteilt
mail-repair-case-assigned-text = Der Reparaturfall { $number } für den PC { $serial } ist ab jetzt Ihrer. Stand: { $state }.
mail-repair-case-assigned-button = Reparaturfall öffnen
mail-repair-case-assigned-why = Sie erhalten diese E-Mail, weil Ihre Stelle Ihnen diesen Reparaturfall zugeteilt hat. Abbestellen können Sie solche E-Mails in Ihrem Konto.
mail-repair-case-received-subject = Reparatur Ihres PCs { $serial }: Ihr Fall ist angekommen ({ $desk })
mail-repair-case-received-text =
    Ihr Reparaturfall { $number } zum PC { $serial } ist angekommen und wird nun hier bearbeitet: { $desk }. Von dort meldet man sich bei Ihnen.

    Sie erfahren jeden Schritt per E-Mail und am PC.
mail-repair-case-received-button = Keine E-Mails mehr zu diesem Fall
mail-repair-case-received-why = Sie erhalten diese E-Mail, weil diese Adresse im Reparaturfall { $number } angegeben wurde. Der Link beendet nur E-Mails zu diesem Fall.
mail-repair-case-user-subject = Reparatur Ihres PCs { $serial }: { $state }
mail-repair-case-user-text =
    Ihr Reparaturfall { $number } ist einen Schritt weiter: { $state }.

    { $said }
mail-repair-case-user-button = Keine E-Mails mehr zu diesem Fall
mail-repair-case-user-why = Sie erhalten diese E-Mail, weil diese Adresse im Reparaturfall { $number } angegeben wurde. Der Link beendet nur E-Mails zu diesem Fall.

# Seiten
severity-info = Hinweis
severity-warning = Ernst
severity-critical = Kritisch
alerts-lead = Was Ihren PCs jetzt fehlt. Bei nicht zugewiesenen Geräten erfährt es der Mensch am PC und sendet den Reparaturfall; in einem Kundenmandanten mit ausgeschalteten Self-Service-Benachrichtigungen eröffnen Sie ihn hier.
alerts-empty = Keine offenen Warnungen
alerts-empty-text = Sobald der Agent auf einem PC läuft, erscheint hier, wie es ihm geht. Wie er installiert wird, steht in den Einstellungen des Kunden unter Präferenzen.
alerts-which = Welche Warnungen
alerts-open = Offen
alerts-closed = Geschlossen
alerts-none-closed = Keine geschlossenen Warnungen
alerts-none-closed-text = Eine Warnung schließt sich, wenn der PC beim Melden den Zustand nicht mehr zeigt. Geschlossene Warnungen bleiben hier, solange die Plattform sie aufbewahrt.
alerts-until = Geschlossen
alerts-kinds = Nach Art und Ursache
alerts-what = Was gefunden wurde
alerts-severity = Schwere
alerts-place = Wo
alerts-since = Seit
alerts-repair = Reparatur
alerts-open-label = Reparaturfall eröffnen: { $serial }
alert-repair-open = Wird repariert
alert-repair-done = Reparaturfall beendet
repair-new = Reparaturfall eröffnen
repair-new-lead = Anstelle des Benutzers: wo die Self-Service-Benachrichtigungen aus sind, wo der PC keinen Agenten hat oder seit einer Stunde nichts von ihm zu hören war, oder für jemanden, der beim Kundensupport anruft.
repair-open = Eröffnen
repair-opened-elsewhere = Der Reparaturfall ist eröffnet. Er ging an das CSDP-Konto des Partners, der den PC betreut, und steht deshalb nicht in dieser Liste.
repair-lead = Reparaturfälle Ihrer PCs. Fälle Ihres CSDP-Kontos sind hervorgehoben; die anderen repariert der Kundensupport, und Sie sehen, wie weit er ist.
repair-queue-lead = Fälle, die der Kundensupport repariert, die neuesten zuerst.
repair-empty = Hier sind keine Reparaturfälle
repair-empty-text = Ein Fall entsteht, wenn jemand am PC Anzeigen drückt und sendet, oder wenn Sie ihn aus einer Warnung eröffnen.
repair-empty-queue = Neue Fälle erscheinen von selbst. Für jemanden, der anruft, eröffnen Sie einen von Hand.
repair-which = Welche Fälle
repair-which-open = Offene
repair-which-all = Alle
repair-by-hand = Von Hand eröffnet
repair-level = Servicestufe
repair-found = Was gemessen wurde
repair-desk = Wer repariert
repair-why = Warum
repair-partner = Partner
repair-opened-by = Eröffnet von
repair-opener-user = Mensch am PC
repair-opener-partner = Partner
repair-opener-customer = Kunde
repair-opener-desk = Stelle, nach einem Anruf
repair-assignee = Übernommen von
repair-appointment = Termin
repair-from = Von
repair-until = Bis
repair-appointment-note = Was der Benutzer wissen sollte
repair-appoint = Termin setzen
repair-zone = Die Zeiten gelten in { $zone }; der Benutzer sieht sie nach der Uhr seines PCs.
repair-result = Ergebnis
repair-failure-code = Fehlercode
repair-claim-reference = Referenz der Erstattung
repair-claim = Erstattung beantragen
repair-take = Übernehmen
repair-assign-to = Wer den Fall bearbeitet
repair-assign-choose = Jemanden der Stelle wählen
repair-assign = Zuteilen
repair-cancel = Fall zurücknehmen
repair-onlooker = An wen man sich wendet, sieht nur die reparierende Stelle.
repair-person = An wen man sich wendet
repair-contact-name = Name
repair-contact-email = E-Mail-Adresse
repair-contact-phone = Telefon
repair-text = Was nicht stimmt
repair-preferred-times = Bevorzugte Zeiten
repair-caller = Wer angerufen hat
repair-question = Offene Rückfrage
repair-mails = E-Mails an die Person am PC
repair-mails-off = Von ihr abgestellt
repair-mails-title = E-Mails zu Ihrer Reparatur
repair-mails-lead = Möchten Sie keine E-Mails mehr zum Reparaturfall { $number }? { $opener ->
        [user] Die Reparatur geht weiter, und Ihr PC zeigt Ihnen auch künftig, wie weit sie ist.
       *[other] Die Reparatur geht weiter. Wer repariert, erreicht Sie über die Kontaktdaten im Fall.
    }
repair-mails-end = Keine E-Mails mehr zu diesem Fall
repair-mails-ended = Zum Reparaturfall { $number } kommen keine E-Mails mehr. { $opener ->
        [user] Die Reparatur geht weiter, und Ihr PC zeigt Ihnen auch künftig, wie weit sie ist.
       *[other] Die Reparatur geht weiter. Wer repariert, erreicht Sie über die Kontaktdaten im Fall.
    }
repair-case-link-spent = Dieser Link öffnet nichts
repair-case-link-spent-advice = Er gehört zu keinem Reparaturfall mehr. Kommen noch E-Mails, nehmen Sie den Link aus der neuesten.
repair-parts = Teile
repair-order-reference = Bestellreferenz
repair-part = Teil
repair-quantity = Menge
repair-order = Bestellen
repair-note-note = Notiz der Stelle
repair-note-question = Rückfrage
repair-note-answer = Antwort
repair-note-handed-over = Übergeben
repair-answer = Antwort auf die Rückfrage
repair-write = Schreiben
repair-keep-note = Als Notiz behalten
repair-ask = Den Benutzer fragen
repair-hand-over = Übergeben
repair-hand-over-means = Eine Notiz bleibt bei der Stelle. Eine Übergabe gibt den Fall an die andere Stelle, mit dem Geschriebenen als Grund.
repair-end = Fall beenden
repair-close = Schließen
repair-merge = Zum Teil eines anderen Falls machen
repair-merge-into = Nummer des anderen Falls

# Wohin die Reparaturfälle eines Kunden gehen
repair-route-title = Wohin Reparaturfälle gehen
repair-route-lead = Eine Änderung gilt für Fälle, die danach gesendet werden; offene behalten ihre Stelle.
repair-route-by-qualification = Nach der Qualifizierung des Partners.
repair-route-by-qualification-means = Leistet der Partner für die Servicestufe des PCs Service, geht der Fall an sein CSDP-Konto, sonst an den Kundensupport.
repair-route-customer-support = Immer an den Kundensupport.
repair-route-customer-support-means = Der Kundensupport repariert, welche Qualifizierung der Partner auch hat.
done-customer-route = Gespeichert. Neue Reparaturfälle gehen dorthin.
repair-route-to-qualification = Künftig nach Qualifizierung
repair-route-to-support = Künftig immer an den Kundensupport
