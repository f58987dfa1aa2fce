#!/usr/bin/env zsh
# zsh_complete.zsh FOLDER LINE: types LINE, tabs too, into an interactive zsh that finds _carrel in FOLDER,
# and prints the arguments with which it calls `carrel`.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= fpath=($1 \$fpath); autoload -U compinit; compinit -D -u; carrel() { print \"GOT=\$*=\"; exit }"
zpty -w shell "$2"
while zpty -r shell said; do
    if [[ $said =~ 'GOT=(.*)=' && $said != *print* ]]; then
        print -r -- ${match[1]}
        break
    fi
done
zpty -d shell
