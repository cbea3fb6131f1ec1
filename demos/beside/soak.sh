#!/usr/bin/env bash
# A server at work beside 2,000 slow clients: is anything lost, does memory or the count of
# descriptors grow? (Wants h2load, slowhttptest and curl.)
#
#   cargo build --release && bash demos/beside/soak.sh 1800          # so many seconds
#   bash demos/beside/soak.sh 1800 180     # each of 64 connections asks so often a second
#   GROUP=/sys/fs/cgroup/cpu/soak bash demos/beside/soak.sh 1800 370   # the server is put in there
#
# A control group with a quota (cpu.cfs_quota_us 50000 of 100000: half a processor) makes 80% of
# what the server may use a load beside which the machine can do other things.
set -euo pipefail
seconds=${1:?how many seconds} rate=${2:-40}
ulimit -n 20000
url=http://127.0.0.1:18092
end=$((SECONDS + seconds))
work=$(mktemp -d)
printf 'sleep 100ms\nquery select 1\nsleep 5ms\n' >"$work/body"

target/release/event-loop serve --listen 127.0.0.1:18092 &
server=$!
if [ -n "${GROUP:-}" ]; then echo $server >"$GROUP/cgroup.procs"; fi
sleep 1

slow_clients() { # heads in drops, bodies in drops, readers that hardly read
  while [ $SECONDS -lt $end ]; do
    slowhttptest -c 2000 -H -i 5 -r 400 -t GET -u $url/ -l 30 -p 3
    slowhttptest -c 2000 -B -i 5 -r 400 -s 8192 -t POST -u $url/inputs -l 30 -p 3
    slowhttptest -c 2000 -X -r 400 -w 512 -y 1024 -n 5 -z 32 -k 3 -u $url/ -l 30 -p 3
  done >"$work/slow" 2>&1
}

quick_clients() { # quick_clients NAME OPTIONS...: what h2load tells, a minute at a time
  local name=$1
  shift
  while [ $SECONDS -lt $end ]; do
    h2load --h1 -t1 -D 60 "$@" | grep -E '^requests|^status'
  done >"$work/$name" 2>&1
}

slow_clients & slow=$!
quick_clients healthz -c 64 --rps "$rate" $url/healthz & first=$!
quick_clients inputs -c 16 --rps 10 -d "$work/body" $url/inputs & second=$!
state() {
  echo "$SECONDS s: $(grep VmRSS /proc/$server/status | tr -s ' \t' ' '), $(ls /proc/$server/fd | wc -l)" \
    "descriptors, $(awk '{ print ($14 + $15) / 100 }' /proc/$server/stat) s of processor"
}

sums() { # sums FILE: the lines of all minutes as one of each kind
  awk -F ': |, ' '{ for (i = 2; i <= NF; i++) { split($i, count, " "); sum[$1, i] += count[1]
                      name[$1, i] = count[2] }
                    fields[$1] = NF }
       END { for (kind in fields) { line = kind ":"
               for (i = 2; i <= fields[kind]; i++) line = line " " sum[kind, i] " " name[kind, i]
               print line } }' "$1"
}
while [ $SECONDS -lt $end ]; do
  state
  sleep 20
done
wait $slow $first $second
sleep 14 # longer than the server lets a client be silent
state
sums "$work/healthz"
sums "$work/inputs"
curl -s $url/metrics | grep -v '^#'
kill -INT $server
wait $server && echo "it ended in order"
