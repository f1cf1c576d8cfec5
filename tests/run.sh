#!/bin/sh
# Runs the built test executables, several at once, and sums their results; ./shop test calls it.
# usage: tests/run.sh          all but those that take long, marked [Long]
#        tests/run.sh --all    those too
#        tests/run.sh ARGS     what ARGS choose, for each executable: -class '*Orders*', -method ..., -filter ... (NAME -? tells all)
# TestResults/ has for each project its log (.log), its results (.trx) and, where it did not come to its end, why (.broken).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
results=$root/TestResults
alone='AppHost.Tests EndToEnd' # start whole shops: a dozen busy processes each
at_once=${TESTS_AT_ONCE:-3} # more than the cores: tests also wait, for rebalances, sessions and what they have killed
limit=${TESTS_LIMIT:-3600} # seconds for an executable: what takes longer hangs
short='-trait- Length=Long' # what is run unless something else is chosen

say() { printf '%s\n' "$*"; }

counters() { # of a TRX file: total, executed, passed; without a newline where the file's last line has none, as xunit's
    sed -n 's/.*<Counters total="\([0-9]*\)" executed="\([0-9]*\)" passed="\([0-9]*\)".*/\1 \2 \3/p' "$1" 2>/dev/null
}

unfinished() { # the tests that had begun and not ended, from a log
    awk '/ \[STARTING\]$/ { sub(/ \[STARTING\]$/, ""); running[$0]++ }
         / \[FINISHED\] Time: [^ ]*$/ { sub(/ \[FINISHED\].*/, ""); running[$0]-- }
         END { for (test in running) if (running[test] > 0) print "    was running:" test }' "$1"
}

failures() { # message, stack and output of each failed test, from a log: what xunit writes is indented, what services write is not
    awk '/^    [^ ]/ { shown = / \[FAIL\]$|Failure \(|FATAL ERROR/ } /^  / && shown' "$1" | cut -c 1-2000 | head -n 300
}

run() { # one project's executable
    name=$1
    shift
    began=$(date +%s)
    code=0
    (
        cd "$root/artifacts/bin/$name/release"
        set -- "./$name" -noLogo -noColor -noAutoReporters -reporter verbose -result-trx "$results/$name.trx" "$@"
        # in the foreground's process group, so that who stops ./shop test stops the executable
        if timeout --foreground 1 true 2>/dev/null; then set -- timeout --foreground --kill-after=10 "$limit" "$@"; fi
        exec "$@"
    ) </dev/null >"$results/$name.log" 2>&1 || code=$?
    seconds=$(($(date +%s) - began))

    total=0 executed=0 passed=0
    counted=$(counters "$results/$name.trx") && read -r total executed passed <<END
${counted:-0 0 0}
END
    failed=$((executed - passed))
    if [ $code = 124 ] || [ $code = 137 ]; then why="did not end within $limit s"
    elif [ -z "$counted" ]; then why="ended with code $code and no results"
    elif [ $code != 0 ] && [ $failed = 0 ]; then why="ended with code $code"
    elif [ "$total" = 0 ] && { [ $# = 0 ] || [ "$*" = "$short" ]; }; then why='has no tests' # a choice may leave a project without
    else why=''
    fi
    if [ -n "$why" ]; then say "$name $why" >"$results/$name.broken"; fi

    # printed in one piece: others print as well
    say "$(
        printf '%-22s %4d passed, %d failed, %d skipped  %4d s  %s\n' "$name" "$passed" "$failed" $((total - executed)) "$seconds" "$why"
        if [ $failed != 0 ] || [ -n "$why" ]; then failures "$results/$name.log"; fi
        if [ -n "$why" ]; then unfinished "$results/$name.log"; tail -n 40 "$results/$name.log" | cut -c 1-500; fi
    )"
}

summary() { # fails when a test failed, or a project did not come to its end
    for log in "$results"/*.log; do
        name=$(basename "$log" .log)
        if [ ! -f "$results/$name.trx" ] && [ ! -f "$results/$name.broken" ]; then
            say "$name was interrupted" >"$results/$name.broken"
            unfinished "$log"
        fi
    done
    broken=$(cat "$results"/*.broken 2>/dev/null || true)
    if [ -n "$broken" ]; then say "Without a whole result:" "$broken"; fi
    for trx in "$results"/*.trx; do say "$(counters "$trx")"; done | awk -v broken="$broken" '
        { total += $1; executed += $2; passed += $3 }
        END {
            skipped = total - executed
            failed = executed - passed
            printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""
            exit failed != 0 || broken != "" || passed == 0
        }'
}

if [ "${1:-}" = --one ]; then shift; run "$@"; exit; fi

if [ $# = 0 ]; then set -- $short
elif [ "$1" = --all ]; then shift
fi

rm -rf "$results"
mkdir -p "$results"
# a signal goes to the whole group: this shell's turn comes when what it waits for has ended
trap 'summary; exit 1' INT TERM
projects=$(cd "$root/tests" && for project in */*.csproj; do basename "$project" .csproj; done | grep -vx -e Testing -e Benchmarks)
# the largest first, so that a small one is the last to end
side_by_side=$(for name in $projects; do
    case " $alone " in *" $name "*) ;; *) say "$(find "$root/tests/$name" -name '*.cs' -exec cat {} + | wc -l) $name" ;; esac
done | sort -rn | cut -d ' ' -f 2)
say "$side_by_side" | xargs -P "$at_once" -I '{}' "$0" --one '{}' "$@" || true
for name in $projects; do
    case " $alone " in *" $name "*) "$0" --one "$name" "$@" || true ;; esac
done
summary
