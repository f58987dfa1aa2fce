#!/usr/bin/env zsh
# types.zsh SHELL SHARE LINE: types LINE, tabs too, into an interactive SHELL (bash, zsh or fish) on a terminal of its
# own, with the completion of SHARE, and prints the arguments with which it calls `carrel`.
zmodload zsh/zpty
case $1 in
bash)
    zpty shell bash --norc --noprofile -i
    zpty -w shell "PS1=; bind 'set bell-style none'; . $2/bash-completion/completions/carrel; carrel() { echo \"GOT=\$*=\"; exit; }"
    ;;
zsh)
    zpty shell zsh -f -i
    zpty -w shell "PS1= fpath=($2/zsh/vendor-completions \$fpath); autoload -U compinit; compinit -D -u; carrel() { print \"GOT=\$*=\"; exit }"
    ;;
fish)
    export HOME=${home:?the folder that a shell may write to} TERM=dumb
    zpty shell fish --no-config -i
    zpty -w shell "source $2/fish/vendor_completions.d/carrel.fish; function carrel; echo GOT=\"\$argv\"=; exec true; end"
    ;;
esac
zpty -w shell "$3"
while zpty -r shell said; do
    if [[ $said =~ 'GOT=([^$"][^=]*(=[^=]+)?)=' && $said != *(print|echo)* ]]; then
        print -r -- ${match[1]}
        break
    fi
done
zpty -d shell
