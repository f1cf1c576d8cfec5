#!/bin/sh
# stop-leftovers.sh OWNER [DIRECTORY [RUNNER]]
# Waits until its standard input ends, then stops every process whose environment names OWNER, and RUNNER where one is given,
# and removes DIRECTORY. A runner holds the other end of that input: the kernel closes it whatever way the runner dies,
# kill -9 included. Processes are found by their environment and not by remembered ids, so none is missed between its start and
# its registration, and no process that was given a dead one's id is ever hit.
# With a RUNNER it does so in the background, and prints its process id: its parent is init then. Whoever stops a runner with all its process tree,
# as aspire run does, would stop a child with it. Its end is the end of its standard output.
owner=$1 directory=${2:-} runner=${3:-}

found() {
    if [ -d /proc/self ]; then
        # the file names have no spaces
        marked=$(grep -lszFx "SHOP_RUNNER_OWNER=$owner" /proc/[0-9]*/environ)
        if [ -n "$marked" ] && [ -n "$runner" ]; then marked=$(grep -lszFx "SHOP_RUNNER=$runner" $marked); fi
        echo "$marked" | cut -d/ -f3
    else
        ps axeww -o pid=,command= | grep -F " SHOP_RUNNER_OWNER=$owner " | grep -F " SHOP_RUNNER=$runner" | grep -v ' grep ' | awk '{ print $1 }'
    fi
}

guard() {
    while read -r _; do :; done
    quiet=0 asked=' ' patience=$(($(date +%s) + 6)) # five seconds at least
    while [ $quiet -lt 2 ]; do # twice: a process may be between fork and exec, still without its environment
        pids=$(found)
        if [ -z "$pids" ]; then
            quiet=$((quiet + 1))
        else
            quiet=0
            for pid in $pids; do
                if [ "$(date +%s)" -ge $patience ]; then # it was asked and has had its time
                    kill -KILL "$pid" 2>/dev/null
                else
                    case $asked in
                        *" $pid "*) ;;
                        *) kill -TERM "$pid" 2>/dev/null; asked="$asked$pid " ;;
                    esac
                fi
            done
        fi
        sleep 0.1
    done
    if [ -n "$directory" ]; then rm -rf -- "$directory"; fi
}

if [ -z "$runner" ]; then guard; exit; fi
exec 3<&0 # what is in the background has /dev/null for its standard input
guard <&3 3<&- &
echo $!
