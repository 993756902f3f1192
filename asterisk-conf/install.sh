#!/bin/sh
# Copies the engine's part of Asterisk's configuration and has Asterisk's own files include it. Run again after an
# upgrade: the copied files are replaced, the site's own (in acd/) and everything else stay as they are.
set -eu

usage() {
    echo "usage: sh install.sh [--freepbx] [DIR]" >&2
    echo "DIR is Asterisk's configuration folder, /etc/asterisk by default." >&2
    exit 2
}

freepbx=no
dir=/etc/asterisk
for argument in "$@"; do
    case $argument in
        --freepbx) freepbx=yes ;;
        -*) usage ;;
        *) dir=$argument ;;
    esac
done
here=$(cd "$(dirname "$0")" && pwd)
[ -f "$dir/asterisk.conf" ] || { echo "install.sh: $dir has no asterisk.conf: not Asterisk's configuration folder" >&2; exit 1; }
[ -w "$dir" ] || { echo "install.sh: $dir can't be written by this user" >&2; exit 1; }

# What is made here belongs to whom the folder's own files belong to (a stranger's file would not be read).
own() { chown --reference="$dir/asterisk.conf" "$1" 2>/dev/null || true; }

umask 027
mkdir -p "$dir/manager.d" "$dir/acd"
own "$dir/manager.d"
own "$dir/acd"
for file in extensions_acd.conf pjsip_acd.conf queues_acd.conf musiconhold_acd.conf http_acd.conf manager.d/acd.conf; do
    cp "$here/$file" "$dir/$file.new"
    chmod 640 "$dir/$file.new"
    own "$dir/$file.new"
    mv "$dir/$file.new" "$dir/$file"
done

if [ ! -f "$dir/acd/ami_secret.conf" ]; then
    secret=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
    printf '%s\n' "$secret" > "$dir/acd/ami_password"
    printf 'secret = %s\n' "$secret" > "$dir/acd/ami_secret.conf"
    echo "made a secret for the engine's manager user: $dir/acd/ami_password"
fi
for file in phones.conf fallback_members.conf; do
    [ -f "$dir/acd/$file" ] || : > "$dir/acd/$file"
done
for file in "$dir"/acd/*; do own "$file"; done

# What callers say is recorded there: Asterisk writes it, the engine reads and removes it. Both are to be of the group.
recordings=${ACD_RECORDINGS_DIR:-}
[ -n "$recordings" ] || [ "$dir" != /etc/asterisk ] || recordings=/var/spool/acd/recordings
if [ -n "$recordings" ] && [ ! -d "$recordings" ]; then
    (umask 022; mkdir -p "$(dirname "$recordings")")    # both go through it
    mkdir "$recordings"
    own "$recordings"
    chmod 2770 "$recordings"
    echo "made $recordings for recordings; let the engine's user be of the group $(stat -c %G "$recordings")"
fi

# include FILE LINE: appends a line to a file of Asterisk's unless it is there.
include() {
    [ -f "$dir/$1" ] || { : > "$dir/$1"; own "$dir/$1"; }
    grep -qxF "$2" "$dir/$1" && return
    printf '\n%s\n' "$2" >> "$dir/$1"
    echo "added to $dir/$1: $2"
}

if [ $freepbx = yes ]; then
    for file in "$here"/freepbx/*_custom.conf; do
        name=$(basename "$file")
        mark="; --- call distribution engine"
        [ -f "$dir/$name" ] || { : > "$dir/$name"; own "$dir/$name"; }
        grep -qxF "$mark" "$dir/$name" && continue
        { printf '\n%s\n' "$mark"; cat "$file"; } >> "$dir/$name"
        echo "added to $dir/$name:"
        sed 's/^/    /' "$file"
    done
else
    include extensions.conf '#include "extensions_acd.conf"'
    include pjsip.conf '#include "pjsip_acd.conf"'
    include queues.conf '#include "queues_acd.conf"'
    include musiconhold.conf '#include "musiconhold_acd.conf"'
    grep -q '^#include.*manager\.d/\*\.conf' "$dir/manager.conf" 2>/dev/null ||
        include manager.conf '#include "manager.d/acd.conf"'
fi
grep -q '^ *enabled *= *yes' "$dir/manager.conf" 2>/dev/null ||
    echo "still to do: enabled = yes (and bindaddr = 127.0.0.1) in [general] of $dir/manager.conf"
