#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A switch, as TELNET shows it: "Username:", "Password:", prompt "switch>", pages with --More--. Log-in: TEST_USER with TEST_PASS. Commands: see device.py.
# Words make it another one: those of DEVICE the one on PORT; a line of them sent to PORT2 gives the port of one more.
#     at_once            no log-in                          password_only     no user name
#     press_return       waits for a line end first         banner            words before the log-in that look like prompts
#     pieces             each byte by itself                no_echo           repeats nothing, and does not negotiate
#     refuse_echo        WONT ECHO                          binary            asks for binary transmission both ways
#     shell              prompts like bash, with colours    shows_password    repeats the password
#     mute               says nothing                       mute_password     says nothing after the password
#     close              closes at once                     close_user        closes after the user name
#     close_password     closes after the password          denies            refuses whatever comes
#     loop               answers each agreement with the contrary, for ever
#     repeat             says again what was agreed on, for ever
#     flood              negotiates without an end          flood_nop         commands without an end
#     huge               a subnegotiation without an end    compress          compresses, which nobody asked for
# Written from RFC 854-859, 1073, 1079, 1091 and 1572.
. "$(dirname "$0")/lib.sh"
packages='apt python3'
programs='python3'

start() { exec env TEST_USER="$user" TEST_PASS="$pass" python3 -u "$here/device.py" "$port" "$port2"; }

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
