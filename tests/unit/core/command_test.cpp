// SPDX-License-Identifier: Apache-2.0
// Commands that behave in every bad way end in time, leave nothing behind, and say no more than they should.
#include "core/command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <qconn/core/secret_provider.hpp>

#include "core/secret_reader.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::core;
using namespace qconn::test;
using namespace std::chrono_literals;
using End = CommandOutcome::End;

namespace {

constexpr const char* k_canary = "canary-77c1";

CommandOutcome shell(const std::string& script, Deadline deadline = 60s, std::size_t limit = 1024 * 1024) {
    return run_command({"sh", "-c", script}, {deadline, limit, {}});
}
std::string output(const std::string& script) { return std::string{shell(script).output.reveal()}; }

bool is_alive(const std::string& pid) { return !pid.empty() && ::kill(std::atoi(pid.c_str()), 0) == 0; }

/// Through the provider, as a definition does it.
struct Commands {
    explicit Commands(const CommandSecretOptions& options = {}) {
        table = SecretTable::builtin();
        table.add(command_secrets(options));
        definition.name = "shop";
    }
    std::string read(const std::string& line) {
        SecretReader reader{table, definition};
        return std::string{reader.read({"cmd", line}).reveal()};
    }
    Error failure(const std::string& line) {
        try {
            (void)read(line);
        } catch (const Error& error) {
            CHECK(error.phase() == Phase::secret);
            CHECK(error.name() == "SECRET-ERROR");
            CHECK(error.connection() == "shop");
            return error;
        }
        FAIL("no error: " << line);
        throw 0;
    }
    SecretTable table;
    Definition definition;
};

}  // namespace

TEST_CASE("a command line is taken apart into words without any shell", "[command]") {
    using Words = std::vector<std::string>;
    CHECK(split_words("pass show shop/api") == Words{"pass", "show", "shop/api"});
    CHECK(split_words("  a\t'b  c' \"d \\\" e\" f\\ g '' ") == Words{"a", "b  c", "d \" e", "f g", ""});
    CHECK(split_words("a'b'\"c\"d") == Words{"abcd"});
    CHECK(split_words("echo $HOME * `x` | cat > y; z") == Words{"echo", "$HOME", "*", "`x`", "|", "cat", ">", "y;", "z"});
    CHECK(split_words("'\\'") == Words{"\\"});
    CHECK(split_words("") == Words{});
    CHECK_FALSE(split_words("a 'b"));
    CHECK_FALSE(split_words("a \"b"));
    CHECK_FALSE(split_words("a \\"));
    CHECK_FALSE(split_words(std::string_view{"a\0b", 3}));
}

TEST_CASE("what a command prints is the secret, without one newline", "[command]") {
    Commands commands;
    ::setenv("QCONN_T_COMMAND", k_canary, 1);

    CHECK(commands.read("echo " + std::string{k_canary}) == k_canary);
    CHECK(commands.read("printf 'a\\n\\n'") == "a\n");
    CHECK(commands.read("printf 'a\\r\\n'") == "a");
    CHECK(commands.read("sh -c 'echo \"$QCONN_T_COMMAND\"'") == k_canary);
    CHECK(commands.read("echo '$QCONN_T_COMMAND'") == "$QCONN_T_COMMAND");
}

TEST_CASE("a command that fails is an error with its status, and nothing that it printed", "[command]") {
    Commands commands;
    const std::string c = k_canary;
    const auto failed = commands.failure("sh -c 'echo " + c.substr(0, 6) + "\"\"" + c.substr(6) + "; echo o\"\"h >&2; exit 3'");
    INFO(failed.what());
    CHECK(failed.reason() == Reason::status);
    CHECK(std::string{failed.what()}.find("status 3") != std::string::npos);
    CHECK(std::string{failed.what()}.find("${cmd:sh -c") != std::string::npos);
    CHECK(std::string{failed.what()}.find(c) == std::string::npos);
    CHECK(std::string{failed.what()}.find("oh") == std::string::npos);
    CHECK(std::string{failed.what()}.find("standard error") != std::string::npos);

    CHECK(std::string{commands.failure("sh -c 'kill -9 $$'").what()}.find("SIGKILL") != std::string::npos);
    CHECK(commands.failure("true").reason() == Reason::missing);
    CHECK(commands.failure("sh -c 'echo'").reason() == Reason::missing);
    CHECK(commands.failure("/no/such/program x").reason() == Reason::missing);
    CHECK(commands.failure("/etc/passwd").reason() == Reason::permission);
    CHECK(commands.failure("'a").reason() == Reason::bad_value);
}

TEST_CASE("the last line of standard error is shown where that is asked for, but never with the output in it", "[command]") {
    Commands commands{{.show_errors = true}};
    const auto words = [&](const std::string& line) { return std::string{commands.failure(line).what()}; };

    CHECK(words("sh -c 'echo first >&2; echo sealed >&2; exit 2'").find("its last words: sealed") != std::string::npos);
    CHECK(words("sh -c 'echo first >&2; echo sealed >&2; exit 2'").find("first)") == std::string::npos);
    const std::string both = "for s in 1 2; do printf can; echo ary-77c1; exec 1>&2; done; exit 2";
    CHECK(shell(both).errors.find(k_canary) != std::string::npos);
    CHECK(words("sh -c '" + both + "'").find(k_canary) == std::string::npos);
}

