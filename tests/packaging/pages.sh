#!/usr/bin/env bash
# The manual pages and the completions, as `make install` puts them.
#   tests/packaging/pages.sh FOLDER     FOLDER is the `share` of an installation
# The last line is `N passed, N failed, N skipped`.
set -u
share=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
passed=0 failed=0 skipped=0
# Shells write to the home that they are given.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT INT TERM
export home

# same NAME WHAT WANTED
same() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s: "%s", not "%s"\n' "$1" "$2" "$3"
    fi
}
# with PROGRAM...: are they all here? Else what needs them is skipped.
with() {
    for program; do
        command -v "$program" >/dev/null || { skipped=$((skipped + 1)); return 1; }
    done
}

# --- Pages -------------------------------------------------------------------------------------------
for page in "$share"/man/man[158]/*.[158]; do
    if with mandoc; then
        same "mandoc $(basename "$page")" "$(mandoc -T lint "$page" 2>&1)" ''
        # What the page says is in it as people see it.
        name=$(basename "${page%.[158]}")
        same "name of $name" "$(mandoc "$page" | col -b | grep -cE "^ *$name(, [a-z-]+)* - ")" 1
    fi
    if with groff; then
        same "groff $(basename "$page")" "$(groff -ww -man -Tutf8 "$page" 2>&1 >/dev/null)" ''
    fi
done

# Every variable of the environment that the command and its shim look at is in carrel(1), and no other. Those of
# containerd's own protocol are not its user's.
asked=$(cd "$here/../.." && grep -rhoE 'getenv\("[A-Z_]+"\)' runner shim/*.c | sed 's/.*"\(.*\)".*/\1/' | sort -u)
told=$(sed -n '/^\.SH ENVIRONMENT/,/^\.SH FILES/p' "$share/man/man1/carrel.1" | sed -n 's/^\\fB\([A-Z_]*\)\\fR$/\1/p' | sort)
same 'the environment in carrel(1)' "$told" "$asked"

# --- The picture ---------------------------------------------------------------------------------------
# What the README shows is what the build draws; `make golden` renews it.
same 'the picture' "$(cksum <"$share/doc/carrel/launch.svg")" "$(cksum <"$here/../../docs/launch.svg")"

# --- bash --------------------------------------------------------------------------------------------
# bash_offers WORD...: what is offered for the last word
bash_offers() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _carrel
    echo "${COMPREPLY[*]-}"
}
. "$share/bash-completion/completions/carrel"
same 'bash: a command' "$(bash_offers carrel ins)" inspect
same 'bash: a flag' "$(bash_offers carrel run --stat)" --status-json
same 'bash: a flag of another command' "$(bash_offers carrel run --wat)" ''
same 'bash: a wall' "$(bash_offers carrel run --degrade sec)" seccomp
same 'bash: a wall behind =' "$(bash_offers carrel run --degrade = sec)" seccomp
same 'bash: a folder' "$(cd / && bash_offers carrel run --dir /us)" /usr
same 'bash: a file' "$(cd "$here" && bash_offers carrel run pag)" pages.sh
same 'bash: a choice' "$(bash_offers carrel serve --isolation pro)" process
same 'bash: a choice behind =' "$(bash_offers carrel audit --format = sar)" sarif
same 'bash: what is written' "$(cd "$here" && bash_offers carrel pack -o pag)" pages.sh
same 'bash: a command to be helped with' "$(bash_offers carrel help au)" audit
same 'bash: policy files, to be helped with' "$(bash_offers carrel help po)" policy
same 'bash: a command of an OCI runtime' "$(bash_offers carrel oci sta)" 'start state'

# --- fish --------------------------------------------------------------------------------------------
if with fish; then
    fish_offers() { HOME=$home fish --no-config -c "source $share/fish/vendor_completions.d/carrel.fish; complete -C '$1'" | cut -f1 | tr '\n' ' '; }
    same 'fish: a command' "$(fish_offers 'carrel ins')" 'inspect '
    same 'fish: a flag' "$(fish_offers 'carrel run --stat')" '--status-json '
    same 'fish: a flag of another command' "$(fish_offers 'carrel run --wat')" ''
    same 'fish: a wall' "$(fish_offers 'carrel run --degrade secc')" 'seccomp '
    same 'fish: a choice' "$(fish_offers 'carrel serve --isolation pro')" 'process '
    same 'fish: a command to be helped with' "$(fish_offers 'carrel help au')" 'audit '
    same 'fish: policy files, to be helped with' "$(fish_offers 'carrel help po')" 'policy '
    same 'fish: a command of an OCI runtime' "$(fish_offers 'carrel oci feat')" 'features '
fi

# --- Typed ---------------------------------------------------------------------------------------------
# Into each shell as people have it: on a terminal, with tabs.
if with zsh; then
    for shell in bash zsh fish; do
        with $shell || continue
        types() { timeout 60 zsh "$here/types.zsh" $shell "$share" "$1"; }
        same "$shell: a command, typed" "$(types $'carrel insp\t')" inspect
        same "$shell: a flag, typed" "$(types $'carrel run --expl\tx')" 'run --explain x'
        same "$shell: a wall, typed" "$(types $'carrel run --degrade=secc\tx')" 'run --degrade=seccomp x'
        same "$shell: a wall behind a space, typed" "$(types $'carrel run --degrade secc\tx')" 'run --degrade seccomp x'
        same "$shell: a choice, typed" "$(types $'carrel serve --isolation proc\tx')" 'serve --isolation process x'
        same "$shell: policy files, typed" "$(types $'carrel help pol\tx')" 'help policy x'
    done
    same 'zsh: a folder' "$(timeout 60 zsh "$here/types.zsh" zsh "$share" $'carrel run --dir=/us\t x')" 'run --dir=/usr x'
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
