#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The node's command line.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure
start_agent
vectl() { "$BIN/vectl" --socket "$T/run/ctl.sock" "$@" 2>"$T/said"; }

is 'create takes a reserved number' "$(vectl create --hostname one --start)" 1
is 'and the next' "$(vectl create)" 2
is 'or the one that is named' "$(vectl create 4711)" 4711
is 'list' "$(vectl list | awk '{ print $1 $2 }' | tr '\n' ' ')" 'VEIDSTATE 1running 2stopped 4711stopped '
is 'list --json' "$(vectl --json list | json items.0.spec.hostname)" one
is 'exec passes output' "$(vectl exec 1 -- printf '%s|' a 'b  c' "d'e")" "a|b  c|d'e|"
is 'exec passes input' "$(echo given | vectl exec 1 cat)" given
vectl exec 1 'exit 7'; is 'exec passes the status' $? 7
vectl exec 1 'echo wrong >&2'; is 'exec passes errors' "$(cat "$T/said")" wrong
is 'exec passes much both ways' "$(head -c 3000000 /dev/zero | vectl exec 1 cat | wc -c)" 3000000
is 'exec wakes a VE' "$(vectl exec 2 'echo up')" up
vectl stop 2; is 'stop' "$?,$(vectl show 2 | json status.state)" 0,stopped
vectl start 2; is 'start' "$?,$(vectl show 2 | json status.state)" 0,running
vectl idle 2; is 'idle' "$?,$(vectl show 2 | json status.state)" 0,frozen
vectl extend 2; vectl wake 2; is 'wake' "$?,$(vectl show 2 | json status.state)" 0,running
vectl idle 2; is 'exec wakes who sleeps' "$(vectl exec 2 'echo up')" up
vectl suspend 2; vectl start 2; is 'a suspended VE does not start' $? 1
has 'and says what helps' "$(cat "$T/said")" unsuspend
vectl destroy 2; is 'destroy' "$?,$(vectl list | grep -c '^2 ')" 0,0
vectl show 2; is 'what is not there' $? 1
vectl start x; is 'no number' $? 2
vectl fly; is 'no command' $? 2
has 'help is there for who asks' "$(vectl --help 2>/dev/null)" '  exec VEID'
vectl --nope; is 'no option' $? 2
vectl enter 1 </dev/null; is 'enter needs a terminal' $? 1
printf 'tty; echo en""tered\nexit 6\n' | script -qec "$BIN/vectl --socket $T/run/ctl.sock enter 1" /dev/null >"$T/entered" 2>&1
is 'enter passes the status' $? 6
has 'it is a terminal' "$(cat "$T/entered")" '/dev/pts/'
has 'and shows what is said' "$(cat "$T/entered")" entered
"$BIN/vectl" --socket "$T/none.sock" list 2>"$T/said"; is 'no agent' $? 1
has 'and says so' "$(cat "$T/said")" 'is ve-agentd running'
python3 - "$T/odd.sock" 2>"$T/odd.log" <<'END' &
import http.server, socketserver, sys
class Odd(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.wfile.write(b'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{"spec":{"limits":5}}')
socketserver.UnixStreamServer(sys.argv[1], Odd).handle_request()
END
until_ok 10 test -S "$T/odd.sock"
"$BIN/vectl" --socket "$T/odd.sock" set 1 numproc=9 2>"$T/said"; is 'limits that are no object' $? 1
has 'are not readable' "$(cat "$T/said")" 'is not readable'
is 'the socket is root'\''s alone' "$(stat -c %a "$T/run/ctl.sock")" 600
done_testing
