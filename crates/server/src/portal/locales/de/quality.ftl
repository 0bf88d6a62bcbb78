# Wie gut ein Meldender meldet.
quality-title = Meldequalität
quality-back = Zurück
quality-show = Qualität zeigen
quality-lead = Was die Zeilen von { $reporter } in den letzten 26 Wochen ergaben, und wie oft gemeldet wird.
quality-rhythm = Üblicher Rhythmus: { $days ->
    [one] jeden Tag
   *[other] alle { $days } Tage
}. Letzte Meldung: { $last }. Die nächste ist nach dem { $by } überfällig.
quality-no-rhythm = Es gibt noch keinen Rhythmus: dafür braucht es Meldungen an fünf Tagen.
quality-silent = Stumm: Die letzte Meldung kam am { $last }
quality-silent-advice = Nach dem eigenen Rhythmus dieses Meldenden ist die nächste Meldung überfällig. Läuft der Export noch? Liegt die Datei im Fehlerordner? Eine Meldung beendet diesen Hinweis von selbst.
quality-none = Keine Meldung in den letzten 26 Wochen
quality-none-text = Reichen Sie eine Meldung unter Verkaufsmeldungen oder über die API ein, oder legen Sie sie in den Ordner des Meldenden. Von da an zeigt diese Seite, was ihre Zeilen ergeben.
quality-shares = Was die Zeilen ergaben
quality-plot = Anteile der Zeilen je Woche
quality-plot-text = Die Tabelle unter dem Bild hat dieselben Zahlen.
quality-table = Als Tabelle zeigen
quality-week = Woche ab
quality-reports = Meldungen
quality-no-lines = keine Zeilen
quality-matched = Zugeordnet
quality-parked = Wartet
quality-disputed = Strittig
quality-rejected = Abgelehnt
quality-advice = Bei zugeordneten Zeilen ist nichts zu tun. Wartende warten auf einen Partner, strittige auf das Programmteam. Abgelehnte sind zu berichtigen und noch einmal zu senden: Jede Meldung hat eine Fehlerdatei.
quality-guide = Anleitung: Verkaufsmeldungen einreichen
reporters-quality = Qualität
reporters-silent = stumm

home-silent = { $n ->
    [one] Meldender ist stumm
   *[other] Meldende sind stumm
}
home-silent-advice = Nach ihrem eigenen Rhythmus ist die nächste Meldung überfällig. Fragen Sie, ob der Export noch läuft.

log-reporter-silent = Meldender verstummt

mail-reporter-silent-subject = Keine Verkaufsmeldung von { $reporter }
mail-reporter-silent-text =
    Die letzte Verkaufsmeldung von { $reporter } kam am { $last } (UTC), und die nächste ist überfällig. Übliche Tage zwischen zwei Meldungen: { $days }.

    Läuft der Export noch? Wurden Dateien abgelehnt? Sobald eine Meldung kommt, ist dies von selbst vorbei.
mail-reporter-silent-button = Meldequalität zeigen
mail-reporter-silent-why = Sie erhalten diese E-Mail, weil Sie sich um die Verkaufsmeldungen von { $reporter } kümmern.
