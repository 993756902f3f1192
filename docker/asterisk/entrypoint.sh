#!/bin/sh
# Makes what each installation has of its own (passwords, addresses), then becomes Asterisk.
set -eu

own=/etc/asterisk/acd
shared=/run/acd
phones='anna bob chen dora emil caller'

secret() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
if [ ! -s "$own/ami_secret.conf" ]; then
  printf 'secret = %s\n' "$(secret)" > "$own/ami_secret.conf"
fi
(umask 027; sed -n 's/^secret = //p' "$own/ami_secret.conf" > "$shared/ami_password")

if [ ! -s "$own/phones.conf" ]; then
  : > "$own/phones.new"
  : > "$own/phones.txt"
  : > "$own/fallback_members.conf"
  for name in $phones; do
    password=$(secret)
    context=acd-agents
    [ "$name" != caller ] || context=acd-inbound
    cat >> "$own/phones.new" <<END
[$name](acd-phone)
context = $context
auth = $name
aors = $name
callerid = $name <$name>
[$name](acd-phone-auth)
username = $name
password = $password
[$name](acd-phone-aor)
END
    printf '%s %s\n' "$name" "$password" >> "$own/phones.txt"
    [ "$name" = caller ] || printf 'member => PJSIP/%s\n' "$name" >> "$own/fallback_members.conf"
  done
  mv "$own/phones.new" "$own/phones.conf"
fi

# What phones outside of the container are told: without it they would get the container's own address.
case ${ACD_SIP_HOST:-} in
  *[!0-9A-Za-z.:-]*) echo "ACD_SIP_HOST is no address: $ACD_SIP_HOST" >&2; exit 1 ;;
  '') : > "$own/transport.conf" ;;
  *) cat > "$own/transport.conf" <<END
external_signaling_address = $ACD_SIP_HOST
external_media_address = $ACD_SIP_HOST
END
  ;;
esac

# The engine, which is of the folder's group, reads what Asterisk records.
umask 007
exec /usr/sbin/asterisk -f -n "$@"
