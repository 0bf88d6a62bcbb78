# Was neben Dateien geschrieben wird, die über einen Ordner kamen.
drop-refused = ABGELEHNT. Diese Datei wurde nicht angenommen.
drop-taken = Diese Datei wurde als Verkaufsmeldung angenommen. Ihre Zeilen ergaben:
drop-rejected = Die abgelehnten Zeilen stehen in der Datei .errors.csv daneben: was an jeder falsch ist und was zu tun ist. Berichtigen Sie sie dort und reichen Sie die Datei noch einmal ein.
drop-found = Gefunden
drop-columns = Spalten der Datei
log-report-refused = Eine Datei im Ordner wurde abgelehnt
