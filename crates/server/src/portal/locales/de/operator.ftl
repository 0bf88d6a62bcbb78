# Die Seiten des Programmteams.
nav-home = Start
nav-qualifications = Qualifizierungen
nav-reporters = Meldende
nav-disputes = Streitfälle
nav-entitlements = Ansprüche

home-lead = Was im Augenblick die Aufmerksamkeit des Programmteams braucht.
home-attention = Braucht Aufmerksamkeit
home-nothing = Nichts braucht Ihre Aufmerksamkeit
home-nothing-text = Keine strittige und keine wartende Zeile, keine abgelaufene Qualifizierung.
home-jobs = { $n ->
    [one] Hintergrundaufgabe wurde aufgegeben
   *[other] Hintergrundaufgaben wurden aufgegeben
    }
home-jobs-advice = Das Protokoll des Servers nennt den Grund. Sagen Sie es denen, die die Plattform betreiben.
home-reports = { $n ->
    [one] Meldung konnte nicht verarbeitet werden
   *[other] Meldungen konnten nicht verarbeitet werden
    }
home-reports-advice = Bitten Sie den Meldenden, sie noch einmal einzureichen: Dann wird es neu versucht.
home-lapsed = { $n ->
    [one] Qualifizierung ist abgelaufen
   *[other] Qualifizierungen sind abgelaufen
    }
home-lapsed-advice = Neue Verkäufe dieser Partner warten bis zur Erneuerung, wenn keine andere Qualifizierung gültig ist.
home-ending = { $n ->
    [one] Qualifizierung endet innerhalb von 60 Tagen
   *[other] Qualifizierungen enden innerhalb von 60 Tagen
    }
home-ending-advice = Bitten Sie diese Partner, rechtzeitig zu erneuern.
home-waited-for = Händlernummern, auf die Zeilen warten
home-waited-for-text = Legen Sie den Partner an oder zertifizieren Sie ihn: Seine Zeilen werden dann von selbst neu beurteilt. Gezählt über die ersten 20.000 wartenden Zeilen.

qualifications-lead = Was zuerst endet, steht zuerst. Dieselbe Stufe und Rolle noch einmal zu erfassen erneuert sie; eine andere Rolle ist eine zweite Qualifizierung.
qualifications-filter = Qualifizierungen nach Stand anzeigen
qualifications-all = Alle
qualifications-ends-soon = Enden innerhalb von 60 Tagen
qualifications-lapsed = Abgelaufen
qualifications-not-certified = Noch nicht zertifiziert
qualifications-course-open = Kurs offen
qualifications-valid = Gültig
qualifications-none = Hier ist keine Qualifizierung
qualifications-renew = Erneuern oder berichtigen

reporters-last = Letzte Meldung (UTC)
reporters-never = noch keine

disputes-lead = Zeilen, die dem widersprechen, was die Plattform weiß. Durch sie bewegt sich nichts; der erste gültige Verkauf gilt.
disputes-empty = Kein offener Streitfall
disputes-empty-text = Zeilen, die einander widersprechen, stehen hier mit beiden Belegen.
dispute-line = Die strittige Zeile
dispute-held = Wodurch der PC ist, wo er ist
dispute-nobody = Niemand hat diesen PC
dispute-holder = Gehalten von
dispute-place = Wo
dispute-holder-pool = im Holding-Mandanten des Partners
dispute-holder-customer = bei einem Kunden des Partners
dispute-transaction = Vorgang
dispute-day = Tag
dispute-line-number = Zeile
dispute-report = Meldung öffnen
dispute-logged = Wer den PC hat, findet diesen Blick in seinem Protokoll.

import-title = Partner importieren
import-lead = Partner anlegen und abgeschlossene Kurse und Zertifikate aus einer Tabelle erfassen. Sie sehen vor dem Schreiben, was aus jeder Zeile wird; solange eine Zeile falsch ist, wird nichts geschrieben.
import-table = Tabelle (CSV)
import-columns = Die erste Zeile benennt die Spalten: { $columns }. Immer nötig ist nur die Partnernummer; ein neuer Partner braucht einen Namen.
import-file = Datei in die Tabelle einlesen
import-check = Prüfen
import-preview = Vorschau
import-apply = Alle Zeilen schreiben
import-wrong = Solange eine Zeile falsch ist, kann nichts geschrieben werden. Berichtigen Sie die Zeilen unten und prüfen Sie noch einmal.
import-created = neu
import-updated = geändert
import-unchanged = unverändert
import-rejected = falsch
import-done = { $n ->
    [one] { $count } Zeile wurde geschrieben.
   *[other] { $count } Zeilen wurden geschrieben.
    }

entitlements-lead = Der Anspruch eines PCs beginnt mit dem Versand, sonst mit dem Verkauf, und dauert so lange, wie verkauft wurde. Wo keine Laufzeit bekannt ist, werden 36 Monate angenommen.
entitlements-pc = Ein PC
entitlements-pc-text = Geben Sie die ganze Seriennummer ein. Der Partner und der Kunde, die den PC haben, finden Ihren Blick und jede Berichtigung mit ihrem Grund in ihren Protokollen.
entitlements-show = Anzeigen
entitlements-none = Kein PC mit dieser Seriennummer ist bei einem Partner oder Kunden.
entitlement-correct = Anspruch berichtigen
entitlement-assumed-short = angenommen
terms-title = Laufzeiten nach Service-SKU
terms-lead = Was in der Spalte für die Servicestufe außer Premium und Premium+ stehen darf. Meldungen werden ab jetzt danach beurteilt.
terms-add = Service-SKU anlegen oder ändern
terms-assumed = 36 Monate angenommen
terms-forget = Entfernen
done-term = Die Service-SKU wurde gespeichert.
done-forgotten = Die Service-SKU wurde entfernt.
done-corrected = Der Anspruch wurde berichtigt.
form-partner = Partner
form-sku = Service-SKU oder Name
form-months = Monate
form-starts-on = Erster Tag
form-last-day = Letzter Tag
form-reason = Grund
columns-title = Spalten
columns-show = Spalten anzeigen
log-columns-named = Spalten eines Meldenden benannt
log-service-term-changed = Laufzeit einer Service-SKU geändert
log-entitlement-corrected = Anspruch berichtigt
log-device-looked-at = PC vom Programmteam angesehen
