# SPDX-License-Identifier: Apache-2.0
"""device.py PORT CONTROL_PORT: see device.sh.

Commands: show version | show pages | show terminal | show heard | show port | show colours | show latin | big BYTES | line BYTES | progress | sleep SECONDS |
ask | enable | configure terminal | end | hostname NAME | printf TEXT | hang | reload | exit
"""
import os
import queue
import socket
import sys
import threading
import time

IAC, DONT, DO, WONT, WILL, SB, GA, AYT, IP, BRK, NOP, SE = 255, 254, 253, 252, 251, 250, 249, 246, 244, 243, 241, 240
BINARY, ECHO, SGA, TTYPE, NAWS, TSPEED, NEW_ENVIRON, COMPRESS2 = 0, 1, 3, 24, 31, 32, 39, 86
user = os.environ.get("TEST_USER", "qconntest")
password = os.environ.get("TEST_PASS", "Passw0rd-1")
PAGES, PAGE = 5, 3


class Gone(Exception):
    pass


class Device:
    def __init__(self, connection, words):
        self.connection, self.words = connection, words
        self.lock = threading.Lock()
        self.lines = queue.Queue()
        self.keys = queue.Queue()
        self.raw_keys = False  # a pager or a sleeping command takes single keys
        self.interrupted = threading.Event()
        self.heard = bytearray()
        self.terminal = {}
        self.us, self.him = set(), set()
        self.asked = set()
        self.echo_on = "no_echo" not in self.words and "refuse_echo" not in self.words
        self.hide = False
        self.line = bytearray()
        self.after_cr = False
        self.host, self.mode = "switch", ">"

    # ---- out ----

    def raw(self, data):
        try:
            with self.lock:
                if "pieces" in self.words and len(data) < 4096:
                    for i in range(len(data)):
                        self.connection.sendall(data[i:i + 1])
                        time.sleep(0.0005)
                else:
                    self.connection.sendall(data)
        except OSError:
            raise Gone from None

    def say(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        self.raw(data.replace(b"\xff", b"\xff\xff"))

    def ask_for(self, verb, option):
        self.asked.add((verb, option))
        self.raw(bytes([IAC, verb, option]))

    # ---- in ----

    def read(self):
        """The reading thread: takes the protocol apart."""
        state, command, option, data = "data", 0, 0, bytearray()
        try:
            while True:
                block = self.connection.recv(65536)
                if not block:
                    break
                self.heard += block
                del self.heard[:-4096]
                for byte in block:
                    if state == "data":
                        if byte == IAC:
                            state = "iac"
                        else:
                            self.byte(byte)
                    elif state == "iac":
                        if byte == IAC:
                            self.byte(byte)
                            state = "data"
                        elif byte in (DO, DONT, WILL, WONT):
                            command, state = byte, "option"
                        elif byte == SB:
                            data, state = bytearray(), "sb"
                        else:
                            self.command(byte)
                            state = "data"
                    elif state == "option":
                        self.negotiated(command, byte)
                        state = "data"
                    elif state == "sb":
                        if byte == IAC:
                            state = "sb iac"
                        else:
                            data.append(byte)
                    elif state == "sb iac":
                        if byte == SE:
                            self.told(bytes(data))
                            state = "data"
                        else:
                            data.append(byte)
                            state = "sb"
        except (OSError, Gone):
            pass
        self.lines.put(None)
        self.keys.put(None)
        self.interrupted.set()

    def command(self, byte):
        if byte == AYT:
            self.say("[the switch is here]\r\n")
        elif byte in (IP, BRK):
            self.interrupted.set()

    def negotiated(self, verb, option):
        if verb in (WILL, WONT):
            (self.him.add if verb == WILL else self.him.discard)(option)
        else:
            (self.us.add if verb == DO else self.us.discard)(option)
        if "loop" in self.words:
            contrary = {WILL: DONT, WONT: DO, DO: WONT, DONT: WILL}[verb]
            self.raw(bytes([IAC, contrary, option]))
            self.raw(bytes([IAC, {DONT: DO, DO: DONT, WONT: WILL, WILL: WONT}[contrary], option]))
            return
        if "repeat" in self.words:
            self.raw(bytes([IAC, {WILL: DO, WONT: DONT, DO: WILL, DONT: WONT}[verb], option]))
        if verb == WILL and option in (TTYPE, TSPEED, NEW_ENVIRON):
            self.raw(bytes([IAC, SB, option, 1, IAC, SE]))
        elif verb == WILL and (DO, option) not in self.asked:
            self.ask_for(DO if option == BINARY else DONT, option)
        elif verb == DO and (WILL, option) not in self.asked:
            self.ask_for(WILL if option == BINARY else WONT, option)

    def told(self, data):
        option, rest = data[0], data[1:]
        if option == NAWS and len(rest) == 4:
            self.terminal["size"] = "%dx%d" % (rest[0] << 8 | rest[1], rest[2] << 8 | rest[3])
        elif option == TTYPE:
            self.terminal["type"] = rest[1:].decode()
        elif option == TSPEED:
            self.terminal["speed"] = rest[1:].decode()
        elif option == NEW_ENVIRON:
            self.terminal["environment"] = repr(rest[1:])

    def byte(self, byte):
        if self.raw_keys:
            if byte == 3:
                self.interrupted.set()
            self.keys.put(byte)
            return
        if self.after_cr:
            self.after_cr = False
            if byte in (0, 10):
                return
        if byte in (13, 10):
            self.after_cr = byte == 13
            if self.echo_on:
                self.say("\r\n")
            self.lines.put(bytes(self.line))
            self.line.clear()
        elif byte == 3:
            self.line.clear()
            self.interrupted.set()
            self.lines.put(b"")
        else:
            self.line.append(byte)
            if self.echo_on and not self.hide:
                self.say(bytes([byte]))

    def get(self):
        line = self.lines.get()
        if line is None:
            raise Gone
        return line.decode("utf-8", "surrogateescape")

    def key(self):
        key = self.keys.get()
        if key is None:
            raise Gone
        return key

    # ---- what it does ----

    def greet(self):
        if "mute" in self.words:
            self.get()
        if "close" in self.words:
            raise Gone
        if "flood" in self.words:
            while True:
                self.raw(bytes([IAC, DO, 99, IAC, WILL, 98, IAC, DO, TTYPE, IAC, SB, TTYPE, 1, IAC, SE]) * 100)
        if "flood_nop" in self.words:
            while True:
                self.raw(bytes([IAC, NOP]) * 1000)
        if "huge" in self.words:
            self.raw(bytes([IAC, SB, TTYPE, 0]))
            while True:
                self.raw(b"x" * 1000)
        if "compress" in self.words:
            self.raw(bytes([IAC, WILL, COMPRESS2, IAC, SB, COMPRESS2, IAC, SE]) + b"\x78\x9c" + b"\x00" * 500)
        if "no_echo" not in self.words:
            self.ask_for(WONT if "refuse_echo" in self.words else WILL, ECHO)
            self.ask_for(WILL, SGA)
            for option in (TTYPE, NAWS, TSPEED, NEW_ENVIRON):
                self.ask_for(DO, option)
        if "binary" in self.words:
            self.ask_for(DO, BINARY)
            self.ask_for(WILL, BINARY)
        if "press_return" in self.words:
            self.say("\r\n\r\nPress RETURN to get started.\r\n\r\n")
            self.get()
        if "banner" in self.words:
            self.say("Welcome to <switch>\r\n<authorised only>")
            time.sleep(0.02)
            self.say(" you are\r\nLast login: ")
            time.sleep(0.02)
            self.say("yesterday\r\n")

    def log_in(self):
        for _ in range(3):
            name = user
            if "password_only" not in self.words:
                self.say("\r\nUser Access Verification\r\n\r\nUsername: ")
                name = self.get()
                if "close_user" in self.words:
                    raise Gone
            self.hide = "shows_password" not in self.words
            self.say("Password: ")
            given = self.get()
            self.hide = False
            if "close_password" in self.words:
                raise Gone
            if "mute_password" in self.words:
                self.get()
            if "denies" not in self.words and (name, given) == (user, password):
                return
            time.sleep(0.05)
            self.say("% Login invalid\r\n")
        raise Gone

    def prompt(self):
        if "shell" in self.words:
            self.say("\x1b[?2004h\x1b]0;%s: ~\x07\x1b[01;32mroot@%s\x1b[00m:\x1b[01;34m~\x1b[00m# " % (self.host, self.host))
        else:
            self.say(self.host + self.mode)

    def pages(self):
        for page in range(PAGES):
            for number in range(PAGE):
                self.say("page %d line %d\r\n" % (page + 1, number + 1))
            if page + 1 < PAGES:
                self.raw_keys = True
                self.say(" --More-- ")
                key = self.key()
                self.raw_keys = False
                self.say("\b" * 10 + " " * 10 + "\b" * 10)
                if key == ord("q"):
                    return

    def sleep(self, seconds):
        self.interrupted.clear()
        self.raw_keys = True
        if self.interrupted.wait(seconds):
            self.say("^C\r\n")
        else:
            self.say("slept\r\n")
        self.raw_keys = False
        while not self.keys.empty():
            self.keys.get()

    def obey(self, line):
        verb, _, rest = line.partition(" ")
        if line == "show version":
            self.say("Switch Software, Version 12.2\r\n  uptime is 3 weeks\r\n")
        elif line == "show pages":
            self.pages()
        elif line == "show terminal":
            for name in sorted(self.terminal):
                self.say("%s=%s\r\n" % (name, self.terminal[name]))
        elif line == "show heard":
            self.say(self.heard.hex() + "\r\n")
        elif line == "show port":
            self.say("%d\r\n" % self.connection.getsockname()[1])
        elif line == "show colours":
            self.say("\x1b[31mred\x1b[0m \x1b(Bplain\x1b]0;title\x07\r\n")
        elif line == "show latin":
            self.say(b"Gr\xfc\xdfe\xff\r\n")
        elif verb == "big":
            number, left = 0, int(rest)
            while left > 0:
                block = "".join("%07d ends > \r\n" % (number + i) for i in range(1000))
                number += 1000
                self.say(block)
                left -= len(block)
        elif verb == "line":
            self.say("x" * int(rest) + "\r\n")
        elif line == "progress":
            for done in range(0, 101, 20):
                self.say("\r%d%%" % done)
                time.sleep(0.01)
            self.say("\r\ndone\r\n")
        elif verb == "sleep":
            self.sleep(float(rest))
        elif line == "ask":
            self.say("Proceed? [y/n] ")
            self.say("went on\r\n" if self.get() == "y" else "given up\r\n")
        elif line == "enable":
            self.hide = "shows_password" not in self.words
            self.say("Password: ")
            self.mode = "#" if self.get() == "s3cret-enable" else self.mode
            self.hide = False
        elif line == "configure terminal":
            self.mode = "(config)#"
        elif line == "end":
            self.mode = ">"
        elif verb == "hostname":
            self.host = rest
        elif verb == "printf":
            self.say(rest)
        elif line == "hang":
            self.get()
        elif line == "reload":
            self.say("Reloading, please wa")
            raise Gone
        elif line == "exit":
            raise Gone
        elif line:
            self.say("% Unknown command: " + line + "\r\n")

    def run(self):
        reader = threading.Thread(target=self.read, daemon=True)
        reader.start()
        try:
            self.greet()
            if "at_once" not in self.words:
                self.log_in()
            self.say("\r\n")
            while True:
                self.prompt()
                line = self.get()
                if "shell" in self.words:
                    self.say("\x1b[?2004l\r")
                self.obey(line)
        except (Gone, OSError):
            pass
        finally:
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.connection.close()


def listen(port, words):
    """A device of its own, on a thread of its own. Returns its port."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)

    def serve():
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=Device(connection, words).run, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def main():
    control = socket.socket()
    control.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    control.bind(("127.0.0.1", int(sys.argv[2])))
    control.listen(64)
    listen(int(sys.argv[1]), set(os.environ.get("DEVICE", "").split()))
    while True:
        connection, _ = control.accept()
        line = connection.makefile("r").readline()
        connection.sendall(b"%d\n" % listen(0, set(line.split())))
        connection.close()


main()
