#!/bin/sh
# No file of more than 1,000 lines; tables (.def) may be longer. No function of more than 60, from the line
# after its name's to the one before its last brace, both of which stand where the formatter puts them.
set -u

# Functions that may be longer: FILE:NAME, each with its reason. There is none now.
excepted=' '

sources() { git ls-files -co --exclude-standard -- "$@"; }
{
    sources '*.c' '*.h' '*.sh' '*.mjs' Makefile | while read -r file; do
        lines=$(wc -l <"$file")
        [ "$lines" -gt 1000 ] && echo "$file: $lines lines: split it"
    done
    sources '*.c' '*.h' '*.sh' '*.mjs' | xargs awk -v excepted="$excepted" '
        function name_in(line) {
            sub(/^(export |default |async |function |const )*/, "", line)
            sub(/[(=].*/, "", line)
            sub(/ +$/, "", line)
            sub(/.*[ *]/, "", line)
            return line
        }
        FNR == 1 { begin = 0 }
        /^[a-zA-Z_].*([(]|=>)/ && !/;$/ { name = name_in($0) }
        /^[{]/ || /^((export |default )*(async )?function |(export )?const .*=> |[a-z_]+[(][)] ).*[{]$/ { begin = FNR }
        /^[}]/ && begin {
            lines = FNR - begin - 1
            if (lines > 60 && !index(excepted, " " FILENAME ":" name " "))
                print FILENAME ":" begin ": " name " has " lines " lines: split it"
            begin = 0
        }'
} | { ! grep .; }