TEST_CASE("a command that hangs is killed with all that it has started", "[command]") {
    const TempDir directory;
    const std::string pids = directory / "pids";
    // Neither SIGTERM nor a closed terminal moves them.
    const std::string script = "trap '' TERM HUP INT; sleep 1000 & echo $! > " + pids + "; sleep 1000";

    const auto begin = Clock::now();
    const auto outcome = shell(script, Deadline{500ms});

    CHECK(outcome.end == End::late);
    CHECK(outcome.output.empty());
    CHECK(Clock::now() - begin < 30s);
    const std::string left = directory.read("pids");
    CHECK(wait_until([&] { return !is_alive(left); }));
    Commands commands{{.timeout = 300ms}};
    const auto late = commands.failure("sleep 1000");
    CHECK(late.reason() == Reason::timeout);
    CHECK(std::string{late.what()}.find("at most 300 ms") != std::string::npos);
}

TEST_CASE("what a command leaves behind is killed, and does not hold the secret up", "[command]") {
    const TempDir directory;
    const std::string pids = directory / "pids";

    const auto outcome = shell("sleep 1000 & echo $! > " + pids + "; echo " + k_canary);

    CHECK(outcome.end == End::exited);
    CHECK(outcome.output.reveal() == std::string{k_canary} + "\n");
    const std::string left = directory.read("pids");
    CHECK(wait_until([&] { return !is_alive(left); }));
}

TEST_CASE("one that has gone to a session of its own and keeps the pipe is not waited for", "[command]") {
    const TempDir directory;
    const auto outcome =
        shell("setsid sh -c 'echo $$ > " + directory / "pid" + "; exec sleep 1000' & while ! [ -s " + directory / "pid" + " ]; do :; done; echo x");

    CHECK(outcome.end == End::exited);
    CHECK(outcome.output.reveal() == "x\n");
    const std::string left = directory.read("pid");
    CHECK(is_alive(left));
    if (is_alive(left)) ::kill(std::atoi(left.c_str()), SIGKILL);
}

TEST_CASE("a command that prints too much is stopped", "[command]") {
    CHECK(shell("yes", 60s, 10'000).end == End::too_large);
    CHECK(shell("head -c 10001 /dev/zero", 60s, 10'000).end == End::too_large);
    CHECK(shell("head -c 10000 /dev/zero", 60s, 10'000).output.reveal().size() == 10'000);
    CHECK(shell("head -c 3000000 /dev/zero >&2; echo x").output.reveal() == "x\n");
    CHECK(shell("head -c 3000000 /dev/zero >&2; echo last >&2").errors.size() <= 4096);
    CHECK(shell("head -c 3000000 /dev/zero >&2; echo last >&2").errors.ends_with("last\n"));
    Commands commands;
    CHECK(commands.failure("head -c 1048577 /dev/zero").reason() == Reason::limit);
}

TEST_CASE("a command that nobody waits for is killed", "[command]") {
    std::atomic<int> asked{0};
    const auto outcome = run_command({"sleep", "1000"}, {60s, 100, [&] { return ++asked > 1; }});
    CHECK(outcome.end == End::cancelled);
}

TEST_CASE("a command gets no descriptor, no input, no terminal, and usual signals", "[command]") {
    const int open = ::open("/dev/null", O_RDONLY);  // inherited, as the program's own may be
    REQUIRE(open > 2);
    sigset_t blocked;
    sigset_t former;
    sigfillset(&blocked);
    pthread_sigmask(SIG_BLOCK, &blocked, &former);
    const auto former_pipe = ::signal(SIGPIPE, SIG_IGN);

    CHECK(output("cat") == "");
    CHECK(output("readlink /proc/self/fd/0") == "/dev/null\n");
    CHECK(run_command({"ls", "/proc/self/fd"}, {60s, 1000, {}}).output.reveal() == "0\n1\n2\n3\n");  // 3: the directory itself
    CHECK(output(": < /dev/tty && echo terminal") == "");
    const std::string signals = output("grep -E 'SigBlk|SigIgn' /proc/self/status");
    CHECK(signals.find("SigBlk:\t0000000000000000") != std::string::npos);
    // But for two of libc's own, 32 and 33.
    const auto ignored = signals.substr(signals.find("SigIgn:") + 8, 16);
    CHECK((ignored == "0000000000000000" || ignored == "0000000180000000"));

    ::signal(SIGPIPE, former_pipe);
    pthread_sigmask(SIG_SETMASK, &former, nullptr);
    ::close(open);
}

TEST_CASE("where the program ignores SIGCHLD a command's output is not used", "[command]") {
    const auto former = ::signal(SIGCHLD, SIG_IGN);
    const auto outcome = shell("echo x; exit 3");
    ::signal(SIGCHLD, former);

    CHECK(outcome.end == End::lost);
    CHECK(outcome.output.empty());
}

TEST_CASE("commands run beside each other and leave no zombie, and other children are left alone", "[command][threads]") {
    const pid_t other = ::fork();
    if (other == 0) ::_exit(7);
    REQUIRE(other > 0);
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 10; ++i)
                if (output("echo " + std::to_string(thread * 100 + i)) == std::to_string(thread * 100 + i) + "\n") ++good;
        });
    for (auto& thread : threads) thread.join();

    CHECK(good == 40);
    int status = 0;
    CHECK(::waitpid(other, &status, 0) == other);
    CHECK(WEXITSTATUS(status) == 7);
    CHECK(::waitpid(-1, &status, WNOHANG) <= 0);  // no zombie
}
