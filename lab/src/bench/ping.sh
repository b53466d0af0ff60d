#!/bin/sh
# ping.sh CARP-FILE OUTSIDE INSIDE: what people write today, and what the laboratory compares with.
#
# Every 10 s one ping to a host outside and one to a host inside, each given a second. One that fails demotes this node;
# when both are answered again, that is taken back. Both nodes run it.
carp="$(dirname "$0")/carp"
state=restore
while :; do
    want=restore
    ping -q -n -c 1 -w 1 "$2" >/dev/null || want=demote
    ping -q -n -c 1 -w 1 "$3" >/dev/null || want=demote
    if [ "$want" != "$state" ]; then
        echo "$(date +%s.%N) $want"
        "$carp" -f "$1" "$want"
        state=$want
    fi
    sleep 10
done
