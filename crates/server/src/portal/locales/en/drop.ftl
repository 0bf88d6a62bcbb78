# What is written beside files that came by a folder.
drop-refused = REFUSED. This file was not taken.
drop-taken = This file was taken as a sell-through report. Its lines came to:
drop-rejected = The rejected lines stand in the file .errors.csv beside this one: what is wrong with each, and what to do. Mend them there and put the file in again.
drop-found = Found
drop-columns = The file's columns
log-report-refused = A file in the drop folder was refused
