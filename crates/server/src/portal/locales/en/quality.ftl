# How well a reporter reports.
quality-title = Report quality
quality-back = Back
quality-show = Show quality
quality-lead = What the lines of { $reporter } came to in the last 26 weeks, and how often it reports.
quality-rhythm = Usual rhythm: every { $days ->
    [one] day
   *[other] { $days } days
}. Last report: { $last }. The next one is late after { $by }.
quality-no-rhythm = There is no rhythm yet: it takes reports on five days.
quality-silent = Silent: the last report came on { $last }
quality-silent-advice = The next report is late by this reporter's own rhythm. Does the export still run? Does the file lie in the error folder? A report ends this notice by itself.
quality-none = No report in the last 26 weeks
quality-none-text = Hand in a report under Sell-through reports, by the API, or put it into the reporter's folder. From then on this page shows what its lines come to.
quality-shares = What the lines came to
quality-plot = Shares of lines by week
quality-plot-text = The table below the plot has the same figures.
quality-table = Show as a table
quality-week = Week from
quality-reports = Reports
quality-no-lines = no lines
quality-matched = Matched
quality-parked = Waiting
quality-disputed = Disputed
quality-rejected = Rejected
quality-advice = Matched lines need nothing. Waiting ones wait for a partner to be known or certified; disputed ones for the programme team. Rejected ones are to be mended and sent again: each report has an error file.
quality-guide = Guide: hand in reports
reporters-quality = Quality
reporters-silent = silent

home-silent = { $n ->
    [one] reporter is silent
   *[other] reporters are silent
}
home-silent-advice = By their own rhythm the next report is late. Ask them whether their export still runs.

log-reporter-silent = Reporter fell silent

mail-reporter-silent-subject = No sell-through report from { $reporter }
mail-reporter-silent-text =
    The last sell-through report of { $reporter } came on { $last } (UTC), and the next one is late. Usual days between two reports: { $days }.

    Does the export still run? Were files refused? As soon as a report comes, this is over by itself.
mail-reporter-silent-button = Show report quality
mail-reporter-silent-why = You get this mail because you look after the sell-through reports of { $reporter }.
